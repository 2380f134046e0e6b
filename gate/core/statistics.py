"""Closed-form statistics of the decision: no random numbers, sums by `math.fsum`, standard library only.

Notation: case i has x passes in kb baseline trials and y passes in k candidate trials; d = y/k - x/kb. Where values
from 0 to 1 are compared, x and y are their sums; a pass is a value of 1, so that one formula serves for both.
Sources: Miller 2024 (arXiv:2411.00640) for paired differences, Bonett and Price 2012 for the augmented interval,
Cochran-Mantel-Haenszel for the set interval, Clopper and Pearson 1934 for exact bounds.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

NORMAL = NormalDist()
ONE_SIDED_95 = 1.645
# The masses of a one-sided 95 % bound by order statistics (Wilks 1941): 0.95^59 is the first power below 0.05.
BOUND_CONFIDENCE = 0.95
BOUND_ERROR = 0.05
# exp of anything below is exactly 0.0, with room for the rounding of the exponent.
INVISIBLE = -750.0
MINIMUM_CLUSTERS = 10


def settled(value: float) -> float:
    """Round a bound to 1e-6, so that a comparison does not hang on the last bits of a sum."""
    return round(value, 6) + 0.0


class Pair(NamedTuple):
    """Counts of one case on both sides; `cluster` groups cases that are not independent.

    `squares` are the sums of squared values on both sides; None for passes, which are their own squares. `same` says
    that both sides are the same trials, so that the difference is 0 and has no noise.
    """

    case_id: str
    x: float
    kb: int
    y: float
    k: int
    squares: tuple[float, float] | None = None
    cluster: str | None = None
    same: bool = False

    @property
    def difference(self) -> float:
        """Candidate mean minus baseline mean."""
        return self.y / self.k - self.x / self.kb


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A paired difference with both standard errors, as shares of 1.

    `set_error` speaks of exactly these cases, `population_error` of inputs like these; `population_estimate` is
    shrunk by one imaginary win and one imaginary loss. `clusters` is 0 where no case names one; `same` counts the
    cases that cannot differ.
    """

    cases: int
    estimate: float
    set_error: float
    population_estimate: float
    population_error: float
    clusters: int = 0
    same: int = 0

    def population_lower(self, z: float) -> float:
        """Lower bound for inputs like these; minus infinity when too few clusters carry the claim."""
        wider = widening(self.clusters)
        return -math.inf if wider == math.inf else settled(self.population_estimate - z * wider * self.population_error)

    def population_p(self, margin: float) -> float:
        """One-sided p-value of the claim that inputs like these lost less than a margin; 1 where nothing carries it."""
        wider = widening(self.clusters)
        return 1.0 if wider == math.inf else tail(-(self.population_estimate + margin), wider * self.population_error)

    def set_p(self, margin: float) -> float:
        """The same for exactly these cases."""
        return tail(-(self.estimate + margin), self.set_error)

    def set_lower(self, z: float) -> float:
        """Lower bound for exactly these cases."""
        return settled(self.estimate - z * self.set_error)

    def set_upper(self, z: float) -> float:
        """Upper bound for exactly these cases."""
        return settled(self.estimate + z * self.set_error)


def compare(pairs: Iterable[Pair]) -> Comparison:
    """Compare two versions case by case; raises ValueError for none.

    The order of the pairs does not matter, because `math.fsum` rounds once.
    """
    every = tuple(pairs)
    if not every:
        message = "nothing to compare"
        raise ValueError(message)
    differences = [y / k - x / kb for _, x, kb, y, k, _, _, _ in every]
    variances = [_set_variance(pair[1:6]) for pair in every if not pair.same]
    population_estimate, population_error, clusters = _population(every, differences)
    return Comparison(
        cases=len(every),
        estimate=math.fsum(differences) / len(every),
        set_error=math.sqrt(math.fsum(variances)) / len(every),
        population_estimate=population_estimate,
        population_error=population_error,
        clusters=clusters,
        same=len(every) - len(variances),
    )


@lru_cache(maxsize=4096)
def _set_variance(counts: tuple[float, int, float, int, tuple[float, float] | None]) -> float:
    """Variance of one difference from run-to-run noise, unbiased under no change (equals CMH at k = kb for passes)."""
    x, kb, y, k, squares = counts
    spread = 1 / k + 1 / kb
    pooled = (x / kb + y / k) / 2
    second = pooled if squares is None else (squares[0] / kb + squares[1] / k) / 2
    return within_case(pooled, second) / (1 - spread / 4) * spread


def within_case(mean: float, second: float) -> float:
    """Variance of values with this mean and mean square; written so that 0s and 1s give mean x (1 - mean) exactly."""
    return max(0.0, mean * (1 - mean) - (mean - second))


def widening(clusters: int) -> float:
    """Factor on z by Student's t: 1 for independent cases (no clusters), infinity where too few carry a claim."""
    if not clusters:
        return 1.0
    return math.inf if clusters < MINIMUM_CLUSTERS else t_quantile(0.95, clusters - 1) / ONE_SIDED_95


def count_clusters(names: Iterable[str | None]) -> int:
    """Clusters of these cases, where one without a name is its own; 0 where no case names one."""
    sizes = Counter(names)
    alone = sizes.pop(None, 0)
    return len(sizes) + alone if sizes else 0


def _population(pairs: Sequence[Pair], differences: Sequence[float]) -> tuple[float, float, int]:
    if any(pair.cluster is not None for pair in pairs):
        return _clustered(pairs, differences)
    estimate, error = augmented(differences, low=-1.0, high=1.0)
    return estimate, error, 0


def augmented(values: Sequence[float], *, low: float, high: float) -> tuple[float, float]:
    """Mean and standard error after adding one imaginary value at each end: never zero width (Bonett-Price)."""
    count = len(values) + 2
    mean = (math.fsum(values) + low + high) / count
    square = (math.fsum([value * value for value in values]) + low * low + high * high) / count
    return mean, math.sqrt(max(square - mean * mean, 0.0) / count)


def _clustered(pairs: Sequence[Pair], differences: Sequence[float]) -> tuple[float, float, int]:
    """Ratio estimate over cluster sums, with one imaginary winning and one losing cluster of one case each."""
    groups: dict[str, list[float]] = {}
    for pair, difference in zip(pairs, differences, strict=True):
        groups.setdefault(pair.cluster or f"\0{pair.case_id}", []).append(difference)
    sums = [(math.fsum(group), len(group)) for group in groups.values()] + [(1.0, 1), (-1.0, 1)]
    total = sum(size for _, size in sums)
    mean = math.fsum(value for value, _ in sums) / total
    square = math.fsum((value - size * mean) ** 2 for value, size in sums) * len(sums) / (len(sums) - 1)
    return mean, math.sqrt(square) / total, len(groups)


def binomial_cdf(successes: int, trials: int, rate: float) -> float:
    """P(X <= successes) for X binomial; exact up to rounding of `lgamma`."""
    if successes < 0:
        return 0.0
    if successes >= trials or rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return 0.0
    log_p, log_q = math.log(rate), math.log1p(-rate)
    constant = math.lgamma(trials + 1)

    def log_mass(k: int) -> float:
        return constant - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_p + (trials - k) * log_q

    # Masses rise up to the mode, and most of the first ones are so small that they are zero as a float.
    rising = range(min(successes, int((trials + 1) * rate)) + 1)
    first = bisect_left(rising, INVISIBLE, key=log_mass)
    return min(1.0, math.fsum(math.exp(log_mass(k)) for k in range(first, successes + 1)))


@lru_cache(maxsize=4096)
def exact_lower(successes: int, trials: int, alpha: float = 0.05) -> float:
    """Exact one-sided lower bound on a rate (Clopper-Pearson)."""
    if successes == 0:
        return 0.0
    return bisect(lambda rate: 1 - binomial_cdf(successes - 1, trials, rate) - alpha)


def exact_upper(successes: int, trials: int, alpha: float = 0.05) -> float:
    """Exact one-sided upper bound on a rate (Clopper-Pearson)."""
    return 1.0 - exact_lower(trials - successes, trials, alpha)


def bisect(rising: Callable[[float], float], low: float = 0.0, high: float = 1.0) -> float:
    """Return where a rising function crosses zero, to the last bit that 80 halvings can tell."""
    for _ in range(80):
        middle = (low + high) / 2
        if rising(middle) > 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


@lru_cache(maxsize=4096)
def t_quantile(probability: float, degrees: int) -> float:
    """Upper quantile of Student's t for a probability above one half, by numerical integration and bisection."""
    return bisect(lambda t: _t_cdf(t, degrees) - probability, 0.0, 1000.0)


def _t_cdf(t: float, degrees: int) -> float:
    """Distribution of Student's t for t >= 0: closed sums of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    theta = math.atan(t / math.sqrt(degrees))
    cos, sin = math.cos(theta), math.sin(theta)
    even = degrees % 2 == 0
    term, terms = (1.0, [1.0]) if even else (cos, [cos])
    for step in range(2 if even else 3, degrees, 2):
        term *= cos * cos * (step - 1) / step
        terms.append(term)
    if even:
        return 0.5 + sin * math.fsum(terms) / 2
    tail = sin * math.fsum(terms) if degrees > 1 else 0.0
    return 0.5 + (theta + tail) / math.pi


def quantile_bounds(values: Sequence[float], quantile: float = 0.95) -> tuple[float | None, float | None]:
    """One-sided 95 % bounds on a quantile by order statistics; None where the values are too few (p95: n < 59)."""
    ordered = sorted(values)
    ranks = range(len(ordered))

    def below(rank: int) -> float:
        return binomial_cdf(rank, len(ordered), quantile)

    upper = bisect_left(ranks, BOUND_CONFIDENCE, key=below)
    lower = bisect_right(ranks, BOUND_ERROR, key=below) - 1
    return (ordered[lower] if lower >= 0 else None), (ordered[upper] if upper < len(ordered) else None)


def nearest_rank(values: Sequence[float], quantile: float) -> float:
    """The smallest value with at least that share of the values at or below it. Raises ValueError for none."""
    ordered = sorted(values)
    if not ordered:
        message = "no values"
        raise ValueError(message)
    return ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A paired ratio of means with its linearised standard error."""

    cases: int
    value: float
    error: float


def paired_ratio(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """Mean of the first over mean of the second, paired by case; raises ValueError if the second is not above 0."""
    base = math.fsum(before for _, before in pairs) / len(pairs) if pairs else 0.0
    if base <= 0.0:
        message = "no base to compare with"
        raise ValueError(message)
    value = math.fsum(now for now, _ in pairs) / len(pairs) / base
    residuals = [now - value * before for now, before in pairs]
    variance = math.fsum(residual * residual for residual in residuals) / max(len(pairs) - 1, 1)
    return Ratio(cases=len(pairs), value=value, error=math.sqrt(variance / len(pairs)) / base)


def holm(p_values: Sequence[float], alpha: float) -> tuple[bool, ...]:
    """Which hypotheses are rejected at family-wise level alpha by Holm's step-down procedure, in the given order."""
    rejected = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[index] * (len(p_values) - rank) > alpha:
            break
        rejected[index] = True
    return tuple(rejected)


def tail(estimate: float, error: float) -> float:
    """One-sided p-value of a drop: P(no change gives an estimate this low); 1 where nothing can be said."""
    if error <= 0.0:
        return 0.0 if estimate < 0.0 else 1.0
    return NORMAL.cdf(estimate / error)
