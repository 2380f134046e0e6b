"""What a simulated pull request truly does to the pass rates: the mean of the set moves by exactly what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.random import Generator

from benchmarks.decision.shapes import Rates, Shape

CHURN = 0.06
BROKEN_RATE = 0.05
SOLID_RATE = 0.95
SLICE_SHARE = 0.10
SLICE_LOSS = 0.40
HARM = 1e-9


class How(StrEnum):
    """In which way a version is worse."""

    NONE = "none"
    CHURN = "churn"
    BROAD = "broad"
    HALF = "half-broken"
    BROKEN = "broken"
    LOCAL2 = "two cases"
    SLICE = "slice"


FIXED_NAMES = {
    How.NONE: "0",
    How.CHURN: "0, 6 % churn",
    How.LOCAL2: "two solid cases break",
    How.SLICE: "slice of 10 % loses 40",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One kind of pull request; `loss` is what the mean loses, a share of 1."""

    how: How
    loss: float = 0.0

    @property
    def name(self) -> str:
        """Name for tables, the loss in points."""
        return FIXED_NAMES.get(self.how) or f"{self.how} -{self.loss * 100:g}"


def broad(rates: Rates, loss: float) -> Rates:
    """Every case loses the same amount, clipped at 0, such that the mean loses exactly `loss`."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if float(np.mean(np.minimum(rates, middle))) < loss:
            low = middle
        else:
            high = middle
    return np.maximum(rates - high, 0.0)


def broken(rates: Rates, loss: float, order: Rates) -> Rates:
    """Cases drop to a twentieth of their rate in the given order; the last one only as far as `loss` needs."""
    ranks = np.argsort(order)
    drops = rates[ranks] * (1 - BROKEN_RATE)
    before = np.concatenate(([0.0], np.cumsum(drops)[:-1]))
    after = rates.copy()
    after[ranks] -= np.clip(loss * len(rates) - before, 0.0, drops)
    return after


def solid_pair(rates: Rates, rng: Generator) -> list[int]:
    """Two cases that are solid (rate at least .95); any two where there are none."""
    solid = np.flatnonzero(rates >= SOLID_RATE)
    pool = solid if len(solid) > 1 else np.arange(len(rates))
    return [int(index) for index in rng.choice(pool, size=2, replace=False)]


def apply(truth: Truth, rates: Rates, *, shape: Shape, rng: Generator) -> Rates:
    """The candidate's true pass rates."""
    if truth.how is How.BROAD:
        return broad(rates, truth.loss)
    if truth.how is How.BROKEN:
        return broken(rates, truth.loss, _order(rates, shape, rng))
    if truth.how is How.HALF:
        return broad(broken(rates, truth.loss / 2, _order(rates, shape, rng)), truth.loss / 2)
    return _local(truth.how, rates, shape=shape, rng=rng)


def _local(how: How, rates: Rates, *, shape: Shape, rng: Generator) -> Rates:
    after = rates.copy()
    if how is How.CHURN:
        size = max(1, shape.cluster)
        redrawn = rng.choice(len(rates), size=max(1, round(CHURN * len(rates))), replace=False)
        after[redrawn] = shape.draw(rng, len(redrawn) * size)[::size]
    elif how is How.LOCAL2:
        after[solid_pair(rates, rng)] = BROKEN_RATE
    elif how is How.SLICE:
        hit = round(SLICE_SHARE * len(rates))
        after[:hit] = np.maximum(after[:hit] - SLICE_LOSS, 0.0)
    return after


def _order(rates: Rates, shape: Shape, rng: Generator) -> Rates:
    """A random order in which cases break; whole clusters break together."""
    size = max(1, shape.cluster)
    keys = rng.random(-(-len(rates) // size))
    return np.repeat(keys, size)[: len(rates)] + np.arange(len(rates)) * HARM


def harmed(before: Rates, after: Rates) -> frozenset[int]:
    """Cases that truly lost."""
    return frozenset(int(index) for index in np.flatnonzero(after < before - HARM))


DROPS = (0.01, 0.02, 0.03, 0.05, 0.10)
NO_CHANGE = Truth(how=How.NONE)
CHURNED = Truth(how=How.CHURN)
TWO_CASES = Truth(how=How.LOCAL2)
ONE_SLICE = Truth(how=How.SLICE)
TRUTHS: Mapping[str, Truth] = {
    truth.name: truth
    for truth in (
        NO_CHANGE,
        CHURNED,
        *(Truth(how=How.BROAD, loss=loss) for loss in DROPS),
        *(Truth(how=How.HALF, loss=loss) for loss in DROPS),
        TWO_CASES,
        ONE_SLICE,
    )
}
EDGES = (How.BROAD, How.HALF, How.BROKEN)
