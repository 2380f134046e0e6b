"""What the decision was meant to reach, and whether the counts say that it did."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from statistics import fmean, median

from benchmarks.decision.cells import LAST_LOOK, MARGINS, SIZES, Cell, Tally
from benchmarks.decision.collect import Collected, edge_cells
from benchmarks.decision.extras import MERGE_LOSS, MERGES
from benchmarks.decision.shapes import NO_SOLID_CASE, SHAPES
from benchmarks.decision.truths import NO_CHANGE, TWO_CASES
from benchmarks.page import Goal
from gate.core.finding import Outcome

PROMOTE, ROLLBACK = str(Outcome.PROMOTE), str(Outcome.ROLLBACK)
MEAN_EDGE = 0.05
BROAD, HALF = "broad -10", "half-broken -10"


def judge_goals(found: Collected) -> list[Goal]:
    """Every goal of the decision, in a fixed order."""
    return [*_unchanged(found), *_worse(found), *_caught(found), *_calls(found), *_decay(found)]


def _cells(found: Collected, truth: str, *, margins: Iterable[str] = ("m90",)) -> dict[Cell, Tally]:
    return {
        cell: found.cells[cell]
        for margin in margins
        for shape in SHAPES
        for cases in SIZES
        if (cell := Cell(shape=shape, cases=cases, truth=truth, margin=margin)) in found.cells
    }


def _again(found: Collected, truth: str) -> dict[Cell, Tally]:
    """Cells of a truth that were drawn afresh."""
    return {cell: tally for cell, tally in found.again.items() if cell.truth == truth}


def _contradictory(tally: Tally) -> float:
    return tally.share("contradictory", "pairs")


def _extreme(
    cells: dict[Cell, Tally], share: Callable[[Tally], float], pick: Callable[..., Cell] = max, *, count: str = "runs"
) -> tuple[float, str]:
    """The largest or smallest share, and the cell it is from with its standard error."""
    cell = pick(cells, key=lambda one: share(cells[one]))
    value = share(cells[cell])
    error = math.sqrt(max(value * (1 - value), 0.0) / max(cells[cell].counts[count], 1))
    return value, f"{value * 100:.1f} ± {error * 100:.1f} % ({cell.shape}, {cell.cases} cases, margin {cell.margin})"


def _unchanged(found: Collected) -> list[Goal]:
    everywhere = _cells(found, NO_CHANGE.name, margins=MARGINS)
    rolled, where_rolled = _extreme(everywhere, lambda tally: tally.share(ROLLBACK))
    pairs, where_pairs = _extreme(_again(found, NO_CHANGE.name) or everywhere, _contradictory, count="pairs")
    promoted, where_promoted = _extreme(_cells(found, NO_CHANGE.name), lambda tally: tally.share(PROMOTE), min)
    return [
        Goal(text="No change: ROLLBACK <= 2 % in every cell", measured=where_rolled, reached=rolled <= 0.02),  # noqa: PLR2004
        Goal(text="No change: contradictory pairs <= 1 % in every cell", measured=where_pairs, reached=pairs <= 0.01),  # noqa: PLR2004
        Goal(
            text="No change: PROMOTE >= 90 % at m90 in every cell",
            measured=where_promoted,
            reached=promoted >= 0.90,  # noqa: PLR2004
        ),
    ]


def _worse(found: Collected) -> list[Goal]:
    cells = {cell: found.cells[cell] for cell in edge_cells() if cell in found.cells}
    mean = fmean(tally.share(PROMOTE) for tally in cells.values())
    afresh = {cell: tally for cell, tally in found.again.items() if cell in cells}
    worst, where = _extreme(afresh or cells, lambda tally: tally.share(PROMOTE))
    return [
        Goal(
            text="Worse by the margin: PROMOTE <= 5 % on average",
            measured=f"{mean * 100:.1f} %",
            reached=mean <= MEAN_EDGE,
        ),
        Goal(text="Worse by the margin: PROMOTE <= 7.7 % in the worst cell", measured=where, reached=worst <= 0.077),  # noqa: PLR2004
    ]


def _caught(found: Collected) -> list[Goal]:
    at5 = {
        cell: tally
        for cell, tally in _cells(found, BROAD, margins=("5",)).items()
        if cell.cases == SIZES[0] and cell.shape != NO_SOLID_CASE
    }
    shown, where = _extreme(at5, lambda tally: tally.share(ROLLBACK), min)
    calls = max(tally.share("calls") for tally in at5.values())
    solid = {c: t for c, t in _cells(found, TWO_CASES.name).items() if c.shape != NO_SOLID_CASE}
    afresh = _again(found, TWO_CASES.name) or solid
    caught, where_caught = _extreme(afresh, lambda tally: tally.share("caught"), min)
    return [
        Goal(
            text="50 cases, margin 5: broad -10 is rolled back >= 93 % at <= 160 calls (without all-.70)",
            measured=f"{where}, at most {calls:.0f} calls",
            reached=shown >= 0.93 and calls <= 160,  # noqa: PLR2004
        ),
        Goal(
            text="Two broken solid cases: caught >= 96 % at every size",
            measured=where_caught,
            reached=caught >= 0.96,  # noqa: PLR2004
        ),
    ]


def _passes(cells: dict[Cell, Tally], cases: int, *, but: str = "") -> float:
    return fmean(
        tally.share("calls per 1000 cases") / 1000
        for cell, tally in cells.items()
        if cell.cases == cases and cell.shape != but
    )


def _calls(found: Collected) -> list[Goal]:
    unchanged = _cells(found, NO_CHANGE.name)
    saved = 1 - fmean(_passes(unchanged, cases) for cases in SIZES) / LAST_LOOK
    half, broad = _cells(found, HALF), _cells(found, BROAD, margins=("5",))
    halves, larger = (
        [[_passes(cells, cases, but=but) for cells in group for cases in sizes] for but in (NO_SOLID_CASE, "")]
        for group, sizes in (((half,), SIZES), ((half, broad), SIZES[1:]))
    )
    return [
        Goal(
            text="No change at m90: >= 57 % fewer calls than five fixed passes, on average",
            measured=f"{saved * 100:.1f} %",
            reached=saved >= 0.57,  # noqa: PLR2004
        ),
        Goal(
            text="half-broken -10 stops within 1.3 passes (mean of shapes without all-.70, every size)",
            measured=f"{_list(halves[0])} (with all-.70: {_list(halves[1])})",
            reached=max(halves[0]) <= 1.3,  # noqa: PLR2004
        ),
        Goal(
            text="every -10 stops within 1.4 passes from 100 cases on (half-broken, broad; without all-.70)",
            measured=f"{_list(larger[0])} (with all-.70: {_list(larger[1])})",
            reached=max(larger[0]) <= 1.4,  # noqa: PLR2004
        ),
    ]


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _decay(found: Collected) -> list[Goal]:
    losing, steady = found.decay[MERGE_LOSS], found.decay[0.0]
    heard = [alarm for alarm in losing if alarm is not None]
    false = sum(alarm is not None for alarm in steady) / len(steady)
    first = median(heard) if heard else math.inf
    return [
        Goal(
            text=f"{MERGES} merges of -0.5 points: the anchor speaks in >= 99 %, at merge 7 or before (median)",
            measured=f"{len(heard) / len(losing) * 100:.1f} %, merge {first:g}",
            reached=len(heard) >= 0.99 * len(losing) and first <= 7,  # noqa: PLR2004
        ),
        Goal(
            text=f"{MERGES} merges without a loss: false alarm in <= 2 % of series",
            measured=f"{false * 100:.1f} %",
            reached=false <= 0.02,  # noqa: PLR2004
        ),
    ]
