"""With `--base REF` the base judges: whatever a change does to its own judge is shown and not obeyed."""

from __future__ import annotations

import json

import pytest

from tests.projects import (
    BASELINE,
    CASES,
    SUITE,
    ModelServer,
    Project,
    case_lines,
    echo,
    echo_cases,
    echo_files,
    gate_yaml,
    serving,
)
from tests.rigs.repository import Repository

WORSE = {"prompts/echo.md": "{{ word }} is to be repeated.\n"}
KEY = "sk-planted-0123456789"


@pytest.fixture
def repository(promoted: Project) -> Repository:
    return promoted.repository()


def test_check__base_edits_of_the_margin_are_not_obeyed(repository: Repository, promoted: Project) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    wide = {"margin": 0.99, "margins": {"task_success": 0.99}}
    settings["policy"] = {"profile": "ci", "floors": {"task_success": 0.01}, **wide}
    repository.commit({**WORSE, "gate.yaml": json.dumps(settings)})
    ran = promoted.gate("check", "--quiet", "--base", "HEAD^")
    assert ran.code == 20
    policy = json.loads((promoted.record / "inputs/policy.json").read_text())
    assert policy["margin"] == 0.1
    asked = dict(policy["requirements"])["task_success"]
    assert (asked["floor"], asked["margin"]) == (0.8, 0.1)
    summary = (promoted.record / "summary.md").read_text()
    assert "gate.yaml" in summary
    for shown in ("summary.md", "comment.md"):
        text = (promoted.record / shown).read_text()
        assert "- `policy.margin`: `0.1` \\-\\> `0.99`, not followed" in text
        assert "- `policy.floors.task_success`: `not set` \\-\\> `0.01`, not followed" in text
    assert "policy.margin: 0.1 -> 0.99, not followed" in ran.out


def test_check__target_that_is_pointed_at_a_good_copy__is_named(repository: Repository, promoted: Project) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["echo"]["prompt"] = "prompts/copy.md"
    copy = (promoted.root / "prompts/echo.md").read_text()
    repository.commit({**WORSE, "prompts/copy.md": copy, "gate.yaml": json.dumps(settings)})
    ran = promoted.gate("check", "--quiet", "--base", "HEAD^")
    assert ran.code == 0, ran.text
    told = "targets.echo.prompt: prompts/echo.md -> prompts/copy.md, followed: only the new one is judged"
    assert told in " ".join(ran.out.split())
    assert "`prompts/copy.md`, followed: only the new one is judged" in (promoted.record / "comment.md").read_text()


def test_check__base_mode_counts_and_not_the_changes(repository: Repository, promoted: Project) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text()) | {"mode": "advisory"}
    repository.commit({**WORSE, "gate.yaml": json.dumps(settings)})
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 20
    assert promoted.gate("check", "--quiet").code == 0


def test_check__base_baseline_counts_and_not_the_changes(repository: Repository, promoted: Project) -> None:
    promoted.write({BASELINE: None, **WORSE})
    promoted.edit("gate.yaml", '"margin": 0.1', '"margin": 0.1, "floors": {"task_success": 0.01}')
    promoted.gate("promote", "--passes", "2", "--quiet")
    repository.commit({})
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 20
    repository.commit({BASELINE: None})
    assert promoted.gate("check", "--quiet", "--base", "HEAD~2").code == 20


def test_check__base_waivers_count_and_not_the_changes(repository: Repository, promoted: Project) -> None:
    waiver = {"suite": "echo", "case": "w-01", "reason": "x", "by": "me", "expires": "2026-11-30"}
    repository.commit({"gate-waivers.yaml": json.dumps([waiver])})
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 0
    assert json.loads((promoted.record / "inputs/policy.json").read_text())["waivers"] == []


def test_check__base_suite_that_the_change_drops_is_run(promoted: Project, model: ModelServer) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["echo"]["suites"] = [SUITE, "golden_sets/second"]
    files = echo_files(model.url)
    promoted.write(
        {
            "gate.yaml": json.dumps(settings),
            "golden_sets/second/suite.yaml": files[f"{SUITE}/suite.yaml"],
            "golden_sets/second/cases.jsonl": case_lines([{**case, "id": f"s{case['id']}"} for case in echo_cases()]),
        }
    )
    assert promoted.gate("promote", "--passes", "2", "--quiet").code == 0
    repository = promoted.repository()
    settings["targets"]["echo"]["suites"] = [SUITE]
    repository.commit({"gate.yaml": json.dumps(settings)})
    model.prompts.clear()
    assert promoted.gate("check", "--all", "--quiet", "--base", "HEAD^").code == 0
    assert len(model.prompts) == 2 * CASES
    # With its cases deleted, those of the base are asked.
    repository.commit({"golden_sets/second/cases.jsonl": None})
    model.prompts.clear()
    assert promoted.gate("check", "--all", "--quiet", "--base", "HEAD~2").code == 0
    assert len(model.prompts) == 2 * CASES
    assert "second: 36 cases removed, judged as the base has them" in promoted.sentences()
    # As long as it is named, there is nothing to run: an error that names the file, not a pass.
    settings["targets"]["echo"]["suites"] = [SUITE, "golden_sets/second"]
    repository.commit({"gate.yaml": json.dumps(settings)})
    ran = promoted.gate("check", "--all", "--quiet", "--base", "HEAD~3")
    assert ran.code == 2
    assert ran.err.startswith("error: golden_sets/second/cases.jsonl:1: the file does not exist in the working tree")


def test_check__base_target_that_the_change_drops_is_not_forgotten(promoted: Project, model: ModelServer) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["other"] = settings["targets"]["echo"]
    promoted.write({"gate.yaml": json.dumps(settings)})
    assert promoted.gate("promote", "--passes", "2", "--quiet").code == 0
    repository = promoted.repository()
    del settings["targets"]["other"]
    repository.commit({"gate.yaml": json.dumps(settings)})
    assert promoted.gate("check", "--all", "--quiet", "--base", "HEAD^").code == 0
    assert [suite["identity"]["target"] for suite in promoted.evidence()["suites"]] == ["echo", "other"]
    repository.commit(WORSE)
    assert promoted.gate("check", "--quiet", "--base", "HEAD~2", "--target", "other").code == 20


def test_check__base_suite_cannot_be_shadowed_by_one_of_the_same_name(
    repository: Repository, promoted: Project, model: ModelServer
) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["echo"]["suites"] = ["mine/echo"]
    lenient = {
        "mine/echo/suite.yaml": "kind: golden\nscorers: [{length: {maximum: 1000}}]\n",
        "mine/echo/cases.jsonl": case_lines(echo_cases()),
    }
    repository.commit({**WORSE, **lenient, "gate.yaml": json.dumps(settings)})
    model.prompts.clear()
    ran = promoted.gate("check", "--quiet", "--base", "HEAD^")
    assert (ran.code, model.prompts) == (2, [])
    assert ran.err.startswith(
        f"error: target echo: the suite mine/echo has the name of the base's suite {SUITE}\n"
        " help: give the new suite another name\n"
    )


def test_check__base_scorers_judge_and_not_the_changes(repository: Repository, promoted: Project) -> None:
    always = {"judge.py": "def score(document): return 1\n"}
    suite = {f"{SUITE}/suite.yaml": "kind: golden\nscorers: [{python: {call: 'judge:score'}}]\n"}
    repository.commit({**WORSE, **always, **suite})
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 20
    assert {score["scorer"] for trial in promoted.trials() for score in trial["scores"]} == {"exact"}


def test_check__base_code_of_a_custom_scorer_judges(project: Project) -> None:
    suite = {f"{SUITE}/suite.yaml": "kind: golden\nscope: set\nscorers: [{python: {call: 'judges.judge:score'}}]\n"}
    project.write({**suite, f"{SUITE}/cases.jsonl": case_lines(echo_cases(2))})
    project.write({"judges/__init__.py": "", "judges/judge.py": "def score(document): return 0.25\n"})
    repository = project.repository()
    repository.commit({"judges/judge.py": "def score(document): return 1\n"})
    assert project.gate("check", "--quiet", "--base", "HEAD^", "--passes", "1").code == 10
    assert [trial["value"] for trial in project.trials()] == [0.25, 0.25]
    assert project.gate("check", "--quiet", "--passes", "1").code == 10
    assert [trial["value"] for trial in project.trials()] == [1.0, 1.0]


def test_check__base_credentials_count_and_nothing_is_sent_to_a_new_host(
    promoted: Project, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    promoted.edit("gate.yaml", '"temperature": 0.2', '"temperature": 0.2, "api_key": "MY_KEY"')
    promoted.edit("gate.yaml", '"version": 1', '"version": 1, "credentials": {"MY_KEY": ["127.0.0.1"]}')
    assert promoted.gate("promote", "--passes", "1", "--quiet").code == 0
    assert set(model.keys[-CASES:]) == {f"Bearer {KEY}"}
    repository = promoted.repository()
    with serving() as other:
        promoted.edit("gate.yaml", '"127.0.0.1"', '"127.0.0.1", "localhost"')
        promoted.edit("gate.yaml", model.url, other.url.replace("127.0.0.1", "localhost"))
        repository.commit({})
        model.prompts.clear()
        ran = promoted.gate("check", "--quiet", "--base", "HEAD^")
        assert (other.prompts, model.prompts) == ([], [])
    assert ran.code == 10
    assert "36 host not listed under credentials" in promoted.sentences()
    assert {trial["detail"] for trial in promoted.trials()} == {
        "MY_KEY may not be sent to localhost: gate.yaml of the base ref does not list it under credentials"
    }


def test_check__base_budget_counts_and_not_the_changes(promoted: Project, model: ModelServer) -> None:
    promoted.edit("gate.yaml", '"version": 1', '"version": 1, "budget": {"calls": 10}')
    repository = promoted.repository()
    promoted.edit("gate.yaml", '"calls": 10', '"calls": 10000')
    repository.commit({})
    model.prompts.clear()
    assert promoted.gate("check", "--all", "--quiet", "--base", "HEAD^").code == 10
    assert len(model.prompts) == 10


def test_check__base_without_gate_yaml_is_decided_for_show(promoted: Project, model: ModelServer) -> None:
    files = {path: (promoted.root / path).read_text() for path in ("gate.yaml", BASELINE)}
    for path in files:
        (promoted.root / path).unlink()
    repository = promoted.repository()
    repository.commit({**files, **WORSE})
    ran = promoted.gate("check", "--quiet", "--base", "HEAD^")
    assert ran.code == 0
    assert ran.out.startswith("■ HOLD: not shown either way\n")
    assert json.loads((promoted.record / "inputs/policy.json").read_text())["mode"] == "advisory"
    assert "there is no baseline yet" in promoted.sentences()


def test_check__suite_that_the_base_does_not_know_is_decided_for_show(
    repository: Repository, promoted: Project, model: ModelServer
) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["echo"]["suites"] = [SUITE, "golden_sets/new"]
    cases = [{**case, "id": f"n{case['id']}", "expected": {"answer": "never"}} for case in echo_cases()]
    new = {"golden_sets/new/suite.yaml": "kind: golden\nscorers: [{exact: {}}]\n"}
    repository.commit({**new, "golden_sets/new/cases.jsonl": case_lines(cases), "gate.yaml": json.dumps(settings)})
    ran = promoted.gate("check", "--all", "--quiet", "--base", "HEAD^")
    assert ran.code == 0, ran.text
    assert "floor ROLLBACK False new: task_success 0.0 %" in promoted.sentences()
    assert "there is no baseline yet (baselines/echo/new.json)" in promoted.sentences()


def test_check__edits_of_failing_cases_are_flagged(project: Project, model: ModelServer) -> None:
    model.answers = lambda prompt: "no" if echo(prompt) == "w-03" else echo(prompt)
    assert project.gate("promote", "--passes", "2", "--quiet").code == 0
    repository = project.repository()
    cases = echo_cases()
    cases[2]["expected"] = {"answer": "no"}
    repository.commit({f"{SUITE}/cases.jsonl": case_lines(cases)})
    ran = project.gate("check", "--quiet", "--base", "HEAD^")
    assert ran.code == 0
    assert "1 of the removed or edited cases failed in the baseline: w-03" in " ".join(ran.out.split())


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=x", "main:gate.yaml", "HEAD~9", "a b"])
def test_check__base_ref_that_is_not_there(ref: str, repository: Repository, promoted: Project) -> None:
    ran = promoted.gate("check", "--quiet", f"--base={ref}")
    assert ran.code == 2
    assert ran.err.startswith("error: ")
    assert " help: " in ran.err
    assert not (promoted.record / "decision.json").exists()


def test_check__base_outside_of_a_repository(promoted: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(promoted.root.parent))
    ran = promoted.gate("check", "--quiet", "--base", "HEAD")
    assert ran.code == 2
    assert "is not a git repository" in ran.err


def test_check__base_profile_of_the_change_is_not_used(repository: Repository, promoted: Project) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["policy"] = {"profile": "launch", "dimensions": {"task_success": "report"}}
    repository.commit({**WORSE, "gate.yaml": gate_yaml(settings["targets"], policy=settings["policy"])})
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 20
