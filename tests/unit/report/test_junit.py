"""JUnit XML: valid, complete, and a failure only where a case failed."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from gate.core.finding import Decision, Outcome
from gate.core.model import Missing
from gate.report.junit import render_junit
from tests.builders import evidence, suite_evidence
from tests.unit.report.examples import EXCERPTS, hostile, rollback

SILENT = Decision(outcome=Outcome.HOLD, reason="r", as_of="2026-11-21", findings=())


def test_render_junit__counts_suites_and_cases() -> None:
    example = rollback()
    root = ET.fromstring(render_junit(decision=example.decision, evidence=example.evidence, excerpts=EXCERPTS))
    assert root.attrib == {"name": "lockgate ROLLBACK", "tests": "470", "failures": "3", "skipped": "0"}
    assert [suite.get("name") for suite in root] == [
        "sales-email-intent/sales_email_intent",
        "sales-email-intent/prompt_attacks",
    ]
    (broken,) = root.findall(".//testcase[@name='es-0042']/failure")
    assert broken.attrib == {"type": "broken-case", "message": "6 of 6 trials failed (FFFFFF)"}
    assert broken.text == (
        "sales_email_intent: 3 cases that always worked now fail: de-0013, es-0042, es-0077\n"
        "golden_sets/sales_email_intent/parts/es.jsonl:42\n"
        "intent is 'other', expected 'pricing_request'\n"
        "json_schema: 1.0: matches answer.schema.json\n"
        "json_equal: 0.0: intent is 'other', expected 'pricing_request'\n"
        "within: 0.0: urgency is 1, expected 4 within 1"
    )


def test_render_junit__tells_failed_unscored_and_mixed_cases_apart() -> None:
    marks = {"good": "PPP", "mixed": "PF", "bad": "FFP", "gone": "UUU", "part": "UF", "never": ""}
    suite = suite_evidence(marks, missing=Missing.REFUSED)
    (element,) = ET.fromstring(render_junit(decision=SILENT, evidence=evidence(suite)))
    assert element.attrib == {
        "name": "sales-email-intent/intent", "tests": "6", "failures": "2", "skipped": "2", "errors": "0",
    }  # fmt: skip
    results = {
        case.get("name"): [(child.tag, child.get("message")) for child in case] for case in element.findall("testcase")
    }
    assert results == {
        "good": [],
        "mixed": [],
        "bad": [("failure", "2 of 3 trials failed (FFP)")],
        "gone": [("skipped", "unscored: connection refused")],
        "part": [("failure", "1 of 1 trial failed (UF), 1 unscored")],
        "never": [("skipped", "unscored: never run")],
    }


def test_render_junit__hostile_text_is_valid_xml() -> None:
    example = hostile()
    text = render_junit(decision=example.decision, evidence=example.evidence, excerpts=example.excerpts)
    (case,) = ET.fromstring(text).iter("testcase")
    assert text.encode("utf-8")
    assert str(case.get("name")).startswith("<!-- lockgate:v1 key=all")
    assert len(str(case.get("name"))) == 300


def test_render_junit__times_are_seconds() -> None:
    suite = suite_evidence({"a": "PP"})
    timed = replace(suite, cases=(replace(suite.cases[0], latency_ms=(1_200.0, 300.0)),))
    root = ET.fromstring(render_junit(decision=SILENT, evidence=evidence(timed)))
    assert root.find(".//testcase").attrib["time"] == "1.500"  # type: ignore[union-attr]
