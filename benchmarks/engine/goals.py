"""What the engine was meant to reach, and whether this run says that it did."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.engine.collect import GATE, Collected, Load
from benchmarks.page import Goal

RATIOS = ((500, 64, 1.25), (5_000, 64, 1.10), (5_000, 256, 1.25))
LATENCY_MS = 200
EVALUATORS = ("pydantic-evals", "braintrust", "deepeval")
PEER_RATIO = 0.5
CPU_MS = 1.5
HELP_S, FIRST_REQUEST_S = 0.15, 0.5
PEAK_MB = 200.0
DECIDE_S = 10.0


def judge_goals(found: Collected) -> list[Goal]:
    """Every goal whose figures were measured, in a fixed order."""
    return [*_ratios(found), *_peers(found), *_cpu(found), *_start(found), *_large(found)]


def _ratios(found: Collected) -> Iterator[Goal]:
    for cases, workers, most in RATIOS:
        load = Load(cases=cases, latency_ms=LATENCY_MS, workers=workers)
        if load in found.clients[GATE]:
            ratio = found.clients[GATE][load].wall_s / load.ideal_s
            text = f"{cases:,} cases, {LATENCY_MS} ms, {workers} at a time: whole process <= {most:.2f} x ideal"
            yield Goal(text=text, measured=f"{ratio:.2f}", reached=ratio <= most)


def _peers(found: Collected) -> Iterator[Goal]:
    """Beside the fastest library that judges as well as asks; nothing where none is installed."""
    for load in found.plan.peer_loads:
        walls = {name: found.clients[name][load].wall_s for name in EVALUATORS if name in found.clients}
        if load.latency_ms == 0 and walls:
            fastest = min(walls, key=walls.__getitem__)
            ratio = found.clients[GATE][load].wall_s / walls[fastest]
            text = f"{load.cases:,} cases, no latency, {load.workers} at a time: <= {PEER_RATIO} x the fastest peer"
            yield Goal(text=text, measured=f"{ratio:.2f} ({fastest})", reached=ratio <= PEER_RATIO)


def _cpu(found: Collected) -> Iterator[Goal]:
    most = max(load.cases for load in found.plan.loads)
    spent = [one.cpu_s / most * 1000 for load, one in found.clients[GATE].items() if load.cases == most]
    text = f"Processor time a trial <= {CPU_MS:g} ms, everything included, at {most:,} cases and every concurrency"
    yield Goal(text=text, measured=f"{min(spent):.2f} to {max(spent):.2f} ms", reached=max(spent) <= CPU_MS)


def _start(found: Collected) -> Iterator[Goal]:
    yield Goal(text=f"`gate --help` <= {HELP_S:g} s", measured=f"{found.help_s:.3f} s", reached=found.help_s <= HELP_S)
    yield Goal(
        text=f"`gate check` to the first request <= {FIRST_REQUEST_S:g} s",
        measured=f"{found.first_request_s:.3f} s",
        reached=found.first_request_s <= FIRST_REQUEST_S,
    )


def _large(found: Collected) -> Iterator[Goal]:
    plan = found.plan
    peak = found.large[plan.large_passes].peak_mb
    yield Goal(
        text=f"{plan.large:,} cases x {plan.large_passes} passes: at most {PEAK_MB:.0f} MB",
        measured=f"{peak:.0f} MB (one pass: {found.large[1].peak_mb:.0f} MB)",
        reached=peak <= PEAK_MB,
    )
    whole = found.decide_s + found.report_s
    yield Goal(
        text=f"{plan.large:,} cases: decision and reports <= {DECIDE_S:g} s",
        measured=f"{whole:.1f} s",
        reached=whole <= DECIDE_S,
    )
