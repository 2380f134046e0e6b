"""Records of a decision: exact round trips, and RecordError for everything that is not one."""

import json
from collections.abc import Callable

import pytest

from gate.core.decision import decide
from gate.core.evidence import Absent, Corrupt, Evidence, Reference
from gate.core.model import Dimension
from gate.core.policy import SliceRule, Waiver
from gate.errors import RecordError
from gate.store.records import (
    parse_decision,
    parse_evidence,
    parse_policy,
    parse_references,
    render_decision,
    render_evidence,
    render_policy,
    render_references,
)
from tests.builders import make_policy, make_reference, make_suite_baseline, make_suite_evidence

POLICY = make_policy(
    slices=(("language", SliceRule.WARN),),
    waivers=(Waiver(suite="s", case="c", reason="r", by="kim", expires="2026-12-01"),),
)
EVIDENCE = Evidence(suites=(make_suite_evidence("a: PUF  b*40: PPP", dimension=Dimension.SAFETY),), stopped="no money")
REFERENCES = (
    make_reference("b*40: 9/10", anchor=make_suite_baseline("b*40: 10/10", tag="v1")),
    Reference(target="t", suite="s", baseline=Absent(place="b.json"), adopted=False),
    Reference(target="t", suite="z", baseline=Corrupt(place="b.json", reason="cut"), anchor=Absent(place="a.json")),
)
DECISION = decide(policy=POLICY, evidence=EVIDENCE, references=REFERENCES, as_of="2026-11-21")
INPUTS = {"evidence": ("inputs/evidence.json", render_evidence(EVIDENCE))}
SHA = "0" * 64

Parse = Callable[[str, str], object]
RECORDS: list[tuple[str, Parse]] = [
    (render_policy(POLICY), parse_policy),
    (render_evidence(EVIDENCE), parse_evidence),
    (render_references(REFERENCES), parse_references),
    (render_decision(DECISION, INPUTS), parse_decision),
]


def test_records__come_back_equal() -> None:
    assert parse_policy(render_policy(POLICY), "p") == POLICY
    assert parse_evidence(render_evidence(EVIDENCE), "e") == EVIDENCE
    assert parse_references(render_references(REFERENCES), "r") == REFERENCES
    decision, inputs = parse_decision(render_decision(DECISION, INPUTS), "d")
    assert decision == DECISION
    assert inputs["evidence"][0] == "inputs/evidence.json"
    assert len(inputs["evidence"][1]) == 64


def test_render_decision__outcome_at_the_top() -> None:
    plain = json.loads(render_decision(DECISION, INPUTS))
    assert (plain["outcome"], plain["schema"], plain["core_version"]) == ("HOLD", "lockgate.decision/1", "1")


@pytest.mark.parametrize(("text", "parse"), RECORDS)
def test_parse__cut_off_anywhere__record_error(text: str, parse: Parse) -> None:
    for length in range(0, len(text) - 2, max(1, len(text) // 60)):
        with pytest.raises(RecordError, match=r"^x\.json: not JSON"):
            parse(text[:length], "x.json")


@pytest.mark.parametrize(("text", "parse"), RECORDS)
def test_parse__damaged__record_error(text: str, parse: Parse) -> None:
    plain = json.loads(text)
    bad = [
        "[]",
        "null",
        json.dumps(plain | {"schema": "lockgate.other/1"}),
        json.dumps({key: value for key, value in plain.items() if key != "schema"}),
        json.dumps(plain | {"surprise": 1}),
        json.dumps({"schema": plain["schema"]} | dict.fromkeys(plain.keys() - {"schema"})),
        text.replace("{", '{"schema": "x", ', 1),
        text.replace("{", '{"a": NaN, ', 1),
        text.replace("{", '{"a": ' + "9" * 5000 + ", ", 1),
        text.replace("{", '{"a": ' + "[" * 3000 + "]" * 3000 + ", ", 1),
    ]
    for content in bad:
        with pytest.raises(RecordError) as error:
            parse(content, "x.json")
        assert str(error.value).startswith("x.json: ")


@pytest.mark.parametrize(
    "change",
    [
        {"margin": "0.03"},
        {"margin": 1e999},
        {"margin": 10**400},
        {"looks": [1, "2"]},
        {"profile": "unknown"},
        {"requirements": [["task_success"]]},
    ],
)
def test_parse_policy__wrong_values__record_error(change: dict[str, object]) -> None:
    plain = json.loads(render_policy(POLICY)) | change
    with pytest.raises(RecordError, match=r"^p\.json: "):
        parse_policy(json.dumps(plain), "p.json")


@pytest.mark.parametrize(
    "inputs",
    [None, [], {"evidence": None}, {"evidence": {"path": 1, "sha256": SHA}}, {"evidence": {"path": "x"}}],
)
def test_parse_decision__inputs_that_are_none__record_error(inputs: object) -> None:
    plain = json.loads(render_decision(DECISION, INPUTS)) | {"inputs": inputs}
    with pytest.raises(RecordError, match="input"):
        parse_decision(json.dumps(plain), "d.json")


def test_parse_references__state_without_its_type__record_error() -> None:
    plain = json.loads(render_references(REFERENCES))
    del plain["references"][1]["baseline"]["type"]
    with pytest.raises(RecordError, match=r"\.references\[1\]\.baseline: type one of SuiteBaseline, Absent, Corrupt"):
        parse_references(json.dumps(plain), "r.json")
