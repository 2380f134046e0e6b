"""Defects of gate scripts that people copy, each with the test that keeps it out."""

import math

import pytest

from gate.core.canonical import NotJsonError, parse_json
from gate.core.decision import decide
from gate.core.evidence import Absent, Evidence
from gate.core.finding import Outcome, Rule, Verdict
from gate.core.model import Dimension, Missing, Score
from gate.core.policy import PROFILES, Profile, Requirement, SliceRule
from tests.builders import (
    TASK,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)


def outcome(now: str, before: object = "en*100: 10/10", **policy: object) -> Outcome:
    return decide(
        policy=make_policy(Dimension.TASK_SUCCESS, **policy),  # type: ignore[arg-type]
        evidence=Evidence(suites=(make_suite_evidence(now),)),
        references=(make_reference(before),),  # type: ignore[arg-type]
        as_of="2026-11-21",
    ).outcome


def test_defect__nan_passes__cannot_become_a_score_or_be_read_back() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Score(value=math.nan, explanation="")
    with pytest.raises(NotJsonError):
        parse_json('{"score": NaN}')


@pytest.mark.parametrize(("before", "now"), [(90, 85), (85, 80), (35, 30), (20, 15), (70, 65), (100, 95)])
def test_defect__float_boundary__the_same_drop_is_judged_the_same(before: int, now: int) -> None:
    """A fall by exactly the margin counts as a fall of the margin, wherever it starts."""
    lost = before - now
    marks = f"a*{now}: PPPPP  b*{lost}: FFFFF" + (f"  c*{100 - before}: FFFFF" if before < 100 else "")
    counts = f"a*{now}: 10/10  b*{lost}: 10/10" + (f"  c*{100 - before}: 0/10" if before < 100 else "")
    decision = decide(
        policy=make_policy(
            Dimension.TASK_SUCCESS,
            margin=0.05,
            requirements=((Dimension.TASK_SUCCESS, Requirement(regression=True)),),
        ),
        evidence=Evidence(suites=(make_suite_evidence(marks),)),
        references=(make_reference(counts),),
        as_of="2026-11-21",
    )
    (found,) = [finding for finding in decision.findings if finding.rule is Rule.REGRESSION]
    assert (found.verdict, found.figure("estimate")) == (Verdict.FAIL, -0.05)


def test_defect__no_baseline_passes_silently__holds() -> None:
    assert outcome("en*100: P", Absent(place="baselines/t/s.json")) is Outcome.HOLD


@pytest.mark.parametrize("reason", list(Missing))
def test_defect__outage_looks_like_quality__holds_with_the_reason(reason: Missing) -> None:
    cases = [make_case_evidence(f"c{i:03d}", "U", missing=(str(reason),)) for i in range(100)]
    decision = decide(
        policy=TASK,
        evidence=Evidence(suites=(make_suite_evidence(cases),)),
        references=(make_reference(make_suite_baseline([make_baseline_case(case.case_id) for case in cases])),),
        as_of="2026-11-21",
    )
    assert decision.outcome is Outcome.HOLD
    assert str(reason) in decision.findings[0].sentence


def test_defect__half_an_outage__neither_regression_nor_pass() -> None:
    assert outcome("a*50: P  b*50: U", "a*50: 10/10  b*50: 10/10") is Outcome.HOLD


def test_defect__one_mean_hides_a_slice__the_slice_is_shown() -> None:
    cases = [make_case_evidence(f"es{i}", "FFFFF", tags=(("language", "es"),)) for i in range(8)]
    cases += [make_case_evidence(f"en{i}", "PPPPP", tags=(("language", "en"),)) for i in range(392)]
    decision = decide(
        policy=make_policy(Dimension.TASK_SUCCESS, slices=(("language", SliceRule.BLOCK),)),
        evidence=Evidence(suites=(make_suite_evidence(cases),)),
        references=(make_reference(make_suite_baseline([make_baseline_case(case.case_id) for case in cases])),),
        as_of="2026-11-21",
    )
    assert (decision.outcome, decision.reason) == (Outcome.ROLLBACK, "slice")


def test_defect__only_pass_or_fail__three_outcomes() -> None:
    counts = "a*4: 5/10  b*96: 10/10"
    assert outcome("en*100: P") is Outcome.PROMOTE
    assert outcome("a*4: F  b*96: P", counts) is Outcome.HOLD
    assert outcome("a*50: F  b*50: P", "a*50: 10/10  b*50: 10/10") is Outcome.ROLLBACK


def test_defect__latency_and_cost_never_gated__pre_production_requires_both() -> None:
    asked = PROFILES[Profile.PRE_PRODUCTION]
    assert asked[Dimension.LATENCY].blocking
    assert asked[Dimension.COST].blocking


def test_defect__equal_scores_give_zero_width__thirty_cases_cannot_promote_at_three_points() -> None:
    assert outcome("en*40: PPPPP", "en*40: 10/10") is Outcome.HOLD
