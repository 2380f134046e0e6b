"""Plans of suites that compare values, and of suites whose cases come in clusters."""

from dataclasses import replace

import pytest

from gate.app.operating_points import OperatingPoint, Scenario, operating_points
from gate.app.plan import Reach, SuiteOutlook
from gate.app.plan_text import render_outlook, render_requirements
from gate.app.project import SuitePlan
from gate.core.evidence import BaselineCase
from gate.core.finding import Outcome
from gate.core.model import Dimension, Metric, Scope
from gate.core.moments import moments
from gate.core.policy import Profile, Requirement
from tests.builders import make_baseline_case, make_policy, make_reference, make_suite, make_suite_baseline

POLICY = make_policy(requirements=((Dimension.TASK_SUCCESS, Requirement(regression=True)),))


def entry(cases: list[BaselineCase], more: int = 0) -> SuitePlan:
    """A suite that compares values, with so many cases that the baseline does not know."""
    base = make_suite_baseline(cases)
    ids = [*(case.case_id for case in cases), *(f"new{number}" for number in range(more))]
    suite = make_suite(*ids, metric=Metric.SCORE)
    return SuitePlan(suite=suite, identity=base.identity, reference=make_reference(base))


def steady(count: int) -> list[BaselineCase]:
    return [make_baseline_case(f"c{n:03d}", score=moments([0.85, 0.95] * 5)) for n in range(count)]


def points(plan: SuitePlan, margin: float) -> dict[Scenario, OperatingPoint]:
    return {point.scenario: point for point in operating_points(plan, POLICY, margin=margin)}


def test_operating_points__values_are_drawn_and_judged() -> None:
    found = points(entry(steady(110), more=2), 0.03)
    harmless, broken = found[Scenario.NO_OP], found[Scenario.BROKEN]
    assert harmless.share(Outcome.PROMOTE) >= 0.9
    assert broken.share(Outcome.ROLLBACK) == 1.0
    assert broken.reasons(Outcome.ROLLBACK) == ("abort",)
    assert found[Scenario.BORDERLINE].share(Outcome.PROMOTE) <= 0.15
    assert found == points(entry(steady(110), more=2), 0.03)


def test_operating_points__baseline_without_values__nothing() -> None:
    assert operating_points(entry([make_baseline_case("a")]), POLICY, margin=0.03) == ()


def test_operating_points__baseline_of_worthless_answers__still_drawn() -> None:
    worthless = [make_baseline_case(f"c{n:03d}", 0, score=moments([0.0] * 10)) for n in range(40)]
    assert points(entry(worthless), 0.1)[Scenario.BORDERLINE].share(Outcome.ROLLBACK) == 0.0


OUTLOOK = SuiteOutlook(
    target="mail",
    suite="intent",
    cases=240,
    dimension=Dimension.TASK_SUCCESS,
    scope=Scope.POPULATION,
    reach=Reach(wanted=0.03, supported=0.031, cases=260, passes=7, measured=True, clusters=24),
    watched=None,
    least_calls=240,
    most_calls=1200,
    tokens=1000,
    usd=None,
    seconds=None,
    points=(
        OperatingPoint(
            scenario=Scenario.NO_OP, draws=200, outcomes={(Outcome.PROMOTE, "shown not worse"): 200}, calls=600.0
        ),
    ),
    metric=Metric.SCORE,
)


def test_render_outlook__metric_clusters_and_how_values_are_drawn() -> None:
    lines = render_outlook(OUTLOOK).splitlines()
    assert lines[:2] == [
        "mail / intent: 240 cases, task_success, scope population, metric score",
        "  can show a drop of 3.1 points (by the baseline's counts; 24 clusters); wanted: 3 points",
    ]
    assert lines[-1] == (
        "  values are drawn from beta distributions with each case's mean and variance, apart from passes"
    )


def test_render_outlook__too_few_clusters__can_show_nothing() -> None:
    reach = Reach(wanted=0.03, supported=float("inf"), cases=None, passes=None, measured=True, clusters=4)
    lines = render_outlook(replace(OUTLOOK, reach=reach, points=())).splitlines()
    assert lines[1] == "  can show no drop: name at least 10 clusters (now 4); a harmless change ends in HOLD"
    assert "inf" not in lines[1]
    assert lines[2].startswith("  calls:")


@pytest.mark.parametrize(("dimension", "better"), [("latency", "lower"), ("cost", "lower"), ("task_success", "higher")])
def test_render_requirements__which_way_is_better(dimension: str, better: str) -> None:
    rows = {line.split()[0]: line.split()[1] for line in render_requirements(make_policy()).splitlines()[2:]}
    assert rows[dimension] == better
    assert render_requirements(make_policy(profile=Profile.PAPER)).splitlines()[1].split()[:2] == [
        "dimension",
        "better",
    ]
