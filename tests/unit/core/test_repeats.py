"""Trials that repeat each other: seen where a baseline mixes and the candidate does not, and silent otherwise."""

import random
from collections.abc import Sequence

import pytest

from gate.core.decision import decide
from gate.core.evidence import Evidence
from gate.core.finding import Act, Outcome, Rule, Verdict
from gate.core.prior import GRID
from gate.core.rules.context import SuiteContext
from gate.core.rules.repeats import Mixing, check_repeats, groups_of, mixing_of, shifted
from tests.builders import (
    AS_OF,
    TASK,
    make_baseline_case,
    make_case_evidence,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)


def context(marks: Sequence[str], passes: Sequence[int], *, trials: int = 10) -> SuiteContext:
    ids = [f"c{number:03d}" for number in range(len(marks))]
    known = [make_baseline_case(one, count, trials) for one, count in zip(ids, passes, strict=True)]
    cases = [make_case_evidence(one, mark) for one, mark in zip(ids, marks, strict=True)]
    return SuiteContext(
        evidence=make_suite_evidence(cases),
        reference=make_reference(make_suite_baseline(known)),
        policy=TASK,
        as_of=AS_OF,
    )


# Sixty solid cases, and sixty of which half of the trials pass: independent ones mix in three of four of three trials.
FLAKY = [10] * 60 + [5] * 60
REPEATED = ["PPP"] * 60 + ["PPP", "FFF"] * 30
INDEPENDENT = ["PPP"] * 60 + ["PPF", "FFP", "PFP", "PPP"] * 15


def test_check_repeats__every_case_alike__says_how_many_were_expected() -> None:
    (found,) = check_repeats(context(REPEATED, FLAKY))
    assert found.sentence == (
        "intent: trials repeat each other: 0 of 120 cases gave mixed results where 45 were expected; "
        "a cache or a fixed seed makes the stated error rates too small"
    )
    assert (found.rule, found.subject, found.verdict) == (Rule.COMPLETENESS, "repeats", Verdict.INCONCLUSIVE)
    assert (found.blocking, found.settle, found.act) == (
        False, "turn the cache off, or count one pass", Act.MEND,
    )  # fmt: skip
    assert (found.figure("mixed"), found.figure("cases")) == (0, 120)


@pytest.mark.parametrize(
    ("marks", "passes", "trials"),
    [
        (INDEPENDENT, FLAKY, 10),
        ([mark[:1] for mark in REPEATED], FLAKY, 10),
        (["PPP"] * 60 + ["FFF"] * 60, [10] * 60 + [0] * 60, 10),
        (["PPP"] * 120, FLAKY, 10),
        (["PPP"] * 60 + ["FFF"] * 60, FLAKY, 10),
        (REPEATED, [2] * 60 + [1] * 60, 2),
        (["PUU"] * 60 + ["PUU", "FUU"] * 30, FLAKY, 10),
        (["PPP", "FFF"], [5, 5], 10),
        ([], [], 10),
    ],
    ids=[
        "independent", "one pass", "the baseline never mixes either", "all mended", "all flaky ones lost",
        "too short a baseline", "one scored trial a case", "too few cases", "nothing in common",
    ],
)  # fmt: skip
def test_check_repeats__silent(marks: list[str], passes: list[int], trials: int) -> None:
    assert check_repeats(context(marks, passes, trials=trials)) == ()


def test_check_repeats__two_passes_are_enough_with_enough_cases() -> None:
    marks = ["PP"] * 60 + ["PP", "FF"] * 30
    (found,) = check_repeats(context(marks, FLAKY))
    expected = found.figure("expected")
    assert expected is not None
    assert 24 < expected < 32


def test_check_repeats__confirmation_trials_beyond_the_passes_do_not_count() -> None:
    marks = [f"{mark}F" for mark in REPEATED[:1]] + REPEATED[1:]
    base = context(REPEATED, FLAKY)
    longer = SuiteContext(
        evidence=make_suite_evidence(context(marks, FLAKY).evidence.cases, passes=3),
        reference=base.reference,
        policy=TASK,
        as_of=AS_OF,
    )
    assert check_repeats(longer) == check_repeats(base)


def rates(rng: random.Random, count: int) -> list[float]:
    """Solid, flaky and failing cases, as in docs/explanation/statistics.md."""
    kinds = rng.choices([(40, 0.4), (2, 2), (0.4, 20)], weights=[75, 15, 10], k=count)
    return [rng.betavariate(a, b) for a, b in kinds]


def drawn(rng: random.Random, before: list[float], now: list[float], *, repeat: bool = False) -> SuiteContext:
    def marks(rate: float) -> str:
        first = ["P" if rng.random() < rate else "F" for _ in range(5)]
        return first[0] * 5 if repeat else "".join(first)

    return context([marks(rate) for rate in now], [sum(rng.random() < rate for _ in range(10)) for rate in before])


@pytest.mark.parametrize("change", ["none", "a fifth of the cases redrawn", "every odds tripled", "a fifth lost"])
def test_check_repeats__independent_trials__hardly_ever_warned_of(change: str) -> None:
    rng, warned = random.Random(change), 0
    for _ in range(40):
        before = rates(rng, 120)
        now = {
            "none": before,
            "a fifth of the cases redrawn": rates(rng, 24) + before[24:],
            "every odds tripled": [3 * rate / (1 + 2 * rate) for rate in before],
            "a fifth lost": [0.8 * rate for rate in before],
        }[change]
        warned += len(check_repeats(drawn(rng, before, now)))
    assert warned == 0


def test_check_repeats__cached_trials__nearly_always_warned_of() -> None:
    rng, warned = random.Random(3), 0
    for _ in range(30):
        before = rates(rng, 160)
        warned += len(check_repeats(drawn(rng, before, before, repeat=True)))
    assert warned >= 27


def test_mixing_of__expected_follows_from_the_rates() -> None:
    (group,) = groups_of(context(["PPF"] * 40, [5] * 40))
    certain = [0.0] * len(GRID)
    assert mixing_of((group,), certain) == Mixing(cases=40, observed=40, expected=0.0, variance=0.0)
    halves = mixing_of((group,), [0.5] * len(GRID))
    assert (halves.expected, halves.variance) == pytest.approx((30.0, 7.5))
    assert Mixing(cases=40, observed=20, expected=30.0, variance=7.5).chance == pytest.approx(0.00193, abs=1e-5)


def test_shifted__odds_are_multiplied() -> None:
    assert shifted(0.0) == pytest.approx(GRID)
    assert shifted(1.0986122886681098)[GRID.index(0.5)] == pytest.approx(0.75)


def test_decide__repeats_are_told_and_decide_nothing() -> None:
    made = context(REPEATED, FLAKY)
    told, untold = (
        decide(policy=TASK, evidence=Evidence(suites=(one.evidence,)), references=(one.reference,), as_of=AS_OF)
        for one in (made, context(["PPP"] * 60 + ["PPP"] * 60, FLAKY))
    )
    assert any(finding.subject == "repeats" for finding in told.findings)
    assert untold.outcome is Outcome.PROMOTE
    assert told.outcome is Outcome.HOLD
    assert told.reason != "completeness"
