"""Shapes of suites: how the true pass rates of the cases are spread.

`typical` is the mixture of the project's background study. `quiet` and `noisy` are mixtures calibrated to the flip
rates quoted there (3.0 % and 16.2 %); `bimodal` is 80 % at .999 and 20 % at .05, which gives its quoted margins;
`mixed` is the suite of the peers' comparison. `clustered` has the rates of `typical`, five cases to a cluster, all
cases of a cluster alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A share of the cases with Beta(a, b) pass rates, or with one fixed rate."""

    share: float
    a: float = 0.0
    b: float = 0.0
    rate: float | None = None

    @property
    def mean(self) -> float:
        """Expected pass rate."""
        return self.a / (self.a + self.b) if self.rate is None else self.rate

    @property
    def noise(self) -> float:
        """Expected variance p (1 - p) of one trial."""
        if self.rate is not None:
            return self.rate * (1 - self.rate)
        total = self.a + self.b
        return self.a * self.b / (total * (total + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A mixture of components; `cluster` is the number of cases that share one rate, 0 for none."""

    name: str
    components: tuple[Component, ...]
    cluster: int = 0

    @property
    def noise(self) -> float:
        """Mean variance of one trial of one case."""
        return sum(part.share * part.noise for part in self.components)

    @property
    def flips(self) -> float:
        """Share of cases whose result differs between two runs of the same version."""
        return 2 * self.noise

    @property
    def mean(self) -> float:
        """Expected score of the suite."""
        return sum(part.share * part.mean for part in self.components)

    def draw(self, rng: Generator, cases: int) -> Rates:
        """True pass rates of so many cases."""
        groups = -(-cases // self.cluster) if self.cluster else cases
        kinds = rng.choice(len(self.components), size=groups, p=[part.share for part in self.components])
        rates = np.empty(groups)
        for index, part in enumerate(self.components):
            chosen = kinds == index
            count = int(chosen.sum())
            rates[chosen] = rng.beta(part.a, part.b, count) if part.rate is None else part.rate
        return np.repeat(rates, self.cluster)[:cases] if self.cluster else rates

    def cluster_of(self, case: int) -> str | None:
        """Name of a case's cluster."""
        return f"cluster-{case // self.cluster:03d}" if self.cluster else None


def _fixed(*parts: tuple[float, float]) -> tuple[Component, ...]:
    return tuple(Component(share=share, rate=rate) for share, rate in parts)


def _betas(*parts: tuple[float, float, float]) -> tuple[Component, ...]:
    return tuple(Component(share=share, a=a, b=b) for share, a, b in parts)


NO_SOLID_CASE = "all-.70"
_TYPICAL = _betas((0.75, 40, 0.4), (0.15, 2, 2), (0.10, 0.4, 20))
SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape(name="quiet", components=_betas((0.85, 40, 0.2), (0.05, 2, 2), (0.10, 0.2, 20))),
        Shape(name="typical", components=_TYPICAL),
        Shape(name="noisy", components=_betas((0.60, 20, 0.6), (0.30, 2, 2), (0.10, 0.6, 10))),
        Shape(name="all-.95", components=_fixed((1.0, 0.95))),
        Shape(name="all-.70", components=_fixed((1.0, 0.70))),
        Shape(name="bimodal", components=_fixed((0.8, 0.999), (0.2, 0.05))),
        Shape(name="mixed", components=_fixed((0.7, 0.99), (0.2, 0.90), (0.1, 0.60))),
        Shape(name="clustered", components=_TYPICAL, cluster=5),
    )
}
