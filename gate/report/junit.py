"""JUnit XML: one testsuite per suite, one testcase per case, for the viewers that CI systems already have."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from gate.core.evidence import CaseEvidence, Evidence, SuiteEvidence
from gate.core.finding import Decision, Finding, Rule, count
from gate.report.escape import clip, visible, workflow_line, xml_text
from gate.report.view import Excerpt, demanding_findings

CASE_RULES = frozenset((Rule.VETO, Rule.BROKEN_CASE))
MILLISECONDS = 1_000
LINE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notes:
    """What is known about the cases of one suite beyond their marks."""

    named: dict[str, Finding]
    excerpts: dict[str, Excerpt]


def render_junit(*, decision: Decision, evidence: Evidence, excerpts: Sequence[Excerpt] = ()) -> str:
    """Write valid XML 1.0 with a failure, a skip or nothing per case.

    A case fails when a veto or a confirmed break names it, or when more than half of its scored trials failed; it is
    skipped when no trial was scored. The decision's outcome stands in the root's `name`.
    """
    root = ET.Element("testsuites", name=f"lockgate {decision.outcome}")
    for suite in evidence.suites:
        _add_suite(root, suite, _notes(suite, decision, excerpts))
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(child.get(name, "0")) for child in root)))
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _notes(suite: SuiteEvidence, decision: Decision, excerpts: Sequence[Excerpt]) -> _Notes:
    own = [
        finding
        for finding in demanding_findings(decision.findings)
        if finding.rule in CASE_RULES
        and (finding.suite, finding.target or suite.identity.target) == (suite.name, suite.identity.target)
    ]
    return _Notes(
        named={case_id: finding for finding in reversed(own) for case_id in finding.cases},
        excerpts={excerpt.case_id: excerpt for excerpt in excerpts if excerpt.suite == suite.name},
    )


def _add_suite(root: ET.Element, suite: SuiteEvidence, notes: _Notes) -> None:
    name = _attribute(f"{suite.identity.target}/{suite.name}")
    element = ET.SubElement(root, "testsuite", name=name)
    for case in suite.cases:
        _add_case(element, case, notes)
    element.set("tests", str(len(suite.cases)))
    element.set("failures", str(len(element.findall("testcase/failure"))))
    element.set("skipped", str(len(element.findall("testcase/skipped"))))
    element.set("errors", "0")


def _add_case(parent: ET.Element, case: CaseEvidence, notes: _Notes) -> None:
    element = ET.SubElement(parent, "testcase", classname=parent.get("name", ""), name=_attribute(case.case_id))
    if case.latency_ms:
        element.set("time", f"{sum(case.latency_ms) / MILLISECONDS:.3f}")
    finding = notes.named.get(case.case_id)
    if finding is not None or 2 * case.failed > len(case.scored):
        kind = finding.rule.value if finding is not None else "trials"
        failure = ET.SubElement(element, "failure", type=kind, message=_message(case))
        failure.text = xml_text(_reason(finding, notes.excerpts.get(case.case_id)))
    elif not case.scored:
        why = ", ".join(sorted(set(case.missing))) or "never run"
        told = f"unscored: {why}" if case.missing or not case.reused else "unchanged, not asked again"
        ET.SubElement(element, "skipped", message=_attribute(told))


def _message(case: CaseEvidence) -> str:
    unscored = len(case.marks) - len(case.scored)
    more = f", {unscored} unscored" if unscored else ""
    return f"{case.failed} of {count(len(case.scored), 'trial')} failed ({case.marks or 'never run'}){more}"


def _reason(finding: Finding | None, excerpt: Excerpt | None) -> str:
    lines = [finding.sentence] if finding is not None else []
    if excerpt is not None:
        lines += [excerpt.place, excerpt.reason]
        lines += [f"{scorer}: {'unscored' if value is None else value}: {why}" for scorer, value, why in excerpt.scores]
    return workflow_line("\n".join(clip(line, LINE) for line in lines if line))


def _attribute(text: str) -> str:
    return xml_text(visible(clip(text, 300)), 300)
