"""Cases that are asked what the baseline was asked: no difference, no noise, and nothing else is taken from them."""

import math
from dataclasses import replace
from typing import Any

import pytest

from gate.core.codec import decode, encode
from gate.core.decision import decide, next_steps
from gate.core.evidence import (
    Absent,
    BaselineCase,
    CaseEvidence,
    Corrupt,
    Evidence,
    Reference,
    SuiteBaseline,
    SuiteEvidence,
)
from gate.core.finding import Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension, Metric, Missing, Scope, Severity
from gate.core.moments import Moments, moments
from gate.core.planning import cases_for_margin
from gate.core.policy import AtLeast, LatencyRule, Policy, Requirement, SliceRule
from gate.core.reuse import may_reuse
from gate.core.rules.abort import Seen, check_abort, watch_for
from gate.core.rules.anchor import check_anchor
from gate.core.rules.broken_cases import check_broken, to_confirm
from gate.core.rules.budgets import check_cost
from gate.core.rules.completeness import check_completeness
from gate.core.rules.context import SuiteContext
from gate.core.rules.flaky_cases import check_flaky
from gate.core.rules.floors import check_floor
from gate.core.rules.k_of_m import check_k_of_m
from gate.core.rules.regression import check_regression, check_slices
from gate.core.rules.vetoes import check_vetoes, vetoes_to_confirm
from gate.core.statistics import Pair, compare
from gate.core.window import join_cases
from tests.builders import (
    AS_OF,
    identity,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)

RECENT = "2026-11-07"
RELATIVE = Requirement(regression=True, broken=True)
TASK = Dimension.TASK_SUCCESS


def again(case_id: str, marks: str = "", **changes: Any) -> CaseEvidence:
    """A case that claims reuse."""
    return make_case_evidence(case_id, marks, **{"reused": True, "request": f"sha256:{case_id}"} | changes)


def asked(case_id: str, passes: int = 10, **changes: Any) -> BaselineCase:
    """A case of the baseline that says what it was asked."""
    return make_baseline_case(case_id, passes, **{"request": f"sha256:{case_id}"} | changes)


def policy_with(requirement: Requirement = RELATIVE, **changes: Any) -> Policy:
    return replace(Policy(requirements=((TASK, requirement),)), **changes)


def baseline_of(*cases: BaselineCase, **changes: Any) -> SuiteBaseline:
    return make_suite_baseline(cases, as_of=RECENT, **changes)


def suite_of(*cases: CaseEvidence, passes: int = 1, **changes: Any) -> SuiteEvidence:
    return make_suite_evidence(cases, passes=passes, **changes)


def context_of(
    evidence: SuiteEvidence,
    baseline: SuiteBaseline,
    *,
    policy: Policy | None = None,
    as_of: str = AS_OF,
    **changes: Any,
) -> SuiteContext:
    return SuiteContext(
        evidence=evidence,
        reference=make_reference(baseline, **changes),
        policy=policy or policy_with(),
        as_of=as_of,
    )


def many(number: int, marks: str = "") -> tuple[CaseEvidence, ...]:
    return tuple(again(f"s{i:03d}", marks) for i in range(number))


def before(number: int, passes: int = 10) -> tuple[BaselineCase, ...]:
    return tuple(asked(f"s{i:03d}", passes) for i in range(number))


def only(found: tuple[Finding, ...]) -> Finding:
    (one,) = found
    return one


# What may be reused


def test_reused__claims_that_the_baseline_bears_out() -> None:
    cases = (again("a"), again("b", digest="sha256:edited"), make_case_evidence("c", "P"), again("d"), again("e"))
    known = (asked("a"), asked("b"), asked("c"), make_baseline_case("d"), asked("e", request="sha256:other"))
    assert context_of(suite_of(*cases), baseline_of(*known)).reused == {"a"}


def test_reused__an_empty_digest_on_both_sides_is_no_request() -> None:
    context = context_of(suite_of(again("a", request="")), baseline_of(make_baseline_case("a")))
    assert context.reused == frozenset()


def test_reused__not_without_a_baseline() -> None:
    reference = replace(make_reference(), baseline=Absent(place="baselines/x.json"))
    context = SuiteContext(evidence=suite_of(again("a")), reference=reference, policy=policy_with(), as_of=AS_OF)
    assert context.reused == frozenset()


@pytest.mark.parametrize(
    ("as_of", "reusable"),
    [("2026-11-07", True), ("2026-11-21", True), ("2026-11-22", False), ("2026-11-06", False), ("", False)],
)
def test_may_reuse__only_a_baseline_of_the_last_fourteen_days(as_of: str, *, reusable: bool) -> None:
    assert may_reuse(identity(), baseline_of(asked("a")), as_of=as_of) is reusable


@pytest.mark.parametrize(
    "change", [{"scorer_digest": "sha256:others"}, {"coverage": "declared"}, {"coverage": "unknown"}]
)
def test_may_reuse__not_with_other_scorers_or_an_incomplete_hash(change: dict[str, str]) -> None:
    baseline = baseline_of(asked("a"))
    assert not may_reuse(replace(identity(), **change), baseline, as_of=AS_OF)
    other = replace(baseline, identity=replace(baseline.identity, **change))
    assert not may_reuse(identity(), other, as_of=AS_OF)


def test_may_reuse__not_a_baseline_whose_provider_moved() -> None:
    assert not may_reuse(identity(), baseline_of(asked("a"), stale="the provider moved"), as_of=AS_OF)


def test_may_reuse__two_incomplete_hashes_are_not_equal() -> None:
    declared = replace(identity(), coverage="declared")
    assert not may_reuse(declared, replace(baseline_of(asked("a")), identity=declared), as_of=AS_OF)


def test_codec__reuse_is_written_only_where_there_is_any() -> None:
    assert {"reused", "request"}.isdisjoint(encode(make_case_evidence("a")))  # type: ignore[arg-type]
    assert "request" not in encode(make_baseline_case("a"))  # type: ignore[operator]
    for one in (again("a"), make_case_evidence("a")):
        assert decode(CaseEvidence, encode(one)) == one
    for known in (asked("a"), make_baseline_case("a")):
        assert decode(BaselineCase, encode(known)) == known


# No difference, no noise


def test_compare__a_pair_that_is_the_same_adds_a_case_and_nothing_else() -> None:
    moved = [Pair(case_id=f"m{i}", x=10, kb=10, y=int(i > 2), k=1) for i in range(20)]
    same = [Pair(case_id=f"s{i}", x=5, kb=10, y=5, k=10, same=True) for i in range(60)]
    alone, both = compare(moved), compare([*moved, *same])
    assert both.estimate == pytest.approx(alone.estimate / 4)
    assert both.set_error == pytest.approx(alone.set_error / 4)
    assert (both.cases, both.same) == (80, 60)
    only_same = compare(same)
    assert (only_same.estimate, only_same.set_error) == (0.0, 0.0)
    assert only_same.population_error == pytest.approx(math.sqrt(2) / 62)


def test_cases_for_margin__cases_that_are_the_same_add_no_noise() -> None:
    flaky = [Pair(case_id=f"m{i}", x=5, kb=10, y=1, k=2) for i in range(50)]
    steady = [Pair(case_id=f"s{i}", x=10, kb=10, y=10, k=10) for i in range(50)]
    same = [Pair(case_id=f"s{i}", x=5, kb=10, y=5, k=10, same=True) for i in range(50)]
    assert cases_for_margin([*flaky, *same], 0.05) == cases_for_margin([*flaky, *steady], 0.05)
    assert cases_for_margin(same, 0.05) == 58


@pytest.mark.parametrize("metric", list(Metric))
def test_pairs__the_baseline_on_both_sides_whatever_the_marks(metric: Metric) -> None:
    score = moments([0.5] * 4 + [1.0] * 6)
    values = (0.0,) if metric is Metric.SCORE else ()
    evidence = suite_of(again("a", "F", values=values), metric=metric)
    context = context_of(evidence, baseline_of(asked("a", 6, score=score)))
    for fill in "UPF":
        (pair,) = context.pairs(1, fill)
        assert (pair.difference, pair.same, pair.k) == (0.0, True, 10)
    assert compare(context.pairs(1)).set_error == 0.0


def test_regression__unchanged_cases_count_as_no_difference() -> None:
    cases = (*many(200), *(make_case_evidence(f"x{i}", "P") for i in range(20)))
    known = (*before(200, 5), *(make_baseline_case(f"x{i}") for i in range(20)))
    found = only(check_regression(context_of(suite_of(*cases), baseline_of(*known))))
    assert found.verdict is Verdict.PASS
    assert (found.figure("cases"), found.figure("unchanged"), found.figure("estimate")) == (220, 200, 0)
    assert found.sentence.endswith("; 200 of 220 cases unchanged, which is no difference")


def test_regression__a_loss_of_the_changed_cases_is_shown_on_the_whole_suite() -> None:
    cases = (*many(100), *(make_case_evidence(f"x{i}", "F") for i in range(20)))
    known = (*before(100, 5), *(make_baseline_case(f"x{i}") for i in range(20)))
    found = only(check_regression(context_of(suite_of(*cases), baseline_of(*known))))
    assert found.verdict is Verdict.FAIL
    assert found.figure("estimate") == pytest.approx(-20 / 120, abs=1e-6)
    assert set(found.cases) == {f"x{i}" for i in range(20)}


def test_regression__all_cases_unchanged_passes_and_says_so() -> None:
    found = only(check_regression(context_of(suite_of(*many(100)), baseline_of(*before(100, 7)))))
    assert found.verdict is Verdict.PASS
    assert found.sentence.endswith("; unchanged: all 100 cases are asked what the baseline was asked")
    assert found.figure("before") == found.figure("now") == 0.7


def test_regression__few_unchanged_cases_say_little_about_other_inputs() -> None:
    context = context_of(suite_of(*many(40)), baseline_of(*before(40)))
    found = only(check_regression(context))
    assert (found.verdict, found.settle) == (
        Verdict.INCONCLUSIVE,
        "100 cases like these would settle it (60 more); this version has used its looks",
    )


def test_regression__few_unchanged_cases_are_enough_for_the_same_version() -> None:
    evidence = suite_of(*many(40))
    baseline = replace(baseline_of(*before(40)), identity=evidence.identity)
    assert only(check_regression(context_of(evidence, baseline))).verdict is Verdict.PASS


def test_regression__exactly_these_cases_pass_at_the_first_look_only_if_all_are_unchanged() -> None:
    evidence = suite_of(*many(40), scope=Scope.SET)
    assert only(check_regression(context_of(evidence, baseline_of(*before(40))))).verdict is Verdict.PASS
    mixed = suite_of(*many(39), make_case_evidence("x", "P"), scope=Scope.SET)
    known = baseline_of(*before(39), make_baseline_case("x"))
    assert only(check_regression(context_of(mixed, known))).verdict is Verdict.INCONCLUSIVE


def test_regression__missing_trials_of_changed_cases_still_matter() -> None:
    cases = (*many(100), *(make_case_evidence(f"x{i}", "U") for i in range(4)))
    known = (*before(100), *(make_baseline_case(f"x{i}") for i in range(4)))
    found = check_regression(context_of(suite_of(*cases), baseline_of(*known)))
    assert [one.verdict for one in found] == [Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE]
    assert found[1].cases == ("x0", "x1", "x2", "x3")


def test_slices__unchanged_cases_stand_beside_the_changed_ones() -> None:
    tags = (("language", "es"),)
    cases = tuple(replace(case, tags=tags) for case in (*many(30, "F"), make_case_evidence("x", "F")))
    policy = policy_with(slices=(("language", SliceRule.BLOCK),))
    context = context_of(suite_of(*cases), baseline_of(*before(30), make_baseline_case("x")), policy=policy)
    assert check_slices(context) == ()
    unclaimed = suite_of(*(replace(case, reused=False) for case in cases))
    lost = only(check_slices(context_of(unclaimed, baseline_of(*before(30), make_baseline_case("x")), policy=policy)))
    assert lost.verdict is Verdict.FAIL


def test_k_of_m__an_unchanged_suite_is_shown_not_worse() -> None:
    policy = policy_with(at_least=AtLeast(count=1, of=(TASK,)))
    evidence = suite_of(*many(40), scope=Scope.SET)
    context = context_of(evidence, baseline_of(*before(40)), policy=policy)
    assert only(check_k_of_m(policy, [context])).verdict is Verdict.PASS


# Enough measured


def test_completeness__only_what_was_planned_counts() -> None:
    cases = (*many(60), make_case_evidence("x", "PP"))
    known = baseline_of(*before(60), make_baseline_case("x"))
    found = only(check_completeness(context_of(suite_of(*cases, passes=2), known)))
    assert found.sentence == "intent: 2 of 2 trials scored; 60 of 61 cases unchanged, not asked again"
    assert dict(found.figures) == {"planned": 2, "scored": 2, "unchanged": 60, "unasked": 60}


def test_completeness__nothing_had_to_be_asked() -> None:
    found = only(check_completeness(context_of(suite_of(*many(30)), baseline_of(*before(30)))))
    assert (found.verdict, found.sentence) == (Verdict.PASS, "intent: 30 of 30 cases unchanged, not asked again")


def test_completeness__thirty_cases_are_needed_all_the_same() -> None:
    found = only(check_completeness(context_of(suite_of(*many(29)), baseline_of(*before(29)))))
    assert found.sentence == "intent: 29 cases can be compared, 30 are needed"


@pytest.mark.parametrize("evidence", [suite_of(*many(40), passes=0), suite_of()])
def test_completeness__a_suite_that_was_not_run_is_not_unchanged(evidence: SuiteEvidence) -> None:
    found = only(check_completeness(context_of(evidence, baseline_of(*before(40)))))
    assert (found.verdict, found.sentence) == (
        Verdict.INCONCLUSIVE,
        "intent: not run, because the run was ended before",
    )


def test_completeness__a_claim_that_is_not_borne_out_was_never_run() -> None:
    found = only(check_completeness(context_of(suite_of(*many(40)), baseline_of(*before(40)), as_of="2026-12-24")))
    assert found.sentence == "intent: 40 of 40 trials have no score (never run)"


@pytest.mark.parametrize(
    "policy",
    [
        policy_with(Requirement(regression=True, floor=0.8)),
        policy_with(Requirement(regression=True, vetoes=True)),
        Policy(requirements=((TASK, RELATIVE), (Dimension.LATENCY, Requirement()))),
        Policy(
            requirements=((TASK, RELATIVE), (Dimension.LATENCY, Requirement(blocking=False))),
            latency=LatencyRule.CONCURRENT,
        ),
    ],
)
def test_planned__rules_that_need_new_answers_take_the_first_look(policy: Policy) -> None:
    context = context_of(suite_of(*many(40), passes=3), baseline_of(*before(40)), policy=policy)
    assert context.fresh
    assert context.planned(context.evidence.cases[0]) == 1
    assert only(check_completeness(context)).sentence == "intent: 40 of 40 trials have no score (never run)"
    done = context_of(suite_of(*many(40, "P"), passes=3), baseline_of(*before(40)), policy=policy)
    told = "intent: 40 of 40 trials scored; 40 of 40 cases unchanged, asked only for rules that need new answers"
    assert only(check_completeness(done)).sentence == told


def test_planned__a_reported_latency_needs_no_new_answers() -> None:
    policy = Policy(requirements=((TASK, RELATIVE), (Dimension.LATENCY, Requirement(blocking=False))))
    assert not context_of(suite_of(*many(40)), baseline_of(*before(40)), policy=policy).fresh


def test_planned__further_whole_passes_count() -> None:
    policy = policy_with(Requirement(floor=0.8))
    context = context_of(suite_of(again("a", "PPPPPP"), passes=5), baseline_of(asked("a")), policy=policy)
    assert context.planned(context.evidence.cases[0]) == 5


# What is never reused


def test_floor__judges_the_new_answers_of_unchanged_cases() -> None:
    policy = policy_with(Requirement(floor=0.8, rollback_below=0.56, regression=True))
    context = context_of(suite_of(*many(60, "F"), passes=3), baseline_of(*before(60)), policy=policy)
    assert only(check_floor(context)).verdict is Verdict.FAIL
    mixed = (*many(59, "P"), again("s059", "U"))
    found = check_floor(context_of(suite_of(*mixed, passes=3), baseline_of(*before(60)), policy=policy))
    assert only(found).figure("cases") == 59


def test_veto__judges_the_new_answers_of_unchanged_cases() -> None:
    policy = policy_with(Requirement(regression=True, vetoes=True))
    case = again("a", "F", severity=Severity.P0)
    context = context_of(suite_of(case, passes=2), baseline_of(asked("a")), policy=policy)
    assert only(check_vetoes(context)).demands is Outcome.ROLLBACK
    seen = context_of(suite_of(replace(case, marks="P"), passes=2), baseline_of(asked("a")), policy=policy)
    assert only(check_vetoes(seen)).verdict is Verdict.PASS
    assert vetoes_to_confirm(seen) == {}
    unseen = context_of(
        suite_of(replace(case, marks="U", missing=(Missing.TIMED_OUT,)), passes=2),
        baseline_of(asked("a")),
        policy=policy,
    )
    assert only(check_vetoes(unseen)).verdict is Verdict.INCONCLUSIVE
    assert vetoes_to_confirm(unseen) == {"a": 1}


def test_broken__an_unchanged_case_is_no_suspect() -> None:
    evidence, baseline = suite_of(*many(60, "F")), baseline_of(*before(60))
    context = context_of(evidence, baseline)
    assert to_confirm(context) == {}
    assert only(check_broken(context)).verdict is Verdict.PASS
    assert check_flaky(context) == ()
    unclaimed = replace(evidence, cases=tuple(replace(case, reused=False) for case in evidence.cases))
    assert to_confirm(context_of(unclaimed, baseline)) != {}


def test_anchor__compares_the_new_answers_and_asks_for_them() -> None:
    anchor = make_suite_baseline("s*40: 10/10", tag="v1")
    known = tuple(again(case.case_id, "F") for case in anchor.cases)
    baseline = baseline_of(*(asked(case.case_id) for case in known))
    context = context_of(suite_of(*known, passes=3), baseline, anchor=anchor)
    assert context.fresh
    found = only(check_anchor(context))
    assert (found.verdict, found.figure("estimate")) == (Verdict.FAIL, -1)
    better = context_of(suite_of(*(replace(c, marks="P") for c in known), passes=3), baseline, anchor=anchor)
    assert only(check_anchor(better)).verdict is Verdict.PASS
    assert context_of(suite_of(*known), baseline, anchor=Corrupt(place="x", reason="cut off")).fresh
    assert not context_of(suite_of(*known), baseline, anchor=Absent(place="x")).fresh


def test_cost__of_an_unchanged_case_is_what_it_was() -> None:
    price = Moments(n=10, sum=10.0, squares=10.0)
    known = (*(replace(case, usd=price) for case in before(60)), make_baseline_case("x", usd=price))
    dear = make_case_evidence("x", "P", usd=Moments(n=1, sum=1.0, squares=1.0))
    policy = replace(policy_with(), requirements=((TASK, RELATIVE), (Dimension.COST, Requirement())))
    found = only(check_cost(policy, [context_of(suite_of(*many(60), dear), baseline_of(*known), policy=policy)]))
    assert (found.verdict, found.figure("ratio"), found.figure("cases")) == (Verdict.PASS, 1, 61)


def test_abort__unchanged_cases_say_nothing_and_the_others_must_lose_so_much_more() -> None:
    changed = tuple(make_case_evidence(f"x{i:02d}", "F") for i in range(20))
    known = baseline_of(*before(180), *(make_baseline_case(case.case_id) for case in changed))
    context = context_of(suite_of(*many(180), *changed), known)
    watch = watch_for(context)
    assert watch.margin == pytest.approx(0.3)
    seen = [Seen(case_id=case.case_id, digest=case.digest, mark="F") for case in changed]
    assert watch.fires(seen) is not None
    same = [Seen(case_id=case.case_id, digest=case.digest, mark="F") for case in many(20, "F")]
    assert watch.fires(same) is None
    assert watch.compared([*seen, *same]) == watch.compared(seen)
    aborted = replace(context.evidence, asked=tuple(case.case_id for case in changed))
    assert only(check_abort(replace(context, evidence=aborted))).verdict is Verdict.FAIL


def test_abort__a_total_loss_within_the_margin_ends_nothing() -> None:
    changed = tuple(make_case_evidence(f"x{i}", "F") for i in range(10))
    known = baseline_of(*before(990), *(make_baseline_case(case.case_id) for case in changed))
    watch = watch_for(context_of(suite_of(*many(990), *changed), known))
    assert watch.fires([Seen(case_id=case.case_id, digest=case.digest, mark="F") for case in changed]) is None


def test_abort__nothing_changed_at_all() -> None:
    watch = watch_for(context_of(suite_of(*many(30)), baseline_of(*before(30))))
    assert (watch.margin, watch.reused) == (0.03, frozenset(case.case_id for case in many(30)))


# The whole decision


def steps_of(evidence: SuiteEvidence, baseline: SuiteBaseline, policy: Policy) -> list[tuple[int, bool]]:
    steps = next_steps(
        policy=policy,
        evidence=Evidence(suites=(evidence,)),
        references=(make_reference(baseline),),
        as_of=AS_OF,
    )
    return [(step.passes, step.whole) for step in steps]


def test_decide__an_unchanged_suite_promotes_without_a_trial() -> None:
    decision = decide(
        policy=policy_with(),
        evidence=Evidence(suites=(suite_of(*many(100)),)),
        references=(make_reference(baseline_of(*before(100, 7))),),
        as_of=AS_OF,
    )
    assert decision.outcome is Outcome.PROMOTE
    assert steps_of(suite_of(*many(100)), baseline_of(*before(100, 7)), policy_with()) == []


def test_next_steps__an_open_floor_asks_unchanged_cases_again() -> None:
    policy = policy_with(Requirement(regression=True, floor=0.8, rollback_below=0.56))
    marks = (*many(85, "P"), *(again(f"s{i:03d}", "F") for i in range(85, 100)))
    assert steps_of(suite_of(*marks), baseline_of(*before(100)), policy) == [(2, True)]


def test_next_steps__an_open_comparison_asks_the_changed_ones() -> None:
    policy = policy_with(Requirement(regression=True, floor=0.5, rollback_below=0.35))
    changed = tuple(make_case_evidence(f"x{i}", "F" if i < 6 else "P") for i in range(40))
    known = baseline_of(*before(60), *(make_baseline_case(case.case_id, 9) for case in changed))
    assert steps_of(suite_of(*many(60, "P"), *changed), known, policy) == [(2, False)]


def test_next_steps__nothing_is_asked_where_nothing_changed() -> None:
    assert steps_of(suite_of(*many(40)), baseline_of(*before(40)), policy_with()) == []


def test_decide__evidence_grows_too_old_for_its_claims() -> None:
    evidence = Evidence(suites=(suite_of(*many(100)),))
    old = decide(
        policy=make_policy(Dimension.OVER_REFUSAL),
        evidence=evidence,
        references=(make_reference(baseline_of(*before(100))),),
        as_of="2026-11-22",
    )
    assert (old.outcome, old.reason) == (Outcome.HOLD, str(Rule.COMPLETENESS))


def test_join_cases__reused_only_where_both_runs_say_so() -> None:
    assert join_cases(again("a", "P"), again("a", "P")).reused
    assert not join_cases(again("a", "P"), make_case_evidence("a", "P")).reused
    assert not join_cases(make_case_evidence("a", "P"), again("a", "P")).reused
    assert not join_cases(again("a", request="sha256:other"), again("a")).reused


def test_reference__is_the_only_source_of_a_claim() -> None:
    evidence = suite_of(*many(60))
    reference = Reference(target="t", suite="intent", baseline=baseline_of(*before(60)))
    context = SuiteContext(evidence=evidence, reference=reference, policy=policy_with(), as_of=AS_OF)
    assert len(context.reused) == 60
    bare = replace(reference, baseline=baseline_of(*(replace(case, request="") for case in before(60))))
    assert replace(context, reference=bare).reused == frozenset()
