"""The page `docs/explanation/engine-benchmark.md`: tables of one run, without a date."""

from __future__ import annotations

from benchmarks.engine.calls import BASELINE_PASSES, CASES, FIXED_PASSES, WARY
from benchmarks.engine.collect import GATE, POOL, Collected, Load
from benchmarks.engine.goals import judge_goals
from benchmarks.engine.measure import Measured
from benchmarks.page import goals_section, table

COMMAND = "make bench-engine"


def page(found: Collected) -> str:
    """The whole page."""
    return "\n".join(
        [_intro(found), goals_section(judge_goals(found)), _clients(found), _start(found), _large(found), _calls(found)]
    )


def _intro(found: Collected) -> str:
    return f"""# How fast the engine is

This page is written by `{COMMAND}`. Do not edit it.

Everything here was measured in one run on one machine with {found.processors} processors; the load average was
{found.busy:.1f} when it began. Compare figures of this page with each other only, and ratios rather than seconds.

A process is measured whole, from its start to its end, its children included: `gate check` loads a project with one
suite, renders the prompts, asks, scores with `exact`, writes both journals, decides and writes all reports. The model
is a server on the same machine that answers after the latency named. Ideal is cases x latency / concurrency, which no
client can beat. Each figure is the best of {found.plan.repeats}: whatever else the machine does only ever adds.
"""


def _clients(found: Collected) -> str:
    rows = [
        _row(found, load, name) for load in found.plan.loads for name in found.clients if load in found.clients[name]
    ]
    head = ["Cases", "Latency", "At a time", "Client", "Wall, s", "x ideal", "x pool", "CPU, s", "CPU a call, ms", "MB"]
    notes = [f"- {name}: left out, {why}." for name, why in found.skipped.items()]
    return f"""## The whole process beside a bare client

`{POOL}` is a thread pool around `requests`, one session a thread, without anything of the environment. It asks and
compares; it keeps nothing, decides nothing and reports nothing.

{table(head, rows)}
{chr(10).join(notes)}
"""


def _row(found: Collected, load: Load, name: str) -> list[str]:
    one, floor = found.clients[name][load], found.clients[POOL][load]
    ideal = f"{one.wall_s / load.ideal_s:.2f}" if load.ideal_s else ""
    return [
        f"{load.cases:,}",
        f"{load.latency_ms} ms",
        str(load.workers),
        f"**{name}**" if name == GATE else name,
        f"{one.wall_s:.2f}",
        ideal,
        f"{one.wall_s / floor.wall_s:.2f}",
        f"{one.cpu_s:.2f}",
        f"{one.cpu_s / load.cases * 1000:.2f}",
        f"{one.peak_mb:.0f}",
    ]


def _start(found: Collected) -> str:
    rows = [
        ["`gate --help`, start to end", f"{found.help_s:.3f}"],
        ["`gate check`, start to the first request that the server sees", f"{found.first_request_s:.3f}"],
    ]
    return "## Start-up\n\n" + table(["", "Seconds"], rows)


def _large(found: Collected) -> str:
    plan = found.plan
    rows = [
        [f"{plan.large:,} cases x {passes}", *_figures(one, plan.large * passes)] for passes, one in found.large.items()
    ]
    return f"""## A large suite

`gate promote` without latency, 64 at a time: every answer is asked for, scored and kept.

{table(["", "Wall, s", "CPU, s", "CPU a call, ms", "MB"], rows)}
Deciding on {plan.large:,} cases with {plan.large_passes} trials each against a baseline takes {found.decide_s:.1f} s,
writing records and reports of them {found.report_s:.1f} s.
"""


def _figures(one: Measured, calls: int) -> list[str]:
    return [f"{one.wall_s:.0f}", f"{one.cpu_s:.0f}", f"{one.cpu_s / calls * 1000:.2f}", f"{one.peak_mb:.0f}"]


def _calls(found: Collected) -> str:
    rows = [[change.name, f"{share * 100:.0f} %"] for change, share in found.calls.items()]
    return f"""## Calls

{CASES} cases, one in {WARY} of which passes in 80 % of trials and the others always; profile `ci`, a baseline of
{BASELINE_PASSES} passes, mean of {found.plan.seeds} seeds. A borderline change costs every case
5 points, a broken prompt 90.

{table(["Change", f"Calls, of those of {FIXED_PASSES} fixed passes"], rows)}"""
