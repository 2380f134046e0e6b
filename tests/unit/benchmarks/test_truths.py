"""A simulated pull request moves the mean by exactly what its name says."""

import numpy as np
import pytest

from benchmarks.decision.shapes import SHAPES
from benchmarks.decision.truths import (
    CHURNED,
    NO_CHANGE,
    ONE_SLICE,
    TRUTHS,
    TWO_CASES,
    How,
    Truth,
    apply,
    broad,
    broken,
    harmed,
    solid_pair,
)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("how", [How.BROAD, How.HALF, How.BROKEN])
@pytest.mark.parametrize("loss", [0.01, 0.0316, 0.10])
def test_apply__a_loss__moves_the_mean_by_exactly_that(shape: str, how: How, loss: float) -> None:
    rng = np.random.default_rng(3)
    before = SHAPES[shape].draw(rng, 100)
    after = apply(Truth(how=how, loss=loss), before, shape=SHAPES[shape], rng=rng)
    assert float(np.mean(before) - np.mean(after)) == pytest.approx(loss, abs=1e-12)
    assert float(after.min()) >= 0.0


def test_apply__no_change__is_equal_and_a_copy() -> None:
    before = np.array([0.5, 1.0])
    after = apply(NO_CHANGE, before, shape=SHAPES["typical"], rng=np.random.default_rng(1))
    assert after.tolist() == before.tolist()
    assert after is not before


def test_broad__cases_at_zero__others_lose_more() -> None:
    assert broad(np.array([0.0, 1.0]), 0.1).tolist() == pytest.approx([0.0, 0.8])


def test_broken__in_order__whole_cases_then_a_part() -> None:
    after = broken(np.array([1.0, 1.0, 1.0, 1.0]), 0.3, np.array([2.0, 1.0, 4.0, 3.0]))
    assert after.tolist() == pytest.approx([0.75, 0.05, 1.0, 1.0])


def test_apply__churn__redraws_six_per_cent() -> None:
    before = np.full(100, 0.123)
    after = apply(CHURNED, before, shape=SHAPES["noisy"], rng=np.random.default_rng(5))
    assert int(np.sum(after != before)) == 6


def test_apply__churn__is_neutral_on_average() -> None:
    shape, rng = SHAPES["typical"], np.random.default_rng(8)
    changes = []
    for _ in range(400):
        before = shape.draw(rng, 100)
        changes.append(float(np.mean(apply(CHURNED, before, shape=shape, rng=rng) - before)))
    assert abs(np.mean(changes)) < 3 * np.std(changes) / 20


def test_apply__two_cases__two_solid_ones_break() -> None:
    before = SHAPES["mixed"].draw(np.random.default_rng(2), 50)
    after = apply(TWO_CASES, before, shape=SHAPES["mixed"], rng=np.random.default_rng(2))
    hit = harmed(before, after)
    assert [(before[index], after[index]) for index in hit] == [(0.99, 0.05), (0.99, 0.05)]


def test_solid_pair__no_solid_case__takes_any_two() -> None:
    assert len(set(solid_pair(np.full(50, 0.7), np.random.default_rng(1)))) == 2


def test_apply__slice__the_first_tenth_loses_forty_points() -> None:
    before = np.full(50, 0.9)
    before[1] = 0.3
    after = apply(ONE_SLICE, before, shape=SHAPES["typical"], rng=np.random.default_rng(1))
    assert after[:6].tolist() == pytest.approx([0.5, 0.0, 0.5, 0.5, 0.5, 0.9])
    assert harmed(before, after) == {0, 1, 2, 3, 4}


def test_apply__clustered_breaks__whole_clusters_together() -> None:
    shape = SHAPES["clustered"]
    before = np.full(50, 1.0)
    after = apply(Truth(how=How.BROKEN, loss=0.19), before, shape=shape, rng=np.random.default_rng(4))
    hit = sorted(harmed(before, after))
    assert len(hit) == 10
    assert {case // 5 for case in hit} == {hit[0] // 5, hit[5] // 5}


def test_truths__names__say_what_is_lost() -> None:
    assert list(TRUTHS)[:4] == ["0", "0, 6 % churn", "broad -1", "broad -2"]
    assert Truth(how=How.BROKEN, loss=0.0851).name == "broken -8.51"
