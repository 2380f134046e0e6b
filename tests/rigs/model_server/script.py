"""What the server is to do, as values: answers by case, latency, faults, limits and outages; and their JSON form."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

STATUSES = frozenset({400, 401, 403, 404, 408, 409, 413, 425, 429, 500, 502, 503, 504, 529})


class FaultKind(StrEnum):
    """What goes wrong; those of ANSWERED still bring a whole answer, and so take its place among the draws."""

    STATUS = "status"  # an error of the protocol under `status`
    RESET_BEFORE_HEADERS = "reset_before_headers"
    RESET_AFTER_HEADERS = "reset_after_headers"  # half of the body comes, then the connection is reset
    TRUNCATED = "truncated"  # ends too soon, and cleanly: half a JSON document, or a stream after `events` events
    CUT_OFF = "cut_off"  # the same, by closing the connection inside of the announced body
    DRIP = "drip"  # one byte every `pause_ms`
    SILENT = "silent"  # never answers
    WRONG_TYPE = "wrong_type"  # the answer as text/plain
    HTML = "html"  # an error page of a proxy under `status`
    HUGE = "huge"  # an answer of at least `size` bytes
    COMPRESSED = "compressed"  # gzip, whatever was asked for
    REDIRECT = "redirect"  # 307 to `location`, or to this server under another host name
    ERROR_EVENT = "error_event"  # status 200, then an error after `events` events, or in place of the answer
    CONTENT_FILTER = "content_filter"  # stops halfway, for the filter's sake
    EMPTY = "empty"  # no choices, no content
    OTHER_MODEL = "other_model"  # answers under the name `model`


ANSWERED = frozenset(
    (FaultKind.DRIP, FaultKind.WRONG_TYPE, FaultKind.COMPRESSED, FaultKind.CONTENT_FILTER, FaultKind.OTHER_MODEL)
)


class RetryForm(StrEnum):
    """How a fault says when to come again."""

    SECONDS = "seconds"  # Retry-After: 2
    DATE = "date"  # Retry-After: Fri, 31 Dec 1999 23:59:59 GMT
    MILLISECONDS = "milliseconds"  # retry-after-ms: 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """One call of a tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the model says: text, calls of tools, or both."""

    text: str = ""
    calls: tuple[ToolUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnswers:
    """The two answers to a case, and how probable the right one is."""

    right: str | Said
    wrong: str | Said = "wrong"
    probability: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability {self.probability} is not within 0 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds to the first token, and from there to the last; with `sigma`, medians of a lognormal law."""

    first_ms: float = 0.0
    rest_ms: float = 0.0
    sigma: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, and when: at these request numbers, or at a case's attempts (all if none); else always.

    Numbers and attempts count from 1 since the start or the last `forget`. `headers` and `body` replace those that an
    error would have.
    """

    kind: FaultKind = FaultKind.STATUS
    requests: tuple[int, ...] = ()
    case: str | None = None
    attempts: tuple[int, ...] = ()
    status: int = 500
    retry_after_s: float | None = None
    retry_form: RetryForm = RetryForm.SECONDS
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    events: int = 2
    pause_ms: float = 100.0
    size: int = 8_000_000
    location: str | None = None
    model: str = "another-model"

    def __post_init__(self) -> None:
        if self.kind is FaultKind.STATUS and self.status not in STATUSES:
            raise ValueError(f"status {self.status} is none of {sorted(STATUSES)}")
        if self.requests and self.case is not None:
            raise ValueError("a fault is bound to request numbers or to a case, not to both")
        if self.attempts and self.case is None:
            raise ValueError("attempts are those of a case, and none is named")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Token buckets and a bound on what is in flight; what is over gets 429.

    A bucket holds what flows in within `burst_s` seconds. A request costs its prompt's words plus the `max_tokens` that
    it asks for.
    """

    requests_per_s: float | None = None
    tokens_per_s: float | None = None
    burst_s: float = 1.0
    in_flight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Every request from the first number to the last, both included, gets 503."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All that the server does. Without a script it says `default` at once."""

    seed: int = 0
    cases: Mapping[str, CaseAnswers] = field(default_factory=dict)
    default: str | Said = "ok"
    fingerprint: str = "fp_rig_1"
    latency: Latency = Latency()
    faults: tuple[Fault, ...] = ()
    limits: Limits = Limits()
    outages: tuple[Outage, ...] = ()
    keep: int = 20_000  # requests that are remembered; older ones are forgotten, and counted all the same


def dump_script(script: Script) -> bytes:
    """Write a script as JSON."""
    return json.dumps(asdict(script)).encode()


def load_script(content: bytes | str) -> Script:
    """Read a script from JSON; raises ValueError for what is none, a key that does not exist included."""
    try:
        return _script(**json.loads(content))
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is no script: {error}") from error


def _script(
    *, cases: Any = (), default: Any = "ok", latency: Any = (), faults: Any = (), limits: Any = (), outages: Any = (),
    **rest: Any,
) -> Script:  # fmt: skip
    return Script(
        cases={identifier: _case(**answers) for identifier, answers in dict(cases).items()},
        default=_said(default),
        latency=Latency(**dict(latency)),
        faults=tuple(_fault(**fault) for fault in faults),
        limits=Limits(**dict(limits)),
        outages=tuple(Outage(**outage) for outage in outages),
        **rest,
    )


def _case(*, right: Any, wrong: Any = "wrong", probability: float = 1.0) -> CaseAnswers:
    return CaseAnswers(right=_said(right), wrong=_said(wrong), probability=probability)


def _said(value: Any) -> str | Said:
    if isinstance(value, str):
        return value
    calls = tuple(ToolUse(**call) for call in value.get("calls", ()))
    return Said(text=value.get("text", ""), calls=calls)


def _fault(
    *, kind: str = "status", retry_form: str = "seconds", requests: Any = (), attempts: Any = (), headers: Any = (),
    **rest: Any,
) -> Fault:  # fmt: skip
    return Fault(
        kind=FaultKind(kind),
        retry_form=RetryForm(retry_form),
        requests=tuple(requests),
        attempts=tuple(attempts),
        headers=tuple((name, value) for name, value in headers),
        **rest,
    )
