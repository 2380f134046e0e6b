"""What a run will take, what it can show, and how often it will be wrong, before the first call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gate.app.beside import asks_base
from gate.app.forecast import Prospect, expected_passes
from gate.app.judges import judges_of
from gate.app.operating_points import OperatingPoint, operating_points
from gate.app.pass_usage import estimated_usd, pass_seconds, pass_tokens, recorded_usd
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.app.reuse import Reuse, requests_of, reuse_of
from gate.app.running import render_suite
from gate.app.timing import workers_of
from gate.app.watched import Watched, watched_cases
from gate.core.agreement import Calibration
from gate.core.broken import BASELINE_TRIALS
from gate.core.evidence import BaselineCase, SuiteBaseline
from gate.core.judging import judging_of, margin_factor, untrusted
from gate.core.model import Dimension, Metric, Scope
from gate.core.planning import MOST_CASES, SuiteNoise, cases_needed, noise, passes_needed, supported_margin, value_noise
from gate.core.policy import Policy
from gate.core.rules.regression import least_cases
from gate.core.statistics import count_clusters

TYPICAL_NOISE = 0.036


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
    `unchanged` cases are asked what the baseline was asked, in the first look or (`rests`) not at all. `edited` cases
    are asked under both versions and count twice, `removed` ones as the base has them; `unasked` says why not.
    `expected` are the trials that a change which changes nothing takes on average, without confirmations.
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
    edited: int = 0
    removed: int = 0
    unasked: str = ""
    expected: float = 0.0

    @property
    def expected_calls(self) -> float:
        """Calls that a change which changes nothing is expected to take, those of judges and of the base included."""
        return self.expected * (1 + self.judged) + self.beside

    @property
    def expected_usd(self) -> float | None:
        """What these calls cost, without those of judges."""
        return self.dollars(self.expected + self.beside)

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
        suite_outlook(project, plan, entry, prompts=prompts, reuse=reuse, rates=rates)
        for (plan, entry, prompts), reuse in zip(made, reuses, strict=True)
    )


def _reused(project: Project, plan: TargetPlan, entry: SuitePlan, *, prompts: Mapping[str, str], as_of: str) -> Reuse:
    """What a run will reuse; of the baseline's own version nothing, because such a plan is made for changes to come."""
    baseline = entry.reference.baseline
    if isinstance(baseline, SuiteBaseline) and baseline.identity.version == plan.version.digest:
        return Reuse()
    return reuse_of(project.policy, entry, requests_of(plan, entry.suite, prompts), as_of=as_of)


def suite_outlook(  # noqa: PLR0913 all by name
    project: Project, plan: TargetPlan, entry: SuitePlan, *, prompts: Mapping[str, str], reuse: Reuse, rates: bool
) -> SuiteOutlook:
    """The outlook of one suite, with its rendered prompts and what of it is reused."""
    known, count = _known(entry), len(entry.suite.cases)
    tokens = pass_tokens(prompts.values(), known, count)
    margin = wanted_margin(project, entry)
    beside = count if asks_base(project, plan) else 0
    requirement = project.policy.requirement(entry.suite.dimension)
    judged = sum(judge.calls for judge in judges_of(entry.suite).values())
    least, most = _trials(entry, project.policy, reuse)
    return SuiteOutlook(
        target=plan.definition.name,
        suite=entry.suite.name,
        cases=count,
        dimension=entry.suite.dimension,
        scope=entry.suite.scope,
        reach=_reach(entry, margin, passes=project.policy.looks[-1]) if requirement.regression else None,
        watched=_watched(entry) if requirement.broken else None,
        least_calls=least * (1 + judged) + beside,
        most_calls=most * (1 + judged) + beside,
        beside=beside,
        tokens=tokens,
        usd=recorded_usd(entry, known, count) or estimated_usd(project, plan, tokens=tokens, count=count),
        seconds=pass_seconds(known, count, workers_of(project, plan)),
        points=operating_points(entry, project.policy, margin=margin, reuse=reuse) if rates else (),
        metric=entry.suite.metric,
        judged=judged,
        uncalibrated=_uncalibrated(entry),
        unchanged=len(reuse.requests),
        rests=not reuse.fresh,
        edited=sum(bool(case.edits) for case in entry.suite.cases),
        removed=sum(case.removed for case in entry.suite.cases),
        unasked=entry.suite.unasked,
        expected=_expected(project, entry, reuse),
    )


def _expected(project: Project, entry: SuitePlan, reuse: Reuse) -> float:
    """Trials of a change that changes nothing: unchanged cases are asked `fresh` times, and again for an open floor."""
    known, policy = _known(entry), project.policy
    requirement = policy.requirement(entry.suite.dimension)
    prospect = Prospect(
        known=known,
        cases=len(entry.suite.cases),
        requirement=requirement,
        margin=wanted_margin(project, entry),
        noise=_suite_noise(entry, known),
    )
    passes, unchanged = expected_passes(prospect if known else None, policy), len(reuse.requests)
    again = passes - policy.looks[0] if requirement.floor is not None else 0.0
    return passes * (len(entry.suite.cases) - unchanged) + (reuse.fresh + again) * unchanged


def _trials(entry: SuitePlan, policy: Policy, reuse: Reuse) -> tuple[int, int]:
    """How many trials a run takes at the least, and at the most."""
    looks, unchanged = policy.looks, len(reuse.requests)
    changed = len(entry.suite.cases) - unchanged
    # An open floor is the one thing that further passes of unchanged cases can settle.
    again = reuse.fresh if policy.requirement(entry.suite.dimension).floor is None else looks[-1]
    return changed * looks[0] + unchanged * reuse.fresh, changed * looks[-1] + unchanged * again


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
    suite = _suite_noise(entry, known)
    needed = cases_needed(margin=margin, passes=passes, **suite)
    least = least_cases(margin) if scope is Scope.POPULATION else 1
    more = passes_needed(margin=margin, cases=count, **suite)
    return Reach(
        wanted=margin,
        supported=supported_margin(cases=count, passes=passes, **suite),
        cases=max(needed, least) if needed < MOST_CASES else None,
        passes=more if count >= least else None,
        measured=bool(known),
        clusters=_clusters(entry),
    )


def _clusters(entry: SuitePlan) -> int:
    return count_clusters(case.cluster for case in entry.suite.cases) if entry.suite.scope is Scope.POPULATION else 0


def _suite_noise(entry: SuitePlan, known: Collection[BaselineCase]) -> SuiteNoise:
    clusters = _clusters(entry)
    return SuiteNoise(
        noise_per_trial=_noise(known, entry.suite.metric) if known else TYPICAL_NOISE,
        baseline_trials=min((case.counted(entry.suite.metric) for case in known), default=BASELINE_TRIALS),
        scope=entry.suite.scope,
        cluster_size=len(entry.suite.cases) / clusters if clusters else 0.0,
    )


def _noise(known: Iterable[BaselineCase], metric: Metric) -> float:
    if metric is Metric.SCORE:
        return value_noise((case.score.sum, case.score.n, case.score.squares) for case in known)
    return noise((case.passes, case.trials) for case in known)


def _watched(entry: SuitePlan) -> Watched | None:
    """The critical values that the decision will use; None where no case of the baseline is compared."""
    state, known = entry.reference.baseline, _known(entry)
    return watched_cases(state, known) if known and isinstance(state, SuiteBaseline) else None
