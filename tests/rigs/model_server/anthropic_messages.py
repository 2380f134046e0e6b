"""Anthropic's Messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.rigs.model_server import asking
from tests.rigs.model_server.asking import Answer, Ask, AskError, Events, Standing, Stop, Tool
from tests.rigs.model_server.wire import Request

_STOPS = {Stop.END: "end_turn", Stop.LENGTH: "max_tokens", Stop.TOOL: "tool_use", Stop.FILTER: "refusal"}
_ERRORS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicFormat:
    """Messages, with the version header and the limit on length that the real service insists on."""

    def read(self, request: Request, body: Mapping[str, Any]) -> Ask:
        """Read a question; raises AskError."""
        if "anthropic-version" not in request.headers:
            raise AskError("anthropic-version: header is required")
        messages = asking.required(body, "messages", list)
        asking.required(body, "max_tokens", int)
        wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        return Ask(
            prompt="\n".join((*asking.texts(body.get("system")), *asking.texts(messages))),
            model=asking.required(body, "model", str),
            stream=body.get("stream") is True,
            with_usage=True,
            max_tokens=asking.optional_count(body, "max_tokens"),
            schema=asking.required(wanted, "schema", dict) if wanted.get("type") == "json_schema" else None,
            forced=_forced(body),
        )

    def whole(self, answer: Answer) -> bytes:
        """Write a message."""
        return asking.encoded(_message(answer) | {"content": _content(answer), "stop_reason": _STOPS[answer.stop]})

    def events(self, ask: Ask, answer: Answer) -> Events:
        """Write the events of a message: start, blocks with their deltas, the end with its usage."""
        started = _message(answer) | {"usage": {"input_tokens": answer.prompt_words, "output_tokens": 0}}
        blocks = [event for number, block in enumerate(_content(answer)) for event in _block_events(number, block)]
        ended = {
            "delta": {"stop_reason": _STOPS[answer.stop], "stop_sequence": None},
            "usage": {"output_tokens": answer.words},
        }
        return Events(
            opening=(_event("message_start", {"message": started}), _event("ping", {})),
            tokens=(*blocks, _event("message_delta", ended), _event("message_stop", {})),
        )

    def error(self, status: int, message: str) -> bytes:
        """Write an error object."""
        return asking.encoded({"type": "error", "error": _error(status, message)})

    def error_event(self, message: str) -> bytes:
        """Write the error event of an overloaded service."""
        return _event("error", {"error": _error(529, message)})

    def limit_headers(self, standing: Standing) -> tuple[tuple[str, str], ...]:
        """Write anthropic-ratelimit-*, the reset as a time."""
        stem = f"anthropic-ratelimit-{standing.name}"
        reset = datetime.now(UTC) + timedelta(seconds=standing.reset_s)
        return (
            (f"{stem}-limit", str(standing.limit)),
            (f"{stem}-remaining", str(standing.remaining)),
            (f"{stem}-reset", reset.strftime("%Y-%m-%dT%H:%M:%SZ")),
        )


def _forced(body: Mapping[str, Any]) -> Tool | None:
    choice = body.get("tool_choice") or {}
    if choice.get("type") not in {"any", "tool"}:
        return None
    offered = body.get("tools") or ()
    tools = tuple(Tool(name=asking.required(tool, "name", str), schema=tool.get("input_schema")) for tool in offered)
    return asking.find_tool(tools, choice.get("name"))


def _message(answer: Answer) -> dict[str, Any]:
    return {
        "id": f"msg_{answer.key}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": answer.prompt_words, "output_tokens": answer.words},
    }


def _content(answer: Answer) -> list[dict[str, Any]]:
    if answer.empty:
        return []
    said = [{"type": "text", "text": answer.text}] if answer.text or not answer.calls else []
    calls = [
        {"type": "tool_use", "id": f"toolu_{answer.key}_{number}", "name": call.name, "input": call.arguments}
        for number, call in enumerate(answer.calls)
    ]
    return [*said, *calls]


def _block_events(number: int, block: dict[str, Any]) -> list[bytes]:
    if block["type"] == "text":
        empty, deltas = block | {"text": ""}, _deltas("text_delta", "text", block["text"])
    else:
        empty = block | {"input": {}}
        deltas = _deltas("input_json_delta", "partial_json", asking.to_json(block["input"]))
    events = [_event("content_block_delta", {"index": number, "delta": delta}) for delta in deltas]
    start = _event("content_block_start", {"index": number, "content_block": empty})
    return [start, *events, _event("content_block_stop", {"index": number})]


def _deltas(kind: str, name: str, text: str) -> list[dict[str, str]]:
    return [{"type": kind, name: piece} for piece in asking.pieces(text)]


def _error(status: int, message: str) -> dict[str, str]:
    kind = "api_error" if status >= _SERVER_ERRORS else "invalid_request_error"
    return {"type": _ERRORS.get(status, kind), "message": message}


def _event(kind: str, fields: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), asking.encoded({"type": kind} | fields))
