"""Find and kill every process that a worker leaves behind, whatever it did to hide.

A double fork and setsid leave the worker's group, and exec can empty the environment; a *hard* limit on the size of
files can be lowered, but never raised again without privileges, and every descendant inherits it. So each live
worker gets a limit of its own, a few bytes under a ceiling that is itself under the gate's own limit: that is its
mark. The gate makes itself the subreaper of its descendants, so that orphans become its direct children. A direct
child with a limit at or under the ceiling then comes from a worker; one above it (git, say, started by another
thread) does not and is never touched. A process that takes another live worker's mark dies with that worker.

What remains: work handed to a service that already runs (a container engine, cron), and a fork bomb of a user
whose processes the kernel does not count (see gate.worker.run), which is killed for at most `PATIENCE_S`.
"""

import ctypes
import itertools
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CEILING = 64 * 1024 * 1024
PATIENCE_S = 5.0

_EMPTY_SCANS = 2
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


class Marks:
    """The marks of the workers that live in this process; safe to use from several threads."""

    def __init__(self) -> None:
        """Start with no worker."""
        self._lock = threading.Lock()
        self._live: set[int] = set()

    @contextmanager
    def lease(self) -> Iterator[int]:
        """Hold a mark for one worker; when it ends, everything that carries the mark or no live one is killed."""
        with self._lock:
            ceiling = _ceiling()
            mark = next(ceiling - n for n in itertools.count(1) if ceiling - n not in self._live)
            self._live.add(mark)
        try:
            yield mark
        finally:
            self._clear(mark)

    def _clear(self, mark: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        # The kernel may skip an entry of the list while others leave it, so that one empty list proves nothing.
        quiet = 0
        while quiet < _EMPTY_SCANS and time.monotonic() < deadline:
            with self._lock:
                quiet = 0 if _kill_marked(self._live - {mark}) else quiet + 1
            time.sleep(0 if quiet else 0.001)
        with self._lock:
            self._live.discard(mark)


def shield_gate() -> None:
    """Make this process unreadable for others of its user, and the parent of every orphan below it; Linux only.

    Without the first, a child of the same user reads our keys from /proc/<pid>/environ.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    for option, value in ((_PR_SET_DUMPABLE, 0), (_PR_SET_CHILD_SUBREAPER, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _ceiling() -> int:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    return CEILING if hard == resource.RLIM_INFINITY else min(CEILING, hard)


def _kill_marked(others: set[int]) -> int:
    """Kill and, where dead, reap our marked children outside the marks of other workers; return how many there were.

    No number is reused in between: a dead child keeps its own until we reap it, here, under the lock.
    """
    marked = [pid for pid in _children() if _is_straggler(pid, others)]
    for pid in marked:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return len(marked)


def _children() -> list[int]:
    found: list[int] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found.extend(int(word) for word in path.read_text("ascii").split())
    return found


def _is_straggler(pid: int, others: set[int]) -> bool:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/limits").read_text("ascii", "replace").splitlines():
            if line.startswith("Max file size"):
                hard = line.split()[4]
                return hard != "unlimited" and int(hard) < _ceiling() and int(hard) not in others
    return False
