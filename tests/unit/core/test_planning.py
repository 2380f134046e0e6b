"""Plans: passes that a margin needs, and how likely each rate is for a case of a suite."""

import math

import pytest

from gate.core.broken import GRID
from gate.core.model import Scope
from gate.core.planning import fitted_weights, passes_needed, posterior_weights, supported_margin
from tests.builders import make_case


def test_passes_needed__the_fewest_that_reach_the_margin() -> None:
    plan = {"cases": 400, "noise_per_trial": 0.05, "baseline_trials": 10}
    passes = passes_needed(margin=0.03, **plan)  # type: ignore[arg-type]
    assert passes is not None
    assert passes > 1
    assert supported_margin(passes=passes, **plan) <= 0.03  # type: ignore[arg-type]
    assert supported_margin(passes=passes - 1, **plan) > 0.03  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", list(Scope))
def test_passes_needed__none_where_a_hundred_are_too_few(scope: Scope) -> None:
    assert passes_needed(margin=0.001, cases=50, noise_per_trial=0.1, baseline_trials=10, scope=scope) is None


def test_fitted_weights__follow_the_counts_and_sum_to_one() -> None:
    weights = fitted_weights([(10, 10)] * 80 + [(5, 10)] * 20 + [(0, 0)])
    assert math.fsum(weights) == pytest.approx(1.0)
    high = math.fsum(weight for weight, rate in zip(weights, GRID, strict=True) if rate > 0.9)
    middle = math.fsum(weight for weight, rate in zip(weights, GRID, strict=True) if 0.3 < rate < 0.7)
    assert high == pytest.approx(0.8, abs=0.03)
    assert middle == pytest.approx(0.2, abs=0.03)


def test_fitted_weights__nothing_seen_is_flat() -> None:
    assert set(fitted_weights([])) == {1 / len(GRID)}


def test_posterior_weights__sum_to_one_and_move_with_the_counts() -> None:
    flat = [1 / len(GRID)] * len(GRID)
    means = []
    for passes, trials in ((0, 10), (5, 10), (10, 10), (900, 1000)):
        weights = posterior_weights(flat, passes, trials)
        assert math.fsum(weights) == pytest.approx(1.0)
        means.append(math.fsum(weight * rate for weight, rate in zip(weights, GRID, strict=True)))
    assert means == [*sorted(means[:3]), pytest.approx(0.9, abs=0.01)]


def test_peers__named_by_outranks_only_as_a_list() -> None:
    assert make_case(expected={"outranks": ["b", "c"]}).peers == ("b", "c")
    assert make_case(expected={"outranks": "b"}).peers == ()
    assert make_case(expected={}).peers == ()
