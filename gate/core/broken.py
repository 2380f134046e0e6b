"""Broken cases: which solid baseline case now fails, with the expected number of false alarms of a suite bounded.

A prior over pass rates is fitted to the suite's baseline counts (non-parametric maximum likelihood on a fixed grid);
a case is confirmed broken when so few of its first trials pass that, over all cases of the suite, the expected
number of such cases in an unchanged version stays below `alpha`. Fisher's test per case with a family-wise level
finds nothing at these sizes. Everything here depends on the baseline only, so the table is fixed, and hashed, before
the first call of the candidate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul, truediv

GRID = (0.0005, 0.002, 0.005, 0.01, *(step / 50 for step in range(1, 50)), 0.99, 0.995, 0.998, 0.9995)
STEPS = 60
BASELINE_TRIALS = 10
SOLID = 8
SCREEN: Mapping[int, int] = {1: 0, 2: 0, 3: 1, 5: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How many trials confirm a broken case, how many passes are looked at, and the allowed false alarms."""

    trials: int
    most_passes: int
    alpha: float


SMALL = Confirmation(trials=6, most_passes=2, alpha=0.003)
LARGE = Confirmation(trials=8, most_passes=3, alpha=0.002)
LARGE_FROM = 65


def confirmation_for(cases: int) -> Confirmation:
    """Six trials for small suites, eight from 65 cases on: at n >= 100 six cannot see two broken cases in 96 %."""
    return SMALL if cases < LARGE_FROM else LARGE


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenTable:
    """Critical values: a case with x baseline passes is broken at `critical[x]` passes or fewer in `trials` trials.

    -1 means that no result could confirm it; `expected_false_alarms` is the sum over the whole suite.
    """

    trials: int
    critical: Mapping[int, int]
    expected_false_alarms: float

    def limit(self, passes: int, trials: int) -> int:
        """Critical value of a case with these baseline counts; -1 with fewer than ten baseline trials."""
        if trials != BASELINE_TRIALS:
            return -1
        return self.critical.get(passes, -1)


def broken_table(baseline_passes: Sequence[int], suite_size: int) -> BrokenTable:
    """Fix the critical values from the baseline's passes out of ten, one per case with ten trials."""
    counts = Counter(baseline_passes)
    return _table(tuple(counts[passes] for passes in range(BASELINE_TRIALS + 1)), confirmation_for(suite_size))


@lru_cache(maxsize=1024)
def _table(counts: tuple[int, ...], rule: Confirmation) -> BrokenTable:
    """The table of eleven counts; remembered, because every look of a run asks for the same one."""
    weights = _fitted_prior({passes: count for passes, count in enumerate(counts) if count})
    tails = {
        (x, y): _predictive_tail(weights, x, y, trials=rule.trials)
        for x in range(SOLID, BASELINE_TRIALS + 1)
        for y in range(rule.most_passes + 1)
    }
    best = dict.fromkeys(range(SOLID, BASELINE_TRIALS + 1), -1)
    best_sum = 0.0
    for level in sorted(set(tails.values())):
        critical = {x: sum(tails[x, y] <= level for y in range(rule.most_passes + 1)) - 1 for x in best}
        total = math.fsum(counts[x] * tails[x, critical[x]] for x in best if critical[x] >= 0)
        if total > rule.alpha:
            break
        best, best_sum = critical, total
    return BrokenTable(trials=rule.trials, critical=best, expected_false_alarms=round(best_sum, 6))


@lru_cache(maxsize=1024)
def _likelihood(passes: int, trials: int) -> tuple[float, ...]:
    ways = math.comb(trials, passes)
    return tuple(ways * rate**passes * (1 - rate) ** (trials - passes) for rate in GRID)


def _fitted_prior(counts: Mapping[int, int]) -> tuple[float, ...]:
    """EM over the grid on the eleven counts, then one imaginary case anywhere: never over-confident on small suites."""
    total = sum(counts.values())
    weights = [1 / len(GRID)] * len(GRID)
    rows = [_likelihood(x, BASELINE_TRIALS) for x in sorted(counts)]
    columns = [[counts[x] * row[g] for x, row in zip(sorted(counts), rows, strict=True)] for g in range(len(GRID))]
    for _ in range(STEPS if total else 0):
        scale = [math.fsum(map(mul, weights, row)) for row in rows]
        weights = [
            weight * math.fsum(map(truediv, column, scale)) / total
            for weight, column in zip(weights, columns, strict=True)
        ]
    return tuple((total * weight + 1 / len(GRID)) / (total + 1) for weight in weights)


def _predictive_tail(weights: Sequence[float], x: int, y: int, *, trials: int) -> float:
    """P(at most y passes in the next trials | x of ten in the baseline)."""
    seen = _likelihood(x, BASELINE_TRIALS)
    posterior = [weight * value for weight, value in zip(weights, seen, strict=True)]
    below = [_likelihood(passes, trials) for passes in range(y + 1)]
    joint = math.fsum(p * math.fsum(row[g] for row in below) for g, p in enumerate(posterior))
    return joint / math.fsum(posterior)
