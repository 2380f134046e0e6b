"""Attacks of a pull request, an endpoint or an artifact that once went through."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.projects import (
    BASELINE,
    SUITE,
    WIDE,
    ModelServer,
    Project,
    Response,
    case_lines,
    completion,
    echo,
    echo_cases,
)

ADVERSARIAL = "kind: adversarial\nscope: set\nscorers: [{exact: {}}]\n"
PRICES = {"echo-1": {"input": 100, "output": 100}}


def answering(text: str, *, tokens: int = 5, model: str = "echo-1") -> Response:
    body = json.loads(completion(text))
    usage = {"prompt_tokens": tokens, "completion_tokens": 1}
    return Response(body=json.dumps({**body, "model": model, "usage": usage}).encode())


def settings(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "gate.yaml").read_text())


def test_check__renaming_a_case_plays_no_failure_down(project: Project, model: ModelServer) -> None:
    project.write({f"{SUITE}/suite.yaml": ADVERSARIAL, f"{SUITE}/cases.jsonl": case_lines(echo_cases(severity="P1"))})
    relaxed = dict.fromkeys(("task_success", "over_refusal", "cost"), "report")
    policy = {"profile": "merge", "margin": 0.5, "floors": {"safety": 0.5}, "dimensions": relaxed}
    project.write({"gate.yaml": json.dumps(settings(project) | {"policy": policy})})
    assert project.gate("promote", "--passes", "2", "--quiet").code == 0
    cases = echo_cases(severity="P1")
    del cases[2]["severity"]
    cases[2]["id"] = "another"
    project.repository().commit({f"{SUITE}/cases.jsonl": case_lines(cases)})
    model.answers = lambda prompt: "leak" if echo(prompt) == "w-03" else echo(prompt)
    assert project.gate("check", "--all", "--quiet", "--base", "HEAD^").code == 20
    said = project.sentences()
    assert "veto ROLLBACK True echo: new P1 failure, confirmed: another" in said
    assert "1 case called less severe, which was not followed: another" in said


def test_check__renamed_cases_are_compared(promoted: Project, model: ModelServer) -> None:
    cases = echo_cases()
    for case in cases[:18]:
        case["id"] = f"x-{case['id']}"
    promoted.repository().commit({f"{SUITE}/cases.jsonl": case_lines(cases)})
    model.answers = lambda prompt: "no" if echo(prompt) < "w-19" else echo(prompt)
    ran = promoted.gate("check", "--all", "--quiet", "--base", "HEAD^")
    assert ran.code == 20
    assert "cases not compared" not in ran.out


def test_check__cost_that_few_answers_report_is_not_within_the_limit(project: Project, model: ModelServer) -> None:
    policy = {"profile": "ci", "margins": WIDE, "dimensions": {"cost": "block"}}
    project.write({"gate.yaml": json.dumps(settings(project) | {"policy": policy, "prices": PRICES})})
    assert project.gate("promote", "--passes", "2", "--quiet").code == 0
    silent = json.dumps({"choices": [{"message": {"content": "x"}}]})

    def answer(prompt: str) -> str | Response:
        word = echo(prompt)
        return word if word < "w-03" else Response(body=silent.replace('"x"', f'"{word}"').encode())

    model.answers = answer
    assert project.gate("check", "--all", "--quiet").code == 10
    assert "cost HOLD True echo: cost is not available, because 2 of 36 cases have it in dollars" in project.sentences()


def test_check__model_without_a_price_does_not_turn_dollars_into_tokens(project: Project, model: ModelServer) -> None:
    policy = {"profile": "ci", "margins": WIDE, "dimensions": {"cost": "block"}}
    project.write({"gate.yaml": json.dumps(settings(project) | {"policy": policy, "prices": PRICES})})
    assert project.gate("promote", "--passes", "2", "--quiet").code == 0
    model.answers = lambda prompt: answering(echo(prompt), model="dear-9")
    assert project.gate("check", "--all", "--quiet").code == 10
    assert "cost is not available, because 0 of 36 cases have it in dollars" in project.sentences()


@pytest.mark.parametrize("tokens", [10**12 + 1, 10**200, 10**400], ids=["trillions", "no square", "no float"])
def test_check__usage_that_no_call_can_have_is_unreadable(tokens: int, promoted: Project, model: ModelServer) -> None:
    model.answers = lambda prompt: answering(echo(prompt), tokens=tokens)
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 10, ran.err
    assert "36 of 36 trials have no score (36 unreadable answer)" in promoted.sentences()


def test_check__symlinks_in_the_out_folder_are_not_followed(promoted: Project) -> None:
    victim = promoted.root / "victim"
    victim.write_text("precious")
    promoted.record.mkdir(exist_ok=True)
    for name in ("trials.jsonl", ".decision.json.partial", "comment.md"):
        (promoted.record / name).unlink(missing_ok=True)
        (promoted.record / name).symlink_to(victim)
    assert promoted.gate("check", "--all", "--quiet").code == 0
    assert victim.read_text() == "precious"
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0


@pytest.mark.parametrize("link", ["lockgate-out", "lockgate-out/inputs"])
def test_check__out_folder_that_leads_elsewhere_is_refused(link: str, promoted: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (promoted.root / link).parent.mkdir(exist_ok=True)
    (promoted.root / link).symlink_to(elsewhere)
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 2, ran.text
    assert "symlink" in ran.err
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("command", [("replay", "lockgate-out/decision.json"), ("show",)])
@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../../etc/passwd", "pipe", "zero"])
def test_record__inputs_outside_of_it_or_without_an_end(path: str, command: tuple[str, ...], promoted: Project) -> None:
    assert promoted.gate("check", "--all", "--quiet").code == 0
    os.mkfifo(promoted.record / "pipe")
    (promoted.record / "zero").symlink_to("/dev/zero")
    record = promoted.decision()
    record["inputs"]["policy"]["path"] = path
    promoted.write({"lockgate-out/decision.json": json.dumps(record)})
    ran = promoted.gate(*command)
    assert ran.code == (4 if command[0] == "replay" else 2), ran.err
    assert "not a regular file" in ran.err or "lies outside of the folder" in ran.err


@pytest.mark.parametrize("change", [{"as_of": "tomorrow"}, {"as_of": "2026-02-30"}, {"inputs": {}}])
def test_record__that_is_no_decision(change: dict[str, object], promoted: Project) -> None:
    assert promoted.gate("check", "--all", "--quiet").code == 0
    promoted.write({"lockgate-out/decision.json": json.dumps(promoted.decision() | change)})
    assert promoted.gate("show").code == 2
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 4


def test_check__key_spelled_with_escapes_is_masked(
    project: Project, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-planted-0123456789"
    monkeypatch.setenv("MY_KEY", key)
    project.edit("gate.yaml", '"temperature": 0.2', '"temperature": 0.2, "api_key": "MY_KEY"')
    project.edit("gate.yaml", '"version": 1', '"version": 1, "credentials": {"MY_KEY": ["127.0.0.1"]}')
    model.answers = lambda _prompt: Response(body=completion(f"é {key}").replace(b"sk-", b"sk\\u002d"))
    project.gate("check", "--quiet", "--passes", "1")
    assert {trial["answer"]["text"] for trial in project.trials()} == {"é ***"}


def test_check__edits_of_the_judge_are_named_wherever_it_lies(promoted: Project) -> None:
    moved = settings(promoted)
    moved["targets"]["echo"]["suites"] = ["evals/echo"]
    promoted.write({"ci/gate.yaml": json.dumps(moved)})
    for name in ("suite.yaml", "cases.jsonl"):
        promoted.write({f"evals/echo/{name}": (promoted.root / SUITE / name).read_text()})
    repository = promoted.repository()
    repository.commit({"ci/gate.yaml": json.dumps(moved | {"mode": "advisory"})})
    repository.commit({"evals/echo/suite.yaml": "kind: golden\nscorers: [{length: {maximum: 999}}]\n"})
    promoted.gate("check", "--all", "--quiet", "--config", "ci/gate.yaml", "--base", "HEAD~2")
    summary = (promoted.record / "summary.md").read_text()
    assert "This change edits the gate itself: `ci/gate.yaml`, `evals/echo/suite.yaml`." in summary


def test_check__change_cannot_hide_its_edits_while_it_is_run(promoted: Project) -> None:
    target = {"command": ["sh", "answer.sh"], "suites": [SUITE], "timeout": 20, "concurrency": 2}
    tidy = "cp kept.json " + BASELINE + '\nexec sed \'s/.*"word": "\\([^"]*\\)".*/"\\1"/\'\n'
    promoted.write({"gate.yaml": json.dumps(settings(promoted) | {"targets": {"echo": target}}), "answer.sh": tidy})
    promoted.write({"kept.json": (promoted.root / BASELINE).read_text()})
    promoted.repository().commit({BASELINE: "{}\n"})
    promoted.gate("check", "--all", "--quiet", "--base", "HEAD^", "--passes", "1")
    assert f"This change edits the gate itself: `{BASELINE}`." in (promoted.record / "summary.md").read_text()
