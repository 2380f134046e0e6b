"""The OpenAI-compatible target against real sockets on this machine."""

from __future__ import annotations

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Json, Missing, Target, ToolCall, Unanswered, Usage
from gate.errors import ConfigurationError
from gate.targets.exchange import HttpTarget
from gate.targets.prices import Price
from gate.targets.table import build_target
from tests.unit.targets.endpoints import Endpoint, Respond, define, in_turn, say, serving

KEY = "sk-planted-secret-0123456789"
CALL = Call(case_id="c-1", prompt="Grüße \ud800", variables={}, seed=7)
MESSAGE: dict[str, Json] = {"role": "assistant", "content": "hé"}
REPLY: dict[str, Json] = {"model": "m-1-2025", "choices": [{"message": MESSAGE}]}


def build(url: str | None, **changes: object) -> Target:
    prices = {"m-1-2025": Price(input=1.0, output=2.0)}
    environ = {"MY_KEY": KEY + "\n", "OPENAI_API_KEY": KEY}
    return build_target(define(url, **changes), environ=environ, root=Path("/"), prices=prices)


def ask(respond: Respond, **changes: object) -> tuple[Answer | Unanswered, Endpoint]:
    with serving(respond) as endpoint:
        result = build(endpoint.url, **changes).answer(CALL)
    assert KEY not in repr(result)
    return result, endpoint


def test_answer__sends_one_user_message_and_the_given_parameters() -> None:
    _, endpoint = ask(say(REPLY), temperature=0.0, max_output_tokens=9, seed=3)
    path, headers, body = endpoint.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Content-Type"] == "application/json"
    message = {"role": "user", "content": "Grüße \ud800"}
    assert body == {"model": "m-1", "messages": [message], "temperature": 0.0, "max_tokens": 9, "seed": 3}


def test_answer__leaves_open_parameters_out() -> None:
    _, endpoint = ask(say(REPLY))
    assert endpoint.seen[0][2] == {"model": "m-1", "messages": [{"role": "user", "content": "Grüße \ud800"}]}


def test_answer__reads_text_usage_model_and_price() -> None:
    usage: Json = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000, "total_tokens": 2_000_000}
    answer, _ = ask(say(REPLY | {"usage": usage}))
    assert isinstance(answer, Answer)
    assert (answer.text, answer.model, answer.usd) == ("hé", "m-1-2025", 3.0)
    assert answer.usage == Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    assert (answer.tool_calls, answer.modelled) == ((), False)
    assert answer.latency_ms is not None
    assert answer.latency_ms > 0


def test_answer__without_usage_has_no_price() -> None:
    answer, _ = ask(say({"choices": [{"message": MESSAGE}]}))
    assert isinstance(answer, Answer)
    assert (answer.model, answer.usage, answer.usd) == ("m-1", None, None)


def test_answer__of_70_000_characters_arrives_whole() -> None:
    text = "é" * 70_000
    answer, _ = ask(say({"choices": [{"message": {"content": text}}]}))
    assert isinstance(answer, Answer)
    assert answer.text == text


def test_answer__reads_tool_calls() -> None:
    calls: Json = [
        {"type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}},
        {"type": "function", "function": {"name": "leap", "arguments": '{"at": '}},
        {"type": "function", "function": {"name": "list", "arguments": "[1]"}},
    ]
    answer, _ = ask(say({"choices": [{"message": {"content": None, "tool_calls": calls}}]}))
    assert isinstance(answer, Answer)
    assert answer.text == ""
    assert answer.tool_calls == (
        ToolCall(name="look", arguments={"at": 1}),
        ToolCall(name="leap", arguments={"unparsed": '{"at": '}),
        ToolCall(name="list", arguments={"unparsed": "[1]"}),
    )


def test_answer__takes_a_refusal_for_an_answer() -> None:
    answer, _ = ask(say({"choices": [{"message": {"content": None, "refusal": "I will not"}}]}))
    assert isinstance(answer, Answer)
    assert answer.text == "I will not"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"<!doctype html><p>Sign in", "the answer is HTML"),
        (b"", "the answer is not JSON"),
        (b'{"choices": NaN}', "the answer is not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "the answer is not JSON"),
        (b"\xff{}", "the answer is not JSON"),
        (gzip.compress(json.dumps(REPLY).encode(), mtime=0), "the answer is not JSON"),
        ([], "the answer is not a JSON object"),
        ({}, "the answer has no choices[0].message"),
        ({"choices": []}, "the answer has no choices[0].message"),
        ({"choices": [{"text": "old"}]}, "the answer has no choices[0].message"),
        ({"choices": [{"message": {}}]}, "the answer's choices[0].message.content is not text"),
        ({"choices": [{"message": {"content": 5}}]}, "the answer's choices[0].message.content is not text"),
        ({"choices": [{"message": {"content": "", "tool_calls": [{}]}}]}, "the answer has a tool call without a name"),
        (REPLY | {"usage": {"prompt_tokens": 1}}, "usage.completion_tokens is not a whole number from 0"),
    ],
)
def test_answer__of_another_form_is_malformed(body: bytes | Json, detail: str) -> None:
    result, endpoint = ask(say(body))
    assert result == Unanswered(reason=Missing.MALFORMED, detail=detail)
    assert len(endpoint.seen) == 1


def test_answer__of_500_for_ever_is_tried_three_times() -> None:
    result, endpoint = ask(say(b"out of \x1b[31morder", status=500))
    assert result == Unanswered(reason=Missing.HTTP_ERROR, detail=r"status 500: out of \x1b[31morder", attempts=3)
    assert len(endpoint.seen) == 3


def test_answer__to_a_repeated_call_has_no_latency() -> None:
    """What a provider took under load must not be compared with what the other side took without."""
    repeated, _ = ask(in_turn(say(b"busy", status=503), say(REPLY)))
    first, _ = ask(in_turn(say(REPLY)))
    assert isinstance(repeated, Answer)
    assert isinstance(first, Answer)
    assert (repeated.latency_ms, repeated.text) == (None, first.text)
    assert first.latency_ms is not None


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503, 529])
def test_answer__after_a_passing_error_is_an_answer(status: int) -> None:
    answer, endpoint = ask(in_turn(say(b"", status=status), say(REPLY)))
    assert isinstance(answer, Answer)
    assert (answer.attempts, answer.latency_ms, answer.first_token_ms) == (2, None, None)
    assert len(endpoint.seen) == 2


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Missing.HTTP_ERROR),
        (401, Missing.KEY_REFUSED),
        (403, Missing.KEY_REFUSED),
        (404, Missing.HTTP_ERROR),
        (422, Missing.HTTP_ERROR),
    ],
)
def test_answer__of_a_lasting_error_is_not_tried_again(status: int, reason: Missing) -> None:
    result, endpoint = ask(say(b"x" * 500, status=status))
    assert result == Unanswered(reason=reason, detail=f"status {status}: {'x' * 200}")
    assert len(endpoint.seen) == 1


def test_answer__waits_as_long_as_it_is_told() -> None:
    times: list[float] = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        say(b"", status=429, headers={"Retry-After": "1"})(handler) if len(times) == 1 else say(REPLY)(handler)

    answer, _ = ask(respond)
    assert isinstance(answer, Answer)
    assert times[1] - times[0] >= 1.0


@pytest.mark.parametrize("said", ["9", "1000000", "9" * 400])
def test_answer__does_not_wait_past_its_time(said: str) -> None:
    result, endpoint = ask(say(b"busy", status=429, headers={"Retry-After": said}), timeout_s=2.0)
    assert result == Unanswered(reason=Missing.RATE_LIMITED, detail="status 429: busy")
    assert len(endpoint.seen) == 1


def test_answer__does_not_follow_redirects() -> None:
    with serving(say(REPLY)) as elsewhere:
        result, endpoint = ask(say(b"", status=307, headers={"Location": elsewhere.url + "/chat/completions"}))
    assert result == Unanswered(reason=Missing.HTTP_ERROR, detail="status 307: redirects are off")
    assert (len(endpoint.seen), elsewhere.seen) == (1, [])


def test_answer__keeps_no_cookies() -> None:
    with serving(say(REPLY, headers={"Set-Cookie": "who=me; Path=/"})) as endpoint:
        target = build(endpoint.url)
        target.answer(CALL)
        target.answer(CALL)
    assert len(endpoint.peers) == 1
    assert [headers.get("Cookie") for _, headers, _ in endpoint.seen] == [None, None]


def test_answer__of_a_closed_port_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        result = build(url).answer(CALL)
    assert result == Unanswered(reason=Missing.REFUSED, detail="127.0.0.1 refused the connection", attempts=3)


def test_answer__of_a_connection_that_breaks_off_is_tried_again() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True

    result, endpoint = ask(respond)
    detail = "the connection to 127.0.0.1 broke off"
    assert result == Unanswered(reason=Missing.BROKEN_OFF, detail=detail, attempts=3)
    assert len(endpoint.seen) == 3


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte at a time and never state a length, so that every read succeeds and none is the last."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    drip(handler)


def drip(handler: BaseHTTPRequestHandler) -> None:
    while not handler.server.released.wait(0.05):  # type: ignore[attr-defined]
        handler.wfile.write(b" ")


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(handler)


def stay_silent(handler: BaseHTTPRequestHandler) -> None:
    handler.server.released.wait(30)  # type: ignore[attr-defined]


@pytest.mark.parametrize("respond", [stay_silent, drip_headers, drip_body])
def test_answer__that_is_slow_in_any_way_times_out(respond: Respond) -> None:
    result, endpoint = ask(respond, timeout_s=0.6)
    assert result == Unanswered(reason=Missing.TIMED_OUT, detail="no answer within 0.6 s")
    assert len(endpoint.seen) == 1


def test_answer__over_the_limit_is_too_large() -> None:
    body = json.dumps({"choices": [{"message": {"content": "x" * 2_000_000}}]}).encode()
    result, _ = ask(say(body))
    assert result == Unanswered(reason=Missing.TOO_LARGE, detail="the answer is over 2000000 bytes")


def test_answer__stops_reading_an_endless_body() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    result, _ = ask(respond)
    assert isinstance(result, Unanswered)
    assert result.reason is Missing.TOO_LARGE


def test_answer__sends_no_key_to_a_host_that_is_not_listed() -> None:
    result, endpoint = ask(say(REPLY), allowed_hosts={"MY_KEY": ("api.openai.com",), "OTHER": ("127.0.0.1",)})
    detail = "MY_KEY may not be sent to 127.0.0.1: gate.yaml of the base ref does not list it under credentials"
    assert result == Unanswered(reason=Missing.NOT_ALLOWED, detail=detail, attempts=0)
    assert endpoint.seen == []


def test_answer__without_a_key_sends_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not from .netrc either, which requests would read."""
    (tmp_path / ".netrc").write_text(f"default login me password {KEY}\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    answer, endpoint = ask(say(REPLY), api_key_name=None)
    assert isinstance(answer, Answer)
    assert "Authorization" not in endpoint.seen[0][1]


def test_answer__never_brings_the_key_into_evidence() -> None:
    """An endpoint may echo its headers."""
    result, _ = ask(say({"choices": [{"message": {"content": f"Bearer {KEY}"}}]}))
    assert isinstance(result, Answer)
    assert result.text == "Bearer ***"


def test_answer__shows_no_part_of_the_key_where_it_cuts_the_body() -> None:
    result, _ = ask(say(f"{'x' * 180}Bearer {KEY}".encode(), status=400))
    assert result == Unanswered(reason=Missing.HTTP_ERROR, detail=f"status 400: {'x' * 180}Bearer ***")


def test_answer__is_safe_in_threads() -> None:
    with serving(say(REPLY)) as endpoint:
        target = build(endpoint.url)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(target.answer, [CALL] * 40))
    assert [answer.text for answer in answers if isinstance(answer, Answer)] == ["hé"] * 40


def test_repr__of_the_target_hides_the_key() -> None:
    assert KEY not in repr(build("https://127.0.0.1/v1"))


def test_build_openai__without_address_means_openai() -> None:
    result = build(None, api_key_name=None).answer(CALL)
    detail = (
        "OPENAI_API_KEY may not be sent to api.openai.com: gate.yaml of the base ref does not list it under credentials"
    )
    assert result == Unanswered(reason=Missing.NOT_ALLOWED, detail=detail, attempts=0)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/v1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://127.0.0.1@example.com",
        "https://example.com\\@127.0.0.1",
        "https://127.0.0.1/v1?x=1",
        "https://127.0.0.1/v1#x",
        "https://127.0.0.1/%2e%2e",
        "https://",
        "127.0.0.1",
        "https://127.0.0.1\n",
    ],
)
def test_build_openai__refuses_the_address(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(url)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://localhost:1/v1", "http://localhost:1/v1/chat/completions"),
        ("http://[::1]:1/v1/", "http://[::1]:1/v1/chat/completions"),
        ("http://127.0.0.2", "http://127.0.0.2/chat/completions"),
        ("https://example.com/a-b/v1", "https://example.com/a-b/v1/chat/completions"),
    ],
)
def test_build_openai__takes_the_address(url: str, asked: str) -> None:
    target = build(url, api_key_name=None)
    assert isinstance(target, HttpTarget)
    assert target.url == asked


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, 'target "t" needs the key MY_KEY, which is not set'),
        ({"MY_KEY": " \n"}, 'target "t" needs the key MY_KEY, which is not set'),
        ({"MY_KEY": "planted\nsecret"}, 'target "t": MY_KEY holds characters that no key has'),
        ({"MY_KEY": "planted secret"}, 'target "t": MY_KEY holds characters that no key has'),
    ],
)
def test_build_openai__refuses_the_key(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_target(define("https://127.0.0.1"), environ=environ, root=Path("/"), prices={})
    assert str(caught.value) == message
    assert "MY_KEY" in caught.value.hint or "secret" in caught.value.hint


def test_build_openai__needs_a_model() -> None:
    with pytest.raises(ConfigurationError, match='target "t" names no model'):
        build("https://127.0.0.1", model=None)
