"""A response as a value: what is written after which pause, and how it ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from tests.rigs.model_server.asking import Events
from tests.rigs.model_server.wire import LAST_CHUNK, chunk, head

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"

Headers = tuple[tuple[str, str], ...]
Step = tuple[float, bytes]


class End(Enum):
    """What becomes of the connection."""

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps of (seconds to wait, bytes to write); `status` is 0 if none is sent."""

    status: int
    steps: Iterable[Step]
    end: End = End.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A response before it is framed: parts of (seconds to wait, bytes), one an event in a stream."""

    parts: tuple[Step, ...]
    status: int = 200
    kind: str = JSON
    headers: Headers = ()
    stream: bool = False

    @property
    def body(self) -> bytes:
        """All that is sent."""
        return b"".join(part for _, part in self.parts)


def whole(body: bytes, *, wait: float = 0.0, status: int = 200, headers: Headers = ()) -> Payload:
    """Make a payload of one JSON document."""
    return Payload(parts=((wait, body),), status=status, headers=headers)


def stream(events: Events, *, first: float, rest: float, headers: Headers = ()) -> Payload:
    """Make a stream: the opening at once, the first token after `first` seconds, the others spread over `rest`."""
    gap = rest / max(1, len(events.tokens) - 1)
    opening = tuple((0.0, event) for event in events.opening)
    tokens = tuple((gap if number else first, event) for number, event in enumerate(events.tokens))
    return Payload(parts=opening + tokens, kind=EVENT_STREAM, headers=headers, stream=True)


def framed(payload: Payload) -> Plan:
    """Write a payload as a response that keeps the connection."""
    if not payload.stream:
        wait = sum(pause for pause, _ in payload.parts)
        return Plan(status=payload.status, steps=((wait, opening(payload) + payload.body),))
    parts = ((0.0, opening(payload)), *((wait, chunk(part)) for wait, part in payload.parts), (0.0, LAST_CHUNK))
    return Plan(status=payload.status, steps=_joined(parts))


def opening(payload: Payload) -> bytes:
    """Write the head of a payload."""
    length = ("Transfer-Encoding", "chunked") if payload.stream else ("Content-Length", str(len(payload.body)))
    return head(payload.status, (("Content-Type", payload.kind), length, *payload.headers))


def _joined(parts: tuple[Step, ...]) -> list[Step]:
    """Write in one go what comes without a pause."""
    steps: list[tuple[float, list[bytes]]] = []
    for wait, part in parts:
        if wait or not steps:
            steps.append((wait, [part]))
        else:
            steps[-1][1].append(part)
    return [(wait, b"".join(found)) for wait, found in steps]
