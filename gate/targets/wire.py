"""What one provider's format is to the exchange: a request body out, an answer in, whole or as a stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gate.core.canonical import parse_json
from gate.core.model import Answer, Call, Json
from gate.targets.reply import BadReplyError

FILTERED = "content_filter"
STOPPED, CUT_OFF, CALLS = "stop", "length", "tool_calls"
LONGEST_NAME = 200
_WORDS = {
    "end_turn": STOPPED,
    "stop_sequence": STOPPED,
    "max_tokens": CUT_OFF,
    "model_context_window_exceeded": CUT_OFF,
    "tool_use": CALLS,
    "function_call": CALLS,
    "refusal": FILTERED,
    "safety": FILTERED,
    "recitation": FILTERED,
    "blocklist": FILTERED,
    "prohibited_content": FILTERED,
    "spii": FILTERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An error as a provider words it: its code or type, and its sentence; both are hostile text."""

    code: str
    message: str


class SaidError(Exception):
    """The provider reported an error in the middle of an answer."""

    def __init__(self, said: Said) -> None:
        """Keep what was said."""
        super().__init__(said.message)
        self.said = said


class Collector(Protocol):
    """Puts the events of one stream together to the document that would have come without a stream."""

    def take(self, event: Mapping[str, Json]) -> bool:
        """Take one event; true where it brought a part of the answer. Raises SaidError and BadReplyError."""
        ...

    def document(self) -> dict[str, Json] | None:
        """The whole document, or None where the stream ended before the answer did."""
        ...


class Wire(Protocol):
    """One provider's format."""

    @property
    def path(self) -> str:
        """What follows the base URL."""
        ...

    @property
    def price_list(self) -> str:
        """The provider's id in the price list; empty where the list is to find it by the model."""
        ...

    def headers(self, key: str | None) -> dict[str, str]:
        """The headers that the provider asks for, with the key if there is one."""
        ...

    def request(self, call: Call) -> dict[str, Json]:
        """The request body; what the definition leaves open is not sent."""
        ...

    def read(self, document: Json) -> Answer:
        """Read a response; raises BadReplyError with a sentence that quotes nothing of it, and SaidError."""
        ...

    def collector(self) -> Collector:
        """A collector for one stream."""
        ...

    def filtered(self, said: Said) -> bool:
        """Say whether an error means that a content filter stopped the question: a result, and no outage."""
        ...


def finish_word(value: Json) -> str:
    """Why an answer ended, in the words of the OpenAI chat format, or in the provider's where those have none."""
    if not isinstance(value, str):
        return ""
    word = value.lower().partition(":")[0].strip()
    return _WORDS.get(word, word)[:LONGEST_NAME]


def read_said(document: Json) -> Said | None:
    """Find `{"error": {"message", "code" or "type"}}`, also as the only item of a list; None where there is none."""
    first = document[0] if isinstance(document, list) and document else document
    error = first.get("error") if isinstance(first, dict) else None
    if isinstance(error, str):
        return Said(code="", message=error)
    if not isinstance(error, dict):
        return None
    details = error.get("details")
    more = details.get("error_code") if isinstance(details, dict) else None
    code = more or error.get("code") or error.get("type")
    return Said(code=str(code) if isinstance(code, str | int) else "", message=text_of(error.get("message")))


def raise_said(event: Mapping[str, Json]) -> None:
    """Raise SaidError where an event of a stream reports an error."""
    said = read_said(dict(event))
    if said is not None:
        raise SaidError(said)


def text_of(value: Json) -> str:
    """The value if it is text, else an empty text."""
    return value if isinstance(value, str) else ""


def name_of(value: Json) -> str:
    """A name that a provider reports, bounded; empty where it reports none."""
    return text_of(value)[:LONGEST_NAME]


def list_of(value: Json) -> list[Json]:
    """The value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def object_of(document: Json) -> dict[str, Json]:
    """The document if it is an object; raises BadReplyError."""
    if not isinstance(document, dict):
        raise BadReplyError("the answer is not a JSON object")
    return document


def mapping_of(value: Json) -> dict[str, Json]:
    """The value if it is an object, else an empty object."""
    return value if isinstance(value, dict) else {}


def read_arguments(said: Json) -> dict[str, Json]:
    """Read a tool call's arguments; what is no JSON object is the model's fault, kept as `unparsed`."""
    try:
        arguments = parse_json(said or "{}") if isinstance(said, str) else said
    except ValueError:
        arguments = None
    return arguments if isinstance(arguments, dict) else {"unparsed": said}


def read_document(body: bytes) -> Json:
    """Parse a response body; raises BadReplyError."""
    try:
        return parse_json(body.decode("utf-8"))
    except ValueError:
        kind = "HTML" if body.lstrip()[:1] == b"<" else "not JSON"
        raise BadReplyError(f"the answer is {kind}") from None
