"""What could not be measured is HOLD with its reason: never a pass, and never a regression."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest

from tests.projects import CASES, SUITE, ModelServer, Project, Response, case_lines, echo, echo_cases

CUSTOM = "kind: golden\nscorers: [{python: {call: 'judge:score'}}]\n"


def held(project: Project, *words: str) -> str:
    """The decision's sentences after a check that must hold."""
    ran = project.gate("check", "--all", "--quiet", *words)
    assert ran.code == 10, ran.text
    assert ran.out.startswith("■ HOLD: not shown either way\n")
    assert project.decision()["outcome"] == "HOLD"
    return project.sentences()


def details(project: Project) -> set[tuple[str, str]]:
    return {(trial["missing"], trial["detail"]) for trial in project.trials()}


def test_check__endpoint_refuses_connections(promoted: Project, model: ModelServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["echo"]["model"]["base_url"] = f"http://127.0.0.1:{port}/v1"
    settings["targets"]["echo"]["concurrency"] = CASES
    promoted.write({"gate.yaml": json.dumps(settings)})
    said = held(promoted)
    assert "completeness HOLD True echo: 36 of 36 trials have no score (" in said
    assert "connection refused" in said
    assert "regression" not in said
    assert ("connection refused", "127.0.0.1 refused the connection") in details(promoted)


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (Response(status=400, body=b"no\x1b[2J"), "error status from the endpoint", r"status 400: no\x1b[2J"),
        (Response(body=b"<html>Log in</html>"), "unreadable answer", "the answer is HTML"),
        (Response(body=b"ok"), "unreadable answer", "the answer is not JSON"),
        (Response(body=b'{"choices": []}'), "unreadable answer", "the answer has no choices[0].message"),
        (
            Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
            "error status from the endpoint",
            "status 302: redirects are off",
        ),
        (Response(body=b" " * 2_000_001), "answer over the size limit", "the answer is over 2000000 bytes"),
    ],
)
def test_check__every_trial_errs(
    answer: Response, reason: str, detail: str, promoted: Project, model: ModelServer
) -> None:
    model.answers = lambda _prompt: answer
    said = held(promoted)
    assert f"echo: 36 of 36 trials have no score (36 {reason})" in said
    assert details(promoted) == {(reason, detail)}
    assert "regression" not in said


def test_check__endpoint_says_500_for_ever(promoted: Project, model: ModelServer) -> None:
    promoted.edit("gate.yaml", '"timeout": 5', '"timeout": 0.5, "concurrency": 36')
    model.answers = lambda _prompt: Response(status=500, body=b"boom")
    model.prompts.clear()
    said = held(promoted)
    assert "36 of 36 trials have no score (" in said
    assert "error status from the endpoint" in said
    # Two attempts fit into half a second; nothing is asked for a second pass.
    assert len(model.prompts) <= 3 * CASES


def test_check__error_without_a_baseline_is_held_too(project: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: Response(status=400)
    said = held(project)
    assert "there is no baseline yet (baselines/echo/echo.json)" in said
    assert "36 error status from the endpoint" in said


def failing(*words: str) -> Callable[[str], str | Response]:
    return lambda prompt: Response(status=400) if echo(prompt) in words else echo(prompt)


def test_check__one_of_many_errors_and_the_verdict_stands(promoted: Project, model: ModelServer) -> None:
    # Even if the missing trial were a failure, a drop of 30 points would be ruled out.
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["policy"] |= {"margins": {"task_success": 0.3}}
    promoted.write({"gate.yaml": json.dumps(settings)})
    model.answers = failing("w-07")
    ran = promoted.gate("check", "--all")
    assert (ran.code, promoted.decision()["outcome"]) == (0, "PROMOTE")
    assert "echo: 35 of 36 trials scored" in promoted.sentences()
    assert "1 trial unscored (1 error status from the endpoint)" in " ".join(ran.out.split())


def test_check__one_of_many_errors_and_the_verdict_hangs_on_it(promoted: Project, model: ModelServer) -> None:
    model.answers = failing("w-07")
    said = held(promoted, "--passes", "1")
    assert "echo: 35 of 36 trials scored" in said
    assert "completeness HOLD True echo: the result depends on 1 case with unscored trials: w-07" in said


def test_check__two_of_many_errors_are_too_many(promoted: Project, model: ModelServer) -> None:
    model.answers = failing("w-07", "w-08")
    assert "echo: 2 of 36 trials have no score" in held(promoted, "--passes", "1")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("return float('nan')", "Out of range float values are not JSON compliant"),
        ("return 1.5", "judge:score must return a number from 0 to 1, not 1.5"),
        ("return -0.1", "judge:score must return a number from 0 to 1, not -0.1"),
        ("return 'good'", "judge:score must return a number from 0 to 1, not text"),
        ("return True", "judge:score must return a number from 0 to 1, not"),
        ("raise KeyError('intent')", "judge:score raised KeyError: 'intent'"),
        ("import os; os._exit(3)", "ended with exit code 3"),
    ],
)
def test_check__custom_scorer_that_gives_no_score(body: str, detail: str, project: Project, model: ModelServer) -> None:
    project.write({f"{SUITE}/cases.jsonl": case_lines(echo_cases(3)), f"{SUITE}/suite.yaml": "scope: set\n" + CUSTOM})
    project.write({"judge.py": f"def score(document):\n    {body}\n"})
    said = held(project)
    assert "echo: 3 of 3 trials have no score (3 scorer failed)" in said
    assert [trial["passed"] for trial in project.trials()] == [False] * 3
    assert all(trial["value"] is None and detail in trial["detail"] for trial in project.trials())


def test_check__budget_of_calls_reached_midway(promoted: Project, model: ModelServer) -> None:
    promoted.edit("gate.yaml", '"version": 1', '"version": 1, "budget": {"calls": 20}')
    model.prompts.clear()
    said = held(promoted)
    assert "the evidence is incomplete: the budget of 20 calls is used up" in said
    assert "16 of 36 trials have no score (never run)" in said
    assert (len(model.prompts), len(promoted.trials())) == (20, 20)


def test_check__budget_reached_in_a_later_pass_gives_no_verdict(promoted: Project, model: ModelServer) -> None:
    # A third of the answers is wrong: harm would be shown soon, and must not be by a run that was cut.
    promoted.edit("gate.yaml", '"version": 1', '"version": 1, "budget": {"calls": 40}')
    model.answers = lambda prompt: "no" if echo(prompt)[-1] == "2" else echo(prompt)
    said = held(promoted)
    assert "the budget of 40 calls is used up" in said


def test_check__budget_in_dollars_from_the_command_line_only_lowers(promoted: Project, model: ModelServer) -> None:
    promoted.edit("gate.yaml", '"version": 1', '"version": 1, "prices": {"echo-1": {"input": 100000, "output": 0}}')
    assert promoted.gate("promote", "--passes", "2", "--quiet").code == 0
    # Each call costs half a dollar; eight are on their way when the second dollar is spent.
    model.prompts.clear()
    assert "the budget of 1 dollars is used up" in held(promoted, "--budget-usd", "1")
    assert 2 <= len(model.prompts) <= 10
    assert promoted.gate("check", "--all", "--quiet").code == 0


def test_promote__incomplete_evidence_is_refused(promoted: Project, model: ModelServer) -> None:
    before = (promoted.root / "baselines/echo/echo.json").read_bytes()
    model.answers = failing("w-01", "w-02", "w-03")
    ran = promoted.gate("promote", "--passes", "2", "--quiet")
    assert ran.code == 10
    assert ran.out.startswith("the baseline stays as it is: HOLD\n- echo: 6 of 72 trials have no score")
    assert (promoted.root / "baselines/echo/echo.json").read_bytes() == before


def test_promote__first_baseline_needs_complete_evidence(project: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: Response(status=400)
    assert project.gate("promote", "--passes", "1", "--quiet").code == 10
    assert not (project.root / "baselines").exists()


def test_promote__version_below_the_floor_is_refused_even_without_a_baseline(
    project: Project, model: ModelServer
) -> None:
    model.answers = lambda _prompt: "no"
    ran = project.gate("promote", "--passes", "1", "--quiet")
    assert ran.code == 20
    assert "the floor is 80.0 %" in ran.out
    assert not (project.root / "baselines").exists()
