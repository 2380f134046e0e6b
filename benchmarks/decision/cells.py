"""The grid of the benchmark: shapes by sizes by truths by margins, and how often each outcome was decided.

Within one repetition every truth and margin shares the suite and its baseline; every number follows from the seed.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.random import Generator

from benchmarks.decision.rivals import RIVALS, Counts, Runs
from benchmarks.decision.shapes import SHAPES, Rates, Shape
from benchmarks.decision.simulate import (
    BASELINE_TRIALS,
    Result,
    Trials,
    draw_marks,
    passes_in,
    quality_policy,
    reference,
    run,
)
from benchmarks.decision.truths import EDGES, NO_CHANGE, TRUTHS, How, Truth, apply, harmed
from gate.core.evidence import PASS, Reference
from gate.core.finding import Outcome
from gate.core.planning import supported_margin
from gate.core.policy import OnBroken

SIZES = (50, 100, 200, 500)
FIXED_MARGINS = {"3": 0.03, "5": 0.05}
MARGINS = ("m90", *FIXED_MARGINS)
LAST_LOOK = 5
TWINS = 4
HOLDING, ROLLING = quality_policy(OnBroken.HOLD), quality_policy(OnBroken.ROLLBACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetitions:
    """Simulated suites per cell by size: with no change (each judged four times), and with every other truth."""

    unchanged: Mapping[int, int]
    changed: Mapping[int, int]
    again: int
    series: int


FULL = Repetitions(
    unchanged={50: 300, 100: 150, 200: 80, 500: 30},
    changed={50: 160, 100: 80, 200: 40, 500: 20},
    again=400,
    series=200,
)
QUICK = Repetitions(
    unchanged={50: 24, 100: 16, 200: 8, 500: 3},
    changed={50: 12, 100: 8, 200: 4, 500: 2},
    again=30,
    series=10,
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """One cell: a shape, a size, a truth and a margin by name; `rule` is empty for lockgate itself."""

    shape: str
    cases: int
    truth: str
    margin: str = "m90"
    rule: str = ""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one cell by name; they add up over repetitions."""

    counts: Counter[str] = field(default_factory=Counter)

    def share(self, name: str, of: str = "runs") -> float:
        """One count as a share of another; 0 where nothing was counted."""
        return self.counts[name] / self.counts[of] if self.counts[of] else 0.0


Tallies = dict[Cell, Tally]


def margin_of(shape: Shape, cases: int, name: str) -> float:
    """A margin by name, a share of 1: fixed, or the one that `gate plan` prints for such a suite (m90)."""
    if name in FIXED_MARGINS:
        return FIXED_MARGINS[name]
    exact = supported_margin(
        cases=cases,
        noise_per_trial=shape.noise,
        passes=LAST_LOOK,
        baseline_trials=BASELINE_TRIALS,
        cluster_size=float(shape.cluster),
    )
    return round(exact, 4)


def edge(how: How, shape: Shape, *, cases: int, margin: str) -> Truth:
    """A version that is worse by exactly the margin."""
    return Truth(how=how, loss=margin_of(shape, cases, margin))


def truths_of(shape: Shape, cases: int) -> Mapping[str, tuple[Truth, tuple[str, ...]]]:
    """Every truth of a shape and size by name, with the margins it is judged at."""
    wanted = {name: (truth, MARGINS) for name, truth in TRUTHS.items()}
    for how in EDGES:
        for margin in MARGINS:
            truth = edge(how, shape, cases=cases, margin=margin)
            wanted.setdefault(truth.name, (truth, (margin,)))
    return wanted


def seeded(*parts: str | int) -> Generator:
    """A generator that depends on these parts only."""
    return np.random.default_rng([zlib.crc32(str(part).encode()) for part in parts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Repetitions `start` to `stop` of one shape and size; `only` restricts it to one cell and draws afresh."""

    shape: str
    cases: int
    start: int
    stop: int
    unchanged: int
    changed: int
    only: Cell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One simulated suite with its baseline."""

    shape: Shape
    rates: Rates
    marks: list[str]
    reference: Reference


def draw_suite(shape: Shape, cases: int, rng: Generator) -> Drawn:
    """True pass rates and a baseline of ten fresh trials."""
    rates = shape.draw(rng, cases)
    marks = draw_marks(rng, rates, BASELINE_TRIALS)
    return Drawn(shape=shape, rates=rates, marks=marks, reference=reference(passes_in(marks)))


def simulate_block(block: Block) -> Tallies:
    """All truths and margins of the block's repetitions."""
    shape, tallies = SHAPES[block.shape], Tallies()
    wanted = truths_of(shape, block.cases)
    seen: dict[str, list[Runs]] = {}
    stage = "again" if block.only else "grid"
    for repetition in range(block.start, block.stop):
        suite = draw_suite(shape, block.cases, seeded(stage, block.shape, block.cases, repetition))
        for name, (truth, margins) in wanted.items():
            if repetition >= (block.unchanged if truth is NO_CHANGE else block.changed):
                continue
            if block.only and block.only.truth != name:
                continue
            rng = seeded(stage, block.shape, block.cases, repetition, name)
            asked = (block.only.margin,) if block.only else margins
            runs = judge_truth(suite, truth, margins=asked, rng=rng, tallies=tallies)
            seen.setdefault(name, []).append(runs)
    if not block.only:
        judge_rivals(block, seen, tallies)
    return tallies


def judge_truth(suite: Drawn, truth: Truth, *, margins: Iterable[str], rng: Generator, tallies: Tallies) -> Runs:
    """Judge one truth at every margin; returns the runs that the rival rules see."""
    after = apply(truth, suite.rates, shape=suite.shape, rng=rng)
    lost = harmed(suite.rates, after)
    drawn = [draw_marks(rng, after) for _ in range(TWINS if truth is NO_CHANGE else 1)]
    cases = len(after)
    for margin in margins:
        cell = Cell(shape=suite.shape.name, cases=cases, truth=truth.name, margin=margin)
        counts = tallies.setdefault(cell, Tally()).counts
        points = margin_of(suite.shape, cases, margin)
        held = [run([Trials(marks=m, shape=suite.shape, margin=points)], [suite.reference], HOLDING) for m in drawn]
        rolled = [
            run([Trials(marks=m, shape=suite.shape, margin=points)], [suite.reference], ROLLING) if h.confirmed else h
            for m, h in zip(drawn, held, strict=True)
        ]
        for prefix, results in (("", held), ("rolling ", rolled)):
            for result in results:
                count(counts, prefix, result, truth=truth, lost=lost)
                counts[f"{prefix}calls per 1000 cases"] += round(1000 * result.calls / cases)
            contradictions(counts, prefix, results)
    return runs_of(suite.marks, drawn[0])


def count(counts: Counter[str], prefix: str, result: Result, *, truth: Truth, lost: frozenset[int]) -> None:
    """Add one result to a cell."""
    named = result.confirmed & lost
    right = bool(named) or (result.shown_worse and truth.how is not How.LOCAL2)
    counts[f"{prefix}runs"] += 1
    counts[f"{prefix}{result.outcome}"] += 1
    counts[f"{prefix}calls"] += result.calls
    counts[f"{prefix}caught"] += right and result.outcome is not Outcome.PROMOTE
    counts[f"{prefix}named all"] += bool(lost) and named == lost
    counts[f"{prefix}false names"] += bool(result.confirmed - lost)
    counts[f"{prefix}shown worse"] += result.shown_worse


def contradictions(counts: Counter[str], prefix: str, results: list[Result]) -> None:
    """Pairs of runs of one version that ended with PROMOTE and with ROLLBACK."""
    for one, other in combinations(results, 2):
        counts[f"{prefix}pairs"] += 1
        counts[f"{prefix}contradictory"] += {one.outcome, other.outcome} == {Outcome.PROMOTE, Outcome.ROLLBACK}


def runs_of(before: list[str], now: list[str]) -> Runs:
    """What rules with one, three or ten runs see of one pull request."""
    return Runs(
        x1=_first(before, 1),
        x3=_first(before, 3),
        x10=_first(before, BASELINE_TRIALS),
        y1=_first(now, 1),
        y3=_first(now, 3),
    )


def _first(marks: list[str], trials: int) -> Counts:
    return np.array([[row.count(PASS, 0, trials) for row in marks]], dtype=np.int64)


def judge_rivals(block: Block, seen: Mapping[str, list[Runs]], tallies: Tallies) -> None:
    """Every rival rule on the same pull requests."""
    for name, runs in seen.items():
        every = Runs(
            x1=np.concatenate([one.x1 for one in runs]),
            x3=np.concatenate([one.x3 for one in runs]),
            x10=np.concatenate([one.x10 for one in runs]),
            y1=np.concatenate([one.y1 for one in runs]),
            y3=np.concatenate([one.y3 for one in runs]),
        )
        for rival in RIVALS:
            blocked, undecided = rival.judge(every)
            cell = Cell(shape=block.shape, cases=block.cases, truth=name, rule=rival.name)
            counts = tallies.setdefault(cell, Tally()).counts
            counts["runs"] += len(blocked)
            counts[str(Outcome.ROLLBACK)] += int(blocked.sum())
            counts[str(Outcome.HOLD)] += int(undecided.sum())
            counts[str(Outcome.PROMOTE)] += int((~blocked & ~undecided).sum())


def blocks(repetitions: Repetitions, size: int = 10) -> list[Block]:
    """The whole grid in pieces of about equal length, the largest suites first."""
    return [
        Block(
            shape=shape,
            cases=cases,
            start=start,
            stop=min(start + size, repetitions.unchanged[cases]),
            unchanged=repetitions.unchanged[cases],
            changed=repetitions.changed[cases],
        )
        for cases in reversed(SIZES)
        for start in range(0, repetitions.unchanged[cases], size)
        for shape in SHAPES
    ]


def merge(into: Tallies, more: Tallies) -> None:
    """Add the counts of one block."""
    for cell, tally in more.items():
        into.setdefault(cell, Tally()).counts.update(tally.counts)
