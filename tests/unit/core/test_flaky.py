"""Known-flaky cases and suspects: who is named, in which order, and that nothing here blocks."""

from dataclasses import replace

import pytest
from scipy import stats

from gate.core.decision import decide
from gate.core.evidence import Absent, Evidence, SuiteBaseline
from gate.core.finding import Outcome, Rule, Verdict
from gate.core.flaky import chance_unchanged, expected_rate, flaky_counts
from gate.core.model import Dimension, Severity
from gate.core.policy import Requirement
from gate.core.prior import GRID, fitted_weights, tallied
from gate.core.rules.broken_cases import check_broken, known_flaky
from gate.core.rules.context import SuiteContext
from gate.core.rules.flaky_cases import check_flaky
from tests.builders import (
    AS_OF,
    TASK,
    make_baseline_case,
    make_case_evidence,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)

MIXED = tallied([(10, 10)] * 80 + [(5, 10)] * 10 + [(0, 10)] * 10)


def context(now: object, before: object, *, passes: int = 5, policy: object = TASK) -> SuiteContext:
    base = before if isinstance(before, SuiteBaseline | Absent) else make_suite_baseline(before)  # type: ignore[arg-type]
    return SuiteContext(
        evidence=replace(make_suite_evidence(now), passes=passes),  # type: ignore[arg-type]
        reference=make_reference(base),
        policy=policy,  # type: ignore[arg-type]
        as_of=AS_OF,
    )


def test_flaky_counts__between_never_and_always() -> None:
    assert flaky_counts(MIXED) == {(5, 10)}
    assert expected_rate(MIXED, (10, 10)) > 0.99
    assert expected_rate(MIXED, (0, 10)) < 0.01
    assert expected_rate(MIXED, (5, 10)) == pytest.approx(0.5, abs=0.05)


def test_flaky_counts__few_trials__by_what_the_suite_is_like() -> None:
    solid = tallied([(10, 10)] * 100 + [(3, 3)])
    shaky = tallied([(6, 10)] * 50 + [(7, 10)] * 50 + [(3, 3)])
    assert flaky_counts(solid) == frozenset()
    assert (3, 3) in flaky_counts(shaky)


def test_flaky_counts__edges_are_not_flaky(monkeypatch: pytest.MonkeyPatch) -> None:
    for edge in (0.05, 0.95):
        monkeypatch.setattr("gate.core.flaky.expected_rate", lambda *_, rate=edge: rate)
        flaky_counts.cache_clear()
        assert flaky_counts(MIXED) == frozenset()
    flaky_counts.cache_clear()


def test_chance_unchanged__equals_plain_sums() -> None:
    weights = fitted_weights(MIXED)
    joint = [w * float(stats.binom.pmf(5, 10, rate)) for w, rate in zip(weights, GRID, strict=True)]
    tail = sum(j * float(stats.binom.cdf(1, 5, rate)) for j, rate in zip(joint, GRID, strict=True)) / sum(joint)
    assert chance_unchanged(MIXED, (5, 10), (1, 5)) == pytest.approx(tail, rel=1e-2)
    assert chance_unchanged(MIXED, (5, 10), (5, 5)) == 1.0


def test_check_flaky__failing_flaky_cases_are_named_and_do_not_block() -> None:
    own = context("a*14: PPFFP  b*80: PPPPP  c*6: PPPPP", "a*14: 5/10  b*80: 10/10  c*6: 6/10")
    (found,) = check_flaky(own)
    assert found.sentence == (
        "intent: known flaky, not counted as broken: 14 cases: a-0001, a-0002, a-0003 and 11 more"
    )
    assert (found.rule, found.verdict, found.subject) == (Rule.BROKEN_CASE, Verdict.PASS, "flaky")
    assert (found.blocking, found.demands) == (False, Outcome.PROMOTE)
    assert found.cases == tuple(f"a-{number:04d}" for number in range(1, 15))
    assert (found.figure("failing"), found.figure("flaky")) == (14, 20)
    assert [one.figure("flaky") for one in check_broken(own)] == [20]
    assert known_flaky(own) == 20


def test_check_flaky__one_case__in_the_singular() -> None:
    (found,) = check_flaky(context("a: PPFFP  b*99: PPPPP", "a: 5/10  b*99: 10/10"))
    assert found.sentence == "intent: known flaky, not counted as broken: 1 case: a"


def test_check_flaky__suspects__the_least_likely_first_and_not_as_flaky() -> None:
    own = context(
        f"a: {'F' * 14}  b: {'F' * 13}P  c: PFFPF  d*97: PPPPP",
        "a: 7/10  b: 7/10  c: 7/10  d*97: 10/10",
    )
    suspects, flaky = check_flaky(own)
    assert suspects.sentence == (
        "intent: suspects, named and not confirmed: a (0 of 14, before 7 of 10), b (1 of 14, before 7 of 10)"
    )
    assert (suspects.rule, suspects.verdict, suspects.subject) == (Rule.BROKEN_CASE, Verdict.INCONCLUSIVE, "suspects")
    assert (suspects.blocking, suspects.cases) == (False, ("a", "b"))
    assert suspects.figure("suspects") == 2
    assert flaky.cases == ("c",)


def test_check_flaky__order_is_by_chance_then_by_id() -> None:
    never = "F" * 14
    before = "a: 7/10  b: 7/10  c: 7/10  d*97: 10/10"
    (suspects,) = check_flaky(context(f"a: {never[1:]}P  b: {never}  c: {never}  d*97: PPPPP", before))
    assert suspects.cases == ("b", "c", "a")


@pytest.mark.parametrize("now", ["FFFFFFFFFF", "F"])
def test_check_flaky__confirmed_and_pending_cases__are_left_to_their_own_finding(now: str) -> None:
    own = context(f"a: {now}  b*99: P", "a: 10/10  b*99: 10/10", passes=1)
    assert [found.cases for found in check_broken(own)] == [("a",)]
    assert check_flaky(own) == ()


@pytest.mark.parametrize(("trials", "now", "wanted"), [(5, "F", ["a"]), (5, "FP", []), (12, "U", []), (1, "FU", ["a"])])
def test_check_flaky__short_baseline__named_when_a_solid_case_only_fails(
    trials: int, now: str, wanted: list[str]
) -> None:
    own = context(f"a: {now}  b*99: PP", f"a: {trials}/{trials}  b*99: 10/10", passes=2)
    named = [case for found in check_flaky(own) if found.subject == "suspects" for case in found.cases]
    assert named == wanted


def test_check_flaky__case_that_a_veto_is_about__is_never_explained_away() -> None:
    cases = [make_case_evidence("a", "PFFPP", severity=Severity.P0), make_case_evidence("b", "PFFPP")]
    cases += [make_case_evidence(f"c{i}", "PPPPP") for i in range(98)]
    base = make_suite_baseline([make_baseline_case(case.case_id, 5 if case.case_id in "ab" else 10) for case in cases])
    lenient = context(cases, base)
    strict = replace(
        lenient,
        policy=replace(TASK, requirements=((Dimension.TASK_SUCCESS, Requirement(broken=True, vetoes=True)),)),
    )
    assert [found.cases for found in check_flaky(lenient)] == [("a", "b")]
    assert [found.cases for found in check_flaky(strict)] == [("b",)]


def test_check_flaky__not_asked_no_baseline_or_nothing_failed__silent() -> None:
    failing = ("a: PPFFP  b*99: PPPPP", "a: 5/10  b*99: 10/10")
    unasked = replace(TASK, requirements=((Dimension.TASK_SUCCESS, Requirement()),))
    assert check_flaky(context(*failing, policy=unasked)) == ()
    assert check_flaky(context(failing[0], Absent(place="b"))) == ()
    assert known_flaky(context(failing[0], Absent(place="b"))) == 0
    assert check_flaky(context("a: PPPPP  b*99: PPPPP", failing[1])) == ()


def test_decide__flaky_and_suspect_findings__follow_the_one_that_counts_and_change_nothing() -> None:
    suite = replace(make_suite_evidence(f"a: {'F' * 14}  b*10: PPFPP  c*289: PPPPP"), passes=5)
    before = make_reference("a: 7/10  b*10: 5/10  c*289: 10/10")
    decision = decide(policy=TASK, evidence=Evidence(suites=(suite,)), references=(before,), as_of=AS_OF)
    own = [finding for finding in decision.findings if finding.rule is Rule.BROKEN_CASE]
    assert [(finding.subject, finding.blocking) for finding in own] == [
        ("", True),
        ("suspects", False),
        ("flaky", False),
    ]
    assert decision.outcome is Outcome.PROMOTE
