"""Threads that ask, and what came of it as it comes.

An executor of the standard library keeps a lock and a condition for every call, and waiting for the next answer looks
at all calls that are under way; here both cost the same however many there are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

LEAST_S = 0.0003  # that a call takes of this process, seldom less

T = TypeVar("T")
R = TypeVar("R")


class Threads(Generic[T, R]):
    """Does one thing to each item that is given, in at most `workers` threads; used from one thread.

    `results` holds by place what came of the items, until its user takes it out: an interruption loses nothing.
    """

    def __init__(self, do: Callable[[T], R], workers: int) -> None:
        """Start no thread yet."""
        self._do = do
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._todo: SimpleQueue[tuple[int, T] | None] = SimpleQueue()
        self._done: SimpleQueue[int | BaseException] = SimpleQueue()
        self.results: dict[int, R] = {}

    def give(self, place: int, item: T) -> None:
        """Have one item done; what comes of it has this place."""
        self._todo.put((place, item))
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._work, name=f"trial_{len(self._threads)}")
            self._threads.append(thread)
            thread.start()

    def wait(self, seconds: float) -> list[int]:
        """Places that are new in `results`, none after so many seconds without any; raises what an item raised."""
        places: list[int] = []
        with suppress(Empty):
            places.append(self._place(self._done.get(timeout=seconds)))
            # Waking for each one by itself takes as long as all else; those under way are not through before this.
            time.sleep(self._workers * LEAST_S)
            while True:
                places.append(self._place(self._done.get_nowait()))
        return places

    def _place(self, done: int | BaseException) -> int:
        if isinstance(done, BaseException):
            raise done
        return done

    def close(self) -> None:
        """Begin nothing more, and wait for the end of what has begun."""
        with suppress(Empty):
            while True:
                self._todo.get_nowait()
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (given := self._todo.get()) is not None:
            place, item = given
            try:
                self.results[place] = self._do(item)
            except BaseException as error:  # noqa: BLE001 it belongs to the thread that waits
                self._done.put(error)
            else:
                self._done.put(place)
