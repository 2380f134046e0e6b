"""Which recorded decisions a person can release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.app.recorded import NAMES, Recorded, read_recorded
from gate.core.decision import decide
from gate.core.evidence import Absent, Evidence, Reference
from gate.core.model import Dimension, Severity
from gate.core.policy import Policy
from gate.errors import MismatchError, RecordError
from gate.store.records import render_decision, render_evidence, render_policy, render_references
from tests.builders import (
    AS_OF,
    SAFE,
    TASK,
    make_baseline_case,
    make_case_evidence,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)

OPEN = Evidence(suites=(make_suite_evidence("en*40: P"),))


def files(evidence: Evidence, policy: Policy = TASK, reference: Reference | None = None) -> dict[str, str]:
    references = (reference or make_reference("en*40: 10/10"),)
    inputs = {
        "policy": (NAMES["policy"], render_policy(policy)),
        "references": (NAMES["references"], render_references(references)),
        "evidence": (NAMES["evidence"], render_evidence(evidence)),
    }
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    return {"decision.json": render_decision(decision, inputs), **dict(inputs.values())}


def recorded(*given: object) -> Recorded:
    return read_recorded(files(*given).__getitem__)  # type: ignore[arg-type]


def safety(severity: Severity, marks: str, before: str) -> tuple[Evidence, Policy, Reference]:
    """A safety suite in which one case of that severity fails; before: passes/trials of its baseline."""
    bad = make_case_evidence("bad", marks, severity=severity)
    rest = [make_case_evidence(f"en-{number:04d}", "P" * len(marks)) for number in range(100)]
    suite = make_suite_evidence([bad, *rest], dimension=Dimension.SAFETY)
    passes, _, trials = before.partition("/")
    known = [make_baseline_case(case.case_id) for case in rest]
    old = make_baseline_case("bad", int(passes), int(trials), severity=severity)
    return Evidence(suites=(suite,)), SAFE, make_reference(make_suite_baseline([old, *known]))


def test_read_recorded__hold_on_complete_evidence_can_be_released() -> None:
    assert (recorded(OPEN).decision.outcome.value, recorded(OPEN).why) == ("HOLD", "")


def test_read_recorded__missing_baseline_can_be_released() -> None:
    reference = make_reference(Absent(place="baselines/x.json"))
    assert recorded(OPEN, TASK, reference).why == ""


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (Evidence(suites=(make_suite_evidence("en*40: FFFFF"),)), "the decision is ROLLBACK, and only a HOLD can be released"),
        (Evidence(suites=(make_suite_evidence("en*40: PPPPP"),)), "the decision is PROMOTE, and only a HOLD can be released"),
        (replace(OPEN, unverified="a fork"), "the evidence is unverified: a fork"),
        (replace(OPEN, interrupted=True), "the run did not come to its end, so the evidence is incomplete: run it again"),
        (replace(OPEN, stopped="no money"), "the run did not come to its end, so the evidence is incomplete: run it again"),
        (Evidence(suites=(make_suite_evidence("en*40: U"),)), "the evidence is incomplete: intent: 40 of 40 trials have no score (40 timed out)"),
        (Evidence(suites=(make_suite_evidence("en*20: P"),)), "the evidence is incomplete: intent: 20 cases can be compared, 30 are needed"),
        (Evidence(suites=()), "the evidence is incomplete: no suite was run"),
    ],
)  # fmt: skip
def test_read_recorded__cannot_be_released(evidence: Evidence, why: str) -> None:
    reference = make_reference("en*100: 10/10") if "PROMOTE" in why else None
    evidence = Evidence(suites=(make_suite_evidence("en*100: PPPPP"),)) if "PROMOTE" in why else evidence
    assert recorded(evidence, TASK, reference).why == why


def test_read_recorded__known_p0_is_never_released() -> None:
    found = recorded(*safety(Severity.P0, "FFF", "2/10"))
    assert found.decision.outcome.value == "HOLD"
    assert found.why.startswith("a P0 failure is open, which nobody can release: intent: P0 failure that the baseline")


def test_read_recorded__new_p0_is_a_rollback() -> None:
    found = recorded(*safety(Severity.P0, "FFF", "10/10"))
    assert found.why == "the decision is ROLLBACK, and only a HOLD can be released"


def test_read_recorded__unconfirmed_p1_can_be_released() -> None:
    found = recorded(*safety(Severity.P1, "PPF", "10/10"))
    assert (found.decision.outcome.value, found.why) == ("HOLD", "")


@pytest.mark.parametrize("name", sorted(NAMES.values()))
def test_read_recorded__changed_input(name: str) -> None:
    made = files(OPEN)
    made[name] += " "
    with pytest.raises(MismatchError, match="is not the file that the decision was made from"):
        read_recorded(made.__getitem__)


def test_read_recorded__changed_decision() -> None:
    made = files(OPEN)
    made["decision.json"] = made["decision.json"].replace('"HOLD"', '"PROMOTE"')
    with pytest.raises(MismatchError, match="recomputing gives another decision"):
        read_recorded(made.__getitem__)


def test_read_recorded__inputs_elsewhere() -> None:
    made = files(OPEN)
    made["decision.json"] = made["decision.json"].replace("inputs/policy.json", "../policy.json")
    with pytest.raises(RecordError, match="its inputs are not those of a run"):
        read_recorded(made.__getitem__)
