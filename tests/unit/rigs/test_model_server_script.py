"""Latency, limits and outages by script, faults that last, and the script's JSON form."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import requests

from tests.rigs.model_server import (
    CaseAnswers,
    Fault,
    FaultKind,
    Latency,
    Limits,
    Outage,
    RunningServer,
    Said,
    Script,
    ToolUse,
)
from tests.rigs.model_server.draw import waits
from tests.rigs.model_server.limits import Limiter
from tests.rigs.model_server.script import dump_script, load_script

Post = Callable[..., requests.Response]

WORDS = "one two three four"
ASKED = b'POST /answer HTTP/1.1\r\nContent-Length: 13\r\n\r\n{"text": "x"}'


def wait_for_in_flight(server: RunningServer, number: int) -> None:
    for _ in range(400):
        if server.counts()["in_flight"] == number:
            return
        time.sleep(0.05)
    pytest.fail(f"never {number} in flight")


def test_drip__outlasts_the_patience_between_bytes(server: RunningServer, session: requests.Session) -> None:
    server.play(Script(default=WORDS, faults=(Fault(kind=FaultKind.DRIP, pause_ms=600_000),)))
    with session.post(f"{server.url}/answer", json={"text": "x"}, timeout=20, stream=True) as answer:
        assert answer.headers["Content-Length"] == str(len('{"text":"one two three four"}'))
        assert server.counts()["in_flight"] == 1


def test_silent__until_the_client_leaves(server: RunningServer, session: requests.Session) -> None:
    server.play(Script(faults=(Fault(kind=FaultKind.SILENT),)))
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.post(f"{server.url}/answer", json={"text": "x"}, timeout=0.2)
    session.close()
    wait_for_in_flight(server, 0)
    assert server.counts()["statuses"] == {"0": 1}


def test_outage(server: RunningServer, chat: Post) -> None:
    server.play(Script(outages=(Outage(first=2, last=4),)))
    assert [chat().status_code for _ in range(5)] == [200, 503, 503, 503, 200]


def test_limits__requests(server: RunningServer, chat: Post, messages: Post) -> None:
    server.play(Script(limits=Limits(requests_per_s=0.001, burst_s=2000)))
    passed = chat()
    assert passed.headers["x-ratelimit-limit-requests"] == "2"
    assert passed.headers["x-ratelimit-remaining-requests"] == "1"
    assert messages().headers["anthropic-ratelimit-requests-remaining"] == "0"
    refused = chat()
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 900 < int(refused.headers["Retry-After"]) <= 1000
    assert 900_000 < int(refused.headers["retry-after-ms"]) <= 1_000_000


def test_limits__tokens() -> None:
    limiter = Limiter(Limits(tokens_per_s=10, requests_per_s=1, burst_s=3), now=0.0)
    assert limiter.wait(25, now=0.0) == 0.0
    assert limiter.wait(25, now=0.0) == pytest.approx(2.0)
    assert limiter.wait(25, now=2.0) == 0.0
    # What is over the size of the bucket passes when that is full, and leaves a debt.
    assert limiter.wait(300, now=4.9) == pytest.approx(0.1)
    assert limiter.wait(300, now=5.0) == 0.0
    assert limiter.wait(1, now=5.0) == pytest.approx(27.1)


def test_limits__in_flight(server: RunningServer, chat: Post) -> None:
    server.play(Script(limits=Limits(in_flight=1), faults=(Fault(kind=FaultKind.SILENT, requests=(1,)),)))
    with socket.create_connection(("127.0.0.1", server.port)) as opened:
        opened.sendall(ASKED)
        wait_for_in_flight(server, 1)
        assert chat().status_code == 429
    assert server.counts()["most_in_flight"] == 2


def test_latency__requests_overlap(server: RunningServer) -> None:
    server.play(Script(latency=Latency(first_ms=300_000, rest_ms=300_000)))
    with ExitStack() as stack:
        for number in range(1, 4):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))).sendall(ASKED)
            wait_for_in_flight(server, number)
    wait_for_in_flight(server, 0)
    assert server.counts()["most_in_flight"] == 3


def test_latency__whole(server: RunningServer, chat: Post) -> None:
    server.play(Script(latency=Latency(first_ms=200, rest_ms=100)))
    assert chat().elapsed.total_seconds() >= 0.3


def test_latency__first_token_and_the_rest(server: RunningServer, session: requests.Session) -> None:
    server.play(Script(default=WORDS, latency=Latency(first_ms=200, rest_ms=300)))
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    started, seen = time.monotonic(), {}
    with session.post(f"{server.openai_url}/chat/completions", json=body, timeout=20, stream=True) as answer:
        for line in answer.iter_lines(chunk_size=1):
            seen.setdefault(line, time.monotonic() - started)
    tokens = [at for line, at in seen.items() if b'"content":"' in line and b'"content":""' not in line]
    assert len(tokens) == 4
    assert tokens[0] >= 0.2
    assert seen[b"data: [DONE]"] >= 0.5


def test_latency__lognormal_repeats() -> None:
    script = Script(seed=3, latency=Latency(first_ms=100, rest_ms=1000, sigma=0.5))
    found = [waits(script, "c", attempt) for attempt in range(1, 2001)]
    assert found == [waits(script, "c", attempt) for attempt in range(1, 2001)]
    firsts, rests = sorted(first for first, _ in found), sorted(rest for _, rest in found)
    assert firsts[1000] == pytest.approx(0.1, rel=0.05)
    assert rests[1000] == pytest.approx(1.0, rel=0.05)
    assert firsts[1900] == pytest.approx(0.1 * 2.276, rel=0.1)


def test_script__as_json_and_back() -> None:
    script = Script(
        seed=4,
        cases={"a": CaseAnswers(right=Said(calls=(ToolUse(name="t", arguments={"x": 1}),)), probability=0.25)},
        faults=(Fault(kind=FaultKind.DRIP, case="a", attempts=(1, 2), headers=(("A", "b"),)), Fault(requests=(7,))),
        latency=Latency(first_ms=1, sigma=0.1),
        limits=Limits(tokens_per_s=5),
        outages=(Outage(first=1, last=2),),
    )
    assert load_script(dump_script(script)) == script


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[]", "this is no script"),
        ("{", "Expecting property name"),
        ('{"sead": 1}', "unexpected keyword argument 'sead'"),
        ('{"cases": {"a": {"right": "x", "probability": 2}}}', "probability 2 is not within 0 and 1"),
        ('{"faults": [{"kind": "sulk"}]}', "'sulk' is not a valid FaultKind"),
    ],
)
def test_script__refused(body: str, words: str, server: RunningServer, session: requests.Session) -> None:
    answer = session.post(f"{server.url}/_script", data=body, timeout=20)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
