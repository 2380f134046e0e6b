"""What a suite can show before a single call is made: the smallest drop, and the cases that a margin needs.

Formulas: z*SE_pop + 1.2816*SE_set with z = 2.10 (90 % of harmless changes pass), solved for n. How flaky a case is, is
estimated from all baseline counts of its suite together: ten of ten passes alone do not say that a case never fails.
A change that changes nothing moves the cases of one cluster no more together than others, so that clusters widen these
figures only by Student's t and by the imaginary clusters; fewer than ten show nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NotRequired, TypedDict, Unpack

from gate.core.model import Scope
from gate.core.statistics import NORMAL, Comparison, Pair, bisect, count_clusters, widening, within_case

Z_PLAN = 2.10
Z_POWER = 1.2816
# What the decision uses (gate.core.rules.regression): planning is more careful than that.
Z_SHOWN = 1.95
MOST_CASES = 1_000_000
MOST_PASSES = 100
# Student's t hardly falls any more: its factor is 1.005 here, and 1 at the most.
MOST_CLUSTERS = 200


def smallest_drop(comparison: Comparison, scope: Scope = Scope.POPULATION) -> float:
    """The margin at which 90 % of harmless changes pass, as a share of 1, for a comparison as wide as this one."""
    error = comparison.population_error if scope is Scope.POPULATION else comparison.set_error
    return Z_PLAN * error + Z_POWER * comparison.set_error


def noise(counts: Iterable[tuple[int, int]]) -> float:
    """Mean variance of one trial of one case, unbiased, from (passes, trials) per case; single trials say nothing."""
    return value_noise((passes, trials, passes) for passes, trials in counts)


def value_noise(sums: Iterable[tuple[float, int, float]]) -> float:
    """`noise` of values from 0 to 1, from (sum, trials, sum of squares) per case; a pass is a value of 1."""
    means = [(total / trials, squares / trials, trials) for total, trials, squares in sums if trials > 1]
    values = [within_case(mean, second) * trials / (trials - 1) for mean, second, trials in means]
    return math.fsum(values) / len(values) if values else 0.0


class SuiteNoise(TypedDict):
    """What a suite's width depends on beside its size and its passes.

    `cluster_size` is the mean number of cases of a cluster, 0 (or left out) where cases are independent.
    """

    noise_per_trial: float
    baseline_trials: int
    scope: NotRequired[Scope]
    cluster_size: NotRequired[float]


def supported_margin(*, cases: int, passes: int, **suite: Unpack[SuiteNoise]) -> float:
    """The margin that a suite of this size supports when nothing changes, a share of 1; infinity for few clusters."""
    claimed, own = _errors(cases=cases, passes=passes, **suite)
    return Z_PLAN * claimed + Z_POWER * own


def show_chance(*, margin: float, cases: int, passes: int, **suite: Unpack[SuiteNoise]) -> float:
    """The chance that a change which changes nothing shows this margin after so many passes (z 1.95)."""
    claimed, own = _errors(cases=cases, passes=passes, **suite)
    room = margin - Z_SHOWN * claimed
    return NORMAL.cdf(room / own) if own else float(room > 0.0)


def _errors(*, cases: int, passes: int, **suite: Unpack[SuiteNoise]) -> tuple[float, float]:
    """Standard errors of what is claimed, and of the estimate on exactly these cases."""
    spread = suite["noise_per_trial"] * (1 / passes + 1 / suite["baseline_trials"])
    own = math.sqrt(spread / cases)
    if suite.get("scope") is Scope.SET:
        return own, own
    imaginary = 2 / (cases + 2) ** 2
    wider = _clustering(cases, suite.get("cluster_size", 0.0))
    return wider * math.sqrt(spread / cases + imaginary), own


def _clustering(cases: int, size: float) -> float:
    """How much wider clusters make the error of a suite in which nothing changed."""
    if not size:
        return 1.0
    clusters = max(1, math.floor(cases / size + 1e-9))
    return widening(min(clusters, MOST_CLUSTERS)) * math.sqrt((clusters + 2) / (clusters + 1))


def cases_needed(*, margin: float, passes: int, **suite: Unpack[SuiteNoise]) -> int:
    """Cases like these, in clusters of this mean size, at which 90 % of harmless changes pass at this margin."""

    def surplus(cases: float) -> float:
        return margin - supported_margin(cases=max(1, math.floor(cases)), passes=passes, **suite)

    return math.ceil(bisect(surplus, 1.0, float(MOST_CASES)))


def passes_needed(*, margin: float, cases: int, **suite: Unpack[SuiteNoise]) -> int | None:
    """Passes at which 90 % of harmless changes pass at this margin with these cases; None where 100 are too few."""
    for passes in range(1, MOST_PASSES + 1):
        if supported_margin(cases=cases, passes=passes, **suite) <= margin:
            return passes
    return None


def cases_for_margin(pairs: Sequence[Pair], margin: float) -> int:
    """`cases_needed` with the noise, the passes and the clusters of these pairs; cases that are the same add none."""
    clusters = count_clusters(pair.cluster for pair in pairs)
    asked = [pair for pair in pairs if not pair.same]
    noisy = value_noise((pair.x, pair.kb, pair.squares[0] if pair.squares else pair.x) for pair in asked)
    return cases_needed(
        margin=margin,
        noise_per_trial=noisy * len(asked) / len(pairs),
        passes=min((pair.k for pair in asked), default=1),
        baseline_trials=min(pair.kb for pair in pairs),
        cluster_size=len(pairs) / clusters if clusters else 0.0,
    )
