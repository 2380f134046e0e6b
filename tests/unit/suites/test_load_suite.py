"""load_suite: definition from one folder, cases from another."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gate.core.canonical import digest
from gate.core.model import Case, Dimension, Exhibit, Json, Kind, Metric, Scope, Score, Scorer, Suite
from gate.documents.tree import Tree, WorkingTree
from gate.errors import SuiteError
from gate.suites.load import load_suite

SUITE = "golden_sets/intent"
YAML = "kind: golden\nscorers:\n  - equal: {path: intent}\n"
CASE = '{"id":"a","input":{},"expected":{"intent":"x"}}\n'


@dataclass(frozen=True)
class Equal:
    path: str

    def applies(self, case: Case) -> bool:
        return self.path in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        return Score(value=float(exhibit.answer.text == exhibit.case.expected[self.path]), explanation="compared")


class Factory:
    """Makes `equal` for a path, and `schema` from a file that must hold some text."""

    names = ("equal", "schema")

    def __call__(self, name: str, options: Mapping[str, Json], *, folder: str, tree: Tree) -> Scorer:
        if name == "schema":
            if not tree.read(f"{folder}/{options['file']}"):
                raise ValueError("the schema is empty")
            return Equal(path="intent")
        if "path" not in options:
            raise ValueError('"path" is missing')
        return Equal(path=str(options["path"]))


def write(root: Path, *, yaml: str | bytes = YAML, cases: str = CASE, files: Mapping[str, str] | None = None) -> None:
    folder = root / SUITE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_bytes(yaml if isinstance(yaml, bytes) else yaml.encode())
    (folder / "cases.jsonl").write_text(cases, encoding="utf-8")
    for name, text in (files or {}).items():
        (folder / name).write_text(text, encoding="utf-8")


def loaded(root: Path) -> Suite:
    return load_suite(definition=WorkingTree(root), cases=WorkingTree(root), path=SUITE, scorers=Factory())


def refusal(root: Path, **content: str | bytes) -> list[str]:
    write(root, **content)  # type: ignore[arg-type]
    with pytest.raises(SuiteError) as caught:
        loaded(root)
    assert caught.value.hint
    return str(caught.value).splitlines()


def test_load_suite__defaults(tmp_path: Path) -> None:
    write(tmp_path)
    suite = loaded(tmp_path)
    assert (suite.name, suite.path) == ("intent", SUITE)
    assert (suite.kind, suite.dimension, suite.scope) == (Kind.GOLDEN, Dimension.TASK_SUCCESS, Scope.POPULATION)
    assert (suite.margin, suite.pass_mark) == (None, 0.7)
    (scorer,) = suite.scorers
    assert (scorer.name, scorer.weight, scorer.required, scorer.scorer) == ("equal", 1.0, False, Equal(path="intent"))
    assert [case.id for case in suite.cases] == ["a"]


def test_load_suite__everything(tmp_path: Path) -> None:
    text = (
        "kind: scenario\ndimension: over_refusal\nscope: set\nmargin: 0.1\npass_mark: 1\n"
        "scorers: [{schema: {file: s.json}, required: true}, {equal: {path: intent}, weight: 3}, {equal: {path: b}}]\n"
    )
    write(tmp_path, yaml=text, files={"s.json": "{}"})
    suite = loaded(tmp_path)
    assert (suite.kind, suite.dimension, suite.scope) == (Kind.SCENARIO, Dimension.OVER_REFUSAL, Scope.SET)
    assert (suite.margin, suite.pass_mark) == (0.1, 1.0)
    found = [(each.name, each.weight, each.required) for each in suite.scorers]
    assert found == [("schema", 1.0, True), ("equal", 3.0, False), ("equal-2", 1.0, False)]


def test_load_suite__metric_is_part_of_what_judges(tmp_path: Path) -> None:
    write(tmp_path)
    plain = loaded(tmp_path)
    write(tmp_path, yaml=YAML + "metric: pass\n")
    assert loaded(tmp_path) == plain
    write(tmp_path, yaml=YAML + "metric: score\n")
    scored = loaded(tmp_path)
    assert (plain.metric, scored.metric) == (Metric.PASS, Metric.SCORE)
    assert (scored.digest, scored.scorer_digest == plain.scorer_digest) == (plain.digest, False)


@pytest.mark.parametrize(
    ("kind", "dimension"),
    [("golden", Dimension.TASK_SUCCESS), ("scenario", Dimension.TASK_SUCCESS), ("adversarial", Dimension.SAFETY)],
)
def test_load_suite__dimension_by_kind(tmp_path: Path, kind: str, dimension: Dimension) -> None:
    write(tmp_path, yaml=YAML.replace("golden", kind))
    assert loaded(tmp_path).dimension is dimension


def test_load_suite__definition_and_cases_from_their_own_trees(tmp_path: Path) -> None:
    base, head = tmp_path / "base", tmp_path / "head"
    write(base, cases="not read\n")
    write(head, yaml="not: read\n", cases=CASE.replace('"a"', '"from-head"'))
    trees = {"definition": WorkingTree(base), "cases": WorkingTree(head)}
    suite = load_suite(**trees, path="./golden_sets/intent/", scorers=Factory())
    assert ([case.id for case in suite.cases], suite.path) == (["from-head"], SUITE)


def test_load_suite__digest_covers_kind_and_cases(tmp_path: Path) -> None:
    second = CASE.replace('"a"', '"b"')
    write(tmp_path, cases=CASE + second)
    suite = loaded(tmp_path)
    cases = [[case.id, case.digest, {}, None, None, False] for case in suite.cases]
    assert suite.digest == digest(["golden", None, "population", None, cases])
    write(tmp_path, cases=second + CASE)
    assert loaded(tmp_path).digest == suite.digest
    write(tmp_path, cases=CASE + second, yaml=YAML.replace("golden", "scenario"))
    assert loaded(tmp_path).digest != suite.digest
    write(tmp_path, cases=CASE + second.replace('"x"', '"y"'))
    assert loaded(tmp_path).digest != suite.digest


@pytest.mark.parametrize(
    ("yaml", "case"),
    [
        ("margin: 0.2\n", ""),
        ("scope: set\n", ""),
        ("dimension: over_refusal\n", ""),
        ("", '"severity":"P1",'),
        ("", '"cluster":"x",'),
        ("", '"critical":true,'),
        ("", '"tags":{"language":"es"},'),
    ],
)
def test_load_suite__digest_covers_all_that_the_verdict_depends_on(tmp_path: Path, yaml: str, case: str) -> None:
    write(tmp_path)
    before = loaded(tmp_path).digest
    write(tmp_path, yaml=yaml + YAML, cases=CASE.replace("{", "{" + case, 1))
    assert loaded(tmp_path).digest != before


def test_load_suite__scorer_digest_covers_options_weights_pass_mark_and_files(tmp_path: Path) -> None:
    text = "kind: golden\npass_mark: 0.7\nscorers: [{schema: {file: s.json}, weight: 1}]\n"
    variants = [
        (text, "{}"),
        (text, "{ }"),
        (text.replace("0.7", "0.8"), "{}"),
        (text.replace("weight: 1", "weight: 2"), "{}"),
        (text.replace("weight: 1", "required: true"), "{}"),
        (text.replace("file: s.json", "file: s.json, more: 1"), "{}"),
    ]
    found = []
    for yaml, schema in variants:
        write(tmp_path, yaml=yaml, files={"s.json": schema})
        found.append(loaded(tmp_path).scorer_digest)
    assert len(set(found)) == len(variants)
    identity: Json = {
        "name": "schema",
        "options": {"file": "s.json"},
        "weight": 1.0,
        "required": False,
        "file": "sha256:" + hashlib.sha256(b"{}").hexdigest(),
        "code": None,
    }
    assert found[0] == digest({"pass_mark": 0.7, "scorers": [identity]})


def test_load_suite__scorer_digest_covers_the_code_that_a_call_names(tmp_path: Path) -> None:
    text = "kind: golden\nscorers: [{equal: {path: intent, call: 'judges.mine:score'}}]\n"
    found = []
    for code in ("def score(d): return 1\n", "def score(d): return 0\n"):
        write(tmp_path, yaml=text)
        (tmp_path / "judges").mkdir(exist_ok=True)
        (tmp_path / "judges" / "mine.py").write_text(code)
        found.append(loaded(tmp_path).scorer_digest)
    assert found[0] != found[1]


def test_load_suite__scorer_digest_ignores_layout_scope_and_cases(tmp_path: Path) -> None:
    write(tmp_path)
    first = loaded(tmp_path).scorer_digest
    text = "# same\nscope: set\nscorers:\n- {weight: 1.0, equal: {'path': \"intent\"}}\nkind: golden\n"
    write(tmp_path, yaml=text, cases=CASE.replace('"a"', '"b"'))
    assert loaded(tmp_path).scorer_digest == first


def test_load_suite__cases_without_a_scorer(tmp_path: Path) -> None:
    bare = '{"id":"b","input":{}}\n{"id":"c","input":{},"expected":{"other":1}}\n'
    assert refusal(tmp_path, cases=CASE + bare) == [
        f'{SUITE}/cases.jsonl:2: case "b": it expects nothing that a scorer of the suite judges (equal)',
        f'{SUITE}/cases.jsonl:3: case "c": it expects nothing that a scorer of the suite judges (equal)',
    ]


def test_load_suite__zero_cases(tmp_path: Path) -> None:
    assert refusal(tmp_path, cases="") == [f"{SUITE}/cases.jsonl:1: the suite has no cases"]


def test_load_suite__missing_files(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"golden_sets/intent/suite\.yaml:1: the file does not exist in the work"):
        loaded(tmp_path)
    write(tmp_path)
    (tmp_path / SUITE / "cases.jsonl").unlink()
    with pytest.raises(SuiteError, match=r"golden_sets/intent/cases\.jsonl:1: the file does not exist in the work"):
        loaded(tmp_path)


def test_load_suite__folder_that_leaves(tmp_path: Path) -> None:
    tree = WorkingTree(tmp_path)
    with pytest.raises(SuiteError, match="leaves the repository"):
        load_suite(definition=tree, cases=tree, path="../other", scorers=Factory())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("kind: golden", "kind: goldn", "1:7: kind: must be 'golden', 'adversarial' or 'scenario', not \"goldn\" (did"),
        ("kind: golden\n", "", '1:1: the key "kind" is missing'),
        ("kind: golden", "kind: golden\nscoers: []", '2:1: unknown key "scoers" (did you mean "scorers"?)'),
        ("kind: golden", "kind: golden\nkind: golden", '2:1: the key "kind" is given twice; the first is at line 1'),
        ("kind: golden", "kind: golden\nscope: no", "2:8: scope: must be 'population' or 'set', not \"no\""),
        ("kind: golden", "kind: golden\nmargin: 5", "2:9: margin: must be less than 1, not 5"),
        ("kind: golden", "kind: golden\nmargin: .nan", "2:9: .nan is not a usable number"),
        ("kind: golden", "kind: golden\npass_mark: 0", "2:12: pass_mark: must be greater than 0, not 0"),
        ("kind: golden", "kind: golden\npass_mark: 1e0", '2:12: pass_mark: must be a number, not "1e0"'),
        ("kind: golden", "kind:\n\tgolden", "2:1: a tab is used for indentation"),
        ("\n  - equal: {path: intent}", " []", "2:10: scorers: must not be empty"),
        ("- equal: {path: intent}", "- equal", '3:5: scorers[0]: must be a mapping of keys to values, not "equal"'),
        ("equal: {", "equl: {", '3:5: scorers[0]: unknown scorer "equl" (did you mean "equal"?)'),
        (
            "{path: intent}",
            "{path: intent}\n    wieght: 3",
            '4:5: scorers[0]: unknown scorer "wieght" (did you mean "wei',
        ),
        (
            "{path: intent}",
            "{path: intent}\n    schema: {}",
            "3:5: scorers[0]: the item names 2 scorers (equal, schema)",
        ),
        ("equal: {path: intent}", "weight: 3", "3:5: scorers[0]: the item names no scorer"),
        ("{path: intent}", "intent", '3:12: scorers[0].equal: the options must be a mapping, not "intent"'),
        ("{path: intent}", "", '3:5: scorers[0]: equal: "path" is missing'),
        ("{path: intent}", "{}\n    weight: 0", "4:13: scorers[0].weight: must be greater than 0, not 0"),
        ("{path: intent}", "{}\n    weight: yes", '4:13: scorers[0].weight: must be a number, not "yes"'),
        ("{path: intent}", "{}\n    required: yes", '4:15: scorers[0].required: must be true or false, not "yes"'),
        (
            "equal: {path: intent}",
            "schema: {file: no.json}",
            '3:20: scorers[0].schema.file: there is no file "no.json"',
        ),
        ("equal: {path: intent}", "schema: {file: ../../../x}", '3:20: scorers[0].schema.file: "../x" leaves the repo'),
        ("equal: {path: intent}", "schema: {file: empty}", "3:5: scorers[0]: schema: the schema is empty"),
    ],
)
def test_load_suite__definition_refused_with_its_place(tmp_path: Path, old: str, new: str, line: str) -> None:
    write(tmp_path, files={"empty": ""})
    assert YAML.count(old) == 1
    (found,) = refusal(tmp_path, yaml=YAML.replace(old, new))
    assert found.startswith(f"{SUITE}/suite.yaml:{line}")


def test_load_suite__bad_encoding(tmp_path: Path) -> None:
    assert refusal(tmp_path, yaml=b"kind: \xe9\n") == [f"{SUITE}/suite.yaml:1:7: byte 0xe9 is not UTF-8"]


def test_load_suite__all_scorer_problems_at_once(tmp_path: Path) -> None:
    text = "kind: golden\nscorers:\n  - equl: {}\n  - equal: {}\n  - {equal: {path: x}}\n  - {}\n"
    assert refusal(tmp_path, yaml=text) == [
        f'{SUITE}/suite.yaml:3:5: scorers[0]: unknown scorer "equl" (did you mean "equal"?)',
        f'{SUITE}/suite.yaml:4:5: scorers[1]: equal: "path" is missing',
        f"{SUITE}/suite.yaml:6:5: scorers[3]: the item names no scorer",
    ]
