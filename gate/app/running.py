"""The loop between evidence and decision: run what is asked for, decide, ask again, until nothing more would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.app.bench import Bench, asking_of, crews_of, price_source_of, suite_asking
from gate.app.beside import base_sides
from gate.app.judges import bind_judges
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.app.reuse import claimed, requests_of, reuse_of
from gate.app.timing import client_lag, expected_ms, workers_of
from gate.core.decision import SuiteStep, is_unchanged, next_steps
from gate.core.evidence import Evidence, Reference, SuiteBaseline
from gate.core.model import Target
from gate.core.policy import Policy
from gate.core.rules.abort import Watch, watch_for
from gate.core.rules.comparability import comparable
from gate.core.rules.context import SuiteContext
from gate.core.window import earlier
from gate.runner.asking import Asking
from gate.runner.suite_run import SuiteRun
from gate.targets.prompt import render_prompts


def prepare_runs(
    project: Project, bench: Bench, *, every: bool, as_of: str = ""
) -> tuple[tuple[SuiteRun, ...], tuple[str, ...]]:
    """One run a suite of each target that is not equal to its baseline, and the names of those that are.

    Cases that are asked what the baseline was asked are reused at the date `as_of`; without one, or with `every`, none.
    """
    runs: list[SuiteRun] = []
    same: list[str] = []
    for plan in project.targets:
        if not every and equals_baseline(project, plan):
            same.append(plan.definition.name)
            continue
        # While another process renders, this one loads what asking takes.
        prompts = {suite.suite.name: render_suite(plan, suite) for suite in plan.suites}
        crews, asking = crews_of(project, plan, bench), asking_of(project, plan, bench)
        sides = base_sides(project, plan, bench)
        for suite in plan.suites:
            own = suite_asking(asking, suite.suite.name)
            crew = crews[suite.suite.name]
            run = _suite_run(plan, suite, crew, asking=own, bench=bench)
            run.workers = workers_of(project, plan)
            run.prompts = prompts[suite.suite.name]
            run.scored = crew.results
            bind_judges(run, project, bench, references=suite.references)
            if as_of and not every:
                _reuse(run, plan, suite, policy=project.policy, as_of=as_of)
            run.watch = _watch(project.policy, suite, run.reused, as_of=as_of)
            run.beside = sides.get(suite.suite.name)
            run.lag = client_lag(project, bench.engine)
            run.price_source = price_source_of(project, plan)
            runs.append(run)
    return tuple(runs), tuple(same)


def equals_baseline(project: Project, plan: TargetPlan) -> bool:
    """Whether running a target would compare a version with itself."""
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


def _reuse(run: SuiteRun, plan: TargetPlan, suite: SuitePlan, *, policy: Policy, as_of: str) -> None:
    """Tell a run which of its cases need no new trial."""
    requests = requests_of(plan, suite.suite, run.prompts)
    reuse = reuse_of(policy, suite, requests, as_of=as_of, earlier=run.earlier)
    run.reused, run.fresh = reuse.requests, reuse.fresh


def _watch(policy: Policy, plan: SuitePlan, reused: Mapping[str, str], *, as_of: str) -> Watch | None:
    """What may end a broken first pass; None where a rate of the suite could not call for ROLLBACK."""
    if not isinstance(plan.reference.baseline, SuiteBaseline):
        return None
    nothing = claimed(plan, reused)
    context = SuiteContext(evidence=nothing, reference=plan.reference, policy=policy, as_of=as_of)
    if context.member or not (context.blocking and context.requirement.regression and comparable(context)):
        return None
    return watch_for(context)


def _suite_run(plan: TargetPlan, suite: SuitePlan, target: Target, *, asking: Asking, bench: Bench) -> SuiteRun:
    return SuiteRun(
        suite=suite.suite,
        identity=suite.identity,
        target=target,
        prompts={},
        asking=asking,
        journal=bench.journal,
        progress=bench.progress,
        workers=plan.workers,
        seed=bench.seed,
        earlier=earlier(suite.identity, bench.earlier),
        expected_ms=expected_ms(suite),
    )


def references_of(project: Project) -> tuple[Reference, ...]:
    """What each suite is compared with."""
    return tuple(suite.reference for plan in project.targets for suite in plan.suites)


def gather(
    runs: Sequence[SuiteRun], *, policy: Policy, references: Sequence[Reference], as_of: str, unchanged: Sequence[str]
) -> Evidence:
    """Run passes and confirmation trials until the decision asks for nothing more; evidence of all of them."""
    by_name = {(run.identity.target, run.suite.name): run for run in runs}
    steps = [
        SuiteStep(target=run.identity.target, suite=run.suite.name, passes=max(run.passes, policy.looks[0]), confirm={})
        for run in runs
        if run.passes == 0 or _lags(run)
    ]
    while not any(run.asked for run in runs):
        if not steps:
            evidence = _evidence(runs, unchanged, as_of)
            steps = list(next_steps(policy=policy, evidence=evidence, references=references, as_of=as_of))
            if not steps:
                return evidence
        step = steps.pop(0)
        _take(by_name[step.target, step.suite], step, interrupted=any(run.interrupted for run in runs))
    return _evidence(runs, unchanged, as_of)


def _lags(run: SuiteRun) -> bool:
    """Whether earlier runs lack trials: of cases that may not be reused any more, or that got no score."""
    before = run.earlier.cases if run.earlier else ()
    open_cases = (case for case in before if case.case_id not in run.reused)
    return any(case.reused or len(case.marks) < run.passes for case in open_cases)


def _take(run: SuiteRun, step: SuiteStep, *, interrupted: bool) -> None:
    """One step of one suite; after an interruption it is only planned, so that what is missing counts as missing."""
    run.interrupted |= interrupted
    run.run_more(step.confirm)
    run.run_passes(step.passes, whole=step.whole)


def _evidence(runs: Sequence[SuiteRun], unchanged: Sequence[str], as_of: str) -> Evidence:
    stops = [run.stopped for run in runs if run.stopped]
    return Evidence(
        suites=tuple(run.evidence() for run in runs),
        unchanged=tuple(unchanged),
        as_of=as_of,
        interrupted=any(run.interrupted for run in runs),
        stopped=stops[0] if stops else "",
    )
