"""load_cases on good lines and on every bad one."""

from pathlib import Path

import pytest

from gate.core.canonical import digest
from gate.core.model import Case, Severity
from gate.documents.tree import WorkingTree
from gate.errors import SuiteError
from gate.suites.cases import LINE_LIMIT, load_cases

GOOD = '{"id":"a","input":{"q":"?"},"expected":{"x":1}}'


def loaded(folder: Path, content: str | bytes) -> tuple[Case, ...]:
    (folder / "s").mkdir(exist_ok=True)
    (folder / "s" / "cases.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_cases(WorkingTree(folder), "s")


def refusal(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        loaded(folder, content)
    assert caught.value.hint
    return str(caught.value).splitlines()


def test_load_cases__everything(tmp_path: Path) -> None:
    line = (
        '{"id":"es-0042.b_1","input":{"email":"¿?"},"expected":{"urgency":4,"outranks":["b"]},'
        '"tags":{"language":"es"},"severity":"P1","cluster":"thread-7","critical":true}'
    )
    first, second = loaded(tmp_path, line + "\n" + GOOD.replace('"a"', '"b"') + "\n")
    assert first == Case(
        id="es-0042.b_1",
        input={"email": "¿?"},
        expected={"urgency": 4, "outranks": ["b"]},
        tags={"language": "es"},
        severity=Severity.P1,
        cluster="thread-7",
        critical=True,
        digest=digest({"input": {"email": "¿?"}, "expected": {"urgency": 4, "outranks": ["b"]}}),
        place="s/cases.jsonl:1",
    )
    assert first.severity is Severity.P1
    assert (second.id, second.tags, second.severity, second.critical) == ("b", {}, None, False)
    assert second.place == "s/cases.jsonl:2"


def test_load_cases__numbers_keep_their_type(tmp_path: Path) -> None:
    (case,) = loaded(tmp_path, '{"id":"a","input":{},"expected":{"i":1,"f":1.0,"e":1e2,"t":true,"n":null,"l":[0.5]}}')
    assert repr(case.expected) == "{'i': 1, 'f': 1.0, 'e': 100.0, 't': True, 'n': None, 'l': [0.5]}"


def test_load_cases__digest_covers_input_and_expected_only(tmp_path: Path) -> None:
    (plain,) = loaded(tmp_path, GOOD)
    (tagged,) = loaded(tmp_path, GOOD[:-1] + ',"tags":{"k":"v"},"critical":true}')
    (reordered,) = loaded(tmp_path, '{ "expected": {"x": 1}, "input": {"q": "?"}, "id": "other" }')
    (edited,) = loaded(tmp_path, GOOD.replace("1}", "2}"))
    assert plain.digest == tagged.digest == reordered.digest
    assert edited.digest != plain.digest


def test_load_cases__windows_line_ends_and_no_final_one(tmp_path: Path) -> None:
    cases = loaded(tmp_path, GOOD + "\r\n" + GOOD.replace('"a"', '"b"'))
    assert [case.id for case in cases] == ["a", "b"]


def test_load_cases__blank_lines_at_the_end(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, GOOD + "\n\n \n")) == 1


def test_load_cases__missing_file(tmp_path: Path) -> None:
    with pytest.raises(SuiteError) as caught:
        load_cases(WorkingTree(tmp_path), "golden_sets/none")
    assert str(caught.value) == "golden_sets/none/cases.jsonl:1: the file does not exist in the working tree"


@pytest.mark.parametrize("content", ["", "\n", " \n\n"])
def test_load_cases__zero_cases(tmp_path: Path, content: str) -> None:
    assert refusal(tmp_path, content) == ["s/cases.jsonl:1: the suite has no cases"]


def test_load_cases__byte_order_mark(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()) == [
        "s/cases.jsonl:1: the file starts with a byte order mark; save it as UTF-8 without one"
    ]


def test_load_cases__duplicate_ids_name_both_lines(tmp_path: Path) -> None:
    other = GOOD.replace('"a"', '"b"')
    assert refusal(tmp_path, f"{GOOD}\n{other}\n{GOOD}\n{GOOD}") == [
        's/cases.jsonl:3: case "a": the id is already used in line 1',
        's/cases.jsonl:4: case "a": the id is already used in line 1',
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "the line is blank"),
        ("  ", "the line is blank"),
        ("{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        (GOOD + ",", "not JSON: Extra data at column 48"),
        ("[1]", "a case is a JSON object, not a list"),
        ("null", "a case is a JSON object, not null"),
        ('"x"', 'a case is a JSON object, not "x"'),
        ('{"id":"b","input":{"a":NaN}}', "NaN is not a JSON number"),
        ('{"id":"b","input":{"a":-Infinity}}', "-Infinity is not a JSON number"),
        ('{"id":"b","input":{"a":1e999}}', "1e999 is too large for a number"),
        ('{"id":"b","input":{"a":[{"b":-1e999}]}}', "-1e999 is too large for a number"),
        ('{"id":"b","input":{"a":' + "9" * 5000 + "}}", "a number has too many digits"),
        ('{"id":"b","input":{"a":"\\ud800"}}', 'case "b": a text holds half of a surrogate pair'),
        ('{"id":"b","input":{"\\udc00":1}}', 'case "b": a text holds half of a surrogate pair'),
        ('{"id":"b","id":"c","input":{}}', "key 'id' is given twice"),
        ('{"id":"b","input":{"a":1,"a":1}}', "key 'a' is given twice"),
        ('{"id":"b","input":' + "[" * 100 + "]" * 100 + "}", 'case "b": nested more than 64 levels deep'),
        ("[" * 100_000, "nested too deep"),
        ('{"input":{}}', 'the key "id" is missing'),
        ('{"id":3,"input":{}}', "id: must be text, not 3"),
        ('{"id":"b"}', 'case "b": the key "input" is missing'),
        ('{"id":"b","input":"x"}', 'case "b": input: must be a mapping of keys to values, not "x"'),
        ('{"id":"b","input":{},"expected":[]}', 'case "b": expected: must be a mapping of keys to values, not a list'),
        ('{"id":"b","input":{},"expcted":{}}', 'case "b": unknown key "expcted" (did you mean "expected"?)'),
        ('{"id":"b","input":{},"tags":{"a":1}}', 'case "b": tags.a: must be text, not 1'),
        ('{"id":"b","input":{},"tags":{"a":null}}', 'case "b": tags.a: must be text, not null'),
        ('{"id":"b","input":{},"severity":"P4"}', "case \"b\": severity: must be 'P0', 'P1', 'P2' or 'P3', not \"P4\""),
        ('{"id":"b","input":{},"critical":1}', 'case "b": critical: must be true or false, not 1'),
        ('{"id":"b","input":{},"cluster":7}', 'case "b": cluster: must be text, not 7'),
    ],
)
def test_load_cases__bad_line(tmp_path: Path, line: str, message: str) -> None:
    last = GOOD.replace('"a"', '"z"')
    assert refusal(tmp_path, f"{GOOD}\n{line}\n{last}\n") == [f"s/cases.jsonl:2: {message}"]


@pytest.mark.parametrize("case_id", ["", "-a", ".a", "a b", "a/b", "é", "a" * 81, "a\\n"])
def test_load_cases__bad_id(tmp_path: Path, case_id: str) -> None:
    (line,) = refusal(tmp_path, f'{{"id":"{case_id}","input":{{}}}}')
    assert line.startswith('s/cases.jsonl:1: case "')
    assert ": id: must be 1 to 80 letters, digits, dots, dashes or underscores" in line


def test_load_cases__longest_id(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD.replace('"a"', f'"{"a" * 80}"'))[0].id == "a" * 80


def test_load_cases__not_utf8(tmp_path: Path) -> None:
    content = GOOD.encode() + b'\n{"id":"\xff"}\n'
    assert refusal(tmp_path, content) == ["s/cases.jsonl:2: byte 0xff at offset 7 of the line is not UTF-8"]


def test_load_cases__line_limit(tmp_path: Path) -> None:
    filler = "x" * (LINE_LIMIT - len(GOOD) + 1)
    assert len(loaded(tmp_path, GOOD.replace("?", filler))) == 1
    assert refusal(tmp_path, GOOD.replace("?", filler + "x")) == [
        "s/cases.jsonl:1: the line has 1048577 bytes; at most 1048576 are read"
    ]


def test_load_cases__all_problems_of_a_file(tmp_path: Path) -> None:
    lines = refusal(tmp_path, f'{GOOD}\n\n{{"id":"b","inpt":{{}},"critical":"no"}}\n{GOOD}\n')
    assert lines == [
        "s/cases.jsonl:2: the line is blank",
        's/cases.jsonl:3: case "b": the key "input" is missing',
        's/cases.jsonl:3: case "b": critical: must be true or false, not "no"',
        's/cases.jsonl:3: case "b": unknown key "inpt" (did you mean "input"?)',
        's/cases.jsonl:4: case "a": the id is already used in line 1',
    ]


def test_load_cases__stops_after_twenty_problems(tmp_path: Path) -> None:
    lines = refusal(tmp_path, "x\n" * 1000)
    assert len(lines) == 21
    assert lines[19].startswith("s/cases.jsonl:20: not JSON")
    assert lines[20] == "... stopped after 20 problems"


def test_load_cases__exactly_twenty_problems(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, "x\n" * 20)) == 20


def test_load_cases__hostile_text_stays_on_its_line(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, '{"id":"a\\n::error::\\u202e","input":{}}')
    assert line.startswith('s/cases.jsonl:1: case "a\\n::error::\\u202e": id: must be')


@pytest.mark.parametrize(
    ("outranks", "message"),
    [
        ('["c"]', 'there is no case "c"'),
        ('["case-bb"]', 'there is no case "case-bb" (did you mean "case-b"?)'),
        ('["a"]', "a case cannot outrank itself"),
        ('"case-b"', 'must be a list of case ids, not "case-b"'),
        ("null", "must be a list of case ids, not null"),
        ("[1]", "must be a list of case ids, and holds 1"),
    ],
)
def test_load_cases__bad_outranks(tmp_path: Path, outranks: str, message: str) -> None:
    first = f'{{"id":"a","input":{{}},"expected":{{"outranks":{outranks}}}}}'
    assert refusal(tmp_path, first + "\n" + GOOD.replace('"a"', '"case-b"')) == [
        f's/cases.jsonl:1: case "a": expected.outranks: {message}'
    ]
