"""How many passes of a suite a change that changes nothing is expected to take, without a simulation.

At each look a suite is settled when the margin and the floor are shown, each with a chance by the normal distribution
around the baseline's own counts. Confirmation trials, vetoes and early ends are not in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gate.core.evidence import BaselineCase
from gate.core.model import Scope
from gate.core.planning import SuiteNoise, show_chance, value_noise
from gate.core.policy import Policy, Requirement
from gate.core.statistics import NORMAL, ONE_SIDED_95, augmented


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What the chances of one suite are made of: the baseline's cases that count, and the suite's noise."""

    known: Sequence[BaselineCase]
    cases: int
    requirement: Requirement
    margin: float
    noise: SuiteNoise

    def settled(self, passes: int) -> float:
        """The chance that a change which changes nothing is settled after so many passes."""
        return min(self._margin_shown(passes), self._floor_shown(passes))

    def _margin_shown(self, passes: int) -> float:
        if not self.requirement.regression:
            return 1.0
        if self.noise.get("scope") is Scope.SET and passes == 1:
            return 0.0
        return show_chance(margin=self.margin, cases=self.cases, passes=passes, **self.noise)

    def _floor_shown(self, passes: int) -> float:
        if self.requirement.floor is None:
            return 1.0
        means = [case.passes / case.trials for case in self.known if case.trials]
        if not means:
            return 0.0
        within = value_noise((case.passes, case.trials, case.passes) for case in self.known if case.trials)
        mean, error = augmented(means, low=0.0, high=1.0)
        # Case means of so few passes lie wider than those of the baseline.
        wider = math.sqrt(error**2 + within / passes / len(means))
        needed = self.requirement.floor + (0.0 if self.requirement.point else ONE_SIDED_95 * wider)
        spread = math.sqrt(within / passes / len(means))
        return NORMAL.cdf((mean - needed) / spread) if spread else float(mean >= needed)


def expected_passes(prospect: Prospect | None, policy: Policy) -> float:
    """The mean number of passes over the policy's looks; the first look where further ones can settle nothing."""
    looks = policy.looks
    if prospect is None or not prospect.requirement.blocking:
        return float(looks[0])
    more = ((later - look) * (1.0 - prospect.settled(look)) for look, later in pairwise(looks))
    return looks[0] + math.fsum(more)
