"""What the baseline's counts of a whole suite say about one case of it: a prior over pass rates, and its posterior.

Ten of ten passes alone do not say that a case never fails; the other cases of its suite say how likely that is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import mul

from gate.core.statistics import binomial_cdf

GRID = (0.0005, 0.002, 0.005, 0.01, *(step / 50 for step in range(1, 50)), 0.99, 0.995, 0.998, 0.9995)
STEPS = 60

Tally = tuple[tuple[tuple[int, int], int], ...]


def tallied(counts: Iterable[tuple[int, int]]) -> Tally:
    """How many cases have the same (passes, trials), sorted; cases that were never tried are left out."""
    return tuple(sorted(Counter(seen for seen in counts if seen[1]).items()))


@lru_cache(maxsize=1024)
def fitted_weights(tally: Tally) -> tuple[float, ...]:
    """How likely each rate of GRID is for a case of this suite; sums to 1.

    Non-parametric maximum likelihood by EM, then one imaginary case anywhere: never over-confident on small suites.
    The number of trials may differ from case to case.
    """
    total = sum(times for _, times in tally)
    rows = [(times, _shape(*seen)) for seen, times in tally]
    weights = [1 / len(GRID)] * len(GRID)
    for _ in range(STEPS if total else 0):
        shares = [times / math.fsum(map(mul, weights, row)) for times, row in rows]
        weights = [
            weight * math.fsum(share * row[place] for share, (_, row) in zip(shares, rows, strict=True)) / total
            for place, weight in enumerate(weights)
        ]
    return tuple((total * weight + 1 / len(GRID)) / (total + 1) for weight in weights)


def posterior_weights(weights: Sequence[float], passes: int, trials: int) -> tuple[float, ...]:
    """How likely each rate of GRID is for one case with these counts; sums to 1."""
    joint = list(map(mul, weights, _shape(passes, trials)))
    total = math.fsum(joint)
    return tuple(value / total for value in joint)


def mean_rate(weights: Sequence[float]) -> float:
    """The mean of the rates, weighted so."""
    return math.fsum(map(mul, weights, GRID))


def chance_of_at_most(weights: Sequence[float], passes: int, trials: int) -> float:
    """The chance of at most so many passes in so many further trials."""
    return math.fsum(map(mul, weights, _below(passes, trials)))


@lru_cache(maxsize=1024)
def _shape(passes: int, trials: int) -> tuple[float, ...]:
    """Likelihood of the counts at each rate of GRID, as a share of the largest: many trials must not vanish."""
    logs = [passes * math.log(rate) + (trials - passes) * math.log1p(-rate) for rate in GRID]
    most = max(logs)
    return tuple(math.exp(log - most) for log in logs)


@lru_cache(maxsize=1024)
def _below(passes: int, trials: int) -> tuple[float, ...]:
    """P(at most so many passes) at each rate of GRID."""
    return tuple(binomial_cdf(passes, trials, rate) for rate in GRID)
