"""A recorded decision explained: the numbers are those of the decision, and the verdict follows from them."""

from dataclasses import replace
from pathlib import Path

import pytest

from gate.app.explain import Explanation, explain, render_explanation
from gate.app.formulas import arithmetic_of
from gate.app.need import Arithmetic
from gate.core.broken import LARGE, BrokenTable
from gate.core.decision import decide, suite_contexts
from gate.core.evidence import Evidence, Reference, SuiteEvidence
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension, Scope, Severity
from gate.core.moments import moments
from gate.core.policy import AtLeast, Policy, Profile, SliceRule
from gate.errors import MismatchError, NothingToDoError, RecordError
from gate.store.records import render_decision, render_evidence, render_policy, render_references
from tests.builders import (
    AS_OF,
    SAFE,
    TASK,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)


def record(folder: Path, suite: SuiteEvidence, reference: Reference, policy: Policy = TASK) -> tuple[Path, Decision]:
    evidence = Evidence(suites=(suite,))
    decision = decide(policy=policy, evidence=evidence, references=(reference,), as_of=AS_OF)
    inputs = {
        "policy": ("policy.json", render_policy(policy)),
        "references": ("references.json", render_references((reference,))),
        "evidence": ("evidence.json", render_evidence(evidence)),
    }
    for name, text in (*inputs.values(), ("decision.json", render_decision(decision, inputs))):
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "decision.json", decision


def step(explained: Explanation, rule: Rule) -> tuple[Finding, str]:
    ((finding, arithmetic),) = [entry for entry in explained.steps if entry[0].rule is rule]
    return finding, "\n".join((*arithmetic.lines, *(need.text for need in (*arithmetic.passes, *arithmetic.fails))))


def test_explain__regression_with_its_numbers(tmp_path: Path) -> None:
    suite = make_suite_evidence("a*10: F  b*90: P")
    path, decision = record(tmp_path, suite, make_reference("a*10: 10/10  b*90: 10/10"))
    explained = explain(path)
    _, text = step(explained, Rule.REGRESSION)
    assert explained.decision == decision
    assert "D = mean of y/k - x/kb, first 1 trials of 100 cases = -0.1" in text
    assert "lower bound = D_pop - z x SE_pop = -0.098039 - 1.95 x 0.032545 = -0.161502" in text
    assert "upper bound = D + z x SE_set = -0.1 + 3.1 x 0.019476 = -0.039625 (z of look 1)" in text
    assert "lower bound -0.161502 > -0.03" in text
    assert "100 cases >= 3 / margin = 100" in text
    assert "upper bound -0.039625 < 0" in text


def test_explain__only_one_rule(tmp_path: Path) -> None:
    path, _ = record(tmp_path, make_suite_evidence(), make_reference())
    assert [finding.rule for finding, _ in explain(path, rule=Rule.FLOOR).steps] == [Rule.FLOOR]
    with pytest.raises(NothingToDoError, match="no finding of rule veto") as caught:
        explain(path, rule=Rule.VETO)
    assert caught.value.hint == "rules of this decision: completeness, floor, regression, broken-case"


def test_explain__edited_record_is_not_explained(tmp_path: Path) -> None:
    path, _ = record(tmp_path, make_suite_evidence(), make_reference())
    evidence = tmp_path / "evidence.json"
    evidence.write_text(evidence.read_text(encoding="utf-8").replace('"P"', '"F"', 1), encoding="utf-8")
    with pytest.raises(MismatchError, match="SHA-256"):
        explain(path)


def test_explain__no_record(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        explain(tmp_path / "decision.json")


def test_render_explanation__says_what_would_settle_it_and_where_the_rule_stands(tmp_path: Path) -> None:
    path, _ = record(tmp_path, make_suite_evidence("a*40: P"), make_reference("a*40: 10/10"))
    lines = list(render_explanation(explain(path, rule=Rule.REGRESSION)))
    assert lines[0] == "HOLD as of 2026-11-21: regression"
    assert lines[3] == "To settle it: run up to 5 passes (now 1)."
    assert lines[5] == "sales-email-intent / intent"
    assert lines[6] == "  regression: INCONCLUSIVE"
    assert "    PASS needs 40 cases >= 3 / margin = 100: no" in lines
    assert lines[-3:] == [
        "    demands: HOLD, because it is not shown either way",
        "    to settle: run up to 5 passes (now 1)",
        "    docs/reference/rules.md#regression",
    ]


RICH = make_policy(
    Dimension.TASK_SUCCESS,
    Dimension.COST,
    Dimension.LATENCY,
    p95_ms=100.0,
    slices=(("language", SliceRule.BLOCK),),
)


def rich(mark: str, *, latency: float, usd: float, language: str = "es") -> SuiteEvidence:
    cases = [
        make_case_evidence(
            f"c{number:03d}",
            mark if number < 12 else "P" * len(mark),
            tags=(("language", language if number < 12 else "en"),),
            usd=moments([usd]),
            latency_ms=(latency,),
        )
        for number in range(120)
    ]
    return make_suite_evidence(cases)


KNOWN = make_suite_baseline([make_baseline_case(f"c{number:03d}", usd=moments([0.1])) for number in range(120)])


@pytest.mark.parametrize(
    ("suite", "reference", "policy"),
    [
        (make_suite_evidence("en*100: P"), make_reference(), TASK),
        (make_suite_evidence("en*99: P"), make_reference("en*99: 10/10"), TASK),
        (make_suite_evidence("a*4: F  b*96: P"), make_reference("a*4: 10/10  b*96: 10/10"), TASK),
        (make_suite_evidence("a*40: F  b*60: P"), make_reference("a*40: 0/10  b*60: 10/10"), TASK),
        (make_suite_evidence("a*60: FF  b*40: PP"), make_reference("a*60: 0/10  b*40: 10/10"), TASK),
        (make_suite_evidence("a*4: U  b*96: P"), make_reference("a*4: 10/10  b*96: 10/10"), TASK),
        (make_suite_evidence("a*9: U  b*91: P"), make_reference("a*9: 10/10  b*91: 10/10"), TASK),
        (make_suite_evidence("a*29: P"), make_reference("a*29: 10/10"), TASK),
        (make_suite_evidence("en*40: PP", scope=Scope.SET), make_reference("en*40: 10/10"), TASK),
        (make_suite_evidence("en*40: P", scope=Scope.SET), make_reference("en*40: 10/10"), TASK),
        (make_suite_evidence("a*70: P  b*30: F"), make_reference("a*70: 10/10  b*30: 0/10"), make_policy(
            Dimension.TASK_SUCCESS, profile=Profile.PAPER)),
        (rich("P", latency=50.0, usd=0.1), make_reference(KNOWN), RICH),
        (rich("F", latency=150.0, usd=0.2), make_reference(KNOWN), RICH),
        (rich("FFF", latency=100.0, usd=0.12), make_reference(KNOWN, anchor=KNOWN), RICH),
        (rich("P", latency=50.0, usd=0.1), make_reference(KNOWN, anchor=KNOWN), RICH),
    ],
)  # fmt: skip
def test_explain__every_verdict_follows_from_its_needs(
    suite: SuiteEvidence, reference: Reference, policy: Policy
) -> None:
    """PASS where all that PASS needs is there, FAIL where all that FAIL needs is, else INCONCLUSIVE."""
    evidence = Evidence(suites=(suite,))
    decision = decide(policy=policy, evidence=evidence, references=(reference,), as_of=AS_OF)
    contexts = suite_contexts(policy, evidence, (reference,), as_of=AS_OF)
    told = [(finding, arithmetic_of(finding, contexts)) for finding in decision.findings]
    assert any(arithmetic.passes for _, arithmetic in told)
    for finding, arithmetic in told:
        passed = bool(arithmetic.passes) and all(need.met for need in arithmetic.passes)
        failed = bool(arithmetic.fails) and all(need.met for need in arithmetic.fails)
        if arithmetic.passes and finding.rule is not Rule.COMPARABILITY:
            assert passed is (finding.verdict is Verdict.PASS), finding
        if arithmetic.fails:
            assert failed is (finding.verdict is Verdict.FAIL), finding


def test_explain__veto_names_counts(tmp_path: Path) -> None:
    cases = [make_case_evidence("bad", "F", severity=Severity.P0)]
    cases += [make_case_evidence(f"c{number}") for number in range(40)]
    known = make_suite_baseline([make_baseline_case(case.case_id) for case in cases])
    suite = make_suite_evidence(cases, dimension=Dimension.SAFETY)
    path, _ = record(tmp_path, suite, make_reference(known), SAFE)
    finding, text = step(explain(path), Rule.VETO)
    assert finding.verdict is Verdict.FAIL
    assert "bad: P0, 10/10 before, 1 of 1 failed now" in text


@pytest.mark.parametrize("fixed", [True, False])
def test_explain__broken_case_names_counts_and_the_critical_value(tmp_path: Path, *, fixed: bool) -> None:
    suite = replace(make_suite_evidence("a: FFFFFFFF  b*299: P"), passes=1)
    table = BrokenTable(trials=8, critical=((9, -1), (10, 3)), expected_false_alarms=0.0012)
    base = make_suite_baseline("a: 10/10  b*299: 10/10", broken=table if fixed else None)
    used = base.critical_values
    path, _ = record(tmp_path, suite, make_reference(base))
    _, text = step(explain(path), Rule.BROKEN_CASE)
    source = "fixed with the baseline of 2026-11-02" if fixed else "computed from the baseline's counts"
    assert f"critical passes of the first {used.trials} trials, {source}: 10/10 before: at most" in text
    assert f"expected false alarms of the whole suite = {used.expected_false_alarms:.6f}" in text
    most = used.limit(10, 10)
    assert f"a: 10/10 before, 0 of 8 now, {used.trials - 8} left, critical {most}" in text


def test_explain__suspects_and_known_flaky_cases_with_their_chances(tmp_path: Path) -> None:
    suite = replace(make_suite_evidence(f"a: {'F' * 14}  b*10: PPFPP  c*289: PPPPP"), passes=5)
    path, _ = record(tmp_path, suite, make_reference("a: 7/10  b*10: 5/10  c*289: 10/10"))
    steps = [(finding.subject, arithmetic.lines) for finding, arithmetic in explain(path, rule=Rule.BROKEN_CASE).steps]
    (_, main), (suspects, odd), (flaky, known) = steps
    assert main[0].startswith(
        f"critical passes of the first {LARGE.trials} trials, computed from the baseline's counts: "
    )
    assert (suspects, flaky) == ("suspects", "flaky")
    assert odd[0] == "suspect: chance that an unchanged case passes so seldom x 300 cases <= 0.05"
    assert odd[1].startswith("a: 7/10 before, 0 of 14 now, expected rate 0.5")
    assert known[0] == "known flaky: an expected pass rate between 0.05 and 0.95, by all baseline counts"
    assert len(known) == 6
    assert known[1].startswith("b-0001: 5/10 before, 4 of 5 now, expected rate 0.5")


def test_explain__k_of_m_and_repeats(tmp_path: Path) -> None:
    policy = make_policy(
        Dimension.TASK_SUCCESS, at_least=AtLeast(count=1, of=(Dimension.TASK_SUCCESS, Dimension.OVER_REFUSAL))
    )
    cases = [make_case_evidence(f"c{number:03d}", "PPP" if number % 2 else "FFF") for number in range(120)]
    known = make_suite_baseline([make_baseline_case(case.case_id, 5) for case in cases])
    path, _ = record(tmp_path, make_suite_evidence(cases), make_reference(known), policy)
    explained = explain(path)
    finding, text = step(explained, Rule.K_OF_M)
    assert (finding.verdict, finding.subject) == (Verdict.INCONCLUSIVE, "1 of 2")
    chance = finding.figure("p_task_success")
    assert chance is not None
    assert 0.1 < chance < 0.5
    assert f"p of task_success = {chance:.6f}" in text
    assert "p of over_refusal = 1\n" in text
    assert "at least 1 of 2: (m - k + 1) x p_(k) = 2 x the p-value of rank 1 = 0.51763" in text
    assert "0 shown worse (Holm) > m - k = 1" in text
    told = [arithmetic for one, arithmetic in explained.steps if one.subject == "repeats"]
    assert [arithmetic.lines[1].rpartition(";")[2] for arithmetic in told] == [" there are 0"]


@pytest.mark.parametrize("finding", [
    Finding(rule=Rule.K_OF_M, verdict=Verdict.PASS, demands=Outcome.PROMOTE, sentence="s"),
    Finding(rule=Rule.COMPLETENESS, verdict=Verdict.INCONCLUSIVE, demands=Outcome.HOLD, sentence="s",
            suite="intent", subject="repeats"),
])  # fmt: skip
def test_arithmetic_of__findings_without_figures__nothing(finding: Finding) -> None:
    contexts = suite_contexts(
        TASK, Evidence(suites=(make_suite_evidence("a: P"),)), (make_reference("a: 10/10"),), as_of=AS_OF
    )
    assert arithmetic_of(finding, contexts) == Arithmetic()


def test_explain__rivals_share_the_error() -> None:
    suites = tuple(make_suite_evidence("a*4: F  b*96: P", suite=name) for name in ("x", "y"))
    base = [make_suite_baseline("a*4: 10/10  b*96: 10/10", suite=name) for name in ("x", "y")]
    references = tuple(make_reference(one) for one in base)
    evidence = Evidence(suites=suites)
    decision = decide(policy=TASK, evidence=evidence, references=references, as_of=AS_OF)
    contexts = suite_contexts(TASK, evidence, references, as_of=AS_OF)
    finding = next(one for one in decision.findings if one.rule is Rule.REGRESSION)
    own = tuple(one for one in contexts if one.evidence.name == finding.suite)
    assert any("(z of look 1, shared by 2 suites)" in line for line in arithmetic_of(finding, own).lines)
