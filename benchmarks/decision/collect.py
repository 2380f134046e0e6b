"""Runs the grid and the questions beside it on all processors, and keeps what came out as one JSON file."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.decision.cells import (
    MARGINS,
    SIZES,
    Block,
    Cell,
    Repetitions,
    Tallies,
    Tally,
    blocks,
    edge,
    merge,
    simulate_block,
)
from benchmarks.decision.extras import (
    CORRELATED,
    CorrelatedResult,
    correlated,
    decay,
    merge_profile,
    speed,
)
from benchmarks.decision.shapes import NO_SOLID_CASE, SHAPES
from benchmarks.decision.truths import EDGES, NO_CHANGE, TWO_CASES
from gate.core.finding import Outcome

WORST_EDGES = 12
WORST_PAIRS = 8
WORST_CAUGHT = 4
MERGE_SHAPES = ("quiet", "typical", "all-.95")
MERGE_SIZES = (100, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Everything that was counted: the grid, its worst edge cells drawn again, and the questions beside it."""

    repetitions: Repetitions
    cells: Tallies
    again: Tallies
    decay: Mapping[float, Sequence[int | None]]
    correlated: Sequence[CorrelatedResult]
    merge: Mapping[str, Tally]
    speed: Mapping[str, float]


def collect(repetitions: Repetitions, *, workers: int, say: Callable[[str], None]) -> Collected:
    """Run everything; `say` gets a line now and then."""
    found = speed(2.0)
    with ProcessPoolExecutor(workers) as pool:
        cells = _gather(pool, blocks(repetitions), say)
        again = _gather(pool, again_blocks(cells, repetitions.again), say)
        ways = [pool.submit(correlated, way.name, repetitions.series) for way in CORRELATED]
        slow = pool.submit(decay, repetitions.series)
        whole = {
            f"{shape} {cases}": pool.submit(merge_profile, shape, cases, repetitions.series)
            for shape in MERGE_SHAPES
            for cases in MERGE_SIZES
        }
        return Collected(
            repetitions=repetitions,
            cells=cells,
            again=again,
            decay=slow.result(),
            correlated=[way.result() for way in ways],
            merge={name: one.result() for name, one in whole.items()},
            speed=found,
        )


def _gather(pool: ProcessPoolExecutor, todo: Sequence[Block], say: Callable[[str], None]) -> Tallies:
    into: Tallies = {}
    start = time.monotonic()
    waiting: set[Future[Tallies]] = {pool.submit(simulate_block, block) for block in todo}
    told = start
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for one in done:
            merge(into, one.result())
        if time.monotonic() - told > 60:  # noqa: PLR2004 a minute
            told = time.monotonic()
            say(f"{len(todo) - len(waiting)} of {len(todo)} blocks after {told - start:.0f} s")
    return into


def edge_cells() -> Iterable[Cell]:
    """Cells whose version is worse by exactly the margin."""
    for shape in SHAPES.values():
        for cases in SIZES:
            for margin in MARGINS:
                for how in EDGES:
                    truth = edge(how, shape, cases=cases, margin=margin)
                    yield Cell(shape=shape.name, cases=cases, truth=truth.name, margin=margin)


def unchanged_cells() -> Iterable[Cell]:
    """Cells whose version equals its baseline."""
    for shape in SHAPES:
        for cases in SIZES:
            for margin in MARGINS:
                yield Cell(shape=shape, cases=cases, truth=NO_CHANGE.name, margin=margin)


def again_blocks(cells: Tallies, repetitions: int, size: int = 50) -> list[Block]:
    """The worst cells, drawn afresh: the largest of many noisy figures is too large by itself.

    Of the edge cells those that promoted most, of the unchanged ones those with most contradictory pairs, and of those
    in which two solid cases break those that were caught least.
    """
    edges = _worst(cells, edge_cells(), lambda tally: tally.share(Outcome.PROMOTE), most=WORST_EDGES)
    pairs = _worst(cells, unchanged_cells(), lambda tally: tally.share("contradictory", "pairs"), most=WORST_PAIRS)
    broken = (Cell(shape=shape, cases=cases, truth=TWO_CASES.name) for shape in SHAPES for cases in SIZES)
    solid = (cell for cell in broken if cell.shape != NO_SOLID_CASE)
    missed = _worst(cells, solid, lambda tally: -tally.share("caught"), most=WORST_CAUGHT)
    return [
        Block(
            shape=cell.shape,
            cases=cell.cases,
            start=start,
            stop=min(start + size, repetitions),
            unchanged=repetitions,
            changed=repetitions,
            only=cell,
        )
        for cell in (*edges, *pairs, *missed)
        for start in range(0, repetitions, size)
    ]


def _worst(cells: Tallies, wanted: Iterable[Cell], share: Callable[[Tally], float], *, most: int) -> list[Cell]:
    known = [cell for cell in wanted if cell in cells]
    return sorted(known, key=lambda cell: (-share(cells[cell]), cell))[:most]


def save(collected: Collected, path: Path) -> None:
    """Write the counts, so that the page can be written again without running again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {
        "repetitions": asdict(collected.repetitions),
        "cells": _rows(collected.cells),
        "again": _rows(collected.again),
        "decay": [[loss, list(alarms)] for loss, alarms in collected.decay.items()],
        "correlated": [[one.way, one.printed, one.unchanged.counts, one.worse.counts] for one in collected.correlated],
        "merge": {name: tally.counts for name, tally in collected.merge.items()},
        "speed": dict(collected.speed),
    }
    path.write_text(json.dumps(plain, indent=0, sort_keys=True), encoding="utf-8")


def load(path: Path) -> Collected:
    """What `save` wrote."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    sizes = {
        name: {int(cases): number for cases, number in plain["repetitions"][name].items()}
        for name in ("unchanged", "changed")
    }
    return Collected(
        repetitions=Repetitions(**{**plain["repetitions"], **sizes}),
        cells=_tallies(plain["cells"]),
        again=_tallies(plain["again"]),
        decay=dict(plain["decay"]),
        correlated=[
            CorrelatedResult(way=way, printed=printed, unchanged=_tally(unchanged), worse=_tally(worse))
            for way, printed, unchanged, worse in plain["correlated"]
        ],
        merge={name: _tally(counts) for name, counts in plain["merge"].items()},
        speed=plain["speed"],
    )


def _rows(tallies: Tallies) -> list[list[object]]:
    return [[asdict(cell), dict(tally.counts)] for cell, tally in sorted(tallies.items())]


def _tallies(rows: Iterable[tuple[dict[str, object], dict[str, int]]]) -> Tallies:
    return {Cell(**cell): _tally(counts) for cell, counts in rows}  # type: ignore[arg-type]


def _tally(counts: Mapping[str, int]) -> Tally:
    return Tally(counts=Counter(counts))
