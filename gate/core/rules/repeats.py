"""Repeats: trials of a case that repeat each other more than independent trials would.

A caching provider, a fixed seed or temperature 0 answers every pass alike; the decision's error rates assume that
passes are independent. What independent trials do follows from the baseline's counts: a case of rate p gives mixed
marks in n trials with a chance of 1 - p^n - (1-p)^n, averaged over its posterior. A candidate that mends its flaky
cases mixes less, too: so the rates are also shifted, on the logit scale, until the cases that could mix pass as often
as was seen, and mixed marks must be too few either way. Shown, and never decisive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul

from gate.core.evidence import FAIL, PASS
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
from gate.core.prior import GRID, Tally, fitted_weights, posterior_weights
from gate.core.rules.context import SuiteContext
from gate.core.statistics import NORMAL, bisect

SUBJECT = "repeats"
LEAST_PASSES = 2
# Fewer trials of a case cannot say how often it would mix.
LEAST_BASELINE_TRIALS = 5
# The baseline's counts vary, too: the simulated spread of the statistic is up to 1.2 for an unchanged version.
SPREAD = 1.2
REPEATS_ALPHA = 0.001
FARTHEST_SHIFT = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cases with the same baseline counts and the same number of scored trials.

    `weights` say how likely each rate of GRID is for one of them; `passes` and `mixed` are counted over all of them.
    """

    trials: int
    cases: int
    passes: int
    mixed: int
    weights: tuple[float, ...]

    @property
    def solid(self) -> bool:
        """Whether these cases mostly pass."""
        return math.fsum(map(mul, self.weights, GRID)) >= 0.5  # noqa: PLR2004 the middle

    def chance(self, rates: Sequence[float]) -> float:
        """The chance of mixed marks in one of these cases, where GRID stands for these rates."""
        return math.fsum(map(mul, self.weights, _mixed(tuple(rates), self.trials)))


@lru_cache(maxsize=256)
def _mixed(rates: tuple[float, ...], trials: int) -> tuple[float, ...]:
    """The chance of mixed marks in so many trials at each rate."""
    return tuple(1.0 - rate**trials - (1.0 - rate) ** trials for rate in rates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """How many cases gave mixed marks, and what independent trials let expect: mean and variance."""

    cases: int
    observed: int
    expected: float
    variance: float

    @property
    def chance(self) -> float:
        """P(so few mixed, or fewer), by the normal distribution with a continuity correction."""
        if self.variance <= 0.0:
            return 1.0
        return NORMAL.cdf((self.observed + 0.5 - self.expected) / (SPREAD * math.sqrt(self.variance)))


def check_repeats(context: SuiteContext) -> tuple[Finding, ...]:
    """One finding, which does not block, where trials repeat each other; silent otherwise."""
    if context.evidence.passes < LEAST_PASSES:
        return ()
    groups = groups_of(context)
    found = mixing_of(groups, GRID)
    if found.chance >= REPEATS_ALPHA or _shifted_mixing(groups).chance >= REPEATS_ALPHA:
        return ()
    return (_finding(context, found),)


def groups_of(context: SuiteContext) -> tuple[Group, ...]:
    """Cases that were tried often enough on both sides, grouped by their counts."""
    marks: dict[tuple[int, int, int], list[str]] = {}
    for now, before in context.both:
        first = now.first(context.evidence.passes)
        if len(first) >= LEAST_PASSES and before.trials >= LEAST_BASELINE_TRIALS:
            marks.setdefault((before.passes, before.trials, len(first)), []).append(first)
    return tuple(
        Group(
            trials=trials,
            cases=len(own),
            passes=sum(first.count(PASS) for first in own),
            mixed=sum(PASS in first and FAIL in first for first in own),
            weights=_posterior(context.tally, passes, tried),
        )
        for (passes, tried, trials), own in sorted(marks.items())
    )


@lru_cache(maxsize=1024)
def _posterior(tally: Tally, passes: int, trials: int) -> tuple[float, ...]:
    """How likely each rate of GRID is for a case with these counts in a suite with this tally."""
    return posterior_weights(fitted_weights(tally), passes, trials)


def mixing_of(groups: Sequence[Group], *rates: Sequence[float]) -> Mixing:
    """Mixed marks seen and expected over all groups; of several rates for GRID those that let a group mix least."""
    chances = [(group.cases, min(map(group.chance, rates))) for group in groups]
    return Mixing(
        cases=sum(group.cases for group in groups),
        observed=sum(group.mixed for group in groups),
        expected=math.fsum(cases * chance for cases, chance in chances),
        variance=math.fsum(cases * chance * (1.0 - chance) for cases, chance in chances),
    )


def _shifted_mixing(groups: Sequence[Group]) -> Mixing:
    """The same, where mostly failing and mostly passing cases may each have moved to the passes that were seen."""
    parts = [[group for group in groups if group.solid is solid] for solid in (False, True)]
    found = [mixing_of(part, GRID, shifted(_shift(part))) for part in parts if part]
    return Mixing(
        cases=sum(part.cases for part in found),
        observed=sum(part.observed for part in found),
        expected=math.fsum(part.expected for part in found),
        variance=math.fsum(part.variance for part in found),
    )


def shifted(shift: float) -> tuple[float, ...]:
    """The rates of GRID with their odds multiplied by exp(shift)."""
    odds = math.exp(shift)
    return tuple(rate * odds / (1.0 - rate + rate * odds) for rate in GRID)


def _shift(groups: Sequence[Group]) -> float:
    """The shift at which the groups, each as far as it could mix, are expected to pass as often as they did."""
    chances = [group.chance(GRID) for group in groups]
    passes = math.fsum(chance * group.passes for chance, group in zip(chances, groups, strict=True))
    columns = [
        [chance * group.cases * group.trials * weight for weight in group.weights]
        for chance, group in zip(chances, groups, strict=True)
    ]
    trials = [math.fsum(column) for column in zip(*columns, strict=True)]
    return bisect(lambda shift: math.fsum(map(mul, trials, shifted(shift))) - passes, -FARTHEST_SHIFT, FARTHEST_SHIFT)


def _finding(context: SuiteContext, mixing: Mixing) -> Finding:
    sentence = (
        f"{context.evidence.name}: trials repeat each other: {mixing.observed} of {mixing.cases} cases gave mixed "
        f"results where {mixing.expected:.0f} were expected; a cache or a fixed seed makes the stated error rates "
        "too small"
    )
    return context.finding(
        Rule.COMPLETENESS,
        Verdict.INCONCLUSIVE,
        sentence,
        demands=Outcome.HOLD,
        subject=SUBJECT,
        blocking=False,
        figures=figures(cases=mixing.cases, mixed=mixing.observed, expected=mixing.expected, chance=mixing.chance),
        settle="turn the cache off, or count one pass",
        act=Act.MEND,
    )
