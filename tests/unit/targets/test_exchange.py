"""One question over real sockets: retries, streams, errors in the middle, schemas, and what is masked."""

from __future__ import annotations

import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Json, Missing, ToolCall, Unanswered, Usage
from gate.errors import ConfigurationError
from gate.targets.exchange import HttpTarget
from gate.targets.prices import Price
from gate.targets.table import build_target
from gate.targets.transport import Line
from tests.unit.targets.endpoints import Endpoint, Respond, define, events, in_turn, say, serving, stream

KEY = "sk-planted-secret-0123456789"
CALL = Call(case_id="c-1", prompt="Hello", variables={}, seed=7)
SCHEMA: dict[str, Json] = {"type": "object", "required": ["intent"], "properties": {"intent": {"type": "string"}}}


def reply(text: Json, **more: Json) -> dict[str, Json]:
    return {"model": "m-1", "choices": [{"message": {"content": text}, **more}]}


def chunk(delta: dict[str, Json], why: str | None = None, **more: Json) -> dict[str, Json]:
    return {"model": "m-1", "choices": [{"delta": delta, "finish_reason": why}], **more}


def target(url: str, **changes: object) -> HttpTarget:
    prices = {"m-1": Price(input=1.0, output=2.0)}
    built = build_target(define(url, **changes), environ={"MY_KEY": KEY}, root=Path("/"), prices=prices)
    assert isinstance(built, HttpTarget)
    return built


def ask(respond: Respond, **changes: object) -> tuple[Answer | Unanswered, Endpoint]:
    with serving(respond) as endpoint:
        result = target(endpoint.url, **changes).answer(CALL)
    assert KEY not in repr(result)
    return result, endpoint


def answered(respond: Respond, **changes: object) -> Answer:
    result, _ = ask(respond, **changes)
    assert isinstance(result, Answer), result
    return result


def test_answer__of_a_rate_limit_for_ever_is_tried_six_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.targets.failure._BACKOFF_S", 0.01)
    result, endpoint = ask(say({"error": {"message": "slow down", "code": "x"}}, status=429), timeout_s=60.0)
    detail = "status 429: slow down"
    assert result == Unanswered(reason=Missing.RATE_LIMITED, detail=detail, attempts=6)
    assert len(endpoint.seen) == 6


def test_answer__waits_milliseconds_where_it_is_told_so() -> None:
    times: list[float] = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        headers = {"retry-after-ms": "700", "Retry-After": "30"}
        (say(b"", status=429, headers=headers) if len(times) == 1 else say(reply("ok")))(handler)

    assert answered(respond).attempts == 2
    assert times[1] - times[0] >= 0.7


def test_answer__of_a_used_up_quota_is_not_tried_again() -> None:
    said = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    result, endpoint = ask(say(said, status=429))
    assert result == Unanswered(reason=Missing.RATE_LIMITED, detail="status 429: You exceeded your current quota")
    assert len(endpoint.seen) == 1


@pytest.mark.parametrize("body", [b'{"choices": [{"message": {"content": "ha', b'{"choices": [', b"{"])
def test_answer__that_is_cut_off_is_tried_again(body: bytes) -> None:
    """Such a body has an end where nobody stated its length."""
    answer = answered(in_turn(say(body), say(reply("whole"))))
    assert (answer.text, answer.attempts, answer.latency_ms) == ("whole", 2, None)


def test_answer__that_stays_cut_off_broke_off() -> None:
    result, _ = ask(say(b'{"choices": ['))
    assert result == Unanswered(reason=Missing.BROKEN_OFF, detail="the answer broke off", attempts=3)


def test_answer__of_an_error_with_status_200_is_no_answer() -> None:
    result, endpoint = ask(say({"error": {"message": f"bad gateway {KEY}", "code": 502}}))
    detail = "the endpoint reported an error: bad gateway ***"
    assert result == Unanswered(reason=Missing.HTTP_ERROR, detail=detail, attempts=3)
    assert len(endpoint.seen) == 3


def test_answer__of_a_name_that_does_not_resolve_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", fail)
    built = target("https://no-such-host.example", api_key_name=None)
    result = built.answer(CALL)
    detail = "the name no-such-host.example does not resolve"
    assert result == Unanswered(reason=Missing.UNREACHABLE, detail=detail, attempts=3)


def test_answer__without_tls_is_not_reached() -> None:
    with serving(say(reply("plain"))) as endpoint:
        built = target(endpoint.url.replace("http://", "https://"))
        result = built.answer(CALL)
    detail = "no trusted TLS connection to 127.0.0.1"
    assert result == Unanswered(reason=Missing.UNREACHABLE, detail=detail)


def test_answer__counts_the_deadline_over_all_attempts() -> None:
    started = time.monotonic()
    result, endpoint = ask(say(b"", status=500), timeout_s=0.5)
    assert time.monotonic() - started < 10
    assert isinstance(result, Unanswered)
    assert result.attempts == len(endpoint.seen) < 3


def test_answer__keeps_one_connection_for_calls_in_turn() -> None:
    with serving(say(reply("ok"))) as endpoint:
        built = target(endpoint.url)
        for _ in range(5):
            assert isinstance(built.answer(CALL), Answer)
    assert (len(endpoint.peers), len(built.idle)) == (1, 1)


def test_answer__is_asked_again_after_the_server_closed_the_connection() -> None:
    """What was closed while nobody used it costs no attempt."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        say(reply("ok"))(handler)
        handler.close_connection = True

    with serving(respond) as endpoint:
        built = target(endpoint.url)
        for _ in range(3):
            answer = built.answer(CALL)
            assert isinstance(answer, Answer)
            assert answer.attempts == 1
            time.sleep(0.05)
    assert len(endpoint.peers) == 3


@pytest.mark.parametrize("chunked", [True, False])
def test_answer__as_a_stream_is_put_together(*, chunked: bool) -> None:
    usage: Json = {
        "prompt_tokens": 1_000_000,
        "completion_tokens": 1_000_000,
        "prompt_tokens_details": {"cached_tokens": 400_000},
    }
    body = events(
        {"choices": [], "prompt_filter_results": []},
        chunk({"role": "assistant", "content": ""}, system_fingerprint="fp_1"),
        chunk({"content": "Hé"}),
        chunk({"content": "llo"}),
        chunk({}, "stop"),
        {"model": "m-1", "choices": [], "usage": usage},
    )
    result, endpoint = ask(stream(body[:150], body[150:], chunked=chunked), stream=True)
    assert isinstance(result, Answer)
    assert (result.text, result.model, result.finish_reason, result.fingerprint) == ("Héllo", "m-1", "stop", "fp_1")
    assert result.usage == Usage(input_tokens=1_000_000, output_tokens=1_000_000, cached_input_tokens=400_000)
    assert result.usd == 3.0
    assert result.first_token_ms is not None
    assert result.latency_ms is not None
    assert 0 < result.first_token_ms <= result.latency_ms
    sent = endpoint.seen[0][2]
    assert isinstance(sent, dict)
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})


def test_answer__as_a_stream_times_its_first_token_and_not_its_first_byte() -> None:
    def paced(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for piece in (chunk({"content": ""}), chunk({"content": "a"}), chunk({}, "stop")):
            handler.wfile.write(events(piece, end=""))
            time.sleep(0.3)
        handler.close_connection = True

    answer = answered(paced, stream=True)
    assert answer.first_token_ms is not None
    assert answer.latency_ms is not None
    assert answer.first_token_ms >= 300
    assert answer.latency_ms - answer.first_token_ms >= 300


def test_answer__as_a_stream_of_tool_calls() -> None:
    def part(index: int, **function: Json) -> dict[str, Json]:
        return chunk({"tool_calls": [{"index": index, "function": function}]})

    body = events(
        part(0, name="look", arguments=""),
        part(1, name="leap", arguments=""),
        part(0, arguments='{"at"'),
        part(1, arguments='{"at":'),
        part(0, arguments=": 1}"),
        chunk({}, "tool_calls"),
    )
    answer = answered(stream(body), stream=True)
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")
    assert answer.tool_calls == (
        ToolCall(name="look", arguments={"at": 1}),
        ToolCall(name="leap", arguments={"unparsed": '{"at":'}),
    )


@pytest.mark.parametrize("whole", [True, False])
def test_answer__as_a_stream_that_ends_early_is_tried_again(*, whole: bool) -> None:
    short = stream(events(chunk({"content": "Hel"}), end=""), whole=whole)
    answer = answered(in_turn(short, stream(events(chunk({"content": "Hello"}, "stop")))), stream=True)
    assert (answer.text, answer.attempts, answer.latency_ms, answer.first_token_ms) == ("Hello", 2, None, None)


def test_answer__as_a_stream_that_never_ends_well_broke_off() -> None:
    result, _ = ask(stream(events(chunk({"content": "Hel"}), end="")), stream=True)
    detail = "the stream ended before the answer did"
    assert result == Unanswered(reason=Missing.BROKEN_OFF, detail=detail, attempts=3)


def test_answer__as_a_stream_with_an_error_in_the_middle_is_tried_again() -> None:
    error: Json = {"error": {"message": "overloaded", "type": "overloaded_error"}}
    broken = stream(events(chunk({"content": "Hel"}), error, end=""))
    answer = answered(in_turn(broken, say(reply("Hello"))), stream=True)
    assert (answer.text, answer.attempts) == ("Hello", 2)


def test_answer__as_a_stream_with_an_event_that_is_not_json() -> None:
    result, endpoint = ask(stream(b"data: {nope\n\n"), stream=True)
    detail = "the stream has an event that is not JSON"
    assert result == Unanswered(reason=Missing.MALFORMED, detail=detail, attempts=3)
    assert len(endpoint.seen) == 3


@pytest.mark.parametrize("index", [-1, 1000, "0", None])
def test_answer__as_a_stream_with_a_misplaced_tool_call(index: Json) -> None:
    body = events(chunk({"tool_calls": [{"index": index, "function": {"name": "x"}}]}, "tool_calls"))
    result, _ = ask(stream(body), stream=True)
    assert result == Unanswered(reason=Missing.MALFORMED, detail="the answer has a tool call without a place")


def test_answer__as_an_endless_stream_is_too_large() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        while True:
            handler.wfile.write(b": " + b"x" * 65536 + b"\n")

    result, _ = ask(respond, stream=True)
    detail = "the answer is over 40000000 bytes"
    assert result == Unanswered(reason=Missing.TOO_LARGE, detail=detail)


def test_answer__never_brings_a_key_into_evidence_that_came_in_pieces() -> None:
    body = events(
        chunk({"content": f"Bearer {KEY[:9]}"}, system_fingerprint=KEY),
        chunk({"content": KEY[9:]}),
        chunk({"tool_calls": [{"index": 0, "function": {"name": KEY, "arguments": f'{{"{KEY}": ["{KEY}"]}}'}}]}),
        chunk({}, KEY),
    )
    answer = answered(stream(body), stream=True)
    assert answer.text == "Bearer ***"
    assert answer.tool_calls == (ToolCall(name="***", arguments={"***": ["***"]}),)


@pytest.mark.parametrize("why", ["content_filter", "SAFETY", "content_filter: RECITATION", "PROHIBITED_CONTENT"])
def test_answer__that_a_filter_stopped_is_a_result(why: str) -> None:
    answer = answered(say({"choices": [{"finish_reason": why, "message": {"content": "Half an"}}]}))
    assert (answer.text, answer.finish_reason) == ("Half an", "content_filter")
    for message in ({}, {"message": {}}, {"message": {"content": None}}):
        answer = answered(say({"choices": [{"finish_reason": why, **message}]}))
        assert (answer.text, answer.finish_reason) == ("", "content_filter")


def test_answer__to_a_prompt_that_a_filter_stopped_is_a_result() -> None:
    said: Json = {"error": {"message": "The response was filtered", "param": "prompt", "code": "content_filter"}}
    result, endpoint = ask(say(said, status=400))
    assert isinstance(result, Answer)
    assert (result.text, result.model, result.finish_reason, result.usage) == ("", "m-1", "content_filter", None)
    assert len(endpoint.seen) == 1


def test_answer__that_used_its_tokens_up_before_it_said_anything() -> None:
    answer = answered(say(reply(None, finish_reason="length")))
    assert (answer.text, answer.finish_reason) == ("", "length")


def test_answer__that_the_provider_broke_off_is_tried_again() -> None:
    broken = say(reply("Hel", finish_reason="insufficient_system_resource"))
    answer = answered(in_turn(broken, say(reply("Hello", finish_reason="stop"))))
    assert (answer.text, answer.finish_reason, answer.attempts) == ("Hello", "stop", 2)


def test_answer__of_another_model_shows_both() -> None:
    answer = answered(say({**reply("x"), "model": "m-2"}))
    assert (answer.model, answer.asked) == ("m-2", "m-1")
    assert answered(say(reply("x"))).asked == ""


def test_answer__has_the_price_of_the_model_that_answered() -> None:
    usage: Json = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
    assert answered(say({**reply("x"), "model": None, "usage": usage})).usd == 1.0
    assert answered(say({**reply("x"), "model": "m-2", "usage": usage})).usd is None


@pytest.mark.parametrize(
    ("text", "breach"),
    [
        ('{"intent": "pricing"}', ""),
        ('{"intent": 5}', "$.intent: 5 is not of type 'string'"),
        ("{}", "$: 'intent' is a required property"),
        ("pricing", "the answer is not JSON"),
        ("[" * 900 + "]" * 900, "$: 'type' does not hold"),
    ],
)
def test_answer__that_breaks_its_schema_is_kept_and_flagged(text: str, breach: str) -> None:
    result, endpoint = ask(say(reply(text)), response_schema=SCHEMA)
    assert isinstance(result, Answer)
    assert (result.text, result.breaks_schema) == (text, breach)
    sent = endpoint.seen[0][2]
    assert isinstance(sent, dict)
    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    }


def test_answer__that_a_hostile_schema_cannot_check_in_time_is_kept() -> None:
    schema: Json = {"type": "string", "pattern": "^(?:a?){30}(?:a|aa)+$"}
    answer = answered(say(reply('"' + "a" * 5000 + '!"')), response_schema=schema)
    assert answer.breaks_schema == "a pattern of the schema took too long"


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "https://example.com/x"}])
def test_build_target__refuses_a_schema_that_cannot_be_used(schema: Json) -> None:
    with pytest.raises(ConfigurationError, match='target "t": response_schema cannot be used: ') as caught:
        target("http://127.0.0.1:9", response_schema=schema)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, None),
        ({"seed": 3}, 3),
        ({"seed_per_trial": True}, 7),
    ],
)
def test_answer__sends_the_seed_that_was_asked_for(changes: dict[str, object], sent: int | None) -> None:
    _, endpoint = ask(say(reply("x")), **changes)
    body = endpoint.seen[0][2]
    assert isinstance(body, dict)
    assert body.get("seed") == sent


@pytest.mark.parametrize(
    ("key", "expected"), [(None, "max_tokens"), ("max_completion_tokens", "max_completion_tokens")]
)
def test_answer__sends_the_limit_as_the_server_takes_it(key: str | None, expected: str) -> None:
    _, endpoint = ask(say(reply("x")), max_output_tokens=9, token_limit_key=key)
    body = endpoint.seen[0][2]
    assert isinstance(body, dict)
    assert body[expected] == 9
    assert len({"max_tokens", "max_completion_tokens"} & body.keys()) == 1


@pytest.mark.parametrize(("listed", "sent"), [("127.0.0.1", True), ("127.0.0.1:PORT", True), ("127.0.0.1:1", False)])
def test_answer__sends_a_key_to_the_port_that_is_listed(listed: str, *, sent: bool) -> None:
    with serving(say(reply("x"))) as endpoint:
        hosts = {"MY_KEY": (listed.replace("PORT", str(endpoint.server_port)),)}
        result = target(endpoint.url, allowed_hosts=hosts).answer(CALL)
    assert isinstance(result, Answer) is sent
    assert len(endpoint.seen) == int(sent)


@pytest.mark.parametrize("asked", [True, False])
def test_answer__that_says_that_it_is_compressed_is_not_read(*, asked: bool) -> None:
    result, endpoint = ask(say(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), stream=asked)
    detail = "the answer is compressed, which nobody asked for"
    assert result == Unanswered(reason=Missing.MALFORMED, detail=detail)
    assert len(endpoint.seen) == 1


def test_answer__of_a_text_over_the_limit_is_too_large() -> None:
    pieces = [events(chunk({"content": "x" * 500_000}), end="") for _ in range(5)]
    result, _ = ask(stream(*pieces, events(chunk({}, "stop"))), stream=True)
    assert result == Unanswered(reason=Missing.TOO_LARGE, detail="the answer is over 2000000 bytes")


def test_answer__of_an_error_that_is_a_bare_sentence() -> None:
    result, _ = ask(say({"error": "no such model"}, status=404))
    assert result == Unanswered(reason=Missing.HTTP_ERROR, detail="status 404: no such model")


def test_answer__that_cannot_be_checked_against_its_schema_is_kept() -> None:
    schema: Json = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    answer = answered(say(reply("{}")), response_schema=schema)
    assert answer.breaks_schema == "the answer cannot be checked against the schema"


def test_hold__of_a_connection_that_opens_after_the_deadline_cuts_it() -> None:
    line = Line("http://127.0.0.1:1/v1")
    near, far = socket.socketpair()
    with near, far:
        line.cut()
        line.hold(near)
        assert far.recv(1) == b""
