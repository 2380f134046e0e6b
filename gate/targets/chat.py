"""The OpenAI chat format: what is asked, and how an answer reads, whole or as a stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.core.model import Answer, Call, Json, ToolCall, Usage
from gate.targets.definition import TargetDefinition
from gate.targets.reply import BadReplyError, read_usage
from gate.targets.wire import (
    CALLS,
    CUT_OFF,
    FILTERED,
    Collector,
    Said,
    SaidError,
    finish_word,
    list_of,
    mapping_of,
    name_of,
    object_of,
    raise_said,
    read_arguments,
    text_of,
)

MAX_TOKENS, MAX_COMPLETION_TOKENS = "max_tokens", "max_completion_tokens"
MOST_TOOL_CALLS = 1000
_FILTER_CODES = frozenset({"content_filter", "content_policy_violation"})
# DeepSeek's word for an answer that it broke off itself.
_BROKEN_OFF = "insufficient_system_resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatWire:
    """Chat completions, with what differs between the providers that speak it.

    `token_limit_key` is what the limit is sent as. `strict_schema` is false where a provider takes no JSON Schema and
    only promises JSON. `thinks_beside` is true where tokens of thought are in the total and not in the completion.
    """

    definition: TargetDefinition
    path: str = "/chat/completions"
    key_header: str = "Authorization"
    token_limit_key: str = MAX_TOKENS
    strict_schema: bool = True
    thinks_beside: bool = False
    price_list: str = ""

    def headers(self, key: str | None) -> dict[str, str]:
        """The key as a bearer token, or bare where the provider has a header of its own."""
        bearer = "Bearer " if self.key_header == "Authorization" else ""
        return {self.key_header: f"{bearer}{key}"} if key else {}

    def request(self, call: Call) -> dict[str, Json]:
        """Build the request body: the prompt is one user message."""
        asked = self.definition
        parameters: dict[str, Json] = {
            "temperature": asked.temperature,
            asked.token_limit_key or self.token_limit_key: asked.max_output_tokens,
            "seed": call.seed if asked.seed_per_trial else asked.seed,
            "response_format": self._format(),
            "stream": True if asked.stream else None,
            "stream_options": {"include_usage": True} if asked.stream else None,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return {"model": asked.model, "messages": [{"role": "user", "content": call.prompt}], **given}

    def _format(self) -> dict[str, Json] | None:
        schema = self.definition.response_schema
        if schema is None:
            return None
        if not self.strict_schema:
            return {"type": "json_object"}
        return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}

    def read(self, document: Json) -> Answer:
        """Read a chat completion; what a content filter stopped is an answer too, and so is a refusal."""
        document = object_of(document)
        choice = _choice(document)
        why = finish_word(choice.get("finish_reason"))
        if why == _BROKEN_OFF:
            raise SaidError(Said(code=why, message="the provider broke off the answer"))
        message = _message(choice, why)
        return Answer(
            text=_text(message, why),
            model=name_of(document.get("model")),
            tool_calls=tuple(_tool_call(item) for item in list_of(message.get("tool_calls"))),
            usage=self._usage(document.get("usage")),
            finish_reason=why,
            fingerprint=name_of(document.get("system_fingerprint")),
        )

    def _usage(self, counts: Json) -> Usage | None:
        if counts is None:
            return None
        usage = read_usage(counts, "prompt_tokens", "completion_tokens")
        given = mapping_of(counts)
        cached = given.get("prompt_cache_hit_tokens") or mapping_of(given.get("prompt_tokens_details")).get(
            "cached_tokens"
        )
        total = given.get("total_tokens") if self.thinks_beside else None
        return Usage(
            input_tokens=usage.input_tokens,
            output_tokens=max(usage.output_tokens, total - usage.input_tokens)
            if isinstance(total, int)
            else usage.output_tokens,
            cached_input_tokens=min(max(cached, 0), usage.input_tokens) if isinstance(cached, int) else 0,
        )

    def collector(self) -> Collector:
        """Collect `chat.completion.chunk` events."""
        return _Chunks()

    def filtered(self, said: Said) -> bool:
        """Azure answers a prompt that its filter stops with status 400 and this code."""
        return said.code in _FILTER_CODES


@dataclass(slots=True)
class _Call:
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Chunks:
    """The chunks of one stream so far."""

    said: dict[str, list[str]] = field(default_factory=lambda: {"content": [], "refusal": []})
    calls: dict[int, _Call] = field(default_factory=dict)
    facts: dict[str, Json] = field(default_factory=dict)
    why: Json = None

    def take(self, event: Mapping[str, Json]) -> bool:
        """Take one chunk; the one with the usage has no choice."""
        raise_said(event)
        for fact in ("model", "system_fingerprint", "usage"):
            if event.get(fact):
                self.facts[fact] = event[fact]
        choices = list_of(event.get("choices"))
        choice = mapping_of(choices[0]) if choices else {}
        self.why = choice.get("finish_reason") or self.why
        return self._take_delta(mapping_of(choice.get("delta")))

    def _take_delta(self, delta: Mapping[str, Json]) -> bool:
        brought = False
        for kind, parts in self.said.items():
            part = text_of(delta.get(kind))
            if part:
                parts.append(part)
                brought = True
        for place, item in enumerate(list_of(delta.get("tool_calls"))):
            self._take_call(mapping_of(item), place)
            brought = True
        return brought

    def _take_call(self, item: Mapping[str, Json], place: int) -> None:
        index = item.get("index", place)
        if not isinstance(index, int) or not 0 <= index < MOST_TOOL_CALLS:
            raise BadReplyError("the answer has a tool call without a place")
        function = mapping_of(item.get("function"))
        call = self.calls.setdefault(index, _Call())
        call.name += text_of(function.get("name"))
        call.arguments.append(text_of(function.get("arguments")))

    def document(self) -> dict[str, Json] | None:
        """The completion as it would have come whole."""
        if not self.why:
            return None
        message: dict[str, Json] = {kind: "".join(parts) for kind, parts in self.said.items() if parts}
        if self.calls:
            message["tool_calls"] = [
                {"function": {"name": call.name or None, "arguments": "".join(call.arguments)}}
                for _, call in sorted(self.calls.items())
            ]
        message.setdefault("content", None if message else "")
        return {**self.facts, "choices": [{"message": message, "finish_reason": self.why}]}


def _choice(document: dict[str, Json]) -> dict[str, Json]:
    choices = list_of(document.get("choices"))
    return mapping_of(choices[0]) if choices else {}


def _message(choice: dict[str, Json], why: str) -> dict[str, Json]:
    message = choice.get("message")
    if not isinstance(message, dict):
        if why == FILTERED:
            return {}
        raise BadReplyError("the answer has no choices[0].message")
    return message


def _text(message: dict[str, Json], why: str) -> str:
    """Return what was said: a message may consist of tool calls alone, and may have been stopped before its start."""
    content = message.get("content")
    if content is None:
        content = message.get("refusal")
    if content is None and (message.get("tool_calls") or why in {FILTERED, CUT_OFF, CALLS}):
        return ""
    if not isinstance(content, str):
        raise BadReplyError("the answer's choices[0].message.content is not text")
    return content


def _tool_call(item: Json) -> ToolCall:
    function = item.get("function") if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadReplyError("the answer has a tool call without a name")
    return ToolCall(name=str(function["name"]), arguments=read_arguments(function.get("arguments")))
