"""Whether this machine was too busy to time answers: a thread sleeps for short and notes how late it wakes.

What is late here is late where answers are read, too: a latency that was measured meanwhile is partly our own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from statistics import median

from gate.core.evidence import SuiteEvidence
from gate.core.statistics import nearest_rank

TICK_S = 0.010
# A second of asking: with fewer ticks the 99th percentile is hardly more than the latest of them.
LEAST_TICKS = 100
LEAST_LIMIT_MS = 20.0
SHARE_OF_LATENCY = 0.05
QUANTILE = 0.99


@dataclass(slots=True, kw_only=True)
class ClientLag:
    """How late (milliseconds) a thread of this process woke while a suite's calls were under way."""

    lags_ms: list[float] = field(default_factory=list)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note lags until the end of the block."""
        done = threading.Event()
        thread = threading.Thread(target=self._tick, args=(done,), name="lag", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _tick(self, done: threading.Event) -> None:
        while not done.is_set():
            due = time.perf_counter() + TICK_S
            time.sleep(TICK_S)
            self.lags_ms.append(max(0.0, (time.perf_counter() - due) * 1000))

    def evidence(self, suite: SuiteEvidence) -> SuiteEvidence:
        """The suite's evidence, without what was timed where that says more about this machine than about answers."""
        timed = [latency for case in suite.cases for latency in case.latency_ms]
        why = self.late(median(timed)) if timed and not suite.modelled else ""
        if not why:
            return suite
        cases = tuple(replace(case, latency_ms=(), beside_ms=(), base_ms=()) for case in suite.cases)
        return replace(suite, cases=cases, late=why)

    def late(self, median_ms: float) -> str:
        """Why answers that take so long in the median could not be timed; empty where they could."""
        if len(self.lags_ms) < LEAST_TICKS:
            return ""
        lag, limit = nearest_rank(self.lags_ms, QUANTILE), max(LEAST_LIMIT_MS, SHARE_OF_LATENCY * median_ms)
        if lag <= limit:
            return ""
        return f"the client was late: one wake-up in a hundred by {lag:.0f} ms or more, and {limit:.0f} ms are allowed"
