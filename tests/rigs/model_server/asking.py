"""What a request asks for and what is answered, whatever the protocol; and what a protocol has to know."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from tests.rigs.model_server.script import ToolUse
from tests.rigs.model_server.wire import Request

_CASE = re.compile(r"\[case:([^\]\s]{1,200})\]")
_PIECE = re.compile(r"\s*\S+(?:\s+\Z)?|\s+\Z")


class Stop(StrEnum):
    """Why the model stopped; each protocol has its own words for it."""

    END = "end"
    LENGTH = "length"
    TOOL = "tool"
    FILTER = "filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool on offer, with the JSON Schema of its arguments."""

    name: str
    schema: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked: `schema` of a JSON answer, and the tool that must be called, if any."""

    prompt: str
    model: str = ""
    stream: bool = False
    with_usage: bool = False
    max_tokens: int | None = None
    schema: Any = None
    forced: Tool | None = None

    @property
    def case(self) -> str:
        """The first `[case:ID]` in the prompt, "" if there is none."""
        found = _CASE.search(self.prompt)
        return found[1] if found else ""

    @property
    def words(self) -> int:
        """The tokens of the prompt: its words."""
        return len(self.prompt.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said, ready for any protocol; `key` is the hexadecimal stem of its identifiers."""

    key: str
    model: str
    fingerprint: str
    text: str
    calls: tuple[ToolUse, ...]
    prompt_words: int
    stop: Stop
    empty: bool = False

    @property
    def words(self) -> int:
        """The tokens of the answer: its words, those of the calls' arguments included."""
        calls = sum(len(to_json(call.arguments).split()) + 1 for call in self.calls)
        return 0 if self.empty else len(self.text.split()) + calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """A stream: what comes at once, and what comes from the first token on."""

    opening: tuple[bytes, ...]
    tokens: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How full a token bucket is: its size, what remains, and seconds until it is full again."""

    name: str
    limit: int
    remaining: int
    reset_s: float


class AskError(ValueError):
    """A request that the protocol refuses."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Format(Protocol):
    """One protocol: how a question reads and how an answer, a stream and an error are written."""

    def read(self, request: Request, body: Mapping[str, Any]) -> Ask:
        """Read a question; raises AskError."""
        ...

    def whole(self, answer: Answer) -> bytes:
        """Write an answer in one piece."""
        ...

    def events(self, ask: Ask, answer: Answer) -> Events:
        """Write an answer as events of a stream."""
        ...

    def error(self, status: int, message: str) -> bytes:
        """Write an error."""
        ...

    def error_event(self, message: str) -> bytes:
        """Write an error inside of a stream."""
        ...

    def limit_headers(self, standing: Standing) -> tuple[tuple[str, str], ...]:
        """Write how full a bucket is."""
        ...


def to_json(value: object) -> str:
    """Write JSON as the providers do, without a blank more than needed."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def encoded(value: object) -> bytes:
    """Write JSON as bytes; half of a surrogate pair becomes a question mark."""
    return to_json(value).encode("utf-8", "replace")


def pieces(text: str) -> list[str]:
    """Split a text into words with the blanks before them; joined, they are the text again."""
    return _PIECE.findall(text)


def required(body: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return a field that must be there; raises AskError."""
    value = body.get(name)
    if not isinstance(value, kind) or not value:
        raise AskError(f"{name}: Field required")
    return value


def optional_count(body: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number from 1, None if it is absent; raises AskError."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise AskError(f"{name}: must be a whole number from 1")
    return value


def texts(content: Any) -> Iterator[str]:
    """Find the text in what a message holds: a string, or parts with text or with content of their own."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from texts(content.get("text", content.get("content")))
    elif isinstance(content, list):
        for part in content:
            yield from texts(part)


def find_tool(tools: tuple[Tool, ...], name: str | None) -> Tool:
    """Return the tool of that name, or the first; raises AskError."""
    for tool in tools:
        if name in {None, tool.name}:
            return tool
    raise AskError(f"tool_choice: {name or 'a tool'} is not among the tools")
