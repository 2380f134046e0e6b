"""Messages: what differs from the recorded exchanges in tests/contract/providers."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Json, Missing, Target, ToolCall, Unanswered, Usage
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.table import build_target
from tests.unit.targets.endpoints import Respond, events, in_turn, say, serving, stream

CALL = Call(case_id="c-1", prompt="Hello", variables={}, seed=7)
START: Json = {"type": "message_start", "message": {"model": "claude-opus-4-6", "usage": {"input_tokens": 3}}}


def build(url: str, **changes: object) -> Target:
    settings = {"name": "t", "provider": "anthropic", "model": "claude-opus-4-6", "base_url": url, "timeout_s": 20.0}
    definition = TargetDefinition(**(settings | {"max_output_tokens": 9} | changes))  # type: ignore[arg-type]
    return build_target(definition, environ={}, root=Path("/"), prices={})


def ask(respond: Respond, **changes: object) -> Answer | Unanswered:
    with serving(respond) as endpoint:
        return build(endpoint.root, **changes).answer(CALL)


def block(index: Json, **content: Json) -> dict[str, Json]:
    return {"type": "content_block_start", "index": index, "content_block": {**content}}


def delta(index: int, **change: Json) -> dict[str, Json]:
    return {"type": "content_block_delta", "index": index, "delta": {**change}}


STOP: Json = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}


def test_answer__as_a_stream_adds_up_counts_and_text() -> None:
    body = events(START, block(0, type="text", text="H"), delta(0, type="text_delta", text="i"), STOP, end="")
    answer = ask(stream(body), stream=True)
    assert isinstance(answer, Answer)
    assert (answer.text, answer.finish_reason) == ("Hi", "stop")
    assert answer.usage == Usage(input_tokens=3, output_tokens=5)
    assert answer.first_token_ms is not None


def test_answer__as_a_stream_that_ends_before_the_stop_is_tried_again() -> None:
    short = events(START, block(0, type="text", text=""), delta(0, type="text_delta", text="H"), end="")
    whole = events(START, block(0, type="text", text="Hi"), STOP, end="")
    answer = ask(in_turn(stream(short), stream(whole)), stream=True)
    assert isinstance(answer, Answer)
    assert (answer.text, answer.attempts, answer.latency_ms) == ("Hi", 2, None)


def test_answer__as_a_stream_that_reports_an_overload() -> None:
    error: Json = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    result = ask(stream(events(START, error, end="")), stream=True, timeout_s=0.5)
    assert isinstance(result, Unanswered)
    assert (result.reason, result.detail) == (Missing.OVERLOADED, "the endpoint reported an error: Overloaded")


@pytest.mark.parametrize("index", [-1, 1000, "0", None])
def test_answer__as_a_stream_with_a_misplaced_block(index: Json) -> None:
    result = ask(stream(events(START, block(index, type="text", text=""), end="")), stream=True)
    assert result == Unanswered(reason=Missing.MALFORMED, detail="the stream has a block without a place")


def test_answer__as_a_stream_leaves_out_what_it_does_not_know() -> None:
    odd = (delta(4, type="text_delta", text="lost"), delta(0, type="new_delta", text="lost"), {"type": "new"})
    body = events(START, block(0, type="text", text="Hi"), *odd, STOP, end="")
    answer = ask(stream(body), stream=True)
    assert isinstance(answer, Answer)
    assert answer.text == "Hi"


def test_answer__keeps_arguments_that_are_no_object() -> None:
    body = events(
        START,
        block(0, type="tool_use", name="look", input={}),
        delta(0, type="input_json_delta", partial_json='{"at":'),
        block(1, type="tool_use", name="leap", input={}),
        STOP,
        end="",
    )
    answer = ask(stream(body), stream=True)
    assert isinstance(answer, Answer)
    assert answer.tool_calls == (
        ToolCall(name="look", arguments={"unparsed": '{"at":'}),
        ToolCall(name="leap", arguments={}),
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "the answer is not a JSON object"),
        ({}, "the answer has no content"),
        ({"content": [{"type": "text"}]}, "the answer has a text block without text"),
        ({"content": [{"type": "tool_use"}]}, "the answer has a tool call without a name"),
        ({"content": [], "usage": {"input_tokens": 1}}, "usage.output_tokens is not a whole number from 0"),
    ],
)
def test_answer__of_another_form_is_malformed(body: Json, detail: str) -> None:
    assert ask(say(body)) == Unanswered(reason=Missing.MALFORMED, detail=detail)


def test_answer__counts_what_went_into_the_cache_as_input() -> None:
    usage: Json = {
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 5,
    }
    answer = ask(say({"content": [], "usage": usage, "stop_reason": "max_tokens"}))
    assert isinstance(answer, Answer)
    assert answer.usage == Usage(input_tokens=16, output_tokens=2, cached_input_tokens=5, cache_write_tokens=10)
    assert (answer.text, answer.finish_reason) == ("", "length")


@pytest.mark.parametrize(
    ("kept", "usd"),
    [
        # 0.1 of 3, 0.4 read at 0.3; 0.5 written for five minutes at 3.75, or for an hour at 6 dollars a million.
        ({}, 0.3 + 0.12 + 1.875),
        ({"ephemeral_5m_input_tokens": 500}, 0.3 + 0.12 + 1.875),
        ({"ephemeral_1h_input_tokens": 500}, 0.3 + 0.12 + 3.0),
        ({"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200}, 0.3 + 0.12 + 1.125 + 1.2),
        ({"ephemeral_1h_input_tokens": 900}, 0.3 + 0.12 + 3.0),
    ],
)
def test_answer__is_priced_with_what_was_read_from_and_written_to_the_cache(kept: Json, usd: float) -> None:
    usage: Json = {
        "input_tokens": 100,
        "output_tokens": 0,
        "cache_creation_input_tokens": 500,
        "cache_read_input_tokens": 400,
        "cache_creation": kept,
    }
    said = {"content": [], "usage": usage, "stop_reason": "max_tokens", "model": "claude-sonnet-4-5-20250929"}
    answer = ask(say(said))
    assert isinstance(answer, Answer)
    assert answer.usd == pytest.approx(usd / 1000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, 'target "t" names no model'),
        ({"max_output_tokens": None}, 'target "t": Anthropic asks for max_output_tokens'),
        ({"seed": 1}, 'target "t": Anthropic takes no seed'),
        ({"seed_per_trial": True}, 'target "t": Anthropic takes no seed'),
    ],
)
def test_build_anthropic__refuses(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build("http://127.0.0.1:9", **changes)
    assert str(caught.value) == message
    assert caught.value.hint
