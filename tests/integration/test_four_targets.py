"""The same suite against all four kinds of target: promote, check, and skip what did not change."""

from __future__ import annotations

import json

import pytest

from tests.projects import CASES, ModelServer, Project, case_lines, echo_cases, offline_files, program_files

PROGRAMS = {
    "command": {"command": ["sh", "answer.sh"], "version-files": ["answer.sh"]},
    "python": {"python": "answers:answer"},
}


def test_check__openai_endpoint_unchanged_promotes(promoted: Project, model: ModelServer) -> None:
    model.prompts.clear()
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 0
    assert ran.out.startswith("▲ PROMOTE: shown not worse\n")
    assert sorted(model.prompts) == [f"Repeat: {case['id']}\n" for case in echo_cases()]
    assert {case["marks"] for case in promoted.evidence()["suites"][0]["cases"]} == {"P"}


def test_check__openai_endpoint_with_a_worse_prompt_rolls_back(promoted: Project) -> None:
    promoted.write({"prompts/echo.md": "{{ word }} is to be repeated.\n"})
    ran = promoted.gate("check", "--quiet")
    assert ran.code == 20
    assert ran.out.startswith("▼ ROLLBACK: ")
    # Broken from the start: the first pass is not even finished.
    assert "abort ROLLBACK True echo: broken, stopped after " in promoted.sentences()
    assert "abort ROLLBACK True echo: broken, stopped after 36 cases" not in promoted.sentences()


def test_check__openai_endpoint_that_lost_a_third_rolls_back(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda prompt: "no" if prompt.split()[-1][-1] in "147" else prompt.split()[-1]
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 20
    assert "echo: shown worse, 100.0 -> " in promoted.sentences()


def test_check__fail_on_rollback_lets_a_hold_pass_and_a_rollback_not(promoted: Project) -> None:
    promoted.write({"baselines/echo/echo.json": None})
    assert promoted.gate("check", "--quiet").code == 10
    assert promoted.gate("check", "--quiet", "--fail-on", "rollback").code == 0
    promoted.write({"prompts/echo.md": "{{ word }} is to be repeated.\n"})
    assert promoted.gate("check", "--quiet", "--fail-on", "rollback").code == 20


def test_check__offline_model_unchanged_promotes(empty: Project) -> None:
    empty.write(offline_files())
    assert empty.gate("promote", "--quiet").code == 0
    ran = empty.gate("check", "--all", "--quiet")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "▲ PROMOTE: shown not worse")
    assert [json.loads(trial["answer"]["text"])["intent"] for trial in empty.trials()[:2]] == [
        "support_issue",
        "pricing_request",
    ]


@pytest.mark.parametrize("kind", PROGRAMS)
def test_check__program_unchanged_promotes_and_always_runs(kind: str, empty: Project) -> None:
    empty.write(program_files(**PROGRAMS[kind]))
    empty.write({"golden_sets/echo/cases.jsonl": case_lines(echo_cases(30))})
    assert empty.gate("promote", "--passes", "1", "--quiet").code == 0
    # Its version hash is not complete: nobody can know that it did not change.
    ran = empty.gate("check", "--quiet")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "▲ PROMOTE: shown not worse")
    assert len(empty.trials()) == 30
    coverage = "declared" if "version-files" in PROGRAMS[kind] else "unknown"
    assert empty.evidence()["suites"][0]["identity"]["coverage"] == coverage


def test_check__unchanged_target_is_skipped_without_a_call_and_all_runs_it(
    promoted: Project, model: ModelServer
) -> None:
    model.prompts.clear()
    ran = promoted.gate("check", "--quiet")
    assert ran.code == 0
    assert ran.out.startswith("▲ PROMOTE: unchanged\n")
    assert model.prompts == []
    assert promoted.decision()["reason"] == "unchanged"
    assert promoted.trials() == []
    assert promoted.gate("check", "--quiet", "--all").code == 0
    assert len(model.prompts) == CASES
    assert promoted.decision()["reason"] == "shown not worse"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("prompts/echo.md", "Repeat:", "Now repeat:"),
        ("gate.yaml", '"temperature": 0.2', '"temperature": 0.3'),
        ("gate.yaml", '"margin": 0.1', '"margin": 0.2'),
        ("golden_sets/echo/cases.jsonl", '{"word": "w-07"}', '{"word": "w-07", "note": "x"}'),
        ("golden_sets/echo/cases.jsonl", '"id": "w-07"', '"id": "w-07", "severity": "P1"'),
        ("golden_sets/echo/suite.yaml", "scorers:", "margin: 0.2\nscorers:"),
        ("golden_sets/echo/suite.yaml", "{exact: {}}", "{exact: {strip: false}}"),
    ],
)
def test_check__whatever_shapes_the_verdict_ends_the_skipping(
    path: str, old: str, new: str, promoted: Project, model: ModelServer
) -> None:
    model.prompts.clear()
    promoted.edit(path, old, new)
    promoted.gate("check", "--quiet")
    assert len(model.prompts) >= CASES


def test_check__two_targets_one_changed_runs_only_that_one(promoted: Project, model: ModelServer) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["other"] = settings["targets"]["echo"] | {"prompt": "prompts/other.md"}
    promoted.write({"gate.yaml": json.dumps(settings), "prompts/other.md": "Repeat this: {{ word }}\n"})
    assert promoted.gate("promote", "--passes", "2", "--quiet").code == 0
    promoted.write({"prompts/other.md": "Repeat that: {{ word }}\n"})
    model.prompts.clear()
    assert promoted.gate("check", "--quiet").code == 0
    assert {prompt[:12] for prompt in model.prompts} == {"Repeat that:"}
    assert promoted.evidence()["unchanged"] == ["echo"]


def test_check__prompt_option_judges_a_draft(promoted: Project, model: ModelServer) -> None:
    model.prompts.clear()
    promoted.write({"draft.md": "Draft: {{ word }}\n"})
    ran = promoted.gate("check", "--quiet", "--prompt", "draft.md")
    assert ran.code == 0
    assert {prompt[:7] for prompt in model.prompts} == {"Draft: "}


def test_check__prompt_option_with_two_targets_says_to_name_one(promoted: Project) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["other"] = settings["targets"]["echo"]
    promoted.write({"gate.yaml": json.dumps(settings), "draft.md": "Draft: {{ word }}\n"})
    ran = promoted.gate("check", "--quiet", "--prompt", "draft.md")
    assert ran.code == 2
    assert "--target" in ran.err


def test_check__json_prints_the_decision(promoted: Project) -> None:
    ran = promoted.gate("check", "--quiet", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == promoted.decision()


def test_check__suite_option_of_no_suite_has_nothing_to_do(promoted: Project) -> None:
    ran = promoted.gate("check", "--quiet", "--suite", "ecko")
    assert ran.code == 3
    assert ran.err.startswith("error: no suite of target echo is selected\n help: its suites: echo\n")


def test_check__target_option_of_no_target_names_the_known_ones(promoted: Project) -> None:
    ran = promoted.gate("check", "--quiet", "--target", "ecko")
    assert ran.code == 2
    assert ran.err.startswith("error: there is no target 'ecko' in gate.yaml\n help: known: echo\n")
