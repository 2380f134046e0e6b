"""How many cases a claim needs."""

import math
from fractions import Fraction

from gate.core.model import Scope, Suite
from gate.core.rules.regression import least_cases
from gate.errors import SuiteError

# Rule of three: with n cases and no loss among them, the 95 % upper bound of the loss rate is about 3/n.
_RULE_OF_THREE = 3
_WHOLE = 100


def check_size(suite: Suite, margin: float) -> None:
    """Raise SuiteError for a population suite with too few cases for its own margin, or else for the policy's.

    One that the change removes as a whole is as large as the base has it.
    """
    wanted = margin if suite.margin is None else suite.margin
    needed, count = least_cases(wanted), sum(not (case.edits or case.removed) for case in suite.cases)
    is_removed = bool(suite.cases) and all(case.removed for case in suite.cases)
    if suite.scope is Scope.SET or count >= needed or is_removed:
        return
    points = float(Fraction(str(wanted)) * _WHOLE)
    message = (
        f"{suite.path}/suite.yaml:1: suite {suite.name} has {count} cases; "
        f"a margin of {points:g} points in scope population needs {needed}"
    )
    choices = [f"add {needed - count} cases", *_wider(count), "set scope: set"]
    raise SuiteError(message, hint=", or ".join(choices))


def _wider(count: int) -> list[str]:
    hundredths = math.ceil(Fraction(_WHOLE * _RULE_OF_THREE, max(count, 1)))
    return [f"set margin: {hundredths / _WHOLE:.2f}"] if hundredths < _WHOLE else []
