"""What a plan predicts without a simulation, and how far off it is said to have been."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from gate.app.forecast import Prospect, expected_passes
from gate.app.operating_points import Scenario, operating_points
from gate.app.plan import SuiteOutlook
from gate.app.prediction import Prediction, compare_with_plan, predicted, told, told_plan
from gate.app.project import Project, SuitePlan
from gate.core.evidence import Evidence
from gate.core.model import Dimension, Scope
from gate.core.planning import noise
from gate.core.policy import Requirement
from gate.core.question import Origin
from gate.runner.suite_run import SuiteRun
from tests.builders import make_case, make_policy, make_reference, make_suite, make_suite_baseline

TASK = Requirement(regression=True)
POLICY = make_policy(requirements=((Dimension.TASK_SUCCESS, TASK),))


def prospect(
    counts: str, requirement: Requirement = TASK, margin: float = 0.03, scope: Scope = Scope.POPULATION
) -> Prospect:
    known = make_suite_baseline(counts).cases
    return Prospect(
        known=known,
        cases=len(known),
        requirement=requirement,
        margin=margin,
        noise={
            "noise_per_trial": noise((case.passes, case.trials) for case in known),
            "baseline_trials": 10,
            "scope": scope,
        },
    )


def test_expected_passes__of_steady_cases_is_the_first_look() -> None:
    assert expected_passes(prospect("a*300: 10/10"), POLICY) == 1.0


def test_expected_passes__adds_each_later_look_by_the_chance_that_it_is_needed() -> None:
    own = prospect("a*150: 10/10  b*50: 5/10", margin=0.06)
    chances = [own.settled(look) for look in (1, 2, 3)]
    assert 0.0 < chances[0] < chances[1] < chances[2] < 1.0
    wanted = 1 + (1 - chances[0]) + (1 - chances[1]) + 2 * (1 - chances[2])
    assert expected_passes(own, POLICY) == pytest.approx(wanted)


def test_expected_passes__of_a_small_suite_are_all() -> None:
    assert expected_passes(prospect("a*20: 10/10"), POLICY) == 5.0


@pytest.mark.parametrize(("scope", "passes"), [(Scope.POPULATION, 1.0), (Scope.SET, 2.0)])
def test_expected_passes__a_set_is_never_settled_by_one(scope: Scope, passes: float) -> None:
    assert expected_passes(prospect("a*300: 10/10", scope=scope), POLICY) == passes


@pytest.mark.parametrize(
    ("requirement", "passes"),
    [
        (Requirement(floor=0.8), 1.0),
        (Requirement(floor=0.999), 5.0),
        (Requirement(floor=0.99, point=True), 1.0),
        (Requirement(floor=0.999, blocking=False), 1.0),
        (Requirement(), 1.0),
    ],
)
def test_expected_passes__of_a_floor(requirement: Requirement, passes: float) -> None:
    assert expected_passes(prospect("a*298: 10/10", requirement), POLICY) == pytest.approx(passes, abs=0.01)


def test_expected_passes__of_a_floor_that_is_near_lies_in_between() -> None:
    own = prospect("a*200: 10/10  b*100: 5/10", Requirement(floor=0.795))
    assert 1.0 < expected_passes(own, POLICY) < 5.0


def test_expected_passes__without_a_baseline_is_the_first_look() -> None:
    assert expected_passes(None, POLICY) == 1.0
    assert expected_passes(None, replace(POLICY, looks=(3,))) == 3.0
    floor = Prospect(
        known=(), cases=9, requirement=Requirement(floor=0.5), margin=0.1,
        noise={"noise_per_trial": 0.0, "baseline_trials": 10},
    )  # fmt: skip
    assert floor.settled(5) == 0.0


@pytest.mark.parametrize(("counts", "margin"), [("a*250: 10/10  b*50: 8/10", 0.03), ("a*120: 10/10  b*30: 7/10", 0.05)])
def test_expected_passes__is_near_what_a_simulation_says(counts: str, margin: float) -> None:
    base = make_suite_baseline(counts)
    cases = tuple(make_case(case.case_id, digest=case.digest) for case in base.cases)
    suite = make_suite(cases=cases, margin=margin)
    entry = SuitePlan(suite=suite, identity=base.identity, reference=make_reference(base))
    (same,) = (one for one in operating_points(entry, POLICY, margin=margin) if one.scenario is Scenario.NO_OP)
    own = expected_passes(prospect(counts, margin=margin), POLICY) * len(base.cases)
    assert own == pytest.approx(same.calls, rel=0.15)


# --- what is said


@dataclass(frozen=True)
class Used:
    calls: int = 100
    usd: float | None = None
    reused: tuple[tuple[Origin, int], ...] = ()


@pytest.mark.parametrize(
    ("plan", "calls", "usd", "sentence"),
    [
        (Prediction(calls=100.0, usd=None), 100, None, "100 calls predicted, 100 made (+0 %)"),
        (Prediction(calls=1000.4, usd=2.0), 1100, None, "1,000 calls predicted, 1,100 made (+10 %)"),
        (
            Prediction(calls=200.0, usd=2.0), 150, 1.5,
            "200 calls predicted, 150 made (-25 %); $2.0000 predicted, $1.5000 spent (-25 %)",
        ),
        (
            Prediction(calls=0.0, usd=None), 7, 0.25,
            "0 calls predicted, 7 made (none was expected); no dollars predicted, $0.2500 spent",
        ),
    ],
)  # fmt: skip
def test_told__both_figures_and_the_error(plan: Prediction, calls: int, usd: float | None, sentence: str) -> None:
    assert told(plan, calls=calls, usd=usd) == sentence


def outlook(**changes: object) -> SuiteOutlook:
    fields: dict[str, object] = {
        "target": "t", "suite": "s", "cases": 100, "dimension": Dimension.TASK_SUCCESS, "scope": Scope.POPULATION,
        "reach": None, "watched": None, "least_calls": 100, "most_calls": 500, "tokens": 0, "usd": None,
        "seconds": None, "points": (), "expected": 120.0,
    }  # fmt: skip
    return SuiteOutlook(**(fields | changes))  # type: ignore[arg-type]


def test_predicted__adds_judges_and_the_base_and_prices_the_target() -> None:
    made = predicted([outlook(judged=2, beside=100, usd=0.5), outlook(usd=0.25)])
    assert made == Prediction(calls=120 * 3 + 100 + 120, usd=pytest.approx(0.5 * 2.2 + 0.25 * 1.2))
    assert told_plan(made) == "580 calls, $1.4000"


def test_predicted__without_a_price_of_one_suite_has_no_dollars() -> None:
    made = predicted([outlook(usd=0.5), outlook()])
    assert (made.usd, told_plan(made)) == (None, "240 calls")


class Stub:
    """A run that an earlier one precedes, or not; nothing else of it is looked at here."""

    def __init__(self, earlier: object = None) -> None:
        self.earlier = earlier


@pytest.mark.parametrize(
    ("evidence", "used", "earlier", "why"),
    [
        (Evidence(suites=(), interrupted=True), Used(), None, "the run did not come to its end"),
        (Evidence(suites=(), stopped="the budget"), Used(), None, "the run did not come to its end"),
        (
            Evidence(suites=()),
            Used(reused=((Origin.CACHE, 3), (Origin.JOURNAL, 4))),
            None,
            "7 answers were not asked for",
        ),
        (Evidence(suites=()), Used(), Evidence(suites=()), "earlier runs of this version count, too"),
    ],
)
def test_compare_with_plan__says_why_not(evidence: Evidence, used: Used, earlier: object, why: str) -> None:
    runs: list[SuiteRun] = [Stub(earlier)]  # type: ignore[list-item]
    project: Project = None  # type: ignore[assignment]
    assert compare_with_plan(project, runs, evidence, spent=used) == f"no comparison with the plan: {why}"


def test_compare_with_plan__of_nothing_is_empty() -> None:
    project: Project = None  # type: ignore[assignment]
    assert compare_with_plan(project, [], Evidence(suites=()), spent=Used()) == ""
