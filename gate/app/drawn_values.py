"""Values of simulated trials: for each case a beta distribution with the mean and the variance that its baseline shows.

The mean itself is drawn first, as far from the baseline's as so many trials leave it open. A distribution that cannot
have so large a variance is replaced by 0 and 1.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gate.core.evidence import BaselineCase
from gate.core.model import Metric
from gate.core.moments import DIGITS
from gate.core.planning import value_noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What the baseline shows of one case's values: their mean, their variance, and from how many trials."""

    mean: float
    variance: float
    trials: int


def spreads_of(cases: Iterable[BaselineCase]) -> dict[str, Spread]:
    """Spreads of the cases with values, by id; a single trial says nothing of a variance, and has the usual one."""
    valued = [case for case in cases if case.counted(Metric.SCORE)]
    usual = value_noise((case.score.sum, case.score.n, case.score.squares) for case in valued)
    return {case.case_id: _spread(case, usual) for case in valued}


def _spread(case: BaselineCase, usual: float) -> Spread:
    own = case.score
    variance = value_noise([(own.sum, own.n, own.squares)]) if own.n > 1 else usual
    return Spread(mean=min(1.0, case.mean(Metric.SCORE)), variance=variance, trials=own.n)


def draw_beta(source: random.Random, mean: float, variance: float) -> float:
    """One value from 0 to 1 of a distribution with this mean and, as far as there is one, this variance."""
    most = mean * (1 - mean)
    if most <= 0.0 or variance <= 0.0:
        return mean
    if variance >= most:
        return float(source.random() < mean)
    strength = most / variance - 1
    return source.betavariate(mean * strength, (1 - mean) * strength)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnValues:
    """The values of one drawn version: each case's mean and variance, and the share of its values that is left."""

    source: random.Random
    means: tuple[float, ...]
    variances: tuple[float, ...]
    left: tuple[float, ...]

    def value(self, place: int) -> float:
        """The value of one trial of the case at this place, rounded as in evidence."""
        return round(self.left[place] * draw_beta(self.source, self.means[place], self.variances[place]), DIGITS)


def draw_version(source: random.Random, cases: Sequence[Spread | None], every: Sequence[Spread]) -> DrawnValues:
    """A version that changes nothing, with drawn case means; a case without history is like any of `every`."""
    spreads = [case or source.choice(every) for case in cases]
    return DrawnValues(
        source=source,
        means=tuple(draw_beta(source, one.mean, one.variance / one.trials) for one in spreads),
        variances=tuple(one.variance for one in spreads),
        left=(1.0,) * len(spreads),
    )
