"""What one pass of a suite takes, before it is made: tokens, dollars and seconds, by what the baseline took."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gate.app.bench import prices_from
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.core.evidence import BaselineCase, SuiteBaseline
from gate.core.model import Usage
from gate.targets.prices import price_usd
from gate.targets.request import SEEDED

CHARACTERS_PER_TOKEN = 4
SAFETY_FACTOR = 1.3
ANSWER_TOKENS = 200


def pass_tokens(prompts: Iterable[str], known: Iterable[BaselineCase], count: int) -> int:
    """Tokens of one pass: what the baseline used, else an estimate from the length of the prompts."""
    used = [case.tokens.mean for case in known if case.tokens.mean is not None]
    if used:
        return round(math.fsum(used) / len(used) * count)
    characters = sum(len(prompt) for prompt in prompts)
    return math.ceil(SAFETY_FACTOR * characters / CHARACTERS_PER_TOKEN) + ANSWER_TOKENS * count


def recorded_usd(entry: SuitePlan, known: Iterable[BaselineCase], count: int) -> float | None:
    """Dollars of one pass as the baseline paid for it; None where another model did, or no price was known."""
    state = entry.reference.baseline
    paid = [case.usd.mean for case in known if case.usd.mean is not None]
    same = isinstance(state, SuiteBaseline) and state.identity.model == entry.identity.model
    return math.fsum(paid) / len(paid) * count if paid and same else None


def estimated_usd(project: Project, plan: TargetPlan, *, tokens: int, count: int) -> float | None:
    """Dollars of one pass by its tokens; the built-in model costs nothing, and is in no price list."""
    prices = prices_from(project.settings)
    if plan.definition.model is None or (plan.definition.provider == SEEDED and not prices):
        return None
    answers = min(tokens, ANSWER_TOKENS * count)
    usage = Usage(input_tokens=tokens - answers, output_tokens=answers)
    return price_usd(plan.definition.model, usage, prices)


def pass_seconds(known: Iterable[BaselineCase], count: int, workers: int) -> float | None:
    """Seconds of one pass from the baseline's geometric mean latency, None where it was never measured."""
    logs = [case.log_ms.mean for case in known if case.log_ms.mean is not None]
    return math.exp(math.fsum(logs) / len(logs)) / 1000 * count / workers if logs else None
