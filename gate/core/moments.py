"""Counts, sums and sums of squares: what is kept of many values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

DIGITS = 9  # values are rounded to these, so that files stay readable


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Count, sum and sum of squares: enough for every mean and variance that the decision needs."""

    n: int = 0
    sum: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean, or None where nothing was counted."""
        return self.sum / self.n if self.n else None

    def __add__(self, other: Moments) -> Moments:
        """Those of both together."""
        return Moments(
            n=self.n + other.n,
            sum=round(self.sum + other.sum, DIGITS),
            squares=round(self.squares + other.squares, DIGITS),
        )


NO_MOMENTS = Moments()


def moments(values: Iterable[float]) -> Moments:
    """Count values; sums are rounded to nine digits."""
    kept = list(values)
    squares = math.fsum(value * value for value in kept)
    return Moments(n=len(kept), sum=round(math.fsum(kept), DIGITS), squares=round(squares, DIGITS))
