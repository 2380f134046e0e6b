"""What the next look at a suite would probably say: it decides what is asked for next, never what is decided."""

from __future__ import annotations

import math
from collections.abc import Collection

from gate.core.rules.context import SuiteContext
from gate.core.rules.regression import Z_FAIL, shared_z
from gate.core.statistics import compare, settled


def next_look(context: SuiteContext) -> int | None:
    """The number of passes at the next look; None where all looks are spent."""
    return next((look for look in context.policy.looks if look > context.evidence.passes), None)


def loss_expected(context: SuiteContext, but: Collection[str] = ()) -> bool:
    """Whether the next look would show the loss if the estimate stayed as it is; `but` leaves cases out."""
    following = next_look(context)
    both = [sides for sides in context.both if sides[0].case_id not in but] if but else None
    pairs = context.pairs(context.evidence.passes, both=both)
    if following is None or not pairs or not context.requirement.regression:
        return False
    comparison = compare(pairs)
    if settled(comparison.estimate) > -context.margin:
        return False
    baseline_trials = min(pair.kb for pair in pairs)
    narrower = (1 / following + 1 / baseline_trials) / (1 / context.evidence.passes + 1 / baseline_trials)
    z = Z_FAIL[min(context.policy.looks.index(following), len(Z_FAIL) - 1)]
    return comparison.estimate + shared_z(z, context.rivals) * comparison.set_error * math.sqrt(narrower) < 0.0
