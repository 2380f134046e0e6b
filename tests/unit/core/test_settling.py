"""What a HOLD asks for: the cheapest act, and what stays open beside it."""

from dataclasses import replace

import pytest

from gate.core.decision import decide
from gate.core.evidence import Absent, Evidence, Reference
from gate.core.finding import Act, Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension
from gate.core.policy import Policy
from gate.core.settling import NOTHING_BLOCKS, cheapest
from tests.builders import AS_OF, TASK, make_policy, make_reference, make_suite_baseline, make_suite_evidence

BOTH = make_policy(Dimension.TASK_SUCCESS, Dimension.OVER_REFUSAL)


def point(settle: str, act: Act | None, *, demands: Outcome = Outcome.HOLD, blocking: bool = True) -> Finding:
    return Finding(
        rule=Rule.COMPLETENESS,
        verdict=Verdict.INCONCLUSIVE,
        demands=demands,
        sentence="s",
        settle=settle,
        act=act,
        blocking=blocking,
    )


PASSES, MORE = point("run up to 5 passes", Act.PASSES), point("run up to 5 passes (now 2)", Act.PASSES)
BROKEN = replace(point("mend a, or accept the trade", Act.APPROVE), rule=Rule.BROKEN_CASE, verdict=Verdict.FAIL)
RERUN, CASES = point("run again", Act.RERUN), point("add 20 cases", Act.CASES)


def decided(policy: Policy, evidence: Evidence, *references: Reference) -> Decision:
    return decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)


def test_act__order_of_cost() -> None:
    acts = (Act.RERUN, Act.PASSES, Act.APPROVE, Act.BASELINE, Act.MEND, Act.CASES)
    assert [act.cost for act in acts] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ((PASSES,), "run up to 5 passes"),
        ((PASSES, PASSES), "run up to 5 passes"),
        ((PASSES, MORE), "run up to 5 passes; likewise for 1 other open point"),
        ((MORE, PASSES, PASSES), "run up to 5 passes (now 2); likewise for 2 other open points"),
        ((CASES, RERUN), "run again; and 1 other point is open"),
        ((CASES, RERUN, PASSES, RERUN), "run again; and 2 other points are open"),
        ((CASES, point("", None)), "mend what the rule completeness found; and 1 other point is open"),
        ((PASSES, BROKEN), "mend a, or accept the trade; and 1 other point is open"),
        ((RERUN, BROKEN), "run again; and 1 other point is open"),
        ((CASES, replace(RERUN, blocking=False)), "add 20 cases"),
        ((CASES, replace(RERUN, demands=Outcome.PROMOTE)), "add 20 cases"),
        ((CASES, replace(RERUN, demands=Outcome.ROLLBACK)), "add 20 cases"),
        ((), NOTHING_BLOCKS),
        ((replace(RERUN, blocking=False),), NOTHING_BLOCKS),
    ],
)
def test_cheapest(findings: tuple[Finding, ...], told: str) -> None:
    assert cheapest(findings) == told


def test_decide__hold__names_the_cheapest_act() -> None:
    found = decided(TASK, Evidence(suites=(make_suite_evidence("a*40: P"),)), make_reference("a*40: 10/10"))
    assert (found.outcome, found.settle) == (Outcome.HOLD, "run up to 5 passes (now 1)")


def test_decide__hold__two_suites_without_a_baseline() -> None:
    suites = [
        make_suite_evidence(suite=name, dimension=dimension)
        for name, dimension in (("x", Dimension.TASK_SUCCESS), ("y", Dimension.OVER_REFUSAL))
    ]
    absent = [Reference(target="sales-email-intent", suite=name, baseline=Absent(place="b")) for name in "xy"]
    found = decided(BOTH, Evidence(suites=tuple(suites)), *absent)
    assert found.settle == (
        "run `gate promote --suite x` on the default branch and commit the file it writes; "
        "likewise for 1 other open point"
    )


def test_decide__hold__missing_suite_beside_an_open_comparison() -> None:
    found = decided(BOTH, Evidence(suites=(make_suite_evidence("a*40: P"),)), make_reference("a*40: 10/10"))
    assert found.settle == "run up to 5 passes (now 1); and 1 other point is open"


def test_decide__unscored_trials_turn_the_verdict__a_rerun_settles_both_findings() -> None:
    evidence = Evidence(suites=(make_suite_evidence("a*4: U  b*150: P"),))
    found = decided(replace(TASK, scored_share=0.9), evidence, make_reference("a*4: 10/10  b*150: 10/10"))
    acts = {finding.act for finding in found.findings if finding.demands is Outcome.HOLD}
    assert (found.outcome, acts) == (Outcome.HOLD, {Act.RERUN})


def test_decide__other_outcomes__nothing_to_settle() -> None:
    good = decided(TASK, Evidence(suites=(make_suite_evidence("en*200: P"),)), make_reference("en*200: 10/10"))
    bad = decided(TASK, Evidence(suites=(make_suite_evidence("en*200: F"),)), make_reference("en*200: 10/10"))
    assert (good.outcome, good.settle) == (Outcome.PROMOTE, "")
    assert (bad.outcome, bad.settle) == (Outcome.ROLLBACK, "")


def test_decide__nothing_blocks__says_how_to_begin() -> None:
    new = make_reference("en*200: 10/10", adopted=False)
    found = decided(TASK, Evidence(suites=(make_suite_evidence("en*200: P"),)), new)
    assert (found.outcome, found.settle) == (Outcome.HOLD, NOTHING_BLOCKS)


def test_decide__unchanged_beside_a_new_target__is_unchanged() -> None:
    suite = make_suite_evidence("en*200: P", target="new")
    new = make_reference(make_suite_baseline("en*200: 10/10", target="new"), adopted=False)
    found = decided(TASK, Evidence(suites=(suite,), unchanged=("old",)), new)
    assert (found.outcome, found.reason) == (Outcome.PROMOTE, "unchanged")
