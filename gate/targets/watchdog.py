"""One thread that ends exchanges which are overdue: neither slow headers nor a dripping body can outlast it."""

import threading
import time
from typing import Protocol


class Cuttable(Protocol):
    """Something under way that another thread can end."""

    def cut(self) -> None:
        """End it; whatever waits for it fails at once."""
        ...


class Watch:
    """One exchange under watch; `fired` says that it was cut."""

    __slots__ = ("deadline", "fired", "line")

    def __init__(self, line: Cuttable, deadline: float) -> None:
        """Watch a line up to a deadline in seconds of the monotonic clock."""
        self.line = line
        self.deadline = deadline
        self.fired = False


class Watchdog:
    """Cuts what is overdue; its thread starts with the first watch, and ends when nothing is left to watch.

    It sleeps to the nearest deadline and is not woken by exchanges that end in time, so that a call costs no thread.
    """

    def __init__(self) -> None:
        """Start with nothing to watch."""
        self._turn = threading.Condition()
        self._watched: set[Watch] = set()
        self._running = False
        self._wakes_at = 0.0

    def watch(self, line: Cuttable, deadline: float) -> Watch:
        """Cut the line at the deadline, unless it is released before."""
        watch = Watch(line, deadline)
        with self._turn:
            self._watched.add(watch)
            if not self._running:
                self._running, self._wakes_at = True, deadline
                threading.Thread(target=self._run, name="watchdog", daemon=True).start()
            elif deadline < self._wakes_at:
                self._turn.notify()
        return watch

    def release(self, watch: Watch) -> None:
        """Watch no longer; after this the line is not cut any more."""
        with self._turn:
            self._watched.discard(watch)

    def _run(self) -> None:
        with self._turn:
            while self._watched:
                now = time.monotonic()
                for watch in [each for each in self._watched if each.deadline <= now]:
                    watch.fired = True
                    self._watched.discard(watch)
                    watch.line.cut()
                self._wakes_at = min((each.deadline for each in self._watched), default=now)
                if self._wakes_at > now:
                    self._turn.wait(self._wakes_at - now)
            self._running = False
