"""Drawn values have the mean and the variance that the baseline shows, and stay from 0 to 1."""

import random
from dataclasses import replace

import numpy as np
import pytest

from gate.app.drawn_values import Spread, draw_beta, draw_version, spreads_of
from gate.core.moments import moments
from tests.builders import make_baseline_case


def test_spreads_of__by_hand() -> None:
    """0.8 and 1.0: variance 0.02. One trial alone has the usual variance; a case without values is left out."""
    cases = [
        make_baseline_case("a", 2, 2, score=moments([0.8, 1.0])),
        make_baseline_case("b", 1, 1, score=moments([0.5])),
        make_baseline_case("c"),
    ]
    found = spreads_of(cases)
    assert list(found) == ["a", "b"]
    assert (found["a"].mean, found["a"].trials) == (0.9, 2)
    assert found["a"].variance == pytest.approx(0.02)
    assert found["b"] == Spread(mean=0.5, variance=found["a"].variance, trials=1)


@pytest.mark.parametrize(("mean", "variance"), [(0.9, 0.01), (0.5, 0.2), (0.98, 0.0001), (0.3, 0.21)])
def test_draw_beta__mean_and_variance(mean: float, variance: float) -> None:
    source = random.Random(3)
    values = [draw_beta(source, mean, variance) for _ in range(20_000)]
    assert all(0.0 <= value <= 1.0 for value in values)
    assert np.mean(values) == pytest.approx(mean, abs=0.01)
    assert np.var(values) == pytest.approx(variance, rel=0.08)


def test_draw_beta__nothing_to_draw_or_too_wide() -> None:
    source = random.Random(3)
    assert draw_beta(source, 1.0, 0.1) == 1.0
    assert draw_beta(source, 0.4, 0.0) == 0.4
    assert {draw_beta(source, 0.5, 0.3) for _ in range(50)} == {0.0, 1.0}


def test_draw_version__means_as_open_as_the_baseline_leaves_them() -> None:
    known = Spread(mean=0.8, variance=0.09, trials=10)
    made = draw_version(random.Random(5), [known] * 5_000, [known])
    assert np.var(made.means) == pytest.approx(0.009, rel=0.08)
    assert (made.variances[0], made.left[0]) == (0.09, 1.0)


def test_draw_version__case_without_history__like_another_one() -> None:
    every = [Spread(mean=0.2, variance=0.0, trials=10), Spread(mean=0.6, variance=0.0, trials=10)]
    made = draw_version(random.Random(5), [None] * 40, every)
    assert set(made.means) == {0.2, 0.6}
    halved = replace(made, left=(0.5,) * 40)
    assert {halved.value(place) for place in range(40)} == {0.1, 0.3}
