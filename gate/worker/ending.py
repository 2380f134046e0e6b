"""A person's end of all programs: the signal comes to the process, and programs run in many of its threads."""

import threading

_ENDED = threading.Event()


def end_workers() -> None:
    """End all programs, those that are still to be started too, in whatever thread: their result is INTERRUPTED."""
    _ENDED.set()


def allow_workers() -> None:
    """Let programs run again."""
    _ENDED.clear()


def workers_are_ended() -> bool:
    """Whether programs are to end."""
    return _ENDED.is_set()
