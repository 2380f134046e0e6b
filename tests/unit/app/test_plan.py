"""A plan: what a suite can show, how often it errs, and the words for it."""

from dataclasses import replace

import pytest

from gate.app.operating_points import OperatingPoint, Scenario, operating_points
from gate.app.plan import Reach, SuiteOutlook
from gate.app.plan_text import render_outlook, render_requirements
from gate.app.project import SuitePlan
from gate.app.watched import Watched, render_watched, watched_cases
from gate.core.broken import BrokenTable
from gate.core.evidence import Absent, SuiteBaseline
from gate.core.finding import Outcome
from gate.core.model import Dimension, Scope
from gate.core.planning import (
    MOST_PASSES,
    passes_needed,
    supported_margin,
)
from gate.core.policy import AtLeast, Policy, Profile, Requirement
from gate.core.prior import fitted_weights, posterior_weights, tallied
from tests.builders import make_case, make_policy, make_reference, make_suite, make_suite_baseline

PROMOTE, HOLD, ROLLBACK = Outcome.PROMOTE, Outcome.HOLD, Outcome.ROLLBACK
# Without a floor, whose exact bounds take most of the time.
TASK = make_policy(
    requirements=((Dimension.TASK_SUCCESS, Requirement(regression=True, broken=True)),),
)


def entry(before: SuiteBaseline | str) -> SuitePlan:
    base = make_suite_baseline(before) if isinstance(before, str) else before
    suite = make_suite(cases=tuple(make_case(case.case_id, digest=case.digest) for case in base.cases))
    return SuitePlan(suite=suite, identity=base.identity, reference=make_reference(base))


def points(before: str, policy: Policy = TASK, margin: float = 0.03) -> dict[Scenario, OperatingPoint]:
    return {point.scenario: point for point in operating_points(entry(before), policy, margin=margin)}


def test_operating_points__no_baseline__nothing() -> None:
    plan = entry("en*100: 10/10")
    empty = replace(plan, reference=replace(plan.reference, baseline=Absent(place="b.json")))
    assert operating_points(empty, TASK, margin=0.03) == ()


def test_operating_points__same_inputs_same_draws() -> None:
    assert points("a*30: 9/10  b*30: 10/10", margin=0.2) == points("a*30: 9/10  b*30: 10/10", margin=0.2)


def test_operating_points__solid_suite_with_a_margin_in_reach() -> None:
    found = points("en*150: 10/10")
    harmless, broken = found[Scenario.NO_OP], found[Scenario.BROKEN]
    assert harmless.share(PROMOTE) >= 0.95
    assert 150 <= harmless.calls < 300
    assert broken.share(ROLLBACK) == 1.0
    assert broken.reasons(ROLLBACK) == ("abort",)
    assert broken.calls < 75
    assert found[Scenario.BORDERLINE].share(PROMOTE) <= 0.15


def test_operating_points__margin_out_of_reach__harmless_changes_hold() -> None:
    harmless = points("en*50: 10/10")[Scenario.NO_OP]
    assert harmless.share(HOLD) == 1.0
    assert harmless.reasons(HOLD) == ("regression",)
    assert harmless.calls >= 250


def test_operating_point__bound_of_a_rate() -> None:
    point = OperatingPoint(scenario=Scenario.NO_OP, draws=200, outcomes={(PROMOTE, "shown not worse"): 200}, calls=1.0)
    assert (point.share(ROLLBACK), round(point.at_most(ROLLBACK), 4)) == (0.0, 0.0149)


def test_posterior_weights__sum_to_one_and_follow_the_counts() -> None:
    weights = fitted_weights(tallied([(10, 10)] * 90 + [(2, 10)] * 10))
    solid, poor = posterior_weights(weights, 10, 10), posterior_weights(weights, 2, 10)
    assert sum(solid) == pytest.approx(1.0)
    assert sum(solid[-4:]) > 0.9
    assert sum(poor[:20]) > 0.9


def test_fitted_weights__no_counts__flat() -> None:
    assert len(set(fitted_weights(()))) == 1


def test_fitted_weights__thousands_of_trials__do_not_vanish() -> None:
    assert sum(fitted_weights((((5_000, 10_000), 3),))) == pytest.approx(1.0)


def test_passes_needed__first_number_that_supports_the_margin() -> None:
    size = {"cases": 200, "noise_per_trial": 0.08, "baseline_trials": 10}
    passes = passes_needed(margin=0.05, **size)
    assert passes is not None
    assert supported_margin(passes=passes, **size) <= 0.05 < supported_margin(passes=passes - 1, **size)
    assert passes_needed(margin=0.01, **size) is None
    assert passes_needed(margin=1.0, **size) == 1
    assert MOST_PASSES == 100


OUTLOOK = SuiteOutlook(
    target="mail",
    suite="intent",
    cases=240,
    dimension=Dimension.TASK_SUCCESS,
    scope=Scope.POPULATION,
    reach=Reach(wanted=0.01, supported=0.031, cases=1124, passes=None, measured=True),
    watched=Watched(testable=200, trials=8, critical={10: 2, 9: 0}, expected_false_alarms=0.0019),
    least_calls=240,
    most_calls=1200,
    tokens=1000,
    usd=2.40,
    seconds=None,
    points=(
        OperatingPoint(
            scenario=Scenario.NO_OP,
            draws=200,
            outcomes={(PROMOTE, "shown not worse"): 150, (HOLD, "floor"): 20, (HOLD, "regression"): 30},
            calls=600.0,
        ),
    ),
)


def test_render_outlook__margin_that_cannot_be_shown_says_so() -> None:
    assert render_outlook(OUTLOOK).splitlines() == [
        "mail / intent: 240 cases, task_success, scope population",
        "  can show a drop of 3.1 points (by the baseline's counts); wanted: 1 point",
        "  1 point needs 1,124 cases like these; you have 240",
        "  no number of passes helps; a harmless change may well end in HOLD",
        "  200 solid cases are watched one by one",
        (
            "  confirmed broken: 10/10 before and at most 2 of 8 now, 9/10 before and at most 0 of 8 now "
            "(0.0019 false alarms expected)"
        ),
        "  calls: 240 to 1,200; 1,000 tokens, $2.40 a pass; time unknown before the first run",
        "  no change: about 600 calls, $6.00; PROMOTE 75.0 %, HOLD 25.0 % (regression, floor), ROLLBACK 0.0 %",
        (
            "  false HOLD 25.0 % (at most 30.5 %), false ROLLBACK 0.0 % (at most 1.5 %); simulated, 200 draws, "
            "this suite alone, independent trials"
        ),
    ]


def test_watched_cases__fixed_with_the_baseline_or_computed() -> None:
    table = BrokenTable(trials=6, critical=((8, -1), (9, 0), (10, 1)), expected_false_alarms=0.0012)
    base = make_suite_baseline("a*40: 10/10  b*5: 9/10  c*5: 8/10", broken=table)
    assert list(render_watched(watched_cases(base, base.cases[:42]))) == [
        "42 solid cases are watched one by one",
        (
            "confirmed broken: 10/10 before and at most 1 of 6 now, 9/10 before and at most 0 of 6 now "
            "(0.0012 false alarms expected; fixed with the baseline of 2026-11-02)"
        ),
    ]
    assert "fixed" not in "".join(render_watched(watched_cases(replace(base, broken=None), base.cases)))
    short = make_suite_baseline("a*40: 3/3")
    assert watched_cases(short, short.cases).testable == 0


def test_render_outlook__calls_to_the_base_are_told_and_counted() -> None:
    told = render_outlook(replace(OUTLOOK, beside=240, least_calls=480, most_calls=1440))
    assert "calls: 480 to 1,440 (240 of them to the base's version, for its latency); 1,000 tokens" in told
    assert "no change: about 840 calls, $8.40; " in told


def test_render_outlook__more_passes_would_do() -> None:
    reach = Reach(wanted=0.03, supported=0.032, cases=260, passes=7, measured=False)
    lines = render_outlook(replace(OUTLOOK, reach=reach, watched=None, points=())).splitlines()
    assert lines[1:4] == [
        "  can show a drop of 3.2 points (assuming usual flakiness: there is no baseline yet); wanted: 3 points",
        "  3 points need 260 cases like these; you have 240",
        "  or 7 passes of these cases; a harmless change may well end in HOLD",
    ]


def test_render_requirements__k_of_m_is_said() -> None:
    at_least = AtLeast(count=1, of=(Dimension.TASK_SUCCESS, Dimension.SAFETY))
    last = render_requirements(make_policy(at_least=at_least)).splitlines()[-1]
    assert last == "at least 1 of task_success, safety must be shown not worse, and not each of them"


def test_render_requirements__one_line_a_dimension() -> None:
    lines = render_requirements(make_policy(profile=Profile.PAPER)).splitlines()
    assert lines[0] == "profile paper, looks after passes 1, 2, 3, 5"
    assert lines[1].split() == [
        "dimension",
        "better",
        "blocks",
        "floor",
        "rollback",
        "below",
        "margin",
        "vetoes",
        "broken",
        "cases",
    ]
    assert [line.split()[0] for line in lines[2:]] == sorted(
        str(d) for d, _ in make_policy(profile=Profile.PAPER).requirements
    )
    assert "latency               lower   yes     p95 15,000 ms      21,429 ms       -       -       -" in lines
    assert "safety                higher  yes     95.0 % (estimate)  66.5 %          -       P0, P1  -" in lines


def test_render_outlook__edited_and_removed_cases() -> None:
    lines = render_outlook(replace(OUTLOOK, edited=2, removed=1)).splitlines()
    assert "  2 cases edited: asked as the base has them, and as they are now" in lines
    assert "  1 case removed: asked as the base has them" in lines
    unasked = render_outlook(replace(OUTLOOK, unasked="3 of 4 cases were edited, more than half"))
    assert "not asked as the base has them, which ends in HOLD: 3 of 4 cases were edited, more than half" in unasked
