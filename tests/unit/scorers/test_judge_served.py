"""Judges whose model is a real server on this machine: replies, outages and position bias over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.core.judging import Desk, Judge, Opinion
from gate.core.model import Missing
from gate.runner.asking import Asking
from gate.runner.budget import Budget, Ceilings
from gate.runner.judge_calls import JudgeCalls
from gate.targets.definition import TargetDefinition
from gate.targets.table import build_target
from tests.rigs.model_server import CaseAnswers, Fault, RunningServer, Script, running_server
from tests.unit.scorers.exhibits import exhibit, judge, unscored
from tests.unit.scorers.judging import better, make_judge, scored


@pytest.fixture(scope="module")
def served() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


def seated(judge: Judge, server: RunningServer) -> tuple[Judge, JudgeCalls]:
    """The judge with its model on the server."""
    definition = TargetDefinition(
        name="judge", provider="openai", model="judge-1", base_url=server.openai_url, max_output_tokens=99, timeout_s=20
    )
    target = build_target(definition, environ={}, root=Path(), prices={})
    calls = JudgeCalls()
    ask = calls.ask_of(Asking(budget=Budget(Ceilings(), lambda: 0.0)), target)
    return judge.bound(Desk(ask=ask, pass_mark=0.7, references={"en-0001": "old"})), calls


def test_score__votes_that_disagree(served: RunningServer) -> None:
    answers = CaseAnswers(right=scored(5), wrong=scored(1), probability=0.5)
    served.play(Script(seed=3, cases={"q": answers}))
    made, calls = seated(make_judge(question="Is [case:q] polite?", votes=9), served)
    value, said = judge(made, exhibit("Thanks!"))
    votes = said.split("votes ")[1].split(";")[0].split(", ")
    assert {"1", "5"} == set(votes)
    assert value == (1.0 if votes.count("5") > 4 else 0.0)
    assert calls.calls == 9


def test_score__malformed(served: RunningServer) -> None:
    served.play(Script(default="I would say 5."))
    made, calls = seated(make_judge(), served)
    assert "no usable answer in 2 attempts: the answer is not JSON" in unscored(made, exhibit("x")).detail
    assert (calls.calls, calls.tokens > 0) == (2, True)


def test_score__outage(served: RunningServer) -> None:
    served.play(Script(default=scored(5), faults=(Fault(status=401),)))
    made, calls = seated(make_judge(), served)
    result = unscored(made, exhibit("x"))
    assert result.reason is Missing.SCORER_FAILED
    assert result.detail.startswith("the judge gave no answer: key not accepted by the endpoint: ")
    assert calls.calls == 1


def test_score__position_bias(served: RunningServer) -> None:
    served.play(Script(default=better("first")))
    made, calls = seated(make_judge("prefer"), served)
    result = made.score(exhibit("new"))
    assert isinstance(result, Opinion)
    assert (result.value, result.agreed, result.first, calls.calls) == (0.5, False, 2, 2)


def test_prompt__names_no_model(served: RunningServer) -> None:
    served.play(Script(default=scored(5)))
    served.forget()
    made, _ = seated(make_judge(votes=1), served)
    made.score(exhibit("x"))
    (request,) = served.requests()
    assert "judge-1" not in str(request["body"]["messages"])
