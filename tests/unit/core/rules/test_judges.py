"""The rule about judges, and what a judge's word does to vetoes and margins in a whole decision."""

from __future__ import annotations

from dataclasses import replace

from gate.core.agreement import Calibration
from gate.core.decision import decide
from gate.core.evidence import Absent, Evidence
from gate.core.finding import Act, Decision, Finding, Outcome, Rule, Verdict
from gate.core.judging import Judging
from gate.core.model import Dimension, Severity
from gate.core.rules.context import SuiteContext
from gate.core.rules.judges import check_judges
from tests.builders import (
    AS_OF,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)

ALONE = Judging(scorers=("judge",), decisive=True)
GOOD = Calibration(scorer="judge", hits=46, misses=4, false_passes=15, rejections=85)
POOR = Calibration(scorer="judge", hits=30, misses=20, false_passes=20, rejections=30)


def context(judging: Judging | None = ALONE, *calibration: Calibration) -> SuiteContext:
    return SuiteContext(
        evidence=make_suite_evidence("en*100: PPP", judging=judging, margin=0.1),
        reference=make_reference(make_suite_baseline("en*100: 10/10", calibration=calibration)),
        policy=make_policy(Dimension.TASK_SUCCESS),
        as_of=AS_OF,
    )


def only(made: SuiteContext) -> Finding:
    (found,) = check_judges(made)
    return found


def test_check_judges__silent_without_one() -> None:
    assert check_judges(context(None)) == ()


def test_check_judges__without_labels__holds() -> None:
    found = only(context())
    assert (found.verdict, found.demands, found.blocking) == (Verdict.INCONCLUSIVE, Outcome.HOLD, True)
    assert found.sentence == (
        "intent: judge not calibrated, so its word promotes nothing: judge has no labels of people"
    )
    assert (found.act, found.figure("labels"), found.figure("kappa")) == (Act.CASES, 0, None)


def test_check_judges__few_labels__holds() -> None:
    found = only(context(ALONE, Calibration(scorer="judge", hits=20, rejections=20, unjudged=30)))
    assert found.sentence.endswith("judge was compared with people on 40 labels")


def test_check_judges__poor_agreement__holds_with_its_figures() -> None:
    found = only(context(ALONE, POOR))
    assert found.sentence.endswith(
        "judge agrees with people with kappa 0.20, at least 0.04 (at least 0.4 must be shown), on 100 labels, "
        "sensitivity 0.60, specificity 0.60"
    )
    assert (found.figure("kappa"), found.figure("sensitivity"), found.figure("factor")) == (0.2, 0.6, 0.2)


def test_check_judges__calibrated__shown_with_the_margin_it_leaves() -> None:
    made = context(ALONE, GOOD)
    found = only(made)
    assert (found.verdict, found.blocking) == (Verdict.PASS, False)
    assert (made.stated_margin, made.margin) == (0.1, 0.077)
    assert "on 150 labels, sensitivity 0.92, specificity 0.85" in found.sentence
    assert "a margin of 10 points is 7.7 points as judged" in found.sentence
    assert (found.figure("margin"), found.figure("stated_margin")) == (0.077, 0.1)


def test_check_judges__not_decisive__needs_no_labels() -> None:
    found = only(context(replace(ALONE, decisive=False)))
    assert (found.verdict, found.sentence) == (Verdict.PASS, "intent: no trial passes by a judge's word alone")


def test_check_judges__consistency_at_the_line_and_below() -> None:
    fine = only(context(replace(ALONE, decisive=False, pairs=10, agreeing=7, first=10)))
    assert fine.verdict is Verdict.PASS
    assert fine.sentence.endswith("the same answer is preferred in both orders in 70.0 % of the pairs")
    poor = only(context(replace(ALONE, decisive=False, pairs=10, agreeing=6, first=18)))
    assert (poor.verdict, poor.demands, poor.subject) == (Verdict.INCONCLUSIVE, Outcome.HOLD, "consistency")
    assert "in only 60.0 % of 10 pairs (70.0 % are needed)" in poor.sentence
    assert "stands first in 90.0 % of the comparisons" in poor.sentence
    assert (poor.figure("consistency"), poor.figure("first_slot")) == (0.6, 0.9)


def test_check_judges__both_faults_are_said() -> None:
    found = check_judges(context(replace(ALONE, pairs=10, agreeing=1, first=19)))
    assert [finding.subject for finding in found] == ["calibration", "consistency"]


def test_check_judges__without_a_baseline__not_calibrated() -> None:
    made = replace(context(), reference=make_reference(replace_absent()))
    assert only(made).verdict is Verdict.INCONCLUSIVE


def replace_absent() -> Absent:
    return Absent(place="baselines/sales-email-intent/intent.json")


# --- whole decisions


def decided(judging: Judging | None, *calibration: Calibration) -> Decision:
    return decide(
        policy=make_policy(Dimension.TASK_SUCCESS),
        evidence=Evidence(suites=(make_suite_evidence("en*300: PPP", judging=judging, margin=0.05),)),
        references=(make_reference(make_suite_baseline("en*300: 10/10", calibration=calibration)),),
        as_of=AS_OF,
    )


def test_decide__by_judges_alone__promoted_only_with_labels() -> None:
    assert decided(None).outcome is Outcome.PROMOTE
    held = decided(ALONE)
    assert (held.outcome, held.reason) == (Outcome.HOLD, "judge")
    assert held.settle.startswith("let people label at least 50 answers")
    assert decided(ALONE, POOR).outcome is Outcome.HOLD
    assert decided(ALONE, GOOD).outcome is Outcome.PROMOTE


def test_decide__margin_of_a_judge_is_the_one_that_is_compared() -> None:
    found = {finding.rule: finding for finding in decided(ALONE, GOOD).findings}
    assert found[Rule.REGRESSION].figure("margin") == 0.0385


def vetoes(marks: str, by_judge: int, severity: Severity) -> tuple[Verdict, Outcome, str]:
    case = make_case_evidence("leak", marks, severity=severity, by_judge=by_judge)
    rest = [make_case_evidence(f"c{n:02d}", "P" * len(marks)) for n in range(40)]
    decision = decide(
        policy=make_policy(Dimension.SAFETY),
        evidence=Evidence(
            suites=(make_suite_evidence([case, *rest], dimension=Dimension.SAFETY, judging=ALONE),),
        ),
        references=(
            make_reference(
                make_suite_baseline([make_baseline_case(one.case_id) for one in [case, *rest]], calibration=(GOOD,))
            ),
        ),
        as_of=AS_OF,
    )
    (found,) = [finding for finding in decision.findings if finding.rule is Rule.VETO]
    return found.verdict, found.demands, found.sentence


def test_vetoes__p0_by_a_judge_alone__holds() -> None:
    assert vetoes("F", 1, Severity.P0) == (
        Verdict.INCONCLUSIVE,
        Outcome.HOLD,
        "intent: new P0 failure by the word of a judge alone: leak",
    )


def test_vetoes__p0_by_a_rule_too__rolls_back() -> None:
    assert vetoes("FF", 1, Severity.P0) == (Verdict.FAIL, Outcome.ROLLBACK, "intent: new P0 failure: leak")


def test_vetoes__p1_confirmed_by_a_judge_alone__holds() -> None:
    assert vetoes("FF", 1, Severity.P1) == (
        Verdict.INCONCLUSIVE,
        Outcome.HOLD,
        "intent: new P1 failure by the word of a judge alone: leak",
    )


def test_vetoes__p1_confirmed_by_rules__rolls_back() -> None:
    assert vetoes("FFF", 1, Severity.P1)[1:] == (Outcome.ROLLBACK, "intent: new P1 failure, confirmed: leak")
