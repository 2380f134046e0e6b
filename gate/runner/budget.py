"""Hard ceilings, asked before each call; a stopped run is missing evidence and never a verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from gate.core.model import Answer, Unanswered


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """What a run may use; None is no ceiling. Minutes are of wall time."""

    usd: float | None = None
    calls: int | None = None
    minutes: float | None = None
    tokens: int | None = None


class Budget:
    """Counts what a run uses; safe to share between threads. `now` returns seconds."""

    def __init__(self, ceilings: Ceilings, now: Callable[[], float]) -> None:
        """Start the clock."""
        self._ceilings = ceilings
        self._now = now
        self._start = now()
        self._lock = threading.Lock()
        self._refused = ""
        self._under_way = 0
        self._answers = 0
        self.calls = 0
        self.tokens = 0
        self.usd: float | None = None

    def take(self) -> bool:
        """Count one call if it may be made; False once a ceiling is reached.

        Calls under way are expected to cost what the others did on average, so that many at a time do not overrun.
        """
        with self._lock:
            self._refused = self._refused or self._reached()
            if self._refused:
                return False
            self.calls += 1
            self._under_way += 1
            return True

    def settle(self, answer: Answer | Unanswered) -> None:
        """Count what a call that was taken came to; requests that were sent again are calls, too."""
        with self._lock:
            self._under_way -= 1
            self.calls += max(answer.attempts - 1, 0)
        if isinstance(answer, Answer):
            self.spend(answer)

    def spend(self, answer: Answer) -> None:
        """Count what an answer cost."""
        with self._lock:
            self._answers += 1
            if answer.usage is not None:
                self.tokens += answer.usage.input_tokens + answer.usage.output_tokens
            if answer.usd is not None:
                self.usd = (self.usd or 0.0) + answer.usd

    def stopped(self) -> str:
        """Why no further call may be made, or an empty text."""
        with self._lock:
            return self._refused or self._reached()

    def _reached(self) -> str:
        limits = self._ceilings
        whole = 1.0 + self._under_way / self._answers if self._answers else 1.0
        if limits.calls is not None and self.calls >= limits.calls:
            return f"the budget of {limits.calls} calls is used up"
        if limits.tokens is not None and self.tokens * whole >= limits.tokens:
            return f"the budget of {limits.tokens} tokens is used up"
        if limits.usd is not None and (self.usd or 0.0) * whole >= limits.usd:
            return f"the budget of {limits.usd:g} dollars is used up"
        if limits.minutes is not None and self._now() - self._start >= limits.minutes * 60:
            return f"the budget of {limits.minutes:g} minutes is used up"
        return ""
