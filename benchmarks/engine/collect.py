"""All measurements of one run on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.engine.calls import Change, count_calls
from benchmarks.engine.measure import Measured, ProcessError, best, environ, gate, module, run_process
from benchmarks.engine.peer import NOT_INSTALLED, PEERS
from benchmarks.engine.project import Shape, write_project
from tests.rigs.model_server import Latency, RunningServer, Script, running_server

HOLD = 10
# As few as the default margin allows.
SMALL = 100
PEERS_PYTHON = "LOCKGATE_BENCH_PEERS"
GATE, POOL = "gate check", "requests pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many cases, answered after so many milliseconds, so many at a time."""

    cases: int
    latency_ms: int
    workers: int

    @property
    def ideal_s(self) -> float:
        """What no client can beat; 0 without latency."""
        return self.cases * self.latency_ms / 1000 / self.workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured, and how often: the best of the repetitions counts."""

    loads: tuple[Load, ...]
    peer_loads: tuple[Load, ...]
    repeats: int
    starts: int
    large: int
    large_passes: int
    seeds: int


def _loads(sizes: tuple[int, ...], workers: tuple[int, ...]) -> tuple[Load, ...]:
    return tuple(Load(cases=n, latency_ms=ms, workers=w) for n in sizes for ms in (200, 0) for w in workers)


FULL = Plan(
    loads=_loads((500, 5_000), (32, 64, 256)),
    peer_loads=_loads((500, 5_000), (64,)),
    repeats=3,
    starts=10,
    large=100_000,
    large_passes=3,
    seeds=10,
)
QUICK = Plan(loads=_loads((500,), (64, 256)), peer_loads=(), repeats=1, starts=3, large=5_000, large_passes=3, seeds=1)


@dataclass(slots=True, kw_only=True)
class Collected:
    """What was measured: by load and client, seconds of start-up, the large project, and calls by change."""

    plan: Plan
    clients: dict[str, dict[Load, Measured]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    help_s: float = 0.0
    first_request_s: float = 0.0
    large: dict[int, Measured] = field(default_factory=dict)
    decide_s: float = 0.0
    report_s: float = 0.0
    calls: dict[Change, float] = field(default_factory=dict)
    processors: int = 0
    busy: float = 0.0


def collect(plan: Plan, *, say: Callable[[str], None]) -> Collected:
    """Measure everything, one after the other."""
    found = Collected(plan=plan, processors=os.cpu_count() or 1, busy=os.getloadavg()[0])
    with running_server() as server:
        run_process(gate("--help"))
        _gate_once(server, Load(cases=SMALL, latency_ms=0, workers=8))
        _clients(found, server, say=say)
        _start(found, server, say=say)
        _large(found, server, say=say)
        found.calls = count_calls(server, seeds=plan.seeds, say=say)
    _decide(found, say=say)
    return found


def _clients(found: Collected, server: RunningServer, *, say: Callable[[str], None]) -> None:
    plan = found.plan
    found.clients[GATE] = _measure(plan.loads, plan.repeats, lambda load: _gate_once(server, load), say=say)
    found.clients[POOL] = _measure(plan.loads, plan.repeats, lambda load: _pool_once(server, load), say=say)
    python = os.environ.get(PEERS_PYTHON)
    for name in PEERS:
        if python is None:
            found.skipped[name] = f"{PEERS_PYTHON} names no Python that has it"
            continue
        try:
            found.clients[name] = _measure(
                plan.peer_loads, 1, lambda load, name=name: _peer_once(server, load, name), say=say
            )
        except ProcessError as error:
            absent = f"exit {NOT_INSTALLED}\n" in str(error)
            found.skipped[name] = "it is not installed there" if absent else "it failed there"


def _measure(
    loads: tuple[Load, ...], repeats: int, once: Callable[[Load], Measured], *, say: Callable[[str], None]
) -> dict[Load, Measured]:
    measured = {}
    for load in loads:
        measured[load] = best([once(load) for _ in range(repeats)])
        say(f"{load}: {measured[load]}")
    return measured


def _gate_once(server: RunningServer, load: Load, *words: str) -> Measured:
    server.play(Script(latency=Latency(first_ms=load.latency_ms)))
    with TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        write_project(root, Shape(cases=load.cases, url=server.openai_url, workers=load.workers))
        command = gate("check", "--root", str(root), "--out", str(root / "out"), "--passes", "1", "--quiet")
        return run_process((*command, *words), codes=(HOLD,))


def _pool_once(server: RunningServer, load: Load) -> Measured:
    server.play(Script(latency=Latency(first_ms=load.latency_ms)))
    return run_process(module("benchmarks.engine.pool", server.openai_url, str(load.cases), str(load.workers)))


def _peer_once(server: RunningServer, load: Load, name: str) -> Measured:
    server.play(Script(latency=Latency(first_ms=load.latency_ms)))
    words = (name, server.openai_url, str(load.cases), str(load.workers))
    return run_process(module("benchmarks.engine.peer", *words, python=os.environ[PEERS_PYTHON]))


def _start(found: Collected, server: RunningServer, *, say: Callable[[str], None]) -> None:
    found.help_s = min(run_process(gate("--help")).wall_s for _ in range(found.plan.starts))
    firsts = []
    for _ in range(found.plan.starts):
        server.forget()
        # The server counts its seconds from here.
        since = time.monotonic()
        began = _began(server)
        firsts.append(server.requests()[0]["at_s"] - (began - since))
    found.first_request_s = min(firsts)
    say(f"help {found.help_s:.3f} s, first request {found.first_request_s:.3f} s")


def _began(server: RunningServer) -> float:
    """Check a small project, and return when that process was started."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        write_project(root, Shape(cases=SMALL, url=server.openai_url))
        command = gate("check", "--root", str(root), "--out", str(root / "out"), "--passes", "1", "--quiet")
        began = time.monotonic()
        run_process(command, codes=(HOLD,))
        return began


def _large(found: Collected, server: RunningServer, *, say: Callable[[str], None]) -> None:
    """Passes of many cases: memory must not grow with the trials."""
    server.play(Script(keep=1))
    for passes in (1, found.plan.large_passes):
        with TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            write_project(root, Shape(cases=found.plan.large, url=server.openai_url))
            words = ("promote", "--root", str(root), "--out", str(root / "out"), "--passes", str(passes), "--quiet")
            found.large[passes] = run_process(gate(*words), codes=(0, HOLD))
        say(f"{found.plan.large} cases, {passes} passes: {found.large[passes]}")


def _decide(found: Collected, *, say: Callable[[str], None]) -> None:
    words = module("benchmarks.engine.decide", str(found.plan.large))
    done = subprocess.run(words, capture_output=True, check=True, env=environ())  # noqa: S603 our own module
    figures = json.loads(done.stdout)
    found.decide_s, found.report_s = figures["decide_s"], figures["report_s"]
    say(f"decide {found.decide_s:.2f} s, report {found.report_s:.2f} s")
