"""How many calls one provider gets at a time: fewer where it says "too many", none where it is down.

All targets of a run that ask the same provider share one `Pace`. Concurrency is additive increase, multiplicative
decrease (Chiu and Jain 1989), as in TCP; a pause that one call was told holds for all of them. After some failures in a
row one call at a time asks whether the provider is back, and after some of those nobody asks any more: an outage ends
in missing evidence within a minute or two, not after as many time limits as there are cases. A provider that refuses
who asks is up: only whoever was refused, with this key and this model, is not asked for any more.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

FAILURES_TO_REST = 8
# Seconds of rest before each question whether the provider is back; after the last one nobody asks any more.
RESTS_S = (1.0, 3.0, 6.0, 15.0)
# Calls that were under way together are told "too many" together: that is one message, and halves once.
ONE_MESSAGE_S = 1.0
MINUTE_S = 60.0
# A key and the model that it is for.
Asker: TypeAlias = "tuple[str | None, str | None]"
NOBODY: Asker = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a provider grants: calls at a time, requests and tokens a minute; None is no such limit."""

    calls: int = 256
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def stricter(self, other: Limits) -> Limits:
        """The smaller of each, for two targets that share a provider."""
        return Limits(
            calls=min(self.calls, other.calls),
            requests_per_minute=_least(self.requests_per_minute, other.requests_per_minute),
            tokens_per_minute=_least(self.tokens_per_minute, other.tokens_per_minute),
        )


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


@dataclass(slots=True)
class _Bucket:
    """An allowance that refills evenly. A call takes its turn with `needed` left; what it used may go below zero."""

    per_minute: int | None
    at: float
    needed: float
    left: float = 1.0

    def wait_s(self, now: float) -> float:
        """Seconds until enough is left."""
        if self.per_minute is None:
            return 0.0
        rate = self.per_minute / MINUTE_S
        # No more than what a second brings is kept, so that a pause is not followed by a burst.
        self.left, self.at = min(self.left + (now - self.at) * rate, max(1.0, rate)), now
        return max(0.0, self.needed - self.left) / rate


class Pace:
    """Shared by the threads that ask one provider. `now` returns seconds of a steady clock."""

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        """Start with all that is granted."""
        self.limits = limits
        self._now = now
        self._turn = threading.Condition()
        self._allowed = float(limits.calls)
        self._under_way = 0
        self._not_before = self._halved_at = float("-inf")
        self._failures = self._rests = 0
        self._given_up = False
        self._why = self._refusal = ""
        self._refusals: Counter[Asker] = Counter()
        self._requests = _Bucket(limits.requests_per_minute, now(), needed=1.0)
        self._tokens = _Bucket(limits.tokens_per_minute, now(), needed=0.0)

    def tighten(self, limits: Limits) -> None:
        """Let the stricter of both limits hold from now on."""
        with self._turn:
            self.limits = self.limits.stricter(limits)
            self._allowed = min(self._allowed, float(self.limits.calls))
            self._requests.per_minute = self.limits.requests_per_minute
            self._tokens.per_minute = self.limits.tokens_per_minute

    def enter(self, patience_s: float, asker: Asker = NOBODY) -> str:
        """Wait for a turn of this asker; returns an empty text, or why there is none.

        A turn that own limits put off is waited for as long as it takes; one that the provider puts off beyond
        `patience_s` is not.
        """
        with self._turn:
            latest = self._now() + patience_s
            while True:
                if self._given_up:
                    return f"the provider is down, and was not asked again: {self._why}"
                if self._refusals[asker] >= FAILURES_TO_REST:
                    return f"the provider refuses the key, and was not asked again: {self._refusal}"
                now = self._now()
                if self._not_before > latest:
                    return f"the provider wants no calls for {self._not_before - now:.0f} s, longer than the time limit"
                wait_s = self._wait_s(now)
                if wait_s <= 0.0:
                    self._under_way += 1
                    self._requests.left -= 1.0
                    return ""
                self._turn.wait(wait_s)

    def _wait_s(self, now: float) -> float:
        resting = self._failures >= FAILURES_TO_REST and self._under_way > 0
        full = self._under_way >= max(1, int(self._allowed))
        later = max(self._requests.wait_s(now), self._tokens.wait_s(now), self._not_before - now)
        return max(later, MINUTE_S if full or resting else 0.0)

    def answered(self, tokens: int = 0, asker: Asker = NOBODY) -> None:
        """A call was answered: the provider is up, and one more call may go beside the others."""
        with self._turn:
            self._leave()
            self._refusals[asker] = 0
            self._failures = self._rests = 0
            self._allowed = min(float(self.limits.calls), self._allowed + 1.0 / max(self._allowed, 1.0))
            self._tokens.left -= tokens

    def throttled(self, pause_s: float) -> None:
        """A call was told "too many": half as many as there were, and everybody waits as long as was asked."""
        with self._turn:
            now, there_were = self._now(), self._under_way
            self._leave()
            if now - self._halved_at >= ONE_MESSAGE_S:
                self._allowed, self._halved_at = max(1.0, min(self._allowed, there_were) / 2), now
            self._not_before = max(self._not_before, now + pause_s)

    def refused(self, why: str, asker: Asker = NOBODY) -> None:
        """The asker's key was refused, which waiting does not mend, and which says nothing about others."""
        with self._turn:
            self._leave()
            self._refusals[asker] += 1
            self._refusal = why

    def failed(self, why: str) -> None:
        """A call failed as in an outage."""
        with self._turn:
            self._leave()
            now = self._now()
            self._failures += 1
            self._why = why
            if self._failures >= FAILURES_TO_REST and now >= self._not_before:
                self._given_up = self._rests == len(RESTS_S)
                if not self._given_up:
                    self._not_before = now + RESTS_S[self._rests]
                    self._rests += 1

    def ended(self) -> None:
        """A call ended in a way that says nothing about the provider."""
        with self._turn:
            self._leave()

    def _leave(self) -> None:
        self._under_way -= 1
        self._turn.notify_all()


@dataclass(slots=True)
class Paces:
    """The paces of one run, by provider."""

    known: dict[str, Pace] = field(default_factory=dict)

    def __reduce__(self) -> tuple[type[Paces], tuple[()]]:
        """Another process keeps its own."""
        return Paces, ()

    def of(self, provider: str, limits: Limits) -> Pace:
        """The provider's pace; where two targets limit it, the stricter limits hold."""
        pace = self.known.get(provider)
        if pace is None:
            pace = self.known[provider] = Pace(limits)
        else:
            pace.tighten(limits)
        return pace
