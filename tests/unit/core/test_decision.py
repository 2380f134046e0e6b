"""The whole decision: precedence, missing evidence, looks, profiles."""

from dataclasses import replace

import pytest

from gate.core.decision import decide, is_unchanged, next_steps
from gate.core.evidence import Absent, Corrupt, Evidence, Reference
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension, Scope, Severity
from gate.core.moments import moments
from gate.core.policy import OnBroken, Policy, Profile, SliceRule, Waiver
from tests.builders import (
    AS_OF,
    TASK,
    identity,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)

PROMOTE, HOLD, ROLLBACK = Outcome.PROMOTE, Outcome.HOLD, Outcome.ROLLBACK


def judge(
    now: str | Evidence = "en*100: P", before: str | Reference = "en*100: 10/10", policy: Policy = TASK
) -> Decision:
    evidence = Evidence(suites=(make_suite_evidence(now),)) if isinstance(now, str) else now
    reference = make_reference(before) if isinstance(before, str) else before
    return decide(policy=policy, evidence=evidence, references=(reference,), as_of=AS_OF)


def steps(now: str, before: str = "en*100: 10/10", policy: Policy = TASK, **changes: object) -> dict[str, object]:
    evidence = Evidence(suites=(make_suite_evidence(now, **changes),))
    found = next_steps(policy=policy, evidence=evidence, references=(make_reference(before),), as_of=AS_OF)
    return {"passes": found[0].passes, "confirm": found[0].confirm} if found else {}


def of(decision: Decision, rule: Rule) -> Finding:
    (found,) = [finding for finding in decision.findings if finding.rule is rule]
    return found


def test_decide__same_as_before__promotes() -> None:
    decision = judge()
    assert (decision.outcome, decision.reason, decision.as_of) == (PROMOTE, "shown not worse", AS_OF)
    assert of(decision, Rule.REGRESSION).figure("lower") == -0.027036
    assert of(decision, Rule.REGRESSION).figure("nothing") is None


def test_decide__nothing_at_all__holds() -> None:
    decision = decide(policy=TASK, evidence=Evidence(suites=()), references=(), as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (HOLD, "completeness")


def test_decide__only_unchanged_targets__promotes_as_unchanged() -> None:
    decision = decide(policy=TASK, evidence=Evidence(suites=(), unchanged=("a", "b")), references=(), as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (PROMOTE, "unchanged")
    assert [finding.target for finding in decision.findings] == ["a", "b"]


def test_decide__unchanged_beside_a_measured_target__shown_not_worse() -> None:
    decision = judge(Evidence(suites=(make_suite_evidence(),), unchanged=("other",)))
    assert (decision.outcome, decision.reason) == (PROMOTE, "shown not worse")


@pytest.mark.parametrize(("interrupted", "stopped"), [(True, ""), (False, "the budget of 5 dollars is used up")])
def test_decide__stopped_run__holds_whatever_was_seen(*, interrupted: bool, stopped: str) -> None:
    evidence = Evidence(suites=(make_suite_evidence(),), interrupted=interrupted, stopped=stopped)
    decision = judge(evidence)
    assert (decision.outcome, decision.reason) == (HOLD, "completeness")
    assert next_steps(policy=TASK, evidence=evidence, references=(make_reference(),), as_of=AS_OF) == ()


def test_decide__no_reference_given__holds() -> None:
    decision = decide(policy=TASK, evidence=Evidence(suites=(make_suite_evidence(),)), references=(), as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (HOLD, "comparability")


def test_decide__new_suite__is_for_show() -> None:
    reference = Reference(target="sales-email-intent", suite="intent", baseline=Absent(place="b.json"), adopted=False)
    decision = judge("en*100: F", reference)
    assert decision.outcome is HOLD
    assert decision.reason == "nothing measured"
    assert not any(finding.blocking for finding in decision.findings)


def test_decide__new_suite_beside_an_adopted_one__does_not_block() -> None:
    new = make_suite_evidence("x*40: F", suite="new")
    evidence = Evidence(suites=(make_suite_evidence(), new))
    shown = Reference(target="sales-email-intent", suite="new", baseline=Absent(place="b.json"), adopted=False)
    decision = decide(policy=TASK, evidence=evidence, references=(make_reference(), shown), as_of=AS_OF)
    assert decision.outcome is PROMOTE


def test_decide__new_suites__do_not_dilute_the_error_budget() -> None:
    """Five suites that a pull request adds must not make the fall of an old one harder to show."""
    old = make_suite_evidence("a*4: F  b*96: P")
    added = [make_suite_evidence("x*40: P", suite=f"new{i}") for i in range(5)]
    shown = [
        Reference(target="sales-email-intent", suite=f"new{i}", baseline=Absent(place="b"), adopted=False)
        for i in range(5)
    ]
    reference = make_reference("a*4: 10/10  b*96: 10/10")
    evidence = Evidence(suites=(old, *added))
    decision = decide(policy=TASK, evidence=evidence, references=(reference, *shown), as_of=AS_OF)
    assert decision.outcome is ROLLBACK


def test_decide__more_adopted_rivals__need_a_clearer_fall() -> None:
    suites = [make_suite_evidence("a*4: F  b*96: P")]
    suites += [make_suite_evidence("x*100: P", suite=f"s{i}") for i in range(5)]
    references = [make_reference("a*4: 10/10  b*96: 10/10")]
    references += [make_reference(make_suite_baseline("x*100: 10/10", suite=f"s{i}")) for i in range(5)]
    alone = decide(policy=TASK, evidence=Evidence(suites=tuple(suites[:1])), references=references, as_of=AS_OF)
    among = decide(policy=TASK, evidence=Evidence(suites=tuple(suites)), references=references, as_of=AS_OF)
    assert (alone.outcome, among.outcome) == (ROLLBACK, HOLD)


def test_decide__dimension_without_suite__holds() -> None:
    decision = judge(policy=make_policy(Dimension.TASK_SUCCESS, Dimension.SAFETY))
    assert (decision.outcome, decision.reason) == (HOLD, "completeness")
    assert "requires safety" in decision.findings[0].sentence


def test_decide__harm_and_a_hold__rollback_wins() -> None:
    evidence = Evidence(suites=(make_suite_evidence("a*30: F  b*70: P"),), stopped="out of money")
    decision = judge(evidence, "a*30: 10/10  b*70: 10/10")
    assert (decision.outcome, decision.reason) == (ROLLBACK, "regression")


def test_decide__findings__in_the_order_of_the_rules() -> None:
    policy = make_policy(slices=(("language", SliceRule.WARN),))
    cases = [
        make_case_evidence(f"c{i}", "F", tags=(("language", "es"),), usd=moments([0.1]), latency_ms=(3.0,))
        for i in range(40)
    ]
    baseline = make_suite_baseline([make_baseline_case(f"c{i}", usd=moments([0.1])) for i in range(40)])
    decision = decide(
        policy=policy,
        evidence=Evidence(suites=(make_suite_evidence(cases),)),
        references=(make_reference(baseline, anchor=baseline),),
        as_of=AS_OF,
    )
    order = list(dict.fromkeys(finding.rule for finding in decision.findings))
    assert order == [
        Rule.COMPLETENESS,
        Rule.FLOOR,
        Rule.REGRESSION,
        Rule.SLICE,
        Rule.BROKEN_CASE,
        Rule.COST,
        Rule.LATENCY,
        Rule.ANCHOR,
    ]


# --- looks


def test_looks__a_fall_shown_at_the_first_look__stays_shown() -> None:
    """Re-running until green: four perfect passes after a disaster do not undo the spent look."""
    once = judge("a*10: F  b*90: P", "a*10: 10/10  b*90: 10/10")
    again = judge("a*10: FPPPP  b*90: PPPPP", "a*10: 10/10  b*90: 10/10")
    assert (once.outcome, again.outcome) == (ROLLBACK, ROLLBACK)
    assert of(again, Rule.REGRESSION).figure("passes") == 1


def test_looks__a_pass_shown_at_the_first_look__stays_shown() -> None:
    assert of(judge("en*100: PPPPP"), Rule.REGRESSION).figure("passes") == 1


def test_looks__between_two_looks__the_earlier_one_counts() -> None:
    decision = judge("a*3: FFFP  b*97: PPPP", "a*3: 5/10  b*97: 10/10")
    assert of(decision, Rule.REGRESSION).figure("passes") == 3


def test_looks__first_look_not_reached__holds() -> None:
    policy = replace(TASK, looks=(3, 5))
    decision = judge(policy=policy)
    assert (decision.outcome, decision.reason) == (HOLD, "regression")
    assert of(decision, Rule.REGRESSION).settle == "run 3 passes"
    assert steps("en*100: P", policy=policy) == {"passes": 3, "confirm": {}}


def test_looks__policy_without_looks__holds() -> None:
    decision = judge(policy=replace(TASK, looks=()))
    assert of(decision, Rule.REGRESSION).settle == "give the policy a look"


def test_looks__z_falls_from_look_to_look() -> None:
    """Three cases broken for good are not shown at the first look and are at the last."""
    before = "a*3: 10/10  b*97: 10/10"
    first, last = judge("a*3: F  b*97: P", before), judge("a*3: FFFFF  b*97: PPPPP", before)
    assert of(first, Rule.REGRESSION).verdict is Verdict.INCONCLUSIVE
    assert of(last, Rule.REGRESSION).verdict is Verdict.FAIL


# --- next steps


def test_next_steps__shown__nothing() -> None:
    assert steps("en*100: P") == {}


def test_next_steps__open__the_next_look() -> None:
    before = "a*4: 5/10  b*96: 10/10"
    assert steps("a*4: F  b*96: P", before) == {"passes": 2, "confirm": {}}
    assert steps("a*4: FF  b*96: PP", before) == {"passes": 3, "confirm": {}}
    assert steps("a*4: FFP  b*96: PPP", before) == {"passes": 5, "confirm": {}}


def test_next_steps__suspect__confirmations_first() -> None:
    before = "a: 10/10  b*8: 5/10  c*91: 10/10"
    assert steps("a: F  b*8: F  c*91: P", before) == {"passes": 1, "confirm": {"a": 4}}


def test_next_steps__many_suspects_where_a_loss_is_expected__the_next_look_first() -> None:
    """28 confirmation trials cost more than a quarter of a pass, and another pass is expected to show the loss."""
    flaky, before = "m*5: F  n*5: P", "m*5: 5/10  n*5: 5/10"
    few = steps(f"a*6: F  {flaky}  b*84: P", f"a*6: 10/10  {before}  b*84: 10/10")
    assert (few["passes"], sum(few["confirm"].values())) == (1, 24)  # type: ignore[attr-defined]
    now, was = f"a*7: F  {flaky}  b*83: P", f"a*7: 10/10  {before}  b*83: 10/10"
    assert steps(now, was) == {"passes": 2, "confirm": {}}
    assert steps(now, was, replace(TASK, margin=0.08))["confirm"]
    assert steps(now, was, replace(TASK, looks=(1,)))["confirm"]


def test_next_steps__confirmed_broken__no_further_pass() -> None:
    before = "a: 10/10  b*4: 5/10  c*95: 10/10"
    assert steps("a: FFFFFFFFFF  b*4: F  c*95: P", before, passes=1) == {}
    shown = replace(TASK, requirements=((Dimension.TASK_SUCCESS, replace(TASK.requirements[0][1], broken=False)),))
    assert steps("a: FFFFFFFFFF  b*4: F  c*95: P", before, shown, passes=1) == {"passes": 2, "confirm": {}}


def test_next_steps__confirmed_broken_and_a_loss_beyond_it__goes_on() -> None:
    """The broken case is named already; the loss of the eight others is expected to be shown by the next look."""
    before = "a: 10/10  b*8: 5/10  c*91: 10/10"
    assert steps("a: FFFFFFFFFF  b*8: F  c*91: P", before, passes=1) == {"passes": 2, "confirm": {}}
    assert steps("a: FFFFFFFFFF  b*8: F  c*91: P", before, replace(TASK, margin=0.05), passes=1) == {}


def test_next_steps__suspect_cleared__the_next_look() -> None:
    before = "a: 10/10  b*8: 5/10  c*91: 10/10"
    assert steps("a: FPP  b*8: F  c*91: P", before, passes=1) == {"passes": 1, "confirm": {"a": 2}}
    assert steps("a: FPPPP  b*8: F  c*91: P", before, passes=1) == {"passes": 2, "confirm": {}}


def test_next_steps__outage_during_confirmation__is_not_asked_for_ever() -> None:
    marks = "F" + "U" * 10
    assert steps(f"a: {marks}  c*99: P", "a: 10/10  c*99: 10/10", passes=1) == {"passes": 2, "confirm": {}}


def test_next_steps__last_look_used__nothing() -> None:
    assert steps("a*5: FFFFF  b*95: PPPPP", "a*5: 5/10  b*95: 10/10") == {}


def test_next_steps__rollback__nothing() -> None:
    assert steps("en*100: F") == {}


def test_next_steps__incomplete__nothing() -> None:
    assert steps("a*10: U  b*90: P", "a*10: 10/10  b*90: 10/10") == {}


def test_next_steps__for_show_or_judged_otherwise__nothing() -> None:
    evidence = Evidence(suites=(make_suite_evidence("a*8: F  b*92: P"),))
    base = make_suite_baseline("a*8: 5/10  b*92: 10/10")
    shown = make_reference(base, adopted=False)
    judged = make_reference(replace(base, identity=replace(base.identity, scorer_digest="sha256:old")))
    for reference in (shown, judged):
        assert next_steps(policy=TASK, evidence=evidence, references=(reference,), as_of=AS_OF) == ()


def test_next_steps__scorers_changed__confirms_no_broken_case() -> None:
    base = make_suite_baseline()
    other = replace(base, identity=replace(base.identity, scorer_digest="sha256:old"))
    cases = [make_case_evidence(f"en-{i:04d}", "P" if i > 1 else "F") for i in range(1, 101)]
    evidence = Evidence(suites=(make_suite_evidence(cases),))
    assert next_steps(policy=TASK, evidence=evidence, references=(make_reference(other),), as_of=AS_OF) == ()


# --- unchanged


def test_is_unchanged__every_hash_equal() -> None:
    base = replace(make_suite_baseline(policy="sha256:p"), identity=identity())
    assert is_unchanged(identity(), base, "sha256:p")


@pytest.mark.parametrize(
    "change",
    [
        {"policy": "sha256:other"},
        {"identity": identity(version="sha256:other")},
        {"cases": ()},
        {"cases": (make_baseline_case(passes=9, severity=Severity.P0),)},
        {"cases": (make_baseline_case(passes=0, trials=0, severity=Severity.P0),)},
    ],
)
def test_is_unchanged__anything_differs_or_a_p0_is_open__no(change: dict[str, object]) -> None:
    base = replace(make_suite_baseline(policy="sha256:p"), identity=identity())
    assert not is_unchanged(identity(), replace(base, **change), "sha256:p")  # type: ignore[arg-type]


def test_is_unchanged__hash_that_does_not_cover_everything__no() -> None:
    own = replace(identity(), coverage="declared")
    base = replace(make_suite_baseline(policy="sha256:p"), identity=own)
    assert not is_unchanged(own, base, "sha256:p")


# --- profiles


def full(dimensions: dict[Dimension, str], **case: object) -> tuple[Evidence, tuple[Reference, ...]]:
    """One suite a dimension, each compared with its own perfect baseline."""
    suites, references = [], []
    for dimension, marks in dimensions.items():
        name = str(dimension)
        cases = [make_case_evidence(f"c{i:03d}", mark, **case) for i, mark in enumerate(marks)]
        suites.append(make_suite_evidence(cases, suite=name, dimension=dimension))
        before = [make_baseline_case(c.case_id, usd=moments([0.1]), passes=10 if c.marks == "P" else 2) for c in cases]
        references.append(make_reference(make_suite_baseline(before, suite=name)))
    return Evidence(suites=tuple(suites)), tuple(references)


def run_profile(profile: Profile, dimensions: dict[Dimension, str], **case: object) -> Decision:
    evidence, references = full(dimensions, **case)
    policy = make_policy(profile=profile, **case.pop("policy", {}))  # type: ignore[arg-type]
    return decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)


ALL = "P" * 100
PAPER = {
    Dimension.TASK_SUCCESS: "P" * 80 + "F" * 20,
    Dimension.CONTEXT_PRESERVATION: "P" * 90 + "F" * 10,
    Dimension.SAFETY: "P" * 95 + "F" * 5,
    Dimension.EVIDENCE_COVERAGE: "P" * 80 + "F" * 20,
}


def test_profile_paper__at_every_target__promotes() -> None:
    assert run_profile(Profile.PAPER, PAPER, latency_ms=(14_999.0,)).outcome is PROMOTE


@pytest.mark.parametrize("dimension", list(PAPER))
def test_profile_paper__one_below_its_target__holds(dimension: Dimension) -> None:
    marks = PAPER[dimension].replace("P", "F", 1)
    decision = run_profile(Profile.PAPER, PAPER | {dimension: marks}, latency_ms=(14_999.0,))
    assert (decision.outcome, decision.reason) == (HOLD, "floor")


@pytest.mark.parametrize(("passed", "wanted"), [(56, HOLD), (55, ROLLBACK)])
def test_profile_paper__rollback_line_at_seven_tenths_of_the_target(passed: int, wanted: Outcome) -> None:
    marks = "P" * passed + "F" * (100 - passed)
    assert run_profile(Profile.PAPER, PAPER | {Dimension.TASK_SUCCESS: marks}, latency_ms=(9.0,)).outcome is wanted


@pytest.mark.parametrize(
    ("latency", "wanted"), [(15_000.0, PROMOTE), (15_001.0, HOLD), (21_428.0, HOLD), (21_429.0, ROLLBACK)]
)
def test_profile_paper__latency__target_and_line(latency: float, wanted: Outcome) -> None:
    assert run_profile(Profile.PAPER, PAPER, latency_ms=(latency,)).outcome is wanted


def test_profile_paper__latency_not_measured__holds() -> None:
    decision = run_profile(Profile.PAPER, PAPER)
    assert (decision.outcome, decision.reason) == (HOLD, "latency")


@pytest.mark.parametrize("absent", list(PAPER))
def test_profile_paper__dimension_without_suite__holds(absent: Dimension) -> None:
    rest = {dimension: marks for dimension, marks in PAPER.items() if dimension is not absent}
    assert run_profile(Profile.PAPER, rest, latency_ms=(9.0,)).outcome is HOLD


@pytest.mark.parametrize(("passed", "wanted"), [(100, PROMOTE), (70, HOLD), (50, ROLLBACK)])
def test_profile_ci__floor_by_its_bound(passed: int, wanted: Outcome) -> None:
    marks = "P" * passed + "F" * (100 - passed)
    assert run_profile(Profile.CI, {Dimension.TASK_SUCCESS: marks}).outcome is wanted


def test_profile_ci__margin_of_five_points() -> None:
    decision = run_profile(Profile.CI, {Dimension.TASK_SUCCESS: ALL})
    assert of(decision, Rule.REGRESSION).figure("margin") == 0.05
    assert of(decision, Rule.FLOOR).figure("floor") == 0.8


PRE = {Dimension.TASK_SUCCESS: "P" * 300, Dimension.SAFETY: ALL}


def test_profile_pre_production__all_four__promotes() -> None:
    evidence, references = full(PRE, latency_ms=(50.0,), usd=moments([0.1]))
    policy = make_policy(profile=Profile.PRE_PRODUCTION, p95_ms=100.0)
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    assert decision.outcome is PROMOTE
    assert of(decision, Rule.REGRESSION).figure("margin") == 0.01


@pytest.mark.parametrize(
    ("case", "p95", "reason"),
    [
        ({"latency_ms": (50.0,), "usd": moments([0.1])}, None, "latency"),
        ({"usd": moments([0.1])}, 100.0, "latency"),
        ({"latency_ms": (50.0,), "usd": moments([0.12])}, 100.0, "cost"),
        ({"latency_ms": (50.0,)}, 100.0, "cost"),
    ],
)
def test_profile_pre_production__one_of_four_missing__holds(
    case: dict[str, object], p95: float | None, reason: str
) -> None:
    evidence, references = full(PRE, **case)
    policy = make_policy(profile=Profile.PRE_PRODUCTION, p95_ms=p95)
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (HOLD, reason)


def test_profile_pre_production__a_hundred_cases__cannot_show_one_point() -> None:
    evidence, references = full(PRE | {Dimension.TASK_SUCCESS: ALL}, latency_ms=(50.0,), usd=moments([0.1]))
    policy = make_policy(profile=Profile.PRE_PRODUCTION, p95_ms=100.0)
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (HOLD, "regression")


@pytest.mark.parametrize(("passed", "wanted"), [(70, PROMOTE), (69, ROLLBACK)])
def test_profile_launch__seventy_of_a_hundred(passed: int, wanted: Outcome) -> None:
    marks = {Dimension.TASK_SUCCESS: "P" * passed + "F" * (100 - passed), Dimension.SAFETY: ALL}
    assert run_profile(Profile.LAUNCH, marks, usd=moments([0.1])).outcome is wanted


def test_profile_launch__a_single_p0__rolls_back() -> None:
    marks = {Dimension.TASK_SUCCESS: ALL, Dimension.SAFETY: ALL}
    evidence, references = full(marks, usd=moments([0.1]))
    safety = evidence.suites[1]
    bad = make_case_evidence("c000", "F", severity=Severity.P0, usd=moments([0.1]))
    evidence = replace(evidence, suites=(evidence.suites[0], replace(safety, cases=(bad, *safety.cases[1:]))))
    decision = decide(policy=make_policy(profile=Profile.LAUNCH), evidence=evidence, references=references, as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (ROLLBACK, "veto")


def test_profile_merge__everything_shown__promotes_without_a_latency_budget() -> None:
    marks = {Dimension.TASK_SUCCESS: ALL, Dimension.SAFETY: ALL, Dimension.OVER_REFUSAL: ALL}
    decision = run_profile(Profile.MERGE, marks, usd=moments([0.1]), latency_ms=(3.0,))
    assert decision.outcome is PROMOTE
    assert not of(decision, Rule.LATENCY).blocking


# --- one PROMOTE turned into each other outcome by one change


def test_decide__corrupt_baseline__holds() -> None:
    reference = make_reference(Corrupt(place="b.json", reason="cut off"))
    assert judge(before=reference).outcome is HOLD


def test_decide__set_scope__needs_two_passes_to_promote() -> None:
    once = judge(Evidence(suites=(make_suite_evidence("en*40: P", scope=Scope.SET),)), "en*40: 10/10")
    twice = judge(Evidence(suites=(make_suite_evidence("en*40: PP", scope=Scope.SET),)), "en*40: 10/10")
    assert (once.outcome, twice.outcome) == (HOLD, PROMOTE)
    assert of(twice, Rule.REGRESSION).figure("passes") == 2
    assert of(twice, Rule.REGRESSION).figure("lower") == 0.0


def test_decide__broken_case__holds_or_rolls_back() -> None:
    now, before = "a: FFFFFFFF  b*299: P", "a: 10/10  b*299: 10/10"
    evidence = Evidence(suites=(make_suite_evidence(now, passes=1),))
    hold = judge(evidence, before)
    back = judge(evidence, before, replace(TASK, on_broken=OnBroken.ROLLBACK))
    assert (hold.outcome, hold.reason) == (HOLD, "broken-case")
    assert (back.outcome, back.reason) == (ROLLBACK, "broken-case")


def test_waiver__shown_as_promote_with_waiver() -> None:
    cases = [make_case_evidence("p0", "F", severity=Severity.P0)]
    cases += [make_case_evidence(f"c{i}", "P") for i in range(199)]
    base = make_suite_baseline([make_baseline_case(c.case_id, passes=0 if c.marks == "F" else 10) for c in cases])
    policy = make_policy(Dimension.SAFETY)
    suite = make_suite_evidence(cases, dimension=Dimension.SAFETY)
    waiver = Waiver(suite="intent", case="p0", reason="known", by="kim", expires="2026-12-01")
    outcomes = [
        decide(
            policy=replace(policy, waivers=waivers, author="lee"),
            evidence=Evidence(suites=(suite,)),
            references=(make_reference(base),),
            as_of=AS_OF,
        ).outcome
        for waivers in ((), (waiver,))
    ]
    assert outcomes == [HOLD, PROMOTE]


@pytest.mark.parametrize(
    ("now", "shown"),
    [("en*100: PPP", Outcome.PROMOTE), ("en*100: FFF", Outcome.ROLLBACK)],
    ids=["all pass", "all fail"],
)
def test_decide__unverified__neither_more_nor_less_than_hold(now: str, shown: Outcome) -> None:
    evidence = Evidence(suites=(make_suite_evidence(now),))
    assert judge(evidence).outcome is shown
    decision = judge(replace(evidence, unverified="somebody else counted"))
    assert (decision.outcome, decision.reason) == (HOLD, "unverified")
    (found,) = [one for one in decision.findings if one.sentence == "unverified: somebody else counted"]
    assert (found.rule, found.verdict, found.blocking) == (Rule.COMPLETENESS, Verdict.INCONCLUSIVE, True)
    assert decision.settle.startswith("let a maintainer approve a run of this commit")
