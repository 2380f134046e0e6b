"""Broken cases: which solid baseline case now fails, with the expected number of false alarms of a suite bounded.

A prior over pass rates is fitted to the suite's baseline counts (non-parametric maximum likelihood on a fixed grid);
a case is confirmed broken when so few of its first trials pass that, over all cases of the suite, the expected
number of such cases in an unchanged version stays below `alpha`. Fisher's test per case with a family-wise level
finds nothing at these sizes. Everything here depends on the baseline only, so the table is fixed and hashed with the
baseline, before the first call of the candidate: later cases or constants do not move it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gate.core.prior import chance_of_at_most, fitted_weights, posterior_weights

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
LARGE = Confirmation(trials=10, most_passes=4, alpha=0.002)
LARGE_FROM = 65


def confirmation_for(cases: int) -> Confirmation:
    """Six trials for small suites, ten from 65 cases on: eight see two broken cases of 500 in 80 %, not 96 %."""
    return SMALL if cases < LARGE_FROM else LARGE


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenTable:
    """Critical values: a case with so many baseline passes is broken at `limit` passes or fewer in `trials` trials.

    `critical` are pairs of (passes, limit); a limit of -1 means that no result could confirm it.
    `expected_false_alarms` is the sum over the whole suite. Raises ValueError for values that no baseline gives.
    """

    trials: int
    critical: tuple[tuple[int, int], ...]
    expected_false_alarms: float

    def __post_init__(self) -> None:
        """Refuse critical values that cannot be."""
        passes = [before for before, _ in self.critical]
        sound = (
            self.trials > 0,
            len(set(passes)) == len(passes),
            all(SOLID <= before <= BASELINE_TRIALS for before in passes),
            all(-1 <= limit < self.trials for _, limit in self.critical),
            self.expected_false_alarms >= 0.0,
        )
        if not all(sound):
            message = f"critical values that no baseline gives: {self.critical} of {self.trials} trials"
            raise ValueError(f"{message}, {self.expected_false_alarms} false alarms")

    def limit(self, passes: int, trials: int) -> int:
        """Critical value of a case with these baseline counts; -1 with other than ten baseline trials."""
        return self.limits.get((passes, trials), -1)

    @property
    def limits(self) -> Mapping[tuple[int, int], int]:
        """Critical values by (passes, trials) of the baseline; what is not there cannot be tested."""
        return _limits(self.critical)


@lru_cache(maxsize=1024)
def _limits(critical: tuple[tuple[int, int], ...]) -> Mapping[tuple[int, int], int]:
    return {(passes, BASELINE_TRIALS): limit for passes, limit in critical}


def table_of(counts: Iterable[tuple[int, int]]) -> BrokenTable:
    """The table of a baseline from (passes, trials) per case: ten trials have a say, all cases make its size."""
    every = list(counts)
    return broken_table([passes for passes, trials in every if trials == BASELINE_TRIALS], len(every))


def broken_table(baseline_passes: Sequence[int], suite_size: int) -> BrokenTable:
    """Fix the critical values from the baseline's passes out of ten, one per case with ten trials."""
    counts = Counter(baseline_passes)
    return _table(tuple(counts[passes] for passes in range(BASELINE_TRIALS + 1)), confirmation_for(suite_size))


@lru_cache(maxsize=1024)
def _table(counts: tuple[int, ...], rule: Confirmation) -> BrokenTable:
    """The table of eleven counts; remembered, because every look of a run asks for the same one."""
    weights = fitted_weights(tuple(((passes, BASELINE_TRIALS), count) for passes, count in enumerate(counts) if count))
    posteriors = {x: posterior_weights(weights, x, BASELINE_TRIALS) for x in range(SOLID, BASELINE_TRIALS + 1)}
    tails = {
        (x, y): chance_of_at_most(posterior, y, rule.trials)
        for x, posterior in posteriors.items()
        for y in range(rule.most_passes + 1)
    }
    best = dict.fromkeys(posteriors, -1)
    best_sum = 0.0
    for level in sorted(set(tails.values())):
        critical = {x: sum(tails[x, y] <= level for y in range(rule.most_passes + 1)) - 1 for x in best}
        total = math.fsum(counts[x] * tails[x, critical[x]] for x in best if critical[x] >= 0)
        if total > rule.alpha:
            break
        best, best_sum = critical, total
    return BrokenTable(
        trials=rule.trials, critical=tuple(sorted(best.items())), expected_false_alarms=round(best_sum, 6)
    )
