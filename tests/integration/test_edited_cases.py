"""A change that edits or removes cases is judged by the base's versions of them, and shown on its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.projects import (
    BASELINE,
    PROMPT,
    SUITE,
    ModelServer,
    Project,
    case_lines,
    echo,
    echo_cases,
    echo_files,
    echo_target,
    gate_yaml,
)
from tests.rigs.repository import Repository

CASES_FILE = f"{SUITE}/cases.jsonl"
OTHER_PROMPT = "Please repeat: {{ word }}\n"
AGAINST_BASE = ("check", "--quiet", "--base", "HEAD^")
ONE = dict.fromkeys(("safety", "over_refusal", "cost"), "report")
PAPER = ("context_preservation", "latency", "safety", "evidence_coverage")
Edit = Callable[[list[dict[str, Any]]], object]


@pytest.fixture
def accepted(project: Project, model: ModelServer) -> Project:
    """The project with a baseline of ten trials a case, committed; broken cases matter."""
    policy = {"profile": "merge", "margin": 0.2, "margins": {"task_success": 0.2}, "dimensions": ONE}
    project.write({"gate.yaml": gate_yaml({"echo": echo_target(model.url)}, policy=policy)})
    assert project.gate("promote", "--quiet", "--as-of", "2026-11-20").code == 0
    project.repository()
    return project


def change(project: Project, edit: Edit, **files: str) -> None:
    """Commit a change of the prompt and of some cases."""
    cases = echo_cases()
    edit(cases)
    project.write({PROMPT: OTHER_PROMPT, CASES_FILE: case_lines(cases), **files})
    commit(project)


def commit(project: Project) -> None:
    Repository(project.root).commit({})


def marks(project: Project) -> dict[str, str]:
    (suite,) = project.evidence()["suites"]
    return {case["case_id"]: case["marks"] for case in suite["cases"]}


def relabel(cases: list[dict[str, Any]]) -> None:
    cases[2]["expected"] = {"answer": "no"}


def answer_no(*words: str) -> Callable[[str], str]:
    return lambda prompt: "no" if echo(prompt) in words else echo(prompt)


def test_check__an_edit_that_makes_a_broken_case_pass__is_judged_by_the_base(
    accepted: Project, model: ModelServer
) -> None:
    change(accepted, relabel)
    model.answers = answer_no("w-03")
    ran = accepted.gate(*AGAINST_BASE)
    assert ran.code == 10, ran.text
    assert marks(accepted)["w-03"].startswith("FFF")
    assert set(marks(accepted)["w-03+edited"]) == {"P"}
    said = accepted.sentences()
    assert "broken-case HOLD True echo: 1 case solid in the baseline (>= 8 of 10) broke: w-03" in said
    assert "comparability PROMOTE False echo: 1 case edited, judged as the base has them: w-03" in said
    assert "echo: 1 new version of edited cases, no baseline yet; none fails" in said
    assert "1 of the edited cases fail as the base has them and pass as edited: w-03; if that is meant" in said
    comment = (accepted.record / "comment.md").read_text(encoding="utf-8")
    assert "edited, as the base has it" in comment
    assert "edited, as it is now" in comment
    assert accepted.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__a_harmless_edit_promotes(accepted: Project, model: ModelServer) -> None:
    change(accepted, lambda cases: cases[2].update(input={"word": "w-03", "note": "a typo less"}))
    ran = accepted.gate(*AGAINST_BASE)
    assert ran.code == 0, ran.text
    assert len(marks(accepted)) == 37
    assert "1 case edited, judged as the base has them: w-03" in " ".join(ran.out.split())
    assert "cases not compared: 1 edited (new version, no baseline yet)" in " ".join(ran.out.split())
    numbers = next(f for f in accepted.decision()["findings"] if f["rule"] == "regression")["figures"]
    assert dict(numbers)["cases"] == 36
    planned = accepted.gate("plan", "--base", "HEAD^").out
    assert "1 case edited: asked as the base has them, and as they are now" in planned


def test_check__a_removed_case_that_the_change_breaks__is_judged(accepted: Project, model: ModelServer) -> None:
    change(accepted, lambda cases: cases.pop(2))
    model.answers = answer_no("w-03")
    ran = accepted.gate(*AGAINST_BASE)
    assert ran.code == 10, ran.text
    assert "broken-case HOLD True echo: 1 case solid in the baseline (>= 8 of 10) broke: w-03" in accepted.sentences()
    assert "echo: 1 case removed, judged as the base has them: w-03" in accepted.sentences()
    assert "removed by this change" in (accepted.record / "comment.md").read_text(encoding="utf-8")


def test_check__removed_cases_that_still_pass__promote(accepted: Project, model: ModelServer) -> None:
    change(accepted, lambda cases: cases.__delitem__(slice(0, 5)))
    assert accepted.gate(*AGAINST_BASE).code == 0
    assert len(marks(accepted)) == 36


def test_check__without_a_base__the_old_version_is_not_at_hand(accepted: Project, model: ModelServer) -> None:
    change(accepted, relabel)
    model.answers = answer_no("w-03")
    assert accepted.gate("check", "--quiet").code == 0
    assert "echo: 1 case edited, not compared: w-03" in accepted.sentences()
    assert set(marks(accepted)["w-03"]) == {"P"}


def test_check__new_version_that_fails__is_shown_and_not_compared(accepted: Project, model: ModelServer) -> None:
    change(accepted, lambda cases: cases[2].update(expected={"answer": "other"}))
    ran = accepted.gate(*AGAINST_BASE)
    assert ran.code == 0, ran.text
    assert "1 new version of edited cases, no baseline yet; 1 fail: w-03+edited" in accepted.sentences()
    assert "w-03+edited" in (accepted.record / "comment.md").read_text(encoding="utf-8")


def test_check__renamed_cases_are_asked_once(accepted: Project, model: ModelServer) -> None:
    change(accepted, lambda cases: cases[2].update(id="another"))
    assert accepted.gate(*AGAINST_BASE).code == 0
    assert len(marks(accepted)) == 36


def test_check__more_than_half_edited__holds_and_costs_no_more(accepted: Project, model: ModelServer) -> None:
    change(accepted, lambda cases: [case["input"].update(note="x") for case in cases[:19]])
    assert accepted.gate(*AGAINST_BASE).code == 10
    assert len(marks(accepted)) == 36
    why = "edited or removed cases were not asked as the base has them: 19 of 36 cases were edited, more than half"
    assert f"comparability HOLD True echo: {why}" in accepted.sentences()


def test_check__suite_alone__old_versions_are_not_asked_again(accepted: Project, model: ModelServer) -> None:
    cases = echo_cases()
    for case in cases:
        case["input"]["note"] = "x"
    accepted.write({CASES_FILE: case_lines(cases)})
    commit(accepted)
    ran = accepted.gate(*AGAINST_BASE)
    assert ran.code == 0, ran.text
    assert "36 cases edited, judged as the base has them" in accepted.sentences()
    assert "unchanged: all 36 cases are asked what the baseline was asked" in accepted.sentences()


def test_check__base_version_that_the_prompt_cannot_take__holds(accepted: Project, model: ModelServer) -> None:
    cases = echo_cases()
    del cases[2]
    prompt = "{% if word == 'w-03' %}{{ nothing }}{% endif %}Repeat: {{ word }}\n"
    accepted.write({PROMPT: prompt, CASES_FILE: case_lines(cases)})
    commit(accepted)
    assert accepted.gate(*AGAINST_BASE).code == 10
    assert "were not asked as the base has them: prompts/echo.md:1: case " in accepted.sentences()


def test_check__promoting_the_merged_change_knows_new_versions_only(accepted: Project, model: ModelServer) -> None:
    change(accepted, relabel)
    model.answers = answer_no("w-03")
    assert accepted.gate("promote", "--quiet", "--passes", "3").code == 0
    cases = json.loads((accepted.root / BASELINE).read_text())["cases"]
    assert [case["case_id"] for case in cases] == [f"w-{number:02d}" for number in range(1, 37)]


def test_check__p0_in_a_new_version_rolls_back(empty: Project, model: ModelServer) -> None:
    policy = {
        "profile": "merge",
        "margin": 0.5,
        "floors": {"safety": 0.5},
        "dimensions": dict.fromkeys(("task_success", "over_refusal", "cost"), "report"),
    }
    empty.write(echo_files(model.url))
    empty.write({"gate.yaml": gate_yaml({"echo": echo_target(model.url)}, policy=policy)})
    empty.write({f"{SUITE}/suite.yaml": "kind: adversarial\nscorers: [{exact: {}}]\n"})
    empty.write({CASES_FILE: case_lines(echo_cases(severity="P0"))})
    assert empty.gate("promote", "--passes", "3", "--quiet", "--as-of", "2026-11-20").code == 0
    empty.repository()
    cases = echo_cases(severity="P0")
    cases[2]["expected"] = {"answer": "never"}
    empty.write({PROMPT: OTHER_PROMPT, CASES_FILE: case_lines(cases)})
    commit(empty)
    ran = empty.gate(*AGAINST_BASE)
    assert ran.code == 20, ran.text
    assert "veto ROLLBACK True echo: new P0 failure: w-03+edited" in empty.sentences()


def test_check__new_easy_cases__lift_no_changed_version_above_its_floor(empty: Project, model: ModelServer) -> None:
    policy = {"profile": "paper", "dimensions": dict.fromkeys(PAPER, "report")}
    empty.write({**echo_files(model.url), "gate.yaml": gate_yaml({"echo": echo_target(model.url)}, policy=policy)})
    assert empty.gate("promote", "--passes", "3", "--quiet", "--as-of", "2026-11-20").code == 0
    empty.repository()
    easy = [{"id": f"n-{n}", "input": {"word": f"n-{n}"}, "expected": {"answer": f"n-{n}"}} for n in range(100)]
    empty.write({PROMPT: OTHER_PROMPT, CASES_FILE: case_lines([*echo_cases(), *easy])})
    commit(empty)
    assert empty.gate(*AGAINST_BASE).code == 0
    model.answers = answer_no(*(f"w-{number:02d}" for number in range(1, 13)))
    ran = empty.gate(*AGAINST_BASE)
    assert ran.code == 10, ran.text
    told = "above its floor only with 100 cases without a baseline; the others are at 66.7 %"
    assert f"comparability HOLD True echo: task_success is {told}" in empty.sentences()


def test_check__shards_of_both_versions_merge(accepted: Project, model: ModelServer) -> None:
    change(accepted, relabel)
    model.answers = answer_no("w-03")
    words = ("--passes", "3", "--quiet", "--base", "HEAD^")
    for number in (1, 2):
        ran = accepted.gate("check", "--shard", f"{number}/2", *words, "--out", "parts")
        assert ran.code == 0, ran.text
    ran = accepted.gate("merge", "parts", "--passes", "3", "--base", "HEAD^")
    assert ran.code == 10, ran.text
    assert "w-03+edited" in marks(accepted)
    assert len(marks(accepted)) == 37
