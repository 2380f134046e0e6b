"""Known-flaky cases, and how surprising a case's trials are for what its baseline showed.

Both follow from the posterior of the case's pass rate under the prior of its whole suite (`gate.core.prior`), so they
mean something with any number of baseline trials.
"""

from __future__ import annotations

from functools import lru_cache

from gate.core.prior import Tally, chance_of_at_most, fitted_weights, mean_rate, posterior_weights

# A case whose expected pass rate lies between these neither passes nor fails reliably.
FLAKY_ABOVE = 0.05
FLAKY_BELOW = 0.95


@lru_cache(maxsize=1024)
def flaky_counts(tally: Tally) -> frozenset[tuple[int, int]]:
    """Those (passes, trials) of this suite's baseline that make a case known flaky."""
    return frozenset(seen for seen, _ in tally if FLAKY_ABOVE < expected_rate(tally, seen) < FLAKY_BELOW)


@lru_cache(maxsize=4096)
def expected_rate(tally: Tally, before: tuple[int, int]) -> float:
    """Posterior mean of the pass rate of a case with these baseline counts; a share of 1, rounded to 1e-6."""
    return round(mean_rate(posterior_weights(fitted_weights(tally), *before)), 6)


@lru_cache(maxsize=4096)
def chance_unchanged(tally: Tally, before: tuple[int, int], now: tuple[int, int]) -> float:
    """How likely an unchanged case passes so few of its trials now; to three digits, so that machines agree.

    `before` and `now` are (passes, trials).
    """
    posterior = posterior_weights(fitted_weights(tally), *before)
    return float(f"{chance_of_at_most(posterior, *now):.3g}")
