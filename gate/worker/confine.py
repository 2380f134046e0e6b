"""Confine this process, then become the command: `python -I -S confine.py FSIZE MEMORY UID COMMAND...`.

Started by path and on the standard library alone, so that it needs no installed package and loads nothing from the
working folder. A `preexec_fn` would run between fork and exec in a process with threads, where taking any lock can
hang for ever; a launcher of its own has no such trouble.

FSIZE and MEMORY are bytes (MEMORY 0: no limit), UID is the user and group to become, or `-` to stay who we are. Ends
with code 127 and one sentence on standard error when the command cannot be started or the confinement does not hold.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

OPEN_FILES = 256
EXTRA_THREADS = 64
NOT_STARTED = 127

_PR_CAPBSET_DROP = 24
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_NOROOT_AND_NO_AMBIENT_LOCKED = 0b1100_0011
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_POSSIBLE_CAPABILITY = 63


def main() -> None:
    """Confine, then replace this process by the command; ends with code 127 when either fails."""
    file_bytes, memory_bytes, uid, *command = sys.argv[1:]
    try:
        _confine(int(file_bytes), int(memory_bytes), None if uid == "-" else int(uid))
        os.execvp(command[0], command)  # noqa: S606 - becoming the command, without a shell, is what this is for
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        sys.stderr.write(f"cannot start {command[0]!r}: {reason}\n")
        sys.exit(NOT_STARTED)


def _confine(file_bytes: int, memory_bytes: int, uid: int | None) -> None:
    """Apply limits and drop privileges for good; raises OSError or ValueError."""
    _prefer_for_out_of_memory()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    if memory_bytes:
        _limit(resource.RLIMIT_AS, memory_bytes)
    _forbid_regaining()
    if uid is not None:
        _limit(resource.RLIMIT_NPROC, _threads_of(uid) + EXTRA_THREADS)
        _become(uid)
    _drop_capabilities()
    _check()
    # The interpreter ignores these two, and an ignored signal stays ignored over exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def _prefer_for_out_of_memory() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def _limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bounded, bounded))


def _threads_of(uid: int) -> int:
    """Count the threads that the limit on processes already counts for the user, as far as they can be seen."""
    count = 0
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and folder.stat().st_uid == uid:
                count += len(os.listdir(folder / "task"))  # noqa: PTH208 - only the number of names is wanted
    return count


def _forbid_regaining() -> None:
    """Empty the bounding set and take root its special treatment, where we may; no_new_privs covers the rest."""
    libc = _libc()
    for capability in range(_LAST_POSSIBLE_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(_PR_SET_SECUREBITS, _NOROOT_AND_NO_AMBIENT_LOCKED, 0, 0, 0)


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _drop_capabilities() -> None:
    libc = _libc()
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    libc.capset(ctypes.byref(header), ctypes.byref(nothing))


def _check() -> None:
    """Read back what holds now: none of the calls above is trusted; raises ValueError."""
    lines = Path("/proc/self/status").read_text("utf-8", "replace").splitlines()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    held = [name for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(status.get(name, "0"), 16)]
    if held or status.get("NoNewPrivs") != "1":
        message = f"the kernel did not take the privileges away ({', '.join(held) or 'no_new_privs'})"
        raise ValueError(message)


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None)
    libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    return libc


if __name__ == "__main__":
    main()
