"""What a run will take and what it can show, before the first call."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gate.app.project import Project, SuitePlan, TargetPlan
from gate.app.running import prices_from, render_suite
from gate.core.broken import BASELINE_TRIALS, broken_table
from gate.core.evidence import BaselineCase, SuiteBaseline
from gate.core.model import Scope, Usage
from gate.core.planning import cases_needed, noise, supported_margin
from gate.core.rules.regression import least_cases
from gate.targets.prices import price_usd

TYPICAL_NOISE = 0.036
CHARACTERS_PER_TOKEN = 4
SAFETY_FACTOR = 1.3
ANSWER_TOKENS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOutlook:
    """What one suite takes and shows.

    Shares of 1; tokens and dollars per pass; seconds per pass of modelled or past latency.

    `needed` is the number of cases like these at which 90 % of harmless changes pass at the wanted margin;
    `smallest` the margin at which they do with the cases there are; `measured` says that the noise comes from baseline
    counts.
    """

    target: str
    suite: str
    cases: int
    margin: float
    smallest: float
    needed: int
    least_calls: int
    most_calls: int
    tokens: int
    usd: float | None
    seconds: float | None
    testable: int
    measured: bool


def outlook(project: Project) -> tuple[SuiteOutlook, ...]:
    """One outlook a suite; renders every prompt, so that a bad template is found here and not after the first call."""
    return tuple(_suite(project, plan, entry) for plan in project.targets for entry in plan.suites)


def _suite(project: Project, plan: TargetPlan, entry: SuitePlan) -> SuiteOutlook:
    prompts = render_suite(plan, entry)
    state = entry.reference.baseline
    known = state.cases if isinstance(state, SuiteBaseline) else ()
    count, margin = len(entry.suite.cases), _margin(project, entry)
    passes = project.policy.looks[-1]
    trials = min((case.trials for case in known), default=BASELINE_TRIALS) or BASELINE_TRIALS
    per_trial = noise((case.passes, case.trials) for case in known) if known else TYPICAL_NOISE
    tokens = _tokens(prompts.values(), known, count)
    scope = entry.suite.scope
    table = broken_table([case.passes for case in known if case.trials == BASELINE_TRIALS], count)
    return SuiteOutlook(
        target=plan.definition.name,
        suite=entry.suite.name,
        cases=count,
        margin=margin,
        smallest=supported_margin(
            cases=count, noise_per_trial=per_trial, passes=passes, baseline_trials=trials, scope=scope
        ),
        needed=max(
            cases_needed(margin=margin, noise_per_trial=per_trial, passes=passes, baseline_trials=trials, scope=scope),
            least_cases(margin) if scope is Scope.POPULATION else 1,
        ),
        least_calls=count * project.policy.looks[0],
        most_calls=count * passes,
        tokens=tokens,
        usd=_price(project, plan, tokens=tokens, count=count),
        seconds=_seconds(known, count, plan.workers),
        testable=sum(table.limit(case.passes, case.trials) >= 0 for case in known),
        measured=bool(known),
    )


def _margin(project: Project, entry: SuitePlan) -> float:
    for margin in (entry.suite.margin, project.policy.requirement(entry.suite.dimension).margin):
        if margin is not None:
            return margin
    return project.policy.margin


def _tokens(prompts: Iterable[str], known: Iterable[BaselineCase], count: int) -> int:
    """Tokens of one pass: what the baseline used, else an estimate from the length of the prompts."""
    used = [case.tokens.mean for case in known if case.tokens.mean is not None]
    if used:
        return round(math.fsum(used) / len(used) * count)
    characters = sum(len(prompt) for prompt in prompts)
    return math.ceil(SAFETY_FACTOR * characters / CHARACTERS_PER_TOKEN) + ANSWER_TOKENS * count


def _price(project: Project, plan: TargetPlan, *, tokens: int, count: int) -> float | None:
    if plan.definition.model is None:
        return None
    answers = min(tokens, ANSWER_TOKENS * count)
    usage = Usage(input_tokens=tokens - answers, output_tokens=answers)
    return price_usd(plan.definition.model, usage, prices_from(project.settings))


def _seconds(known: Iterable[BaselineCase], count: int, workers: int) -> float | None:
    """Seconds of one pass from the baseline's geometric mean latency, None where it was never measured."""
    logs = [case.log_ms.mean for case in known if case.log_ms.mean is not None]
    return math.exp(math.fsum(logs) / len(logs)) / 1000 * count / workers if logs else None
