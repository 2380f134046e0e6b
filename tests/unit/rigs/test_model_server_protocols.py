"""What the model server says by each protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.rigs.model_server import CaseAnswers, RunningServer, Said, Script, ToolUse

Post = Callable[..., requests.Response]

SCHEMA = {
    "type": "object",
    "properties": {
        "intent": {"enum": ["a", "b"]},
        "note": {"$ref": "#/$defs/note"},
        "urgency": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "$defs": {"note": {"type": ["string", "null"]}},
}
FILLED = {"intent": "a", "note": "hello", "urgency": 1, "tags": ["hello"]}
CALL = Said(calls=(ToolUse(name="look_up", arguments={"word": "two words"}),))
PARAMETERS = {"type": "object", "properties": {"word": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"name": "look_up", "parameters": PARAMETERS}}


def events(response: requests.Response) -> list[Any]:
    """The data of all events, parsed; [DONE] as it is."""
    lines = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_chat__whole(server: RunningServer, chat: Post) -> None:
    server.play(Script(default="one two  three", fingerprint="fp_9"))
    answer = chat("four words of prompt")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    found = answer.json()
    assert found["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "one two  three", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert (found["object"], found["model"], found["system_fingerprint"]) == ("chat.completion", "m-1", "fp_9")
    assert [found["usage"][key] for key in ("prompt_tokens", "completion_tokens", "total_tokens")] == [4, 3, 7]


@pytest.mark.parametrize("with_usage", [True, False])
def test_chat__stream(with_usage: bool, server: RunningServer, chat: Post) -> None:
    server.play(Script(default="one  two\n"))
    answer = chat(stream=True, stream_options={"include_usage": with_usage})
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    *chunks, done = events(answer)
    assert done == "[DONE]"
    if with_usage:
        last = chunks.pop()
        assert last["choices"] == []
        assert last["usage"]["completion_tokens"] == 2
    assert [chunk.get("usage", "absent") for chunk in chunks] == [None if with_usage else "absent"] * 4
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == ["", "one", "  two\n", None]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]


def test_chat__length(server: RunningServer, chat: Post) -> None:
    server.play(Script(default="one two three"))
    choice = chat(max_tokens=2).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "length")


def test_chat__scripted_tool_call(server: RunningServer, chat: Post) -> None:
    server.play(Script(default=CALL))
    choice = chat().json()["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "look_up", "arguments": '{"word":"two words"}'}


def test_chat__tool_call_as_a_stream(server: RunningServer, chat: Post) -> None:
    server.play(Script(default=CALL))
    *chunks, _ = events(chat(stream=True))
    calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert calls[0]["function"] == {"name": "look_up", "arguments": ""}
    assert "".join(call["function"]["arguments"] for call in calls) == '{"word":"two words"}'
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "look_up"}}])
def test_chat__forced_tool(choice: object, server: RunningServer, chat: Post) -> None:
    server.play(Script(default="sea"))
    message = chat(tools=[FUNCTION], tool_choice=choice).json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "look_up", "arguments": '{"word":"sea"}'}


def test_chat__offered_tool_is_not_called(chat: Post) -> None:
    assert chat(tools=[FUNCTION]).json()["choices"][0]["message"]["content"] == "ok"


def test_chat__forced_tool_that_is_not_there(chat: Post) -> None:
    answer = chat(tools=[FUNCTION], tool_choice={"type": "function", "function": {"name": "fly"}})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "tool_choice: fly is not among the tools")


@pytest.mark.parametrize(("said", "expected"), [("hello", FILLED), ('{"intent": "c"}', {"intent": "c"})])
def test_chat__json_schema(said: str, expected: object, server: RunningServer, chat: Post) -> None:
    server.play(Script(default=said))
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    assert json.loads(chat(response_format=wanted).json()["choices"][0]["message"]["content"]) == expected


def test_chat__json_object(chat: Post) -> None:
    content = chat(response_format={"type": "json_object"}).json()["choices"][0]["message"]["content"]
    assert json.loads(content) == {"answer": "ok"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ""}, "model: Field required"),
        ({"messages": []}, "messages: Field required"),
        ({"n": 2}, "n: only one choice is given here"),
        ({"max_tokens": True}, "max_tokens: must be a whole number from 1"),
        ({"stream_options": 7}, "the body cannot be read: 'int' object has no attribute 'get'"),
    ],
)
def test_chat__unusable_field(changes: dict[str, Any], message: str, chat: Post) -> None:
    answer = chat(**changes)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_azure__whole_and_stream(server: RunningServer, session: requests.Session) -> None:
    url = f"{server.url}/openai/deployments/d-1/chat/completions?api-version=2024-10-21"
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a b c"}]}]}
    found = session.post(url, json=body, timeout=20).json()
    assert (found["model"], found["usage"]["prompt_tokens"]) == ("d-1", 3)
    assert found["choices"][0]["content_filter_results"]["hate"] == {"filtered": False, "severity": "safe"}
    first = events(session.post(url, json={**body, "stream": True}, timeout=20))[0]
    assert (first["choices"], first["model"], len(first["prompt_filter_results"])) == ([], "", 1)


def test_azure__without_api_version(server: RunningServer, session: requests.Session) -> None:
    answer = session.post(f"{server.url}/openai/deployments/d-1/chat/completions", json={}, timeout=20)
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Resource not found")


def test_messages__whole(server: RunningServer, messages: Post) -> None:
    server.play(Script(default="one two"))
    found = messages("a b", system=[{"type": "text", "text": "c"}]).json()
    assert found["content"] == [{"type": "text", "text": "one two"}]
    assert (found["model"], found["stop_reason"]) == ("c-1", "end_turn")
    assert found["usage"] == {"input_tokens": 3, "output_tokens": 2}


def test_messages__stream(server: RunningServer, messages: Post) -> None:
    server.play(Script(default="one two"))
    answer = messages(stream=True)
    found = events(answer)
    kinds = [line[7:] for line in answer.text.split("\n") if line.startswith("event: ")]
    assert kinds == [event["type"] for event in found]
    assert kinds == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [event["delta"] for event in found[3:5]] == [
        {"type": "text_delta", "text": "one"},
        {"type": "text_delta", "text": " two"},
    ]
    assert found[0]["message"]["usage"] == {"input_tokens": 1, "output_tokens": 0}
    assert found[6]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert found[6]["usage"] == {"output_tokens": 2}


@pytest.mark.parametrize("stream", [True, False])
def test_messages__forced_tool(stream: bool, server: RunningServer, messages: Post) -> None:
    server.play(Script(default="sea"))
    tool = {"name": "look_up", "input_schema": PARAMETERS}
    answer = messages(tools=[tool], tool_choice={"type": "any"}, stream=stream)
    if stream:
        found = events(answer)
        said = "".join(event["delta"]["partial_json"] for event in found if event["type"] == "content_block_delta")
        assert (json.loads(said), found[-2]["delta"]["stop_reason"]) == ({"word": "sea"}, "tool_use")
    else:
        block = answer.json()["content"][0]
        assert (block["type"], block["name"], block["input"]) == ("tool_use", "look_up", {"word": "sea"})


def test_messages__json_schema(server: RunningServer, messages: Post) -> None:
    server.play(Script(default="hello"))
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert json.loads(messages(output_config=wanted).json()["content"][0]["text"]) == FILLED


def test_messages__without_version(server: RunningServer, session: requests.Session) -> None:
    answer = session.post(f"{server.url}/v1/messages", json={}, timeout=20)
    error = {"type": "invalid_request_error", "message": "anthropic-version: header is required"}
    assert (answer.status_code, answer.json()) == (400, {"type": "error", "error": error})


def test_messages__without_max_tokens(messages: Post) -> None:
    assert messages(max_tokens=None).json()["error"]["message"] == "max_tokens: Field required"


def test_answer__text(server: RunningServer, session: requests.Session) -> None:
    server.play(Script(cases={"ä-1": CaseAnswers(right="yes")}))
    for text, said in (("[case:ä-1]", "yes"), ("[case:other]", "ok")):
        assert session.post(f"{server.url}/answer", json={"text": text}, timeout=20).json() == {"text": said}
