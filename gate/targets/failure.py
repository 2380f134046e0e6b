"""What ends an attempt without an answer, and whether and when to try again."""

import hashlib
import math
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError, SSLError

from gate.core.model import Call, Missing
from gate.targets.wire import Said

ATTEMPTS = 3
# Where the endpoint itself says "later", waiting longer is what it asks for.
PATIENT_ATTEMPTS = 6
_PATIENT = frozenset({Missing.RATE_LIMITED, Missing.OVERLOADED})
_BACKOFF_S = 0.4
_LONGEST_BACKOFF_S = 8.0
_RETRIED = frozenset({408, 409, 425, 429})
_SERVER_ERRORS = 500
_REASONS = {
    401: Missing.KEY_REFUSED,
    403: Missing.KEY_REFUSED,
    429: Missing.RATE_LIMITED,
    503: Missing.OVERLOADED,
    529: Missing.OVERLOADED,
}
# Errors in the middle of a stream have no status; these are their codes.
_CODES = {
    "overloaded_error": Missing.OVERLOADED,
    "insufficient_system_resource": Missing.OVERLOADED,
    "rate_limit_error": Missing.RATE_LIMITED,
    "rate_limit_exceeded": Missing.RATE_LIMITED,
}
# The money is gone: no wait within a run brings it back.
_SPENT = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "credit_balance_exhausted", "enforced_spend_limit_reached"}
)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One attempt that brought nothing; `pause_s` is how long the endpoint wants to be left alone before the next.

    None is that there is no next: the same request would bring the same.
    """

    reason: Missing
    detail: str
    pause_s: float | None = None

    @property
    def attempts(self) -> int:
        """How many attempts a failure of this kind is worth."""
        if self.pause_s is None:
            return 1
        return PATIENT_ATTEMPTS if self.reason in _PATIENT else ATTEMPTS


def refused(status: int, headers: Mapping[str, str], *, said: Said | None, shown: str) -> Failure:
    """Explain a status that is no success; `shown` is what came with it, ready to be shown."""
    spent = said is not None and said.code in _SPENT
    retried = (status in _RETRIED or status >= _SERVER_ERRORS) and not spent
    if headers.get("x-should-retry") == "false":
        retried = False
    pause = read_pause(headers) if retried else None
    return Failure(reason=_REASONS.get(status, Missing.HTTP_ERROR), detail=f"status {status}: {shown}", pause_s=pause)


def broken_by_error(said: Said, shown: str) -> Failure:
    """Explain an error that came instead of an answer with a status of success, or in the middle of a stream."""
    status = int(said.code) if said.code.isascii() and said.code.isdigit() and len(said.code) == len("500") else 0
    reason = _CODES.get(said.code) or _REASONS.get(status, Missing.HTTP_ERROR)
    lasting = said.code in _SPENT or (0 < status < _SERVER_ERRORS and status not in _RETRIED)
    detail = f"the endpoint reported an error: {shown}"
    return Failure(reason=reason, detail=detail, pause_s=None if lasting else 0.0)


def unconnected(error: BaseException, host: str, timeout_s: float) -> Failure:
    """Name what broke in our own words: those of the libraries hold addresses of objects, and can hold headers."""
    causes = tuple(_chain(error))
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return Failure(reason=Missing.TIMED_OUT, detail=f"no connection to {host}", pause_s=0.0)
    if isinstance(error, ReadTimeoutError):
        return Failure(reason=Missing.TIMED_OUT, detail=f"no answer within {timeout_s:g} s")
    if isinstance(error, SSLError):
        return Failure(reason=Missing.UNREACHABLE, detail=f"no trusted TLS connection to {host}")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Failure(reason=Missing.REFUSED, detail=f"{host} refused the connection", pause_s=0.0)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Failure(reason=Missing.UNREACHABLE, detail=f"the name {host} does not resolve", pause_s=0.0)
    return Failure(reason=Missing.BROKEN_OFF, detail=f"the connection to {host} broke off", pause_s=0.0)


def read_pause(headers: Mapping[str, str]) -> float:
    """Seconds that the endpoint asks to wait: `retry-after-ms`, else `Retry-After` as seconds or a date; 0 if none."""
    exact = headers.get("retry-after-ms", "").strip()
    if _NUMBER.fullmatch(exact):
        return float(exact) / 1000
    said = headers.get("Retry-After", "").strip()
    return float(said) if _NUMBER.fullmatch(said) else _until(said)


def backoff(call: Call, retry: int) -> float:
    """Seconds before a retry (0 is the first): twice as long each time, less up to a half that depends on the call.

    The share is the same in every run, and another for every call, so that calls which failed together do not come
    back together.
    """
    longest = min(_BACKOFF_S * (1 << retry), _LONGEST_BACKOFF_S)
    drawn = hashlib.sha256(f"{call.case_id}\0{call.seed}\0{retry}".encode("utf-8", "surrogatepass")).digest()
    return longest * (1 - int.from_bytes(drawn[:4], "big") / 2**33)


def _until(date: str) -> float:
    try:
        seconds: float = parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
