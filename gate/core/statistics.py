"""Closed-form statistics of the decision: no random numbers, sums by `math.fsum`, standard library only.

Notation: case i has x passes in kb baseline trials and y passes in k candidate trials; d = y/k - x/kb.
Sources: Miller 2024 (arXiv:2411.00640) for paired differences, Bonett and Price 2012 for the augmented interval,
Cochran-Mantel-Haenszel for the set interval, Clopper and Pearson 1934 for exact bounds.
"""

from __future__ import annotations

import math
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
MINIMUM_CLUSTERS = 10


def settled(value: float) -> float:
    """Round a bound to 1e-6, so that a comparison does not hang on the last bits of a sum."""
    return round(value, 6) + 0.0


class Pair(NamedTuple):
    """Counts of one case on both sides; `cluster` groups cases that are not independent."""

    case_id: str
    x: int
    kb: int
    y: int
    k: int
    cluster: str | None = None

    @property
    def difference(self) -> float:
        """Candidate rate minus baseline rate."""
        return self.y / self.k - self.x / self.kb


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A paired difference with both standard errors, as shares of 1.

    `set_error` speaks of exactly these cases, `population_error` of inputs like these; `population_estimate` is
    shrunk by one imaginary win and one imaginary loss. `clusters` is 0 where no case names one.
    """

    cases: int
    estimate: float
    set_error: float
    population_estimate: float
    population_error: float
    clusters: int = 0

    def population_lower(self, z: float) -> float:
        """Lower bound for inputs like these; minus infinity when too few clusters carry the claim."""
        if self.clusters and self.clusters < MINIMUM_CLUSTERS:
            return -math.inf
        if self.clusters:
            z *= t_quantile(0.95, self.clusters - 1) / ONE_SIDED_95
        return settled(self.population_estimate - z * self.population_error)

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
    differences = [y / k - x / kb for _, x, kb, y, k, _ in every]
    variances = [_set_variance(pair[1:5]) for pair in every]
    population_estimate, population_error, clusters = _population(every, differences)
    return Comparison(
        cases=len(every),
        estimate=math.fsum(differences) / len(every),
        set_error=math.sqrt(math.fsum(variances)) / len(every),
        population_estimate=population_estimate,
        population_error=population_error,
        clusters=clusters,
    )


@lru_cache(maxsize=4096)
def _set_variance(counts: tuple[int, int, int, int]) -> float:
    """Variance of one difference from run-to-run noise, unbiased under no change (equals CMH at k = kb)."""
    x, kb, y, k = counts
    spread = 1 / k + 1 / kb
    pooled = (x / kb + y / k) / 2
    return pooled * (1 - pooled) / (1 - spread / 4) * spread


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
    terms = (
        math.exp(constant - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_p + (trials - k) * log_q)
        for k in range(successes + 1)
    )
    return min(1.0, math.fsum(terms))


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
    below = [binomial_cdf(rank, len(ordered), quantile) for rank in range(len(ordered))]
    upper = next((ordered[rank] for rank, mass in enumerate(below) if mass >= BOUND_CONFIDENCE), None)
    lower = [ordered[rank] for rank, mass in enumerate(below) if mass <= BOUND_ERROR]
    return (lower[-1] if lower else None), upper


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
