"""Watchdog: cuts what is overdue and nothing else, with one thread."""

import threading
import time

from gate.targets.watchdog import Watch, Watchdog


class Rope:
    def __init__(self) -> None:
        self.was_cut = threading.Event()

    def cut(self) -> None:
        self.was_cut.set()


def watchdogs() -> set[threading.Thread]:
    """Those of other tests included, which may end at any time."""
    return {thread for thread in threading.enumerate() if thread.name == "watchdog"}


def soon(seconds: float) -> float:
    return time.monotonic() + seconds


def test_watch__cuts_at_the_deadline() -> None:
    rope = Rope()
    watch = Watchdog().watch(rope, soon(0.05))
    assert rope.was_cut.wait(10)
    assert watch.fired


def test_watch__cuts_a_nearer_deadline_first() -> None:
    watchdog, late, early = Watchdog(), Rope(), Rope()
    kept = watchdog.watch(late, soon(1000))
    watchdog.watch(early, soon(0.05))
    assert early.was_cut.wait(10)
    assert (late.was_cut.is_set(), kept.fired) == (False, False)
    watchdog.release(kept)


def test_release__saves_what_was_in_time() -> None:
    watchdog, saved, marker = Watchdog(), Rope(), Rope()
    watch: Watch = watchdog.watch(saved, soon(0.05))
    watchdog.release(watch)
    watchdog.watch(marker, soon(0.2))
    assert marker.was_cut.wait(10)
    assert (saved.was_cut.is_set(), watch.fired) == (False, False)


def test_watch__needs_one_thread_and_ends_it() -> None:
    before = watchdogs()
    watchdog, ropes = Watchdog(), [Rope() for _ in range(20)]
    for rope in ropes:
        watchdog.watch(rope, soon(0.3))
    (own,) = watchdogs() - before
    for rope in ropes:
        assert rope.was_cut.wait(10)
    own.join(10)
    assert not own.is_alive()


def test_watch__starts_again_after_its_thread_has_ended() -> None:
    watchdog = Watchdog()
    for _ in range(3):
        rope = Rope()
        watchdog.watch(rope, soon(0.02))
        assert rope.was_cut.wait(10)
