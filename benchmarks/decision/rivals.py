"""What other gates do, as rules reimplemented with their defaults: statements about the rules, not about the tools.

Every rule takes the counts of many simulated pull requests at once, arrays of shape (pull requests, cases), and says
which it blocks and which it cannot decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
SIGNIFICANT = 0.05
Z_95 = 1.959963984540054
NEMO_MAX_DROP = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Passes per case: `x` of the baseline's first 1, 3 and 10 runs, `y` of the candidate's first 1 and 3."""

    x1: Counts
    x3: Counts
    x10: Counts
    y1: Counts
    y3: Counts


Judged = tuple[Flags, Flags]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A rule: `judge` returns what it blocks and what it leaves open; `passes` are its calls per case."""

    name: str
    default_of: str
    passes: int
    judge: Callable[[Runs], Judged]


def _decided(blocked: Flags) -> Judged:
    return blocked, np.zeros_like(blocked)


def _any(flags: Flags) -> Flags:
    return np.asarray(flags.any(axis=1))


def any_fail(runs: Runs) -> Judged:
    """Block when any case fails its one run."""
    return _decided(_any(runs.y1 < 1))


def two_of_three(runs: Runs) -> Judged:
    """Block when any case passes fewer than two of three runs."""
    return _decided(_any(runs.y3 < 2))  # noqa: PLR2004 the rule's own number


def mean_drop(points: float) -> Callable[[Runs], Judged]:
    """Block when the mean of one run is more than so many points below one run of the baseline."""

    def judge(runs: Runs) -> Judged:
        drop = (runs.x1.sum(axis=1) - runs.y1.sum(axis=1)) * 100.0 / runs.x1.shape[1]
        return _decided(drop > points + 1e-9)

    return judge


def mcnemar_wilson(runs: Runs) -> Judged:
    """Block a drop whose continuity-corrected McNemar p is below 5 % and whose 95 % Wilson intervals are disjoint."""
    lost = ((runs.x1 == 1) & (runs.y1 == 0)).sum(axis=1)
    won = ((runs.x1 == 0) & (runs.y1 == 1)).sum(axis=1)
    statistic = np.abs(np.abs(lost - won) - 1) / np.sqrt(np.maximum(lost + won, 1))
    significant = 2 * stats.norm.sf(statistic) < SIGNIFICANT
    cases = runs.x1.shape[1]
    disjoint = wilson(runs.y1.sum(axis=1), cases)[1] < wilson(runs.x1.sum(axis=1), cases)[0]
    return _decided((lost > won) & significant & disjoint)


def wilson(passed: Counts, total: int) -> tuple[Floats, Floats]:
    """95 % Wilson interval of a share."""
    z2 = Z_95**2
    rate = passed / total
    centre = rate + z2 / (2 * total)
    half = Z_95 * np.sqrt(rate * (1 - rate) / total + z2 / (4 * total**2))
    return (centre - half) / (1 + z2 / total), (centre + half) / (1 + z2 / total)


def _interval(runs: Runs) -> tuple[Floats, Floats]:
    """Mean change over cases, three runs a side, and half the width of its 95 % t interval."""
    difference = (runs.y3 - runs.x3) / 3
    cases = difference.shape[1]
    error = difference.std(axis=1, ddof=1) / np.sqrt(cases)
    return difference.mean(axis=1), stats.t.ppf(1 - SIGNIFICANT / 2, cases - 1) * error


def paired_t(runs: Runs) -> Judged:
    """Block a drop with a two-sided p below 5 % over cases, three runs a side."""
    mean, half = _interval(runs)
    return _decided(mean + half < 0)


def nemo_interval(runs: Runs) -> Judged:
    """95 % interval of the drop, three runs a side: block above 1.5 points, open where it straddles them."""
    mean, half = _interval(runs)
    blocked = -mean - half > NEMO_MAX_DROP
    return blocked, ~blocked & (-mean + half > NEMO_MAX_DROP)


def fisher_table(baseline: int, candidate: int) -> Floats:
    """One-sided Fisher p of a drop for x of `baseline` against y of `candidate` passes, by [x, y]."""
    x, y = np.mgrid[0 : baseline + 1, 0 : candidate + 1]
    return np.asarray(stats.hypergeom.cdf(y, baseline + candidate, x + y, candidate))


def fisher_per_scenario(runs: Runs) -> Judged:
    """Block when any scenario's three runs are below its ten baseline runs by Fisher's test at 5 %, uncorrected."""
    return _decided(_any(fisher_table(10, 3)[runs.x10, runs.y3] < SIGNIFICANT))


RIVALS = (
    Rival(name="any failing case", default_of="promptfoo, DeepEval, gh-models", passes=1, judge=any_fail),
    Rival(name="2 of 3 for each case", default_of="promptfoo-action", passes=3, judge=two_of_three),
    Rival(name="mean drop > 1 point", default_of="a widespread recipe", passes=1, judge=mean_drop(1.0)),
    Rival(name="mean drop > 5 points", default_of="a widespread recipe", passes=1, judge=mean_drop(5.0)),
    Rival(name="McNemar and Wilson", default_of="multivon eval-action", passes=1, judge=mcnemar_wilson),
    Rival(name="paired t", default_of="Kibana evals", passes=3, judge=paired_t),
    Rival(name="interval of the drop", default_of="NeMo Evaluator", passes=3, judge=nemo_interval),
    Rival(name="Fisher for each scenario", default_of="n8n, retired", passes=3, judge=fisher_per_scenario),
)
