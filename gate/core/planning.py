"""What a suite can show before a single call is made: the smallest drop, and the cases that a margin needs.

Formulas: z*SE_pop + 1.2816*SE_set with z = 2.10 (90 % of harmless changes pass), solved for n. How flaky a case is, is
estimated from all baseline counts of its suite together: ten of ten passes alone do not say that a case never fails.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import mul

from gate.core.broken import GRID, STEPS
from gate.core.model import Scope
from gate.core.statistics import Comparison, Pair, bisect

Z_PLAN = 2.10
Z_POWER = 1.2816
MOST_CASES = 1_000_000
MOST_PASSES = 100


def smallest_drop(comparison: Comparison, scope: Scope = Scope.POPULATION) -> float:
    """The margin at which 90 % of harmless changes pass, as a share of 1, for a comparison as wide as this one."""
    error = comparison.population_error if scope is Scope.POPULATION else comparison.set_error
    return Z_PLAN * error + Z_POWER * comparison.set_error


def noise(counts: Iterable[tuple[int, int]]) -> float:
    """Mean variance of one trial of one case, unbiased, from (passes, trials) per case; single trials say nothing."""
    rates = [(passes / trials, trials) for passes, trials in counts if trials > 1]
    values = [rate * (1 - rate) * trials / (trials - 1) for rate, trials in rates]
    return math.fsum(values) / len(values) if values else 0.0


def supported_margin(
    *, cases: int, noise_per_trial: float, passes: int, baseline_trials: int, scope: Scope = Scope.POPULATION
) -> float:
    """The margin that a suite of this size supports when nothing changes; a share of 1."""
    spread = noise_per_trial * (1 / passes + 1 / baseline_trials)
    imaginary = 2 / (cases + 2) ** 2 if scope is Scope.POPULATION else 0.0
    return Z_PLAN * math.sqrt(spread / cases + imaginary) + Z_POWER * math.sqrt(spread / cases)


def cases_needed(
    *, margin: float, noise_per_trial: float, passes: int, baseline_trials: int, scope: Scope = Scope.POPULATION
) -> int:
    """Cases like these at which 90 % of harmless changes pass at this margin."""

    def surplus(cases: float) -> float:
        return margin - supported_margin(
            cases=max(1, math.floor(cases)),
            noise_per_trial=noise_per_trial,
            passes=passes,
            baseline_trials=baseline_trials,
            scope=scope,
        )

    return math.ceil(bisect(surplus, 1.0, float(MOST_CASES)))


def passes_needed(
    *, margin: float, cases: int, noise_per_trial: float, baseline_trials: int, scope: Scope = Scope.POPULATION
) -> int | None:
    """Passes at which 90 % of harmless changes pass at this margin with these cases; None where 100 are too few."""
    for passes in range(1, MOST_PASSES + 1):
        reached = supported_margin(
            cases=cases,
            noise_per_trial=noise_per_trial,
            passes=passes,
            baseline_trials=baseline_trials,
            scope=scope,
        )
        if reached <= margin:
            return passes
    return None


def cases_for_margin(pairs: Sequence[Pair], margin: float) -> int:
    """`cases_needed` with the noise and the passes of these pairs."""
    return cases_needed(
        margin=margin,
        noise_per_trial=noise((pair.x, pair.kb) for pair in pairs),
        passes=min(pair.k for pair in pairs),
        baseline_trials=min(pair.kb for pair in pairs),
    )


def fitted_weights(counts: Iterable[tuple[int, int]]) -> tuple[float, ...]:
    """How likely each rate of GRID is for a case of this suite, from (passes, trials) per case.

    Non-parametric maximum likelihood by EM, then one imaginary case anywhere, as for broken cases (`gate.core.broken`);
    here the number of trials may differ from case to case.
    """
    tallied = sorted(Counter((passes, trials) for passes, trials in counts if trials).items())
    total = sum(times for _, times in tallied)
    rows = [(times, _likelihood(*seen)) for seen, times in tallied]
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
    joint = list(map(mul, weights, _likelihood(passes, trials)))
    total = math.fsum(joint)
    return tuple(value / total for value in joint)


def _likelihood(passes: int, trials: int) -> tuple[float, ...]:
    """Likelihood of the counts at each rate of GRID, as a share of the largest: many trials must not vanish."""
    logs = [passes * math.log(rate) + (trials - passes) * math.log1p(-rate) for rate in GRID]
    most = max(logs)
    return tuple(math.exp(log - most) for log in logs)
