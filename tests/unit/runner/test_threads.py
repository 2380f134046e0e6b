"""Threads that do one thing to each item, with real threads."""

from __future__ import annotations

import threading

import pytest

from gate.runner.threads import Threads

PATIENCE_S = 10.0


def waited(threads: Threads[int, int], count: int) -> list[int]:
    """Wait for so many places."""
    places: list[int] = []
    while len(places) < count:
        places += threads.wait(PATIENCE_S)
    return places


def test_wait__every_place_once_with_its_result() -> None:
    threads: Threads[int, int] = Threads(lambda item: item * item, 3)
    for place in range(20):
        threads.give(place, place)
    assert sorted(waited(threads, 20)) == list(range(20))
    assert threads.results == {place: place * place for place in range(20)}
    threads.close()


def test_wait__nothing_under_way() -> None:
    threads: Threads[int, int] = Threads(lambda item: item, 1)
    assert threads.wait(0.01) == []
    threads.close()


def test_wait__raises_what_an_item_raised() -> None:
    threads: Threads[int, float] = Threads(lambda item: 1 / item, 1)
    threads.give(0, 0)
    with pytest.raises(ZeroDivisionError):
        threads.wait(PATIENCE_S)
    threads.close()


def test_give__at_most_so_many_at_a_time() -> None:
    together, alone = threading.Barrier(2), threading.Semaphore(2)

    def meet(item: int) -> int:
        assert alone.acquire(blocking=False)
        together.wait(PATIENCE_S)
        alone.release()
        return item

    threads: Threads[int, int] = Threads(meet, 2)
    for place in range(6):
        threads.give(place, place)
    assert sorted(waited(threads, 6)) == list(range(6))
    threads.close()


def test_close__ends_what_has_begun_and_begins_nothing() -> None:
    begun, go = threading.Event(), threading.Event()

    def work(item: int) -> int:
        begun.set()
        go.wait(PATIENCE_S)
        return item

    threads: Threads[int, int] = Threads(work, 1)
    for place in range(3):
        threads.give(place, place)
    assert begun.wait(PATIENCE_S)
    thread = threads._threads[0]

    class Joined(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            go.set()
            thread.join(PATIENCE_S)

    threads._threads[0] = Joined()
    threads.close()
    assert not thread.is_alive()
    assert threads.results == {0: 0}
