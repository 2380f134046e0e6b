"""A change cannot weaken the gate by what it says about its own cases, nor by leaving a suite out."""

from dataclasses import replace

from gate.core.decision import decide
from gate.core.evidence import Evidence
from gate.core.finding import Outcome, Rule, Verdict
from gate.core.model import Dimension, Severity
from gate.core.policy import Waiver
from gate.core.rules.broken_cases import check_broken
from gate.core.rules.comparability import check_comparability
from gate.core.rules.context import SuiteContext
from gate.core.rules.vetoes import check_vetoes
from tests.builders import (
    AS_OF,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)


def context(now: object, before: object, dimension: Dimension, waivers: tuple[Waiver, ...] = ()) -> SuiteContext:
    return SuiteContext(
        evidence=make_suite_evidence([now], dimension=dimension, passes=1),
        reference=make_reference(make_suite_baseline([before])),
        policy=make_policy(dimension, waivers=waivers),
        as_of=AS_OF,
    )


def test_severity__the_stricter_side_counts_and_the_difference_is_shown() -> None:
    now = make_case_evidence("a", "F", severity=Severity.P3)
    before = make_baseline_case("a", 10, 10, severity=Severity.P0)
    played_down = context(now, before, Dimension.SAFETY)
    assert [finding.demands for finding in check_vetoes(played_down)] == [Outcome.ROLLBACK]
    facts = [finding.sentence for finding in check_comparability(played_down)]
    assert any("1 case called less severe, which was not followed: a" in fact for fact in facts)


def test_severity__raising_it_is_followed_and_not_flagged() -> None:
    now = make_case_evidence("a", "F", severity=Severity.P0)
    raised = context(now, make_baseline_case("a", 10, 10, severity=Severity.P3), Dimension.SAFETY)
    assert [finding.demands for finding in check_vetoes(raised)] == [Outcome.ROLLBACK]
    assert not any("less severe" in finding.sentence for finding in check_comparability(raised))


def test_critical__the_baseline_remembers_it() -> None:
    cases = [make_case_evidence(f"s{number:02}", "PPPPPP") for number in range(49)]
    before = [make_baseline_case(f"s{number:02}", 10, 10) for number in range(49)]
    broken = SuiteContext(
        evidence=make_suite_evidence([*cases, make_case_evidence("z", "FFFFFF")], passes=5),
        reference=make_reference(make_suite_baseline([*before, make_baseline_case("z", 10, 10, critical=True)])),
        policy=make_policy(Dimension.TASK_SUCCESS),
        as_of=AS_OF,
    )
    found = check_broken(broken)[0]
    assert (found.verdict, found.demands, found.cases) == (Verdict.FAIL, Outcome.ROLLBACK, ("z",))


def test_waiver__never_covers_a_new_p0() -> None:
    waiver = Waiver(suite="intent", case="a", reason="known", by="kim", expires="2026-11-30")
    now = make_case_evidence("a", "F", severity=Severity.P0)
    for passes, wanted in ((10, Outcome.ROLLBACK), (5, Outcome.PROMOTE)):
        before = make_baseline_case("a", passes, 10, severity=Severity.P0)
        assert check_vetoes(context(now, before, Dimension.SAFETY, (waiver,)))[0].demands is wanted


def test_decide__a_suite_with_a_history_that_was_not_run_holds() -> None:
    policy = make_policy(Dimension.TASK_SUCCESS)
    ran, left_out = make_reference(), make_reference(suite="dropped")
    evidence = Evidence(suites=(make_suite_evidence("en*100: PP", passes=2),))
    decision = decide(policy=policy, evidence=evidence, references=(ran, left_out), as_of=AS_OF)
    assert decision.outcome is Outcome.HOLD
    assert [f.sentence for f in decision.findings if f.rule is Rule.COMPLETENESS and f.verdict is not Verdict.PASS] == [
        "sales-email-intent: suite dropped was not run"
    ]
    for harmless in (make_reference(suite="dropped", adopted=False),):
        assert (
            decide(policy=policy, evidence=evidence, references=(ran, harmless), as_of=AS_OF).outcome is Outcome.PROMOTE
        )


def changed(gone: int, *, version: str = "sha256:new", **case: object) -> list[str]:
    kept = [make_case_evidence(f"c{number:02}", "P") for number in range(gone, 100)]
    before = [make_baseline_case(f"c{number:02}", 10, 10, **case) for number in range(100)]
    suite = make_suite_evidence(kept, passes=1)
    context = SuiteContext(
        evidence=replace(suite, identity=replace(suite.identity, version=version)),
        reference=make_reference(make_suite_baseline(before)),
        policy=make_policy(Dimension.TASK_SUCCESS),
        as_of=AS_OF,
    )
    return [finding.sentence for finding in check_comparability(context) if finding.demands is Outcome.HOLD]


def test_removed_cases__more_than_one_in_twenty_with_a_change_holds() -> None:
    assert changed(5) == []
    assert changed(6) == ["intent: 6 % of the baseline's cases were removed or edited together with the change"]
    assert changed(6, version=make_suite_baseline([]).identity.version) == []


def test_removed_cases__a_severe_or_critical_one_with_a_change_holds() -> None:
    said = "intent: P0, P1 or critical cases were removed together with the change: c00"
    assert changed(1, severity=Severity.P1) == [said]
    assert changed(1, critical=True) == [said]
    assert changed(1, severity=Severity.P2) == []
