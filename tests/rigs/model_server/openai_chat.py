"""OpenAI's chat completions, and Azure's, which name the model in the path and speak of content filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.rigs.model_server import asking
from tests.rigs.model_server.asking import Answer, Ask, AskError, Events, Standing, Stop, Tool
from tests.rigs.model_server.wire import Request

# A constant, so that equal draws give equal bytes.
CREATED = 1_767_225_600
DONE = b"data: [DONE]\n\n"

_STOPS = {Stop.END: "stop", Stop.LENGTH: "length", Stop.TOOL: "tool_calls", Stop.FILTER: "content_filter"}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
_FREE_JSON = {"type": "object", "properties": {"answer": {"type": "string"}}}
_FILTERS = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiFormat:
    """Chat completions; with a deployment, in Azure's shape."""

    deployment: str | None = None

    def read(self, request: Request, body: Mapping[str, Any]) -> Ask:
        """Read a question; raises AskError."""
        if self.deployment is not None and "api-version" not in parse_qs(request.query):
            raise AskError("Resource not found", status=404)
        if body.get("n") not in {None, 1}:
            raise AskError("n: only one choice is given here")
        messages = asking.required(body, "messages", list)
        return Ask(
            prompt="\n".join(asking.texts(messages)),
            model=body.get("model") or self.deployment or asking.required(body, "model", str),
            stream=body.get("stream") is True,
            with_usage=(body.get("stream_options") or {}).get("include_usage") is True,
            max_tokens=asking.optional_count(body, "max_completion_tokens")
            or asking.optional_count(body, "max_tokens"),
            schema=_schema(body.get("response_format") or {}),
            forced=_forced(body),
        )

    def whole(self, answer: Answer) -> bytes:
        """Write a chat completion."""
        content = None if answer.calls and not answer.text else answer.text
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
        if answer.calls:
            message["tool_calls"] = [
                _call(number, answer, asking.to_json(call.arguments)) for number, call in enumerate(answer.calls)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _STOPS[answer.stop]}
        choices = [] if answer.empty else [choice | self._choice_filters()]
        document = _envelope(answer, "chat.completion") | {"choices": choices, "usage": _usage(answer)}
        return asking.encoded(document | self._prompt_filters())

    def events(self, ask: Ask, answer: Answer) -> Events:
        """Write chunks, the usage at the end if it was asked for, and [DONE]."""
        envelope = _envelope(answer, "chat.completion.chunk")
        if ask.with_usage:
            envelope["usage"] = None
        deltas = [] if answer.empty else _deltas(answer)
        chunks = [self._chunk(envelope, delta, None) for delta in deltas]
        if not answer.empty:
            chunks.append(self._chunk(envelope, {}, _STOPS[answer.stop]))
        if ask.with_usage or answer.empty:
            chunks.append(_event(envelope | {"choices": [], "usage": _usage(answer)}))
        first = (self._chunk(envelope, {"role": "assistant", "content": "", "refusal": None}, None),)
        return Events(opening=self._preamble() + (() if answer.empty else first), tokens=(*chunks, DONE))

    def error(self, status: int, message: str) -> bytes:
        """Write an error object."""
        return asking.encoded({"error": _error(status, message)})

    def error_event(self, message: str) -> bytes:
        """Write an error where a chunk should be."""
        return _event({"error": _error(_SERVER_ERRORS, message)})

    def limit_headers(self, standing: Standing) -> tuple[tuple[str, str], ...]:
        """Write x-ratelimit-*, the reset as a duration."""
        stem = "x-ratelimit"
        return (
            (f"{stem}-limit-{standing.name}", str(standing.limit)),
            (f"{stem}-remaining-{standing.name}", str(standing.remaining)),
            (f"{stem}-reset-{standing.name}", f"{standing.reset_s * 1000:.0f}ms"),
        )

    def _chunk(self, envelope: dict[str, Any], delta: dict[str, Any], stop: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": stop}
        return _event(envelope | {"choices": [choice | self._choice_filters()]})

    def _preamble(self) -> tuple[bytes, ...]:
        """Azure's first chunk has no choices and no name of a model."""
        if self.deployment is None:
            return ()
        empty = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
        return (_event(empty | self._prompt_filters()),)

    def _choice_filters(self) -> dict[str, Any]:
        return {} if self.deployment is None else {"content_filter_results": _FILTERS}

    def _prompt_filters(self) -> dict[str, Any]:
        results = [{"prompt_index": 0, "content_filter_results": _FILTERS}]
        return {} if self.deployment is None else {"prompt_filter_results": results}


def _schema(wanted: Mapping[str, Any]) -> Any:
    if wanted.get("type") == "json_object":
        return _FREE_JSON
    return (
        asking.required(wanted, "json_schema", dict).get("schema", {}) if wanted.get("type") == "json_schema" else None
    )


def _forced(body: Mapping[str, Any]) -> Tool | None:
    choice = body.get("tool_choice")
    if choice in {None, "none", "auto"} if not isinstance(choice, dict) else False:
        return None
    functions = [asking.required(tool, "function", dict) for tool in body.get("tools") or ()]
    tools = tuple(Tool(name=asking.required(found, "name", str), schema=found.get("parameters")) for found in functions)
    name = asking.required(choice, "function", dict).get("name") if isinstance(choice, dict) else None
    return asking.find_tool(tools, name)


def _envelope(answer: Answer, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.key}",
        "object": kind,
        "created": CREATED,
        "model": answer.model,
        "system_fingerprint": answer.fingerprint,
    }


def _usage(answer: Answer) -> dict[str, Any]:
    words = answer.words
    return {
        "prompt_tokens": answer.prompt_words,
        "completion_tokens": words,
        "total_tokens": answer.prompt_words + words,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _call(number: int, answer: Answer, arguments: str) -> dict[str, Any]:
    function = {"name": answer.calls[number].name, "arguments": arguments}
    return {"id": f"call_{answer.key}_{number}", "type": "function", "function": function}


def _deltas(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"content": piece} for piece in asking.pieces(answer.text)]
    for number, call in enumerate(answer.calls):
        found.append({"tool_calls": [{"index": number, **_call(number, answer, "")}]})
        arguments = asking.pieces(asking.to_json(call.arguments))
        found.extend({"tool_calls": [{"index": number, "function": {"arguments": piece}}]} for piece in arguments)
    return found


def _error(status: int, message: str) -> dict[str, Any]:
    kind = "server_error" if status >= _SERVER_ERRORS else "invalid_request_error"
    return {"message": message, "type": kind, "param": None, "code": _CODES.get(status)}


def _event(document: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % asking.encoded(document)
