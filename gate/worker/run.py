"""Run one program that is not trusted with our keys, and read its answer.

What holds, for code that a pull request brings:

- It sees an allow-listed environment: no GITHUB_*, ACTIONS_*, RUNNER_*, INPUT_* and no key, unless the caller passes
  one in `extra_env` (which must never come from a pull request), and it inherits no open file.
- The gate is not dumpable, so that no process of the same user reads its environment or memory in /proc.
- Started as root, it becomes `nobody` (no groups, no capabilities, no new privileges): root's files, other users'
  /proc entries, the runner's command files and the container engine's socket are then out of reach.
- When it ends or its time is up, its group is killed, and whatever fled the group (gate.worker.stragglers).

What does not hold:

- Started as root where `nobody` can reach neither the interpreter nor the working folder (both under a 0700 home), it
  stays user 0 without any capability. It cannot read /proc/<pid>/environ of a process that has capabilities or is not
  dumpable, change users or trace; but root's files, and sockets such as the container engine's, stay open to it.
- Started as an ordinary user, it has that user's files, sockets and other processes; only the gate is shielded.
- In both of these it may send signals to the gate, and the number of its processes is not limited: the kernel counts
  a user's processes over all containers (root's never), so any number we chose would hit the user's own.
- The network and world-readable files stay open: check out with `persist-credentials: false`.
"""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TypeAlias

from gate.core.model import Missing
from gate.worker import confine
from gate.worker.ending import workers_are_ended
from gate.worker.privileges import user_to_become
from gate.worker.quoting import escape_controls
from gate.worker.stragglers import PATIENCE_S, Marks, shield_gate

_ALLOWED = ("PATH", "LANG", "LC_ALL", "TZ")
_CHUNK = 65536
_STDERR_SHOWN = 300
_STDERR_KEPT = 4 * _STDERR_SHOWN

# The one registry of live workers. Orphans come back to the process, so only something process-wide can tell whose
# they are; callers in different threads share nothing else.
_MARKS = Marks()
_POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOutput:
    """What a program wrote before it ended with exit code 0."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFailure:
    """Why there is no answer; `partial` is what had come until then and never to be taken for one."""

    reason: Missing
    detail: str
    partial: str = ""


WorkerResult: TypeAlias = WorkerOutput | WorkerFailure


@dataclass(slots=True, kw_only=True)
class _Talk:
    """One conversation with a program: what it gets, and what has come from it so far (of stderr, the end only)."""

    message: memoryview
    timeout_s: float
    max_output: int
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytes = b""
    code: int | None = None
    in_time: bool = False
    interrupted: bool = False

    def overflows(self) -> bool:
        return len(self.stdout) > self.max_output


_Step: TypeAlias = Callable[[_Talk, int], bool]


def run_worker(  # noqa: PLR0913 - the limits of one run, all by keyword
    argv: Sequence[str],
    message: str,
    *,
    cwd: Path | str,
    timeout_s: float,
    extra_env: Mapping[str, str] | None = None,
    max_output: int = 1_000_000,
    memory_bytes: int | None = None,
) -> WorkerResult:
    """Run a program in isolation with `message` on its standard input; return what it wrote, or why it did not.

    The answer ends when the program ends: what it started is killed with it. `max_output` and `memory_bytes` (of
    address space) are bytes. Never raises for what the program does; safe to use from several threads. Linux only.
    """
    shield_gate()
    user = user_to_become(Path(cwd))
    message_bytes = memoryview(message.encode("utf-8", "surrogatepass"))
    talk = _Talk(message=message_bytes, timeout_s=timeout_s, max_output=max_output)
    try:
        with _private_folder(user) as private:
            limits = (str(memory_bytes or 0), "-" if user is None else str(user))
            _host((*limits, *argv), talk, cwd=cwd, environment=_environment(private) | dict(extra_env or {}))
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        return WorkerFailure(reason=Missing.DIED, detail=f"cannot run {argv[0]!r} in {str(cwd)!r}: {said}")
    return _judge(talk)


@contextmanager
def _private_folder(user: int | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="gate-worker-", ignore_cleanup_errors=True) as folder:
        if user is not None:
            os.chown(folder, user, user)
        yield folder


def _environment(private: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ALLOWED if name in os.environ}
    return kept | {"TMPDIR": private, "HOME": private}


def _host(command: Sequence[str], talk: _Talk, *, cwd: Path | str, environment: Mapping[str, str]) -> None:
    """Run the launcher to the end of everything that it starts; raises OSError or ValueError if it cannot start."""
    with _MARKS.lease() as mark:
        process = subprocess.Popen(  # noqa: S603 - running what the repository names is the purpose; see the module
            (sys.executable, "-I", "-S", confine.__file__, str(mark), *command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
        try:
            talk.in_time = _converse(process, talk)
        finally:
            talk.code = _kill_group(process)
    # Only now that every descendant is dead do the pipes have an end.
    _drain(process, talk)


def _converse(process: subprocess.Popen[bytes], talk: _Talk) -> bool:
    """Exchange data until the program ends or floods us (True), or has used up its time (False)."""
    deadline = time.monotonic() + talk.timeout_s
    with selectors.DefaultSelector() as selector, _watch(process.pid) as end:
        selector.register(end, selectors.EVENT_READ, None)
        for pipe, event, step in _pipes(process):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event, step)
        while not talk.overflows():
            remaining = deadline - time.monotonic()
            talk.interrupted = workers_are_ended()
            if remaining <= 0 or talk.interrupted:
                return False
            for key, _ in selector.select(min(remaining, _POLL_S)):
                if key.data is None:
                    return True
                if not _advance(key.data, talk, key.fd):
                    selector.unregister(key.fileobj)
                    _close(key.fileobj)
    return True


def _pipes(process: subprocess.Popen[bytes]) -> tuple[tuple[IO[bytes], int, _Step], ...]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        message = "a worker was started without pipes"
        raise ValueError(message)
    return (
        (process.stdin, selectors.EVENT_WRITE, _send),
        (process.stdout, selectors.EVENT_READ, _receive_stdout),
        (process.stderr, selectors.EVENT_READ, _receive_stderr),
    )


@contextmanager
def _watch(pid: int) -> Iterator[int]:
    """Open a descriptor that becomes readable when the process has ended."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _advance(step: _Step, talk: _Talk, descriptor: int) -> bool:
    try:
        return step(talk, descriptor)
    except BlockingIOError:
        return True


def _send(talk: _Talk, descriptor: int) -> bool:
    """Write what fits; nothing more is to do at the end of the message, or when the program does not read it."""
    try:
        talk.message = talk.message[os.write(descriptor, talk.message[:_CHUNK]) :]
    except BrokenPipeError:
        return False
    return bool(talk.message)


def _receive_stdout(talk: _Talk, descriptor: int) -> bool:
    chunk = os.read(descriptor, _CHUNK)
    talk.stdout += chunk
    return bool(chunk)


def _receive_stderr(talk: _Talk, descriptor: int) -> bool:
    chunk = os.read(descriptor, _CHUNK)
    talk.stderr = (talk.stderr + chunk)[-_STDERR_KEPT:]
    return bool(chunk)


def _close(pipe: object) -> None:
    if hasattr(pipe, "close"):
        with suppress(BrokenPipeError):
            pipe.close()


def _kill_group(process: subprocess.Popen[bytes]) -> int | None:
    """Kill the program and its group, and return its exit code; its number is ours until `wait` reaps it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        return None


def _drain(process: subprocess.Popen[bytes], talk: _Talk) -> None:
    for pipe, event, step in _pipes(process):
        if event == selectors.EVENT_READ and not pipe.closed:
            with suppress(BlockingIOError):
                while not talk.overflows() and step(talk, pipe.fileno()):
                    pass
        pipe.close()


def _judge(talk: _Talk) -> WorkerResult:
    partial = talk.stdout[: talk.max_output].decode("utf-8", "replace")
    if talk.overflows():
        detail = f"the output is over the limit of {talk.max_output} bytes"
        return WorkerFailure(reason=Missing.TOO_LARGE, detail=detail, partial=partial)
    if not talk.in_time:
        late = WorkerFailure(reason=Missing.TIMED_OUT, detail=f"no answer within {talk.timeout_s:g} s", partial=partial)
        return replace(late, reason=Missing.INTERRUPTED, detail="ended with the run") if talk.interrupted else late
    if talk.code != 0:
        return WorkerFailure(reason=Missing.DIED, detail=_name_end(talk), partial=partial)
    if not talk.stdout:
        return WorkerFailure(reason=Missing.DIED, detail="ended with exit code 0 without an answer")
    try:
        return WorkerOutput(text=talk.stdout.decode("utf-8"))
    except UnicodeDecodeError as error:
        detail = f"the output is not UTF-8 at byte {error.start}"
        return WorkerFailure(reason=Missing.MALFORMED, detail=detail, partial=partial)


def _name_end(talk: _Talk) -> str:
    code = talk.code
    if code is None:
        ended = "could not be killed"
    elif code > 0:
        ended = f"ended with exit code {code}"
    else:
        ended = f"ended by {_name_signal(-code)}"
    said = escape_controls(talk.stderr.decode("utf-8", "replace").strip()[-_STDERR_SHOWN:])
    return f"{ended}: {said}" if said else ended


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
