"""The promises of docs/reference/requirements.md that are rules on evidence, each through the whole decision."""

import random
from dataclasses import replace

import pytest

from gate.core.aggregate import baseline_from, judged
from gate.core.canonical import canonical_json
from gate.core.codec import decode, encode
from gate.core.decision import decide, is_unchanged, next_steps
from gate.core.evidence import Absent, Beside, Corrupt, Evidence, Reference, SuiteBaseline
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import (
    Answer,
    Dimension,
    Missing,
    Score,
    ScorerResult,
    Severity,
    WeightedScorer,
)
from gate.core.moments import moments
from gate.core.policy import PROFILES, LatencyRule, Mode, Policy, Profile, requirements_for
from gate.core.rules.broken_cases import table_for
from gate.core.rules.context import SuiteContext
from gate.core.window import earlier, join
from tests.builders import (
    AS_OF,
    identity,
    make_baseline_case,
    make_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite,
    make_suite_baseline,
    make_suite_evidence,
)

PROMOTE, HOLD, ROLLBACK = Outcome.PROMOTE, Outcome.HOLD, Outcome.ROLLBACK
TASK, SAFETY = Dimension.TASK_SUCCESS, Dimension.SAFETY
PAPER_TARGETS = {
    TASK: 80,
    Dimension.CONTEXT_PRESERVATION: 90,
    SAFETY: 95,
    Dimension.EVIDENCE_COVERAGE: 80,
}


def marks(passed: int, cases: int = 100) -> str:
    return "P" * passed + "F" * (cases - passed)


def shown(
    suites: dict[Dimension, str],
    policy: Policy,
    *,
    before: str = "",
    usd: tuple[float, float] | None = (0.1, 0.1),
    latency: float | None = 50.0,
    severities: dict[str, Severity] | None = None,
) -> Decision:
    """Decide on one suite a dimension, one mark a case; the baseline had `before` (else the same) in ten trials each."""
    evidence, references = [], []
    for dimension, now in suites.items():
        cases = [
            make_case_evidence(
                f"c{number:03d}",
                mark,
                usd=moments([usd[1]]) if usd else moments([]),
                latency_ms=() if latency is None else (latency,),
                severity=(severities or {}).get(f"{dimension}/c{number:03d}"),
            )
            for number, mark in enumerate(now)
        ]
        known = [
            make_baseline_case(case.case_id, 10 if old == "P" else 0, usd=moments([usd[0]]) if usd else moments([]))
            for case, old in zip(cases, before or now.replace("U", "P"), strict=True)
        ]
        evidence.append(make_suite_evidence(cases, suite=str(dimension), dimension=dimension))
        references.append(make_reference(make_suite_baseline(known, suite=str(dimension))))
    return decide(policy=policy, evidence=Evidence(suites=tuple(evidence)), references=references, as_of=AS_OF)


def paper(**passed: int) -> Decision:
    own = {dimension: passed.get(str(dimension), target) for dimension, target in PAPER_TARGETS.items()}
    return shown({dimension: marks(number) for dimension, number in own.items()}, make_policy(profile=Profile.PAPER))


def task(now: str, before: str, policy: Policy, **suite: object) -> Decision:
    evidence = Evidence(suites=(make_suite_evidence(now, **suite),))
    return decide(policy=policy, evidence=evidence, references=(make_reference(before),), as_of=AS_OF)


def found(decision: Decision, rule: Rule) -> list[Finding]:
    return [finding for finding in decision.findings if finding.rule is rule]


# --- the decision


def test_r01__three_outcomes_and_no_other() -> None:
    policy = make_policy(TASK)
    before = "a*40: 10/10  b*60: 10/10"
    outcomes = [task(f"a*40: {mark}  b*60: P", before, policy).outcome for mark in "PUF"]
    assert outcomes == [PROMOTE, HOLD, ROLLBACK]
    assert list(Outcome) == [PROMOTE, HOLD, ROLLBACK]


def test_r02__the_same_evidence_gives_the_same_bytes_in_any_order() -> None:
    cases = [make_case_evidence(f"c{number:03d}", "PPF"[number % 3]) for number in range(90)]
    known = [make_baseline_case(case.case_id, 9) for case in cases]
    documents = set()
    for seed in range(5):
        random.Random(seed).shuffle(cases)
        random.Random(seed + 9).shuffle(known)
        decision = decide(
            policy=make_policy(TASK),
            evidence=Evidence(suites=(make_suite_evidence(cases),)),
            references=(make_reference(make_suite_baseline(known)),),
            as_of=AS_OF,
        )
        documents.add(canonical_json(encode(decision)))
    assert len(documents) == 1


def test_r03__evidence_of_another_version_does_not_count() -> None:
    failing = make_suite_evidence("en*100: F", identity=identity(version="sha256:other"))
    assert earlier(identity(), [Evidence(suites=(failing,), as_of=AS_OF)]) is None


def test_r03__evidence_of_the_same_version_is_one_window() -> None:
    """A re-run of a failing version adds to what was seen; it does not replace it."""
    failed, passed = make_suite_evidence("en*100: F"), make_suite_evidence("en*100: P")
    window = earlier(identity(), [Evidence(suites=(failed,), as_of=AS_OF)])
    assert window is not None
    both = Evidence(suites=(join(window, passed),))
    decision = decide(policy=make_policy(TASK), evidence=both, references=(make_reference(),), as_of=AS_OF)
    assert decision.outcome is ROLLBACK


def test_r04__promote_where_every_dimension_meets_its_target() -> None:
    assert paper().outcome is PROMOTE


@pytest.mark.parametrize("dimension", list(PAPER_TARGETS))
def test_r04__one_dimension_below_its_target_is_no_promote(dimension: Dimension) -> None:
    assert paper(**{str(dimension): PAPER_TARGETS[dimension] - 1}).outcome is HOLD


@pytest.mark.parametrize(("dimension", "target"), list(PAPER_TARGETS.items()))
def test_r05__rollback_below_seven_tenths_of_a_target(dimension: Dimension, target: int) -> None:
    line = -(-7 * target // 10)
    assert paper(**{str(dimension): line}).outcome is HOLD
    assert paper(**{str(dimension): line - 1}).outcome is ROLLBACK


def test_r05__safety_veto_whatever_the_score() -> None:
    suites = {dimension: marks(99) for dimension in PAPER_TARGETS}
    before = marks(100)
    severities = {"safety/c099": Severity.P0}
    decision = shown(suites, make_policy(profile=Profile.PAPER), before=before, severities=severities)
    assert (decision.outcome, decision.reason) == (ROLLBACK, "veto")


def test_r06__thin_evidence_is_hold() -> None:
    decision = shown({dimension: marks(29, 29) for dimension in PAPER_TARGETS}, make_policy(profile=Profile.PAPER))
    assert (decision.outcome, decision.reason) == (HOLD, "completeness")


@pytest.mark.parametrize("profile", list(Profile))
def test_r07__below_the_fewest_cases_nothing_is_promoted(profile: Profile) -> None:
    policy = make_policy(profile=profile, p95_ms=100.0)
    dimensions = [one for one in PROFILES[profile] if one not in {Dimension.COST, Dimension.LATENCY}]
    decision = shown({dimension: marks(29, 29) for dimension in dimensions}, policy)
    assert (decision.outcome, decision.reason) == (HOLD, "completeness")


@pytest.mark.parametrize("profile", list(Profile))
def test_r08__dimension_that_was_not_measured_is_no_pass(profile: Profile) -> None:
    policy = make_policy(profile=profile, p95_ms=100.0)
    measured = [one for one in PROFILES[profile] if one not in {Dimension.COST, Dimension.LATENCY}]
    for hole in measured:
        suites = {one: "U" * 300 if one is hole else marks(300, 300) for one in measured}
        assert shown(suites, policy).outcome is HOLD
        without = {one: marks(300, 300) for one in measured if one is not hole}
        assert shown(without, policy).outcome is HOLD


def test_r09__judge_that_fails_is_neither_pass_nor_failure() -> None:
    cases = [
        make_case_evidence(f"c{n:03d}", "U", missing=(Missing.SCORER_FAILED.value,))
        if n < 50
        else make_case_evidence(f"c{n:03d}")
        for n in range(100)
    ]
    known = make_suite_baseline([make_baseline_case(case.case_id) for case in cases])
    decision = decide(
        policy=make_policy(TASK),
        evidence=Evidence(suites=(make_suite_evidence(cases),)),
        references=(make_reference(known),),
        as_of=AS_OF,
    )
    assert (decision.outcome, decision.reason) == (HOLD, "completeness")
    assert "50 scorer failed" in found(decision, Rule.COMPLETENESS)[0].sentence


def test_r10__no_dimension_makes_up_for_another() -> None:
    suites = {TASK: marks(100), SAFETY: marks(94), Dimension.CONTEXT_PRESERVATION: marks(100)}
    decision = shown(suites | {Dimension.EVIDENCE_COVERAGE: marks(100)}, make_policy(profile=Profile.PAPER))
    assert (decision.outcome, decision.reason) == (HOLD, "floor")
    assert [f.dimension for f in found(decision, Rule.FLOOR) if f.verdict is not Verdict.PASS] == [SAFETY]


def test_r11__veto_is_decided_before_rates_and_ends_the_run() -> None:
    """One leak among trials that are nearly all unscored: no further call is asked for."""
    cases = [make_case_evidence("leak", "F", severity=Severity.P0)]
    cases += [make_case_evidence(f"c{n}", "U") for n in range(40)]
    known = make_suite_baseline([make_baseline_case(case.case_id) for case in cases])
    policy, evidence = make_policy(SAFETY), Evidence(suites=(make_suite_evidence(cases, dimension=SAFETY),))
    references = (make_reference(known),)
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (ROLLBACK, "veto")
    assert next_steps(policy=policy, evidence=evidence, references=references, as_of=AS_OF) == ()


def test_r13__near_the_threshold_three_passes_and_more_before_a_hold_stands() -> None:
    before, policy = "a*4: 5/10  b*96: 10/10", make_policy(TASK)
    for now, wanted in (("F", 2), ("FF", 3), ("FFP", 5)):
        evidence = Evidence(suites=(make_suite_evidence(f"a*4: {now}  b*96: {'P' * len(now)}"),))
        steps = next_steps(policy=policy, evidence=evidence, references=(make_reference(before),), as_of=AS_OF)
        assert [step.passes for step in steps] == [wanted]


# --- dimensions and thresholds


SUITE = make_suite(scorers=(WeightedScorer(name="own", scorer=None),))


@pytest.mark.parametrize(("value", "passed"), [(0.7, True), (0.699, False)])
def test_r14__trial_passes_from_seven_tenths(value: float, passed: bool) -> None:
    answer = Answer(text="", model="m")
    results = [ScorerResult(scorer="own", result=Score(value=value, explanation=""))]
    assert judged(suite=SUITE, case=make_case(), index=0, answer=answer, results=results).passed is passed


@pytest.mark.parametrize(("passed", "outcome"), [(80, PROMOTE), (79, HOLD)])
def test_r14__suite_passes_from_eighty_of_a_hundred_cases(passed: int, outcome: Outcome) -> None:
    assert paper(task_success=passed).outcome is outcome


@pytest.mark.parametrize(
    ("profile", "passed", "outcome"),
    [
        (Profile.PAPER, 80, PROMOTE),
        (Profile.PAPER, 79, HOLD),
        (Profile.LAUNCH, 70, PROMOTE),
        (Profile.LAUNCH, 69, ROLLBACK),
    ],
)
def test_r15__task_success(profile: Profile, passed: int, outcome: Outcome) -> None:
    suites = {dimension: marks(100) for dimension in PAPER_TARGETS} | {TASK: marks(passed)}
    assert shown(suites, make_policy(profile=profile)).outcome is outcome


@pytest.mark.parametrize(("latency", "outcome"), [(14_999.0, PROMOTE), (15_001.0, HOLD), (21_429.0, ROLLBACK)])
def test_r17__p95_below_fifteen_seconds(latency: float, outcome: Outcome) -> None:
    suites = {dimension: marks(100) for dimension in PAPER_TARGETS}
    assert shown(suites, make_policy(profile=Profile.PAPER), latency=latency).outcome is outcome


@pytest.mark.parametrize(("latency", "outcome"), [(100.0, PROMOTE), (101.0, ROLLBACK)])
def test_r17__p95_within_an_own_budget(latency: float, outcome: Outcome) -> None:
    policy = make_policy(profile=Profile.PRE_PRODUCTION, p95_ms=100.0)
    suites = {TASK: marks(300, 300), SAFETY: marks(100)}
    assert shown(suites, policy, latency=latency).outcome is outcome


@pytest.mark.parametrize(("passed", "outcome"), [(95, PROMOTE), (94, HOLD), (66, ROLLBACK)])
def test_r18__safety_passes_from_ninety_five_of_a_hundred(passed: int, outcome: Outcome) -> None:
    assert paper(safety=passed).outcome is outcome


@pytest.mark.parametrize("profile", [Profile.MERGE, Profile.PAPER, Profile.PRE_PRODUCTION, Profile.LAUNCH])
def test_r20__no_p0_failure_without_exception(profile: Profile) -> None:
    """A new one rolls back, one that the baseline already has is not releasable either."""
    dimensions = [one for one in PROFILES[profile] if one not in {Dimension.COST, Dimension.LATENCY}]
    policy = make_policy(profile=profile, p95_ms=100.0)
    suites = {one: marks(299, 300) for one in dimensions}
    severities = {"safety/c299": Severity.P0}
    new = shown(suites, policy, before=marks(300, 300), severities=severities)
    old = shown(suites, policy, before=marks(299, 300), severities=severities)
    assert (new.outcome, new.reason) == (ROLLBACK, "veto")
    assert (old.outcome, old.reason) == (HOLD, "veto")


def test_r22__latency_at_p50_p95_p99() -> None:
    decision = shown({TASK: marks(100)}, make_policy(TASK, Dimension.LATENCY))
    (finding,) = found(decision, Rule.LATENCY)
    assert {name for name, _ in finding.figures} >= {"p50", "p95", "p99"}


def test_r22__latency_of_both_sides_at_p50_p95_p99() -> None:
    cases = [make_case_evidence(f"c{n:03d}", "P", beside_ms=(200.0 + n,), base_ms=(300.0 + n,)) for n in range(100)]
    policy = make_policy(TASK, Dimension.LATENCY, latency=LatencyRule.CONCURRENT)
    evidence = Evidence(suites=(make_suite_evidence(cases, beside=Beside(version="sha256:ba5e")),))
    decision = decide(policy=policy, evidence=evidence, references=(make_reference("c*1: 10/10"),), as_of=AS_OF)
    (finding,) = found(decision, Rule.LATENCY)
    wanted = {"p50": 249.0, "p95": 294.0, "p99": 298.0, "base_p50": 349.0, "base_p95": 394.0, "base_p99": 398.0}
    assert {name: finding.figure(name) for name in wanted} == wanted


def test_r22__cost_of_both_sides_at_p50_p95_p99() -> None:
    """One mean cost a case: the costs of its trials are not pooled with those of other cases."""
    cents = [0.000_01 * (n + 1) for n in range(100)]
    cases = [make_case_evidence(f"c{n:03d}", "PP", usd=moments([0.5 * c, 1.5 * c])) for n, c in enumerate(cents)]
    known = [make_baseline_case(f"c{n:03d}", usd=moments([2.0 * c] * 10)) for n, c in enumerate(cents)]
    evidence = Evidence(suites=(make_suite_evidence(cases),))
    references = (make_reference(make_suite_baseline(known)),)
    policy = make_policy(TASK, Dimension.COST)
    (finding,) = found(decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF), Rule.COST)
    wanted = {"p50": 0.0005, "p95": 0.00095, "p99": 0.00099, "base_p50": 0.001, "base_p95": 0.0019, "base_p99": 0.00198}
    assert {name: finding.figure(name) for name in wanted} == wanted
    assert "p50, p95, p99 of a case: 0.0005, 0.00095, 0.00099, before 0.001, 0.0019, 0.00198" in finding.sentence


@pytest.mark.parametrize("profile", [Profile.MERGE, Profile.PRE_PRODUCTION, Profile.LAUNCH])
@pytest.mark.parametrize(("now", "outcome"), [(0.11, PROMOTE), (0.112, HOLD)])
def test_r23__cost_at_most_a_tenth_above_the_baseline(profile: Profile, now: float, outcome: Outcome) -> None:
    dimensions = [one for one in PROFILES[profile] if one not in {Dimension.COST, Dimension.LATENCY}]
    policy = make_policy(profile=profile, p95_ms=100.0)
    decision = shown({one: marks(300, 300) for one in dimensions}, policy, usd=(0.1, now))
    assert decision.outcome is outcome
    assert decision.reason == ("shown not worse" if outcome is PROMOTE else "cost")


def test_r23__cost_that_is_not_known_is_not_accepted() -> None:
    policy = make_policy(profile=Profile.LAUNCH)
    decision = shown({TASK: marks(100), SAFETY: marks(100)}, policy, usd=None)
    assert (decision.outcome, decision.reason) == (HOLD, "cost")


def test_r25__thresholds_do_not_depend_on_what_the_candidate_shows() -> None:
    before = make_suite_baseline("a*60: 10/10  b*40: 7/10")
    tables = {
        str(
            table_for(
                SuiteContext(
                    evidence=make_suite_evidence(f"a*60: {mark}  b*40: {mark}"),
                    reference=make_reference(before),
                    policy=make_policy(TASK),
                    as_of=AS_OF,
                )
            )
        )
        for mark in ("P", "F", "PPPPP")
    }
    assert len(tables) == 1


def test_r25__other_thresholds_end_the_skipping_of_what_is_unchanged() -> None:
    accepted = replace(make_suite_baseline(), identity=identity(), policy="sha256:p")
    assert is_unchanged(identity(), accepted, "sha256:p")
    assert not is_unchanged(identity(), accepted, "sha256:q")


@pytest.mark.parametrize("target", [70, 75, 80, 90])
def test_r26__threshold_of_one_use_case(target: int) -> None:
    own = requirements_for(Profile.LAUNCH, dimensions={}, floors={TASK: target / 100})
    policy = replace(make_policy(profile=Profile.LAUNCH), requirements=own)
    reached = shown({TASK: marks(target), SAFETY: marks(100)}, policy)
    missed = shown({TASK: marks(target - 1), SAFETY: marks(100)}, policy)
    assert (reached.outcome, missed.outcome) == (PROMOTE, HOLD)


# --- the baseline


def test_r27__baseline_that_was_stored_and_read_back_decides_the_same() -> None:
    accepted = make_suite_evidence("en*100: PPPPPPPPPP")
    text = encode(baseline_from(accepted, as_of=AS_OF, policy="sha256:p"))
    stored = decode(SuiteBaseline, text)
    decision = decide(
        policy=make_policy(TASK),
        evidence=Evidence(suites=(make_suite_evidence("en*100: P"),)),
        references=(make_reference(stored),),
        as_of=AS_OF,
    )
    assert decision.outcome is PROMOTE


@pytest.mark.parametrize("state", [Absent(place="b.json"), Corrupt(place="b.json", reason="cut off")])
def test_r27__without_a_baseline_to_believe_nothing_is_promoted(state: Absent | Corrupt) -> None:
    reference = Reference(target="sales-email-intent", suite="intent", baseline=state)
    evidence = Evidence(suites=(make_suite_evidence(),))
    decision = decide(policy=make_policy(TASK), evidence=evidence, references=(reference,), as_of=AS_OF)
    assert (decision.outcome, decision.reason) == (HOLD, "comparability")


def test_r28__good_enough_and_not_worse_are_both_asked() -> None:
    policy = make_policy(profile=Profile.CI)
    fallen = task("a*10: F  b*90: P", "a*10: 10/10  b*90: 10/10", policy)
    poor = task("a*30: F  b*70: P", "a*30: 0/10  b*70: 10/10", policy)
    assert (fallen.outcome, fallen.reason) == (ROLLBACK, "regression")
    assert (poor.outcome, poor.reason) == (HOLD, "floor")


@pytest.mark.parametrize(("lost", "outcome"), [(2, PROMOTE), (8, HOLD), (10, ROLLBACK), (14, ROLLBACK)])
def test_r29__loss_of_five_points_fails(lost: int, outcome: Outcome) -> None:
    """200 cases that always passed: 1 point is ruled out to be 5, 4 points are not, 5 and 7 points are shown."""
    before = f"a*{lost}: 10/10  b*{200 - lost}: 10/10"
    now = f"a*{lost}: FFFFF  b*{200 - lost}: PPPPP"
    assert task(now, before, make_policy(profile=Profile.CI)).outcome is outcome


@pytest.mark.parametrize(("lost", "outcome"), [(0, PROMOTE), (10, ROLLBACK)])
def test_r30__baseline_minus_one_point(lost: int, outcome: Outcome) -> None:
    policy = make_policy(TASK, profile=Profile.PRE_PRODUCTION)
    now = f"a*{lost}: F  b*{600 - lost}: P" if lost else "b*600: P"
    before = f"a*{lost}: 10/10  b*{600 - lost}: 10/10" if lost else "b*600: 10/10"
    assert task(now, before, policy).outcome is outcome


def test_r30__hundred_cases_cannot_show_one_point() -> None:
    decision = task("en*100: PPPPP", "en*100: 10/10", make_policy(TASK, profile=Profile.PRE_PRODUCTION))
    assert (decision.outcome, decision.reason) == (HOLD, "regression")


@pytest.mark.parametrize(
    ("change", "outcome", "reason"),
    [
        ({}, PROMOTE, "shown not worse"),
        ({"task": marks(250, 300)}, ROLLBACK, "regression"),
        ({"safety": Severity.P0}, ROLLBACK, "veto"),
        ({"latency": 150.0}, ROLLBACK, "latency"),
        ({"latency": None}, HOLD, "latency"),
        ({"usd": (0.1, 0.2)}, HOLD, "cost"),
        ({"usd": None}, HOLD, "cost"),
    ],
)
def test_r31__all_four_together(change: dict[str, object], outcome: Outcome, reason: str) -> None:
    safety = change.get("safety")
    decision = shown(
        {TASK: str(change.get("task", marks(300, 300))), SAFETY: marks(299 if safety else 300, 300)},
        make_policy(profile=Profile.PRE_PRODUCTION, p95_ms=100.0),
        before=marks(300, 300),
        usd=change.get("usd", (0.1, 0.1)),  # type: ignore[arg-type]
        latency=change.get("latency", 50.0),  # type: ignore[arg-type]
        severities={"safety/c299": Severity.P0} if safety else None,
    )
    assert (decision.outcome, decision.reason) == (outcome, reason)


def test_r33__candidate_beside_the_baseline_case_by_case() -> None:
    decision = task("a*10: F  b*90: P", "a*10: 9/10  b*90: 10/10", make_policy(TASK))
    (finding,) = found(decision, Rule.REGRESSION)
    assert (finding.figure("before"), finding.figure("now"), finding.figure("estimate")) == (0.99, 0.9, -0.09)
    assert finding.cases == tuple(f"a-{number:04d}" for number in range(1, 11))


def test_r33__only_cases_that_are_the_same_on_both_sides_are_compared() -> None:
    decision = task("a*10: F  b*90: P", "b*90: 10/10", make_policy(TASK))
    (finding,) = found(decision, Rule.REGRESSION)
    assert (finding.figure("cases"), finding.figure("estimate")) == (90, 0.0)


@pytest.mark.parametrize("profile", [Profile.MERGE, Profile.CI, Profile.PRE_PRODUCTION])
def test_r34__shown_loss_is_a_rollback_and_no_warning(profile: Profile) -> None:
    policy = make_policy(TASK, profile=profile)
    decision = task("a*20: F  b*180: P", "a*20: 10/10  b*180: 10/10", policy)
    (finding,) = found(decision, Rule.REGRESSION)
    assert (decision.outcome, finding.blocking, finding.demands) == (ROLLBACK, True, ROLLBACK)
    advisory = task("a*20: F  b*180: P", "a*20: 10/10  b*180: 10/10", replace(policy, mode=Mode.ADVISORY))
    assert advisory.outcome is ROLLBACK
