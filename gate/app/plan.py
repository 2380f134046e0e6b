"""What a run will take, what it can show, and how often it will be wrong, before the first call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gate.app.operating_points import OperatingPoint, operating_points
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.app.running import prices_from, render_suite
from gate.core.broken import BASELINE_TRIALS, broken_table
from gate.core.evidence import BaselineCase, SuiteBaseline
from gate.core.model import Dimension, Scope, Usage
from gate.core.planning import MOST_CASES, cases_needed, noise, passes_needed, supported_margin
from gate.core.rules.regression import least_cases
from gate.targets.prices import price_usd

TYPICAL_NOISE = 0.036
CHARACTERS_PER_TOKEN = 4
SAFETY_FACTOR = 1.3
ANSWER_TOKENS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What drop a suite can show, as shares of 1, with the flakiness of its baseline (`measured`) or a usual one.

    `supported` is the margin at which 90 % of harmless changes pass after the last look (m90). `cases` is the number
    of cases like these at which they do at the wanted margin, None where no sensible number would; `passes` the same
    for passes of the cases there are.
    """

    wanted: float
    supported: float
    cases: int | None
    passes: int | None
    measured: bool

    @property
    def enough(self) -> bool:
        """Whether the wanted margin can be shown with the cases there are."""
        return self.supported <= self.wanted and self.cases is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Solid cases that are watched one by one: how many, and by baseline passes how few of `trials` confirm a break."""

    testable: int
    trials: int
    critical: Mapping[int, int]
    expected_false_alarms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOutlook:
    """What one suite takes and shows.

    Tokens and dollars per pass; seconds per pass of modelled or past latency. `reach` and `watched` are None where the
    policy does not ask for them; `points` is empty without a baseline, or where nobody asked for rates.
    """

    target: str
    suite: str
    cases: int
    dimension: Dimension
    scope: Scope
    reach: Reach | None
    watched: Watched | None
    least_calls: int
    most_calls: int
    tokens: int
    usd: float | None
    seconds: float | None
    points: tuple[OperatingPoint, ...]

    def dollars(self, calls: float) -> float | None:
        """What so many calls cost."""
        return None if self.usd is None else self.usd * calls / max(self.cases, 1)


def outlook(project: Project, *, rates: bool = True) -> tuple[SuiteOutlook, ...]:
    """One outlook a suite; renders every prompt, so that a bad template is found here and not after the first call.

    `rates` simulates outcomes and calls, which takes a few seconds a suite.
    """
    return tuple(_suite(project, plan, entry, rates=rates) for plan in project.targets for entry in plan.suites)


def _suite(project: Project, plan: TargetPlan, entry: SuitePlan, *, rates: bool) -> SuiteOutlook:
    prompts = render_suite(plan, entry)
    known, count = _known(entry), len(entry.suite.cases)
    tokens = _tokens(prompts.values(), known, count)
    margin = wanted_margin(project, entry)
    requirement = project.policy.requirement(entry.suite.dimension)
    return SuiteOutlook(
        target=plan.definition.name,
        suite=entry.suite.name,
        cases=count,
        dimension=entry.suite.dimension,
        scope=entry.suite.scope,
        reach=_reach(entry, margin, passes=project.policy.looks[-1]) if requirement.regression else None,
        watched=_watched(entry) if requirement.broken and known else None,
        least_calls=count * project.policy.looks[0],
        most_calls=count * project.policy.looks[-1],
        tokens=tokens,
        usd=_price(project, plan, tokens=tokens, count=count),
        seconds=_seconds(known, count, plan.workers),
        points=operating_points(entry, project.policy, margin=margin) if rates else (),
    )


def _known(entry: SuitePlan) -> tuple[BaselineCase, ...]:
    """The baseline's cases that were tried and are in the suite as they were."""
    state = entry.reference.baseline
    now = {case.id: case.digest for case in entry.suite.cases}
    cases = state.cases if isinstance(state, SuiteBaseline) else ()
    return tuple(case for case in cases if case.trials and now.get(case.case_id) == case.digest)


def wanted_margin(project: Project, entry: SuitePlan) -> float:
    """The margin that applies: the suite's, else the profile's, else the policy's."""
    for margin in (entry.suite.margin, project.policy.requirement(entry.suite.dimension).margin):
        if margin is not None:
            return margin
    return project.policy.margin


def _reach(entry: SuitePlan, margin: float, *, passes: int) -> Reach:
    known, count, scope = _known(entry), len(entry.suite.cases), entry.suite.scope
    trials = min((case.trials for case in known), default=BASELINE_TRIALS)
    per_trial = noise((case.passes, case.trials) for case in known) if known else TYPICAL_NOISE
    needed = cases_needed(margin=margin, noise_per_trial=per_trial, passes=passes, baseline_trials=trials, scope=scope)
    least = least_cases(margin) if scope is Scope.POPULATION else 1
    more = passes_needed(margin=margin, cases=count, noise_per_trial=per_trial, baseline_trials=trials, scope=scope)
    return Reach(
        wanted=margin,
        supported=supported_margin(
            cases=count, noise_per_trial=per_trial, passes=passes, baseline_trials=trials, scope=scope
        ),
        cases=max(needed, least) if needed < MOST_CASES else None,
        passes=more if count >= least else None,
        measured=bool(known),
    )


def _watched(entry: SuitePlan) -> Watched:
    """The critical values as the decision fixes them: from all cases of the baseline."""
    state = entry.reference.baseline
    every = state.cases if isinstance(state, SuiteBaseline) else ()
    table = broken_table([case.passes for case in every if case.trials == BASELINE_TRIALS], len(every))
    return Watched(
        testable=sum(table.limit(case.passes, case.trials) >= 0 for case in _known(entry)),
        trials=table.trials,
        critical={passes: most for passes, most in table.critical.items() if most >= 0},
        expected_false_alarms=table.expected_false_alarms,
    )


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
