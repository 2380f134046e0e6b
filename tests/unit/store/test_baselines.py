"""Baseline files: a round trip, and every kind of damage told apart from absence."""

import re
from dataclasses import replace

import pytest

from gate.core.broken import BrokenTable, table_of
from gate.core.canonical import canonical_json, digest
from gate.core.codec import encode
from gate.core.evidence import Absent, Corrupt, SuiteBaseline
from gate.core.model import Json, Severity
from gate.core.moments import moments
from gate.store.baselines import (
    SCHEMA,
    anchor_path,
    answers_path,
    baseline_path,
    load_baseline,
    render_baseline,
)
from tests.builders import make_baseline_case, make_suite_baseline

BASELINE = make_suite_baseline(
    [
        make_baseline_case(
            f"es-{i:04d}",
            10 - i % 3,
            score=moments([0.9, 1.0]),
            usd=moments([0.0021]),
            log_ms=moments([6.7]),
            severity=Severity.P0 if i == 2 else None,
        )
        for i in range(12)
    ],
    tag="v1.0",
    policy="sha256:p",
)
TEXT = render_baseline(BASELINE)
TABLE = BrokenTable(trials=6, critical=((8, -1), (9, 1), (10, 2)), expected_false_alarms=0.0021)
FIXED = replace(BASELINE, broken=TABLE)


class Tree:
    """A folder of one file."""

    def __init__(self, content: bytes | None) -> None:
        """Keep the content of b.json."""
        self.content = content

    def read(self, path: str) -> bytes | None:
        """Content of b.json."""
        return self.content if path == "b.json" else None


def load(content: bytes | str | None) -> object:
    return load_baseline(Tree(content.encode() if isinstance(content, str) else content), "b.json")


def sealed(change: dict[str, Json], drop: str = "") -> str:
    own = encode(BASELINE)
    assert isinstance(own, dict)
    body: dict[str, Json] = own | {"schema": SCHEMA} | change
    body.pop(drop, None)
    return canonical_json(body | {"sha256": digest(body)})


def test_render_baseline__comes_back_equal_and_renders_the_same() -> None:
    assert load(TEXT) == BASELINE
    assert render_baseline(BASELINE) == TEXT


def test_render_baseline__critical_values_stand_in_the_header_and_are_sealed() -> None:
    text = render_baseline(FIXED)
    (line,) = [line for line in text.splitlines() if line.startswith('"broken": ')]
    assert line == '"broken": {"critical":[[8,-1],[9,1],[10,2]],"expected_false_alarms":0.0021,"trials":6},'
    assert load(text) == FIXED
    edited = load(text.replace("[10,2]", "[10,5]"))
    assert isinstance(edited, Corrupt)
    assert edited.reason == "b.json was edited by hand: its content does not match its sha256"


def test_load_baseline__without_critical_values__computed_from_its_counts() -> None:
    found = load(TEXT)
    assert isinstance(found, SuiteBaseline)
    assert '"broken"' not in TEXT
    assert found.broken is None
    assert found.critical_values == table_of((case.passes, case.trials) for case in BASELINE.cases)


def test_load_baseline__marked_stale_or_pinned__keeps_its_critical_values() -> None:
    for changed in (replace(FIXED, stale="the provider moved"), replace(FIXED, tag="v2")):
        found = load(render_baseline(changed))
        assert isinstance(found, SuiteBaseline)
        assert found.critical_values == TABLE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trials": 0}, "critical values that no baseline gives"),
        ({"trials": -6}, "critical values that no baseline gives"),
        ({"critical": [[10, 6]]}, "critical values that no baseline gives"),
        ({"critical": [[10, 7]]}, "critical values that no baseline gives"),
        ({"expected_false_alarms": -0.1}, "critical values that no baseline gives"),
        ({"expected_false_alarms": 0.0031}, "0.0031 false alarms expected of 12 cases, at most 0.003 are allowed"),
        ({"critical": [[10, -1]]}, "0.0021 false alarms expected of 12 cases, at most 0.0 are allowed"),
        ({"critical": {"10": 2}}, "a list expected"),
        ({"limit": 1}, "unknown key 'limit'"),
    ],
)
def test_load_baseline__critical_values_that_do_not_fit__corrupt(change: dict[str, Json], words: str) -> None:
    table = encode(TABLE)
    assert isinstance(table, dict)
    assert load(sealed({"broken": table})) == FIXED
    found = load(sealed({"broken": table | change}))
    assert isinstance(found, Corrupt)
    assert words in found.reason


def test_render_baseline__no_cases() -> None:
    empty = replace(BASELINE, cases=())
    assert load(render_baseline(empty)) == empty


def test_render_baseline__one_line_a_case_and_sorted_keys() -> None:
    lines = TEXT.splitlines()
    assert sum(line.startswith('{"case_id":"es-') for line in lines) == 12
    assert (
        sorted(re.findall(r'^"(\w+)": ', TEXT, re.MULTILINE)[:-1]) == re.findall(r'^"(\w+)": ', TEXT, re.MULTILINE)[:-1]
    )
    assert TEXT.endswith("\n]\n}\n")


def test_load_baseline__absent() -> None:
    assert load(None) == Absent(place="b.json")


@pytest.mark.parametrize("length", range(0, len(TEXT) - 1, 37))
def test_load_baseline__cut_off_anywhere__corrupt(length: int) -> None:
    assert isinstance(load(TEXT[:length]), Corrupt)


def test_load_baseline__only_the_last_line_end_lost__still_sound() -> None:
    assert load(TEXT[:-1]) == BASELINE


def test_load_baseline__any_one_digit_edited__corrupt() -> None:
    places = [match.start() for match in re.finditer(r"\d", TEXT)]
    for place in places[::7]:
        digit = "1" if TEXT[place] != "1" else "2"
        assert isinstance(load(TEXT[:place] + digit + TEXT[place + 1 :]), Corrupt), TEXT[place - 20 : place + 5]


def test_load_baseline__edited_by_hand__says_so() -> None:
    found = load(TEXT.replace('"passes":9', '"passes":10', 1))
    assert isinstance(found, Corrupt)
    assert found.reason == "b.json was edited by hand: its content does not match its sha256"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not readable JSON"),
        (b"\xff\xfe", "not readable JSON"),
        (b"\xef\xbb\xbf{}", "not readable JSON"),
        (b"[]", "schema None"),
        (b"null", "schema None"),
        (b"{}", "schema None"),
        (b'{"schema": "lockgate.baseline/2"}', "schema 'lockgate.baseline/2'"),
        (b'{"schema": ["x"]}', "schema ['x']"),
        (b'{"schema": "lockgate.baseline/1"}', "edited by hand"),
        (b'{"schema": "lockgate.baseline/1", "a": NaN}', "not readable JSON"),
        (b'{"schema": "lockgate.baseline/1", "a": 1e999}', "not readable JSON"),
        (b'{"schema": "lockgate.baseline/1", "a": ' + b"9" * 5000 + b"}", "not readable JSON"),
        (b'{"schema": "lockgate.baseline/1", "schema": "lockgate.baseline/1"}', "given twice"),
        (b'{"schema": "lockgate.baseline/1", "a": ' + b"[" * 3000 + b"]" * 3000 + b"}", "not readable JSON"),
    ],
)
def test_load_baseline__damaged__says_how(content: bytes, words: str) -> None:
    found = load(content)
    assert isinstance(found, Corrupt)
    assert (found.place, words in found.reason) == ("b.json", True), found.reason


def test_load_baseline__nested_to_the_edge__never_raises() -> None:
    for depth in range(300, 1000, 20):
        nested = '{"schema": "lockgate.baseline/1", "a": ' + "[" * depth + "]" * depth + "}"
        assert isinstance(load(nested), Corrupt)


@pytest.mark.parametrize(
    ("change", "drop", "words"),
    [
        ({"extra": 1}, "", "unknown key 'extra'"),
        ({}, "as_of", "key 'as_of' is missing"),
        ({"as_of": 3}, "", ".as_of: str expected"),
        ({"cases": [{"case_id": "a", "digest": "d", "passes": 11, "trials": 10}]}, "", "11 passes of 10 trials"),
        ({"cases": [{"case_id": "a", "digest": "d", "passes": 1, "trials": 10, "usd": {"sum": 10**400}}]}, "", "large"),
    ],
)
def test_load_baseline__rightly_sealed_and_wrong__corrupt(change: dict[str, Json], drop: str, words: str) -> None:
    found = load(sealed(change, drop))
    assert isinstance(found, Corrupt)
    assert words in found.reason


def test_load_baseline__rightly_sealed__sound() -> None:
    assert isinstance(load(sealed({})), SuiteBaseline)


def test_paths() -> None:
    assert baseline_path("t", "s") == "baselines/t/s.json"
    assert anchor_path("t", "s") == "baselines/t/anchors/s.json"
    assert answers_path("t", "s") == "baselines/t/answers/s.json"
