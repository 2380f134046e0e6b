"""What a run will take, what it can show, and how often it will be wrong, before the first call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gate.app.bench import prices_from
from gate.app.beside import asks_base
from gate.app.judges import judges_of
from gate.app.operating_points import OperatingPoint, operating_points
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.app.reuse import Reuse, requests_of, reuse_of
from gate.app.running import render_suite
from gate.app.watched import Watched, watched_cases
from gate.core.agreement import Calibration
from gate.core.broken import BASELINE_TRIALS
from gate.core.evidence import BaselineCase, SuiteBaseline
from gate.core.judging import judging_of, margin_factor, untrusted
from gate.core.model import Dimension, Metric, Scope, Usage
from gate.core.planning import MOST_CASES, SuiteNoise, cases_needed, noise, passes_needed, supported_margin, value_noise
from gate.core.rules.regression import least_cases
from gate.core.statistics import count_clusters
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
    for passes of the cases there are. `clusters` is 0 where cases are independent; with too few `supported` is
    infinite.
    """

    wanted: float
    supported: float
    cases: int | None
    passes: int | None
    measured: bool
    clusters: int = 0

    @property
    def enough(self) -> bool:
        """Whether the wanted margin can be shown with the cases there are."""
        return self.supported <= self.wanted and self.cases is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOutlook:
    """What one suite takes and shows.

    Tokens and dollars per pass; seconds per pass of modelled or past latency. `beside` are calls of the base's version,
    asked once to compare latencies, and part of the least and the most. `reach` and `watched` are None where the
    policy does not ask for them; `points` is empty without a baseline, or where nobody asked for rates. `judged` are
    calls to judges for each trial, part of the least and the most; tokens and dollars are the target's alone.
    `uncalibrated` are judges without whose word nothing passes, and whose agreement with people is not shown.
    `unchanged` cases are asked what the baseline was asked, in the first look or (`rests`) not at all.
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
    beside: int = 0
    tokens: int
    usd: float | None
    seconds: float | None
    points: tuple[OperatingPoint, ...]
    metric: Metric = Metric.PASS
    judged: int = 0
    uncalibrated: tuple[str, ...] = ()
    unchanged: int = 0
    rests: bool = False

    def dollars(self, calls: float) -> float | None:
        """What so many calls cost."""
        return None if self.usd is None else self.usd * calls / max(self.cases, 1)


def outlook(project: Project, *, rates: bool = True, as_of: str = "") -> tuple[SuiteOutlook, ...]:
    """One outlook a suite; renders every prompt, so that a bad template is found here and not after the first call.

    `rates` simulates outcomes and calls, which takes a few seconds a suite. `as_of` is the date of the run, on which it
    depends whether unchanged cases are asked again.
    """
    made = [(plan, entry, render_suite(plan, entry)) for plan in project.targets for entry in plan.suites]
    reuses = [_reused(project, plan, entry, prompts=prompts, as_of=as_of) for plan, entry, prompts in made]
    return tuple(
        _suite(project, plan, entry, prompts=prompts, reuse=reuse, rates=rates)
        for (plan, entry, prompts), reuse in zip(made, reuses, strict=True)
    )


def _reused(project: Project, plan: TargetPlan, entry: SuitePlan, *, prompts: Mapping[str, str], as_of: str) -> Reuse:
    """What a run will reuse; of the baseline's own version nothing, because such a plan is made for changes to come."""
    baseline = entry.reference.baseline
    if isinstance(baseline, SuiteBaseline) and baseline.identity.version == plan.version.digest:
        return Reuse()
    return reuse_of(project.policy, entry, requests_of(plan, entry.suite, prompts), as_of=as_of)


def _suite(  # noqa: PLR0913 all by name
    project: Project,
    plan: TargetPlan,
    entry: SuitePlan,
    *,
    prompts: Mapping[str, str],
    reuse: Reuse,
    rates: bool,
) -> SuiteOutlook:
    known, count = _known(entry), len(entry.suite.cases)
    tokens = _tokens(prompts.values(), known, count)
    margin = wanted_margin(project, entry)
    beside = count if asks_base(project, plan) else 0
    requirement = project.policy.requirement(entry.suite.dimension)
    judged = sum(judge.calls for judge in judges_of(entry.suite).values())
    looks, changed = project.policy.looks, count - len(reuse.requests)
    # An open floor is the one thing that further passes of unchanged cases can settle.
    again = looks[-1] if requirement.floor is not None else reuse.fresh
    return SuiteOutlook(
        target=plan.definition.name,
        suite=entry.suite.name,
        cases=count,
        dimension=entry.suite.dimension,
        scope=entry.suite.scope,
        reach=_reach(entry, margin, passes=project.policy.looks[-1]) if requirement.regression else None,
        watched=_watched(entry) if requirement.broken else None,
        least_calls=(changed * looks[0] + len(reuse.requests) * reuse.fresh) * (1 + judged) + beside,
        most_calls=(changed * looks[-1] + len(reuse.requests) * again) * (1 + judged) + beside,
        beside=beside,
        tokens=tokens,
        usd=_price(project, plan, tokens=tokens, count=count),
        seconds=_seconds(known, count, plan.workers),
        points=operating_points(entry, project.policy, margin=margin, reuse=reuse) if rates else (),
        metric=entry.suite.metric,
        judged=judged,
        uncalibrated=_uncalibrated(entry),
        unchanged=len(reuse.requests),
        rests=not reuse.fresh,
    )


def _uncalibrated(entry: SuitePlan) -> tuple[str, ...]:
    judging = judging_of(entry.suite, ())
    return untrusted(judging, _calibration(entry)) if judging is not None and judging.decisive else ()


def _calibration(entry: SuitePlan) -> tuple[Calibration, ...]:
    state = entry.reference.baseline
    same = isinstance(state, SuiteBaseline) and state.identity.scorer_digest == entry.identity.scorer_digest
    return state.calibration if isinstance(state, SuiteBaseline) and same else ()


def _known(entry: SuitePlan) -> tuple[BaselineCase, ...]:
    """The baseline's cases that were tried and are in the suite as they were."""
    state = entry.reference.baseline
    now = {case.id: case.digest for case in entry.suite.cases}
    cases = state.cases if isinstance(state, SuiteBaseline) else ()
    metric = entry.suite.metric
    return tuple(case for case in cases if case.counted(metric) and now.get(case.case_id) == case.digest)


def wanted_margin(project: Project, entry: SuitePlan) -> float:
    """The margin that applies, the suite's, else the profile's, else the policy's, as calibrated judges see it."""
    stated = (entry.suite.margin, project.policy.requirement(entry.suite.dimension).margin, project.policy.margin)
    factor = margin_factor(judging_of(entry.suite, ()), _calibration(entry))
    return next(margin for margin in stated if margin is not None) * factor


def _reach(entry: SuitePlan, margin: float, *, passes: int) -> Reach:
    known, count, scope = _known(entry), len(entry.suite.cases), entry.suite.scope
    clusters = count_clusters(case.cluster for case in entry.suite.cases) if scope is Scope.POPULATION else 0
    suite = SuiteNoise(
        noise_per_trial=_noise(known, entry.suite.metric) if known else TYPICAL_NOISE,
        baseline_trials=min((case.counted(entry.suite.metric) for case in known), default=BASELINE_TRIALS),
        scope=scope,
        cluster_size=count / clusters if clusters else 0.0,
    )
    needed = cases_needed(margin=margin, passes=passes, **suite)
    least = least_cases(margin) if scope is Scope.POPULATION else 1
    more = passes_needed(margin=margin, cases=count, **suite)
    return Reach(
        wanted=margin,
        supported=supported_margin(cases=count, passes=passes, **suite),
        cases=max(needed, least) if needed < MOST_CASES else None,
        passes=more if count >= least else None,
        measured=bool(known),
        clusters=clusters,
    )


def _noise(known: Iterable[BaselineCase], metric: Metric) -> float:
    if metric is Metric.SCORE:
        return value_noise((case.score.sum, case.score.n, case.score.squares) for case in known)
    return noise((case.passes, case.trials) for case in known)


def _watched(entry: SuitePlan) -> Watched | None:
    """The critical values that the decision will use; None where no case of the baseline is compared."""
    state, known = entry.reference.baseline, _known(entry)
    return watched_cases(state, known) if known and isinstance(state, SuiteBaseline) else None


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
