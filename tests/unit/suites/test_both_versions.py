"""Cases of two versions of a suite: which are edited, removed, renamed, and how both stand side by side."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.core.model import Case, Exhibit, Score, Suite, WeightedScorer
from gate.documents.tree import WorkingTree
from gate.suites.both_versions import EDITED, BaseVersions, load_base_versions, with_base_versions
from gate.suites.cases import load_cases
from tests.builders import make_suite

FOLDER = "golden_sets/intent"


class Anything:
    """A scorer of every case that expects something."""

    def applies(self, case: Case) -> bool:
        return bool(case.expected)

    def score(self, exhibit: Exhibit) -> Score:
        raise AssertionError(exhibit)


def line(case_id: str, text: str = "x", *peers: str) -> dict[str, Any]:
    outranks = {"outranks": list(peers)} if peers else {}
    return {"id": case_id, "input": {"text": text}, "expected": {"label": "a", **outranks}}


def tree(root: Path, lines: Iterable[Mapping[str, Any]]) -> WorkingTree:
    file = root / FOLDER / "cases.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return WorkingTree(root)


def both(
    root: Path, before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]
) -> tuple[Suite, BaseVersions]:
    scorer = WeightedScorer(name="any", scorer=Anything())
    head = tree(root / "head", now)
    suite = make_suite(path=FOLDER, cases=load_cases(head, FOLDER), scorers=(scorer,))
    return suite, load_base_versions(suite, tree(root / "base", before))


def joined(root: Path, before: list[dict[str, Any]], now: list[dict[str, Any]]) -> dict[str, Case]:
    return {case.id: case for case in with_base_versions(*both(root, before, now)).cases}


def test_load_base_versions__edited_removed_renamed_added(tmp_path: Path) -> None:
    before = [line("same"), line("edited"), line("removed", "gone"), line("old-name", "kept")]
    now = [line("same"), line("edited", "other"), line("new-name", "kept"), line("added", "new")]
    _, found = both(tmp_path, before, now)
    assert (list(found.edited), list(found.removed)) == (["edited"], ["removed"])
    assert found.added == {"new-name", "added"}
    assert (found.edited["edited"].input, found.edited["edited"].removed) == ({"text": "x"}, False)
    assert found.removed["removed"].removed
    assert found.edited["edited"].place == f"{FOLDER}/cases.jsonl:2 of the base"


def test_load_base_versions__nothing_to_compare_with(tmp_path: Path) -> None:
    suite, _ = both(tmp_path, [line("a")], [line("a", "y")])
    assert load_base_versions(suite, WorkingTree(tmp_path)) == BaseVersions()
    (tmp_path / "base" / FOLDER / "cases.jsonl").write_text("{")
    assert load_base_versions(suite, WorkingTree(tmp_path / "base")).cases == ()


def test_load_base_versions__a_case_that_nothing_judges_is_left_out(tmp_path: Path) -> None:
    _, found = both(tmp_path, [line("a"), {"id": "b", "input": {}}], [line("a")])
    assert found.cases == ()


def test_load_base_versions__two_of_one_content_and_one_new_id(tmp_path: Path) -> None:
    _, found = both(tmp_path, [line("a"), line("b")], [line("c")])
    assert list(found.removed) == ["b"]


def test_with_base_versions__the_base_keeps_the_id(tmp_path: Path) -> None:
    cases = joined(tmp_path, [line("a"), line("b")], [line("a", "new"), line("c")])
    assert sorted(cases) == ["a", "a+edited", "c"]
    assert (cases["a"].input, cases["a"].edits) == ({"text": "x"}, "")
    assert (cases["a+edited"].input, cases["a+edited"].edits) == ({"text": "new"}, "a")
    assert cases["a+edited"].digest != cases["a"].digest


def test_with_base_versions__the_digest_covers_both(tmp_path: Path) -> None:
    now = [line("a", "new")]
    digests = {with_base_versions(*both(tmp_path, [line("a", text)], now)).digest for text in ("x", "y")}
    assert len(digests | {make_suite().digest}) == 3


def test_with_base_versions__peers_of_the_same_side(tmp_path: Path) -> None:
    before = [line("top", "1", "edited", "old"), line("edited"), line("old", "kept"), line("same", "2", "edited")]
    now = [
        line("top", "1", "edited", "new"),
        line("edited", "other"),
        line("new", "kept"),
        line("same", "2", "edited"),
        line("added", "3", "edited"),
    ]
    cases = joined(tmp_path, before, now)
    assert cases["top"].peers == ("edited", "new")
    assert cases["top+edited"].peers == ("edited+edited", "new")
    assert cases["same"].peers == ("edited",)
    assert cases["added"].peers == ("edited+edited",)
    assert all(peer in cases for case in cases.values() for peer in case.peers)


NAMES = st.sampled_from("abcdefgh")
SIDES = st.dictionaries(NAMES, st.sampled_from("xyz"), min_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(before=SIDES, now=SIDES)
def test_with_base_versions__nothing_of_either_side_is_lost(
    tmp_path: Path, before: dict[str, str], now: dict[str, str]
) -> None:
    cases = joined(tmp_path, [line(*one) for one in before.items()], [line(*one) for one in now.items()])
    own = {case_id.removesuffix(EDITED): case for case_id, case in cases.items() if not case.removed}
    newest = {case_id: cases.get(case_id + EDITED, case) for case_id, case in own.items()}
    assert {case_id: case.input["text"] for case_id, case in newest.items()} == now
    kept = [case.input["text"] for case in cases.values() if case.id in before]
    renamed = len(before) - len(kept)
    assert 0 <= renamed <= len(now.keys() - before.keys())
    assert all(cases[case_id].input["text"] == text for case_id, text in before.items() if case_id in cases)
