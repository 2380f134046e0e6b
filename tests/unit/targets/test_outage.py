"""A target against a server that is overloaded, limits its callers, or is down: no wasted calls, and an end."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Missing, Unanswered
from gate.targets import pacing
from gate.targets.definition import TargetDefinition
from gate.targets.exchange import HttpTarget
from gate.targets.pacing import FAILURES_TO_REST, Limits, Pace, Paces
from gate.targets.table import build_target
from tests.rigs.model_server import Latency, Outage, Script, running_server
from tests.rigs.model_server import Limits as ServerLimits
from tests.unit.targets.endpoints import say, serving

REPLY = b'{"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}'


def target(url: str, **changes: object) -> HttpTarget:
    definition = TargetDefinition(
        name="t", provider="openai", model="gpt-4.1-mini-2025-04-14", base_url=url, timeout_s=20.0
    )
    built = build_target(replace(definition, **changes), environ={}, root=None, prices={}, paces=Paces())  # type: ignore[arg-type]
    assert isinstance(built, HttpTarget)
    return built


def ask_all(asked: HttpTarget, calls: int, workers: int) -> list[Answer | Unanswered]:
    every = [Call(case_id=f"c{i}", prompt="hello", variables={}, seed=i) for i in range(calls)]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(asked.answer, every))


def test_answer__server_takes_four_at_a_time__all_are_answered_and_the_pace_falls() -> None:
    with running_server(Script(limits=ServerLimits(in_flight=4), latency=Latency(first_ms=40.0))) as server:
        asked = target(server.openai_url)
        answers = ask_all(asked, 120, 16)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert asked.pace._allowed < 256


def test_answer__server_is_down__ends_soon_and_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "RESTS_S", (0.1, 0.2, 0.3))
    with running_server(Script(outages=(Outage(first=1, last=10**9),))) as server:
        asked = target(server.openai_url)
        answers = ask_all(asked, 200, 8)
        requests = server.counts()["total"]
    assert {type(answer) for answer in answers} == {Unanswered}
    reasons = {answer.reason for answer in answers if isinstance(answer, Unanswered)}
    assert Missing.PROVIDER_DOWN in reasons
    assert FAILURES_TO_REST <= requests < 60
    last = answers[-1]
    assert isinstance(last, Unanswered)
    assert last.detail.startswith("the provider is down, and was not asked again: status 503")


def test_answer__own_limit__is_kept() -> None:
    with running_server(Script()) as server:
        asked = target(server.openai_url, limits=Limits(requests_per_minute=1200))
        answers = ask_all(asked, 30, 8)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert isinstance(asked.pace, Pace)
    assert asked.pace._requests.left <= 1.0


def test_answer__one_key_is_refused__stops_only_who_asks_with_it() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        good = handler.headers["Authorization"] == "Bearer sk-good"
        say(REPLY if good else b"who are you", status=200 if good else 401)(handler)

    with serving(respond) as server:
        definition = TargetDefinition(
            name="t",
            provider="openai",
            model="gpt-4.1-mini-2025-04-14",
            base_url=server.url,
            timeout_s=20.0,
            allowed_hosts={"GOOD": ("127.0.0.1",), "BAD": ("127.0.0.1",)},
        )
        paces, environ = Paces(), {"GOOD": "sk-good", "BAD": "sk-bad"}
        judge, target = (
            build_target(replace(definition, api_key_name=name), environ=environ, root=Path(), prices={}, paces=paces)
            for name in ("BAD", "GOOD")
        )
        assert isinstance(judge, HttpTarget)
        assert isinstance(target, HttpTarget)
        assert judge.pace is target.pace
        refused = ask_all(judge, 20, 1)
        answered = ask_all(target, 20, 4)
        seen = len(server.seen)
    assert {type(one) for one in refused} == {Unanswered}
    last = refused[-1]
    assert isinstance(last, Unanswered)
    assert last.detail == "the provider refuses the key, and was not asked again: status 401: who are you"
    assert all(isinstance(one, Answer) for one in answered)
    assert seen == FAILURES_TO_REST + 20
