"""How far a judge agrees with people: sensitivity, specificity, Cohen's kappa, and what is left of a difference.

A judge that errs equally on both versions shrinks a true difference by J = sensitivity + specificity - 1 (Youden), so a
margin that people mean is judged as J times that margin. Kappa's standard error is the large-sample one of Fleiss,
Cohen and Everitt (1969), Psychological Bulletin 72, 323-327.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gate.core.statistics import ONE_SIDED_95, settled

FEWEST_LABELS = 50
LEAST_KAPPA = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One judge beside people who labelled the same answers.

    `hits` passed by both, `misses` by people alone, `false_passes` by the judge alone, `rejections` by neither;
    `unjudged` are labels on which the judge gave no answer. Raises ValueError for negative counts.
    """

    scorer: str
    hits: int = 0
    misses: int = 0
    false_passes: int = 0
    rejections: int = 0
    unjudged: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that nothing can produce."""
        if min(self.hits, self.misses, self.false_passes, self.rejections, self.unjudged) < 0:
            message = f"scorer {self.scorer!r}: counts of labels cannot be negative"
            raise ValueError(message)

    @property
    def labels(self) -> int:
        """Labels that the judge answered."""
        return self.hits + self.misses + self.false_passes + self.rejections

    @property
    def sensitivity(self) -> float | None:
        """Share of what people pass that the judge passes; None where people pass nothing."""
        return _share(self.hits, self.hits + self.misses)

    @property
    def specificity(self) -> float | None:
        """Share of what people fail that the judge fails; None where people fail nothing."""
        return _share(self.rejections, self.rejections + self.false_passes)

    @property
    def factor(self) -> float | None:
        """What the judge leaves of a true difference: sensitivity + specificity - 1."""
        if self.sensitivity is None or self.specificity is None:
            return None
        return settled(self.sensitivity + self.specificity - 1.0)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa; None where chance alone would agree always."""
        observed, expected = self._agreement()
        return None if expected >= 1.0 else settled((observed - expected) / (1.0 - expected))

    @property
    def error(self) -> float | None:
        """Standard error of kappa."""
        observed, expected = self._agreement()
        if expected >= 1.0:
            return None
        n = self.labels
        cells = ((self.hits / n, self.misses / n), (self.false_passes / n, self.rejections / n))
        rows = [math.fsum(row) for row in cells]
        columns = [math.fsum(column) for column in zip(*cells, strict=True)]
        kappa = (observed - expected) / (1.0 - expected)
        same = math.fsum(cells[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
        other = math.fsum(cells[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in range(2)) * (1 - kappa) ** 2
        rest = (kappa - expected * (1 - kappa)) ** 2
        return settled(math.sqrt(max(0.0, same + other - rest)) / ((1.0 - expected) * math.sqrt(n)))

    @property
    def lower(self) -> float | None:
        """One-sided 95 % lower bound of kappa."""
        kappa, error = self.kappa, self.error
        return None if kappa is None or error is None else settled(kappa - ONE_SIDED_95 * error)

    @property
    def trusted(self) -> bool:
        """Whether at least 50 labels show a kappa of at least 0.4."""
        return self.labels >= FEWEST_LABELS and self.lower is not None and self.lower >= LEAST_KAPPA

    def _agreement(self) -> tuple[float, float]:
        """Observed agreement, and what chance gives with the same shares; 1 where there is nothing to tell apart."""
        n = self.labels
        if n == 0:
            return 0.0, 1.0
        both = (self.hits + self.misses) * (self.hits + self.false_passes)
        neither = (self.rejections + self.false_passes) * (self.rejections + self.misses)
        return (self.hits + self.rejections) / n, (both + neither) / (n * n)


def _share(part: int, whole: int) -> float | None:
    return settled(part / whole) if whole else None
