"""The loop between evidence and decision: run what is asked for, decide, ask again, until nothing more would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.app.project import Project, SuitePlan, TargetPlan
from gate.core.aggregate import suite_evidence
from gate.core.decision import SuiteStep, is_unchanged, next_steps
from gate.core.evidence import Evidence, Reference, SuiteBaseline
from gate.core.model import Target
from gate.core.policy import Policy
from gate.core.rules.abort import Watch
from gate.core.rules.comparability import comparable
from gate.core.rules.context import SuiteContext
from gate.core.window import earlier
from gate.runner.budget import Budget, Ceilings
from gate.runner.journal import Journal
from gate.runner.suite_run import Progress, SuiteRun
from gate.suites.settings import Settings
from gate.targets.prices import Price, Prices
from gate.targets.prompt import render_prompts
from gate.targets.table import build_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every suite run shares."""

    root: Path
    environ: Mapping[str, str]
    budget: Budget
    journal: Journal
    progress: Progress
    seed: int
    earlier: tuple[Evidence, ...] = ()


def ceilings_from(settings: Settings, usd: float | None) -> Ceilings:
    """The base's budget; a run may ask for fewer dollars, never for more."""
    own = settings.budget
    limits = [limit for limit in (usd, own.usd) if limit is not None]
    return Ceilings(usd=min(limits, default=None), calls=own.calls, minutes=own.minutes, tokens=own.tokens)


def prices_from(settings: Settings) -> Prices:
    """Price overrides, dollars per million tokens."""
    return {name: Price(input=price.input, output=price.output) for name, price in settings.prices.items()}


def prepare_runs(project: Project, bench: Bench, *, every: bool) -> tuple[tuple[SuiteRun, ...], tuple[str, ...]]:
    """One run a suite of each target that is not equal to its baseline, and the names of those that are."""
    runs: list[SuiteRun] = []
    same: list[str] = []
    for plan in project.targets:
        if not every and _equals_baseline(project, plan):
            same.append(plan.definition.name)
            continue
        target = build_target(
            plan.definition, environ=bench.environ, root=bench.root, prices=prices_from(project.settings)
        )
        runs += [
            _suite_run(plan, suite, target, bench=bench, watch=_watch(project.policy, suite)) for suite in plan.suites
        ]
    return tuple(runs), tuple(same)


def _equals_baseline(project: Project, plan: TargetPlan) -> bool:
    states = [(suite, suite.reference.baseline) for suite in plan.suites]
    return all(
        isinstance(baseline, SuiteBaseline) and is_unchanged(suite.identity, baseline, project.policy_digest)
        for suite, baseline in states
    )


def render_suite(plan: TargetPlan, suite: SuitePlan) -> dict[str, str]:
    """Rendered prompts by case id; empty for targets without a prompt. Raises PromptError."""
    if plan.prompt is None:
        return {}
    inputs = [(case.id, case.input) for case in suite.suite.cases]
    texts = render_prompts(plan.prompt.text, plan.prompt.path, inputs)
    return {case_id: text for (case_id, _), text in zip(inputs, texts, strict=True)}


def _watch(policy: Policy, plan: SuitePlan) -> Watch | None:
    """What may end a broken first pass; None where a rate of the suite could not call for ROLLBACK."""
    nothing = suite_evidence(suite=plan.suite, identity=plan.identity, trials={}, passes=0)
    context = SuiteContext(evidence=nothing, reference=plan.reference, policy=policy, as_of="")
    if not (context.blocking and context.requirement.regression and comparable(context)):
        return None
    return Watch(known=context.known, margin=context.margin, scored_share=policy.scored_share)


def _suite_run(plan: TargetPlan, suite: SuitePlan, target: Target, *, bench: Bench, watch: Watch | None) -> SuiteRun:
    return SuiteRun(
        suite=suite.suite,
        identity=suite.identity,
        target=target,
        prompts=render_suite(plan, suite),
        budget=bench.budget,
        journal=bench.journal,
        progress=bench.progress,
        workers=plan.workers,
        seed=bench.seed,
        earlier=earlier(suite.identity, bench.earlier),
        watch=watch,
    )


def references_of(project: Project) -> tuple[Reference, ...]:
    """What each suite is compared with."""
    return tuple(suite.reference for plan in project.targets for suite in plan.suites)


def gather(
    runs: Sequence[SuiteRun], *, policy: Policy, references: Sequence[Reference], as_of: str, unchanged: Sequence[str]
) -> Evidence:
    """Run passes and confirmation trials until the decision asks for nothing more; evidence of all of them."""
    by_name = {(run.identity.target, run.suite.name): run for run in runs}
    evidence = _evidence(runs, unchanged, as_of)
    if any(run.asked for run in runs):
        return evidence
    steps = tuple(
        SuiteStep(target=run.identity.target, suite=run.suite.name, passes=policy.looks[0], confirm={})
        for run in runs
        if run.passes == 0
    ) or next_steps(policy=policy, evidence=evidence, references=references, as_of=as_of)
    while steps:
        for step in steps:
            run = by_name[step.target, step.suite]
            _take(run, step, interrupted=evidence.interrupted)
            evidence = _evidence(runs, unchanged, as_of)
            if run.asked:
                return evidence
        steps = next_steps(policy=policy, evidence=evidence, references=references, as_of=as_of)
    return evidence


def _take(run: SuiteRun, step: SuiteStep, *, interrupted: bool) -> None:
    """One step of one suite; after an interruption it is only planned, so that what is missing counts as missing."""
    run.interrupted |= interrupted
    run.run_more(step.confirm)
    run.run_passes(step.passes)


def _evidence(runs: Sequence[SuiteRun], unchanged: Sequence[str], as_of: str) -> Evidence:
    stops = [run.stopped for run in runs if run.stopped]
    return Evidence(
        suites=tuple(run.evidence() for run in runs),
        unchanged=tuple(unchanged),
        as_of=as_of,
        interrupted=any(run.interrupted for run in runs),
        stopped=stops[0] if stops else "",
    )
