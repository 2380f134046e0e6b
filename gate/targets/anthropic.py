"""Anthropic's Messages API."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.core.model import Answer, Call, Json, ToolCall, Usage
from gate.documents.wording import quoted
from gate.errors import ConfigurationError
from gate.targets.build import build_http, require_model
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Home
from gate.targets.exchange import HttpTarget
from gate.targets.prices import PRICE_LISTS, Prices
from gate.targets.reply import MOST_TOKENS, BadReplyError, read_usage
from gate.targets.wire import (
    Collector,
    Said,
    finish_word,
    mapping_of,
    name_of,
    object_of,
    raise_said,
    read_arguments,
    text_of,
)

HOME = Home(url="https://api.anthropic.com", key_name="ANTHROPIC_API_KEY")
VERSION = "2023-06-01"
MOST_BLOCKS = 1000
# No code of its own marks an answer that the filter stopped; this is how the sentence reads.
_FILTERED = "content filtering policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesWire:
    """Messages: answers are lists of blocks, and tokens from a cache are counted beside the others."""

    definition: TargetDefinition
    path: str = "/v1/messages"
    price_list: str = PRICE_LISTS["anthropic"]

    def headers(self, key: str | None) -> dict[str, str]:
        """The version of the format, and the key in a header of its own."""
        return {"anthropic-version": VERSION} | ({"x-api-key": key} if key else {})

    def request(self, call: Call) -> dict[str, Json]:
        """Build the request body: the prompt is one user message."""
        asked = self.definition
        schema = asked.response_schema
        parameters: dict[str, Json] = {
            "temperature": asked.temperature,
            "output_config": None if schema is None else {"format": {"type": "json_schema", "schema": dict(schema)}},
            "stream": True if asked.stream else None,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        messages: Json = [{"role": "user", "content": call.prompt}]
        return {"model": asked.model, "max_tokens": asked.max_output_tokens, "messages": messages, **given}

    def read(self, document: Json) -> Answer:
        """Read a message: the text of its text blocks, and its tool calls; thoughts are left out."""
        document = object_of(document)
        blocks = document.get("content")
        if not isinstance(blocks, list):
            raise BadReplyError("the answer has no content")
        found = [mapping_of(block) for block in blocks]
        return Answer(
            text="".join(_text(block) for block in found if block.get("type") == "text"),
            model=name_of(document.get("model")),
            tool_calls=tuple(_tool_call(block) for block in found if block.get("type") == "tool_use"),
            usage=_usage(document.get("usage")),
            finish_reason=finish_word(document.get("stop_reason")),
        )

    def collector(self) -> Collector:
        """Collect the events of one message."""
        return _Events()

    def filtered(self, said: Said) -> bool:
        """An answer that the filter stops comes as status 400."""
        return said.code == "invalid_request_error" and _FILTERED in said.message.lower()


@dataclass(slots=True)
class _Block:
    start: dict[str, Json]
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Events:
    """The events of one stream so far."""

    message: dict[str, Json] = field(default_factory=dict)
    usage: dict[str, Json] = field(default_factory=dict)
    blocks: dict[int, _Block] = field(default_factory=dict)
    why: Json = None

    def take(self, event: Mapping[str, Json]) -> bool:
        """Take one event; unknown ones are left out, as the format asks for."""
        raise_said(event)
        match event.get("type"):
            case "message_start":
                self.message = mapping_of(event.get("message"))
                self.usage = mapping_of(self.message.get("usage"))
            case "content_block_start":
                self.blocks[_index(event)] = _Block(start=mapping_of(event.get("content_block")))
            case "content_block_delta":
                return self._take_delta(_index(event), mapping_of(event.get("delta")))
            case "message_delta":
                self.why = mapping_of(event.get("delta")).get("stop_reason") or self.why
                # Counts are of the whole message so far, and an absent one is the one that was said before.
                self.usage = self.usage | mapping_of(event.get("usage"))
            case _:
                pass
        return False

    def _take_delta(self, index: int, delta: Mapping[str, Json]) -> bool:
        part = {"text_delta": delta.get("text"), "input_json_delta": delta.get("partial_json")}.get(
            text_of(delta.get("type"))
        )
        if index not in self.blocks or not text_of(part):
            return False
        self.blocks[index].parts.append(text_of(part))
        return True

    def document(self) -> dict[str, Json] | None:
        """The message as it would have come whole."""
        if not self.why:
            return None
        content: list[Json] = [_whole(block) for _, block in sorted(self.blocks.items())]
        return {**self.message, "content": content, "stop_reason": self.why, "usage": self.usage or None}


def build_anthropic(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> HttpTarget:
    """Build the target; raises ConfigurationError as `build_openai` does, and for what Messages do not take."""
    require_model(definition, "claude-sonnet-4-5-20250929")
    if definition.max_output_tokens is None:
        message = f"target {quoted(definition.name)}: Anthropic asks for max_output_tokens"
        raise ConfigurationError(message, hint="as in max_output_tokens: 300")
    if definition.seed is not None or definition.seed_per_trial:
        message = f"target {quoted(definition.name)}: Anthropic takes no seed"
        raise ConfigurationError(message, hint="remove seed")
    return build_http(definition, MessagesWire(definition=definition), home=HOME, environ=environ, prices=prices)


def _index(event: Mapping[str, Json]) -> int:
    index = event.get("index")
    if not isinstance(index, int) or not 0 <= index < MOST_BLOCKS:
        raise BadReplyError("the stream has a block without a place")
    return index


def _whole(block: _Block) -> Json:
    said = "".join(block.parts)
    if block.start.get("type") == "text":
        return {**block.start, "text": text_of(block.start.get("text")) + said}
    return {**block.start, "input": said} if said else dict(block.start)


def _text(block: Mapping[str, Json]) -> str:
    text = block.get("text")
    if not isinstance(text, str):
        raise BadReplyError("the answer has a text block without text")
    return text


def _tool_call(block: Mapping[str, Json]) -> ToolCall:
    name = block.get("name")
    if not isinstance(name, str):
        raise BadReplyError("the answer has a tool call without a name")
    return ToolCall(name=name, arguments=read_arguments(block.get("input")))


def _usage(counts: Json) -> Usage | None:
    if counts is None:
        return None
    usage = read_usage(counts, "input_tokens", "output_tokens")
    given = mapping_of(counts)
    cached, written = (_count(given.get(f"cache_{kind}_input_tokens")) for kind in ("read", "creation"))
    lasting = _count(mapping_of(given.get("cache_creation")).get("ephemeral_1h_input_tokens"))
    return Usage(
        input_tokens=usage.input_tokens + cached + written,
        output_tokens=usage.output_tokens,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(lasting, written),
    )


def _count(value: Json) -> int:
    return value if isinstance(value, int) and 0 < value <= MOST_TOKENS else 0
