"""Shapes have the flip rates and margins that are quoted for them."""

import numpy as np
import pytest

from benchmarks.decision.cells import SIZES, margin_of
from benchmarks.decision.shapes import SHAPES

FLIPS = {
    "quiet": 3.0,
    "typical": 7.8,
    "noisy": 16.2,
    "all-.95": 9.5,
    "all-.70": 42.0,
    "bimodal": 2.1,
    "mixed": 9.8,
    "clustered": 7.8,
}
# Printed by the study that the constants come from, in points.
M90 = {
    "quiet": (7.3, 4.1, 2.4, 1.3),
    "typical": (8.5, 5.1, 3.2, 1.8),
    "noisy": (10.2, 6.4, 4.2, 2.5),
    "all-.95": (8.9, 5.4, 3.4, 2.0),
    "all-.70": (13.9, 9.2, 6.3, 3.9),
    "bimodal": (7.0, 3.8, 2.2, 1.1),
    "mixed": (8.9, 5.4, 3.4, 2.0),
}


@pytest.mark.parametrize(("name", "flips"), FLIPS.items())
def test_flips__by_formula__as_quoted(name: str, flips: float) -> None:
    assert round(SHAPES[name].flips * 100, 1) == flips


@pytest.mark.parametrize("name", FLIPS)
def test_draw__many_cases__has_the_quoted_flips_and_mean(name: str) -> None:
    shape = SHAPES[name]
    rates = shape.draw(np.random.default_rng(7), 200_000)
    assert float(np.mean(2 * rates * (1 - rates))) == pytest.approx(shape.flips, abs=0.003)
    assert float(np.mean(rates)) == pytest.approx(shape.mean, abs=0.006)


@pytest.mark.parametrize(("name", "margins"), M90.items())
def test_margin_of__m90__within_a_tenth_of_the_study(name: str, margins: tuple[float, ...]) -> None:
    ours = [margin_of(SHAPES[name], cases, "m90") * 100 for cases in SIZES]
    assert ours == pytest.approx(margins, abs=0.1)


def test_draw__clustered__five_cases_share_a_rate() -> None:
    shape = SHAPES["clustered"]
    rates = shape.draw(np.random.default_rng(1), 12)
    assert len(set(rates[:5].tolist())) == 1
    assert len(set(rates.tolist())) == 3
    assert [shape.cluster_of(case) for case in (0, 4, 5)] == ["cluster-000", "cluster-000", "cluster-001"]
    assert SHAPES["typical"].cluster_of(3) is None
