"""The prior of a suite and the posterior of a case, against scipy and plain sums."""

import math

import pytest
from scipy import stats

from gate.core.prior import GRID, chance_of_at_most, fitted_weights, mean_rate, posterior_weights, tallied

FLAT = (1 / len(GRID),) * len(GRID)


def test_tallied__sorted_and_without_cases_that_were_never_tried() -> None:
    counts = [(9, 10), (10, 10), (0, 0), (9, 10), (3, 4)]
    assert tallied(counts) == (((3, 4), 1), ((9, 10), 2), ((10, 10), 1))
    assert tallied(counts[::-1]) == tallied(counts)
    assert tallied(()) == ()


def test_fitted_weights__follow_the_counts_and_sum_to_one() -> None:
    weights = fitted_weights(tallied([(10, 10)] * 80 + [(5, 10)] * 20 + [(0, 0)]))
    assert math.fsum(weights) == pytest.approx(1.0)
    high = math.fsum(weight for weight, rate in zip(weights, GRID, strict=True) if rate > 0.9)
    middle = math.fsum(weight for weight, rate in zip(weights, GRID, strict=True) if 0.3 < rate < 0.7)
    assert high == pytest.approx(0.8, abs=0.03)
    assert middle == pytest.approx(0.2, abs=0.03)


def test_fitted_weights__nothing_seen_is_flat() -> None:
    assert set(fitted_weights(())) == {1 / len(GRID)}


def test_posterior_weights__sum_to_one_and_move_with_the_counts() -> None:
    means = []
    for passes, trials in ((0, 10), (5, 10), (10, 10), (900, 1000)):
        weights = posterior_weights(FLAT, passes, trials)
        assert math.fsum(weights) == pytest.approx(1.0)
        means.append(mean_rate(weights))
    assert means == [*sorted(means[:3]), pytest.approx(0.9, abs=0.01)]


@pytest.mark.parametrize(("passes", "trials"), [(0, 1), (0, 6), (2, 6), (6, 6), (3, 2_000)])
def test_chance_of_at_most__equals_the_mixture_of_binomials(passes: int, trials: int) -> None:
    weights = posterior_weights(fitted_weights(tallied([(10, 10)] * 30 + [(4, 10)] * 5)), 9, 10)
    plain = sum(weight * stats.binom.cdf(passes, trials, rate) for weight, rate in zip(weights, GRID, strict=True))
    assert chance_of_at_most(weights, passes, trials) == pytest.approx(plain, rel=1e-9)
