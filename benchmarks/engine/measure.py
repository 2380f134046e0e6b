"""One process from its start to its end: wall, processor, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent.parent
KB_PER_MB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one process took, its children included: seconds on the wall and of processors, MB at its largest."""

    wall_s: float
    cpu_s: float
    peak_mb: float


class ProcessError(Exception):
    """A process did not end as it had to."""


def run_process(words: Sequence[str], *, codes: Sequence[int] = (0,)) -> Measured:
    """Run to the end; raises ProcessError with what it said for an exit code that is not expected."""
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        with said.open("wb") as stream:
            started = time.perf_counter()
            process = subprocess.Popen(  # noqa: S603 our own commands
                words, cwd=folder, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environ()
            )
            _, status, used = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        # It is reaped already, which the object cannot know.
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            raise ProcessError(f"{' '.join(words)}: exit {process.returncode}\n{said.read_text('utf-8', 'replace')}")
    return Measured(wall_s=wall, cpu_s=used.ru_utime + used.ru_stime, peak_mb=used.ru_maxrss / KB_PER_MB)


def gate(*words: str) -> tuple[str, ...]:
    """A command line of this repository's gate, in the interpreter that runs the benchmark."""
    return (sys.executable, "-m", "gate", *words)


def module(name: str, *words: str, python: str = sys.executable) -> tuple[str, ...]:
    """A module of the benchmark in a process of its own."""
    return (python, "-m", name, *words)


def environ() -> Mapping[str, str]:
    """The environment without what changes how Python starts; bytecode is kept beside the measurement."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GITHUB_", "LOCKGATE_"))}
    cache = {"PYTHONPYCACHEPREFIX": os.environ["LOCKGATE_BENCH_BYTECODE"]}
    return {**own, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "PYTHONHASHSEED": "0", **cache}


@contextmanager
def bytecode() -> Iterator[None]:
    """Keep the bytecode of all processes in one folder for the length of the block, as an installation would."""
    with TemporaryDirectory() as folder:
        os.environ["LOCKGATE_BENCH_BYTECODE"] = folder
        try:
            yield
        finally:
            del os.environ["LOCKGATE_BENCH_BYTECODE"]


def best(runs: Sequence[Measured]) -> Measured:
    """The run with the least wall time: whatever else the machine does only ever adds."""
    return min(runs, key=lambda one: one.wall_s)
