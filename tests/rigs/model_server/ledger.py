"""What was asked: counts by path, case and status, what is in flight, and the requests themselves."""

import json
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from tests.rigs.model_server.wire import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request with its number, and the number of its attempt at its case ("" if it names none), both from 1."""

    request: Request
    number: int
    case: str
    attempt: int
    at_s: float


class Ledger:
    """Counts from the start or the last `forget`; control requests are no part of it."""

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._in_flight = 0
        self.forget()

    def forget(self) -> None:
        """Start all counts anew; what is in flight still is."""
        self._total = 0
        self._most_in_flight = self._in_flight
        self._paths: Counter[str] = Counter()
        self._cases: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._answered: Counter[str] = Counter()
        self._kept: deque[Visit] = deque(maxlen=self._keep)
        self._since_s = time.monotonic()

    def keep(self, most: int) -> None:
        """Remember that many requests from now on."""
        if most != self._keep:
            self._keep, self._kept = most, deque(self._kept, maxlen=most)

    def enter(self, request: Request, case: str) -> Visit:
        """Count a request that has come."""
        self._total += 1
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        self._paths[request.path] += 1
        self._cases[case] += 1
        at_s = time.monotonic() - self._since_s
        visit = Visit(request=request, number=self._total, case=case, attempt=self._cases[case], at_s=at_s)
        self._kept.append(visit)
        return visit

    @property
    def in_flight(self) -> int:
        """How many requests are not yet answered."""
        return self._in_flight

    def leave(self, status: int) -> None:
        """Count a request that is over, with the status that was sent, 0 for none."""
        self._in_flight -= 1
        self._statuses[status] += 1

    def next_answer(self, case: str, *, taken: bool) -> int:
        """Return the number of a case's next answer, from 1; it stays the next one unless it is taken."""
        number = self._answered[case] + 1
        if taken:
            self._answered[case] = number
        return number

    def counts(self) -> dict[str, Any]:
        """All counts, with the processor seconds of this process so far."""
        return {
            "total": self._total,
            "paths": dict(self._paths),
            "cases": dict(self._cases),
            "answered": dict(self._answered),
            "statuses": {str(status): count for status, count in self._statuses.items()},
            "in_flight": self._in_flight,
            "most_in_flight": self._most_in_flight,
            "cpu_s": time.process_time(),
        }

    def requests(self, since: int) -> list[dict[str, Any]]:
        """All requests after a number that are still remembered."""
        return [_shown(visit) for visit in self._kept if visit.number > since]


def _shown(visit: Visit) -> dict[str, Any]:
    request = visit.request
    return {
        "number": visit.number,
        "case": visit.case,
        "attempt": visit.attempt,
        "at_s": round(visit.at_s, 6),
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers),
        "body": _read(request.body),
    }


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
