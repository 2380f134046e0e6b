"""Renewing baselines on the default branch: promotion of what was merged, and refreshing of what stands.

Both give back a decision with its record and the files to commit; how these reach the repository is not their matter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from gate.app.aa import stale_baselines
from gate.app.bench import Bench, Outfit, ceilings_from, open_bench
from gate.app.check import check_sizes
from gate.app.excerpts import collect_excerpts
from gate.app.landing import Unit
from gate.app.project import Project, SuitePlan, load_project
from gate.app.promote import PASSES, Fresh, FreshRun, measure_version, refusal
from gate.app.record import Found, record
from gate.app.request import EXIT_CODES, CheckRequest, CheckResult
from gate.app.running import gather, prepare_runs, references_of
from gate.app.topping_up import missing_trials, topped_up
from gate.app.trees import base_tree
from gate.core.aggregate import suite_evidence
from gate.core.decision import decide
from gate.core.evidence import FAIL, PASS, CaseEvidence, Reference, SuiteBaseline, SuiteEvidence
from gate.core.model import Metric
from gate.core.rules.context import named
from gate.errors import ExitCode
from gate.forge.git import Git, GitTree
from gate.runner.progress import Progress
from gate.runner.suite_run import SuiteRun
from gate.store.baselines import FOLDER, Readable, anchor_path, baseline_path, load_baseline, render_baseline

# The passes of a baseline are not those that a check of the same version makes.
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A decision about the default branch, what of it is to be committed, and the exit code; `notes` are sentences.

    `again` decides anew against the baselines of another tree, from the same passes.
    """

    result: CheckResult
    code: ExitCode
    title: str
    units: tuple[Unit, ...]
    again: Callable[[Readable], Renewal] | None = None
    notes: tuple[str, ...] = ()


def promote_merged(request: CheckRequest, *, progress: Progress, now: Callable[[], float]) -> Renewal:
    """Run fresh passes of the merged version and decide against the baselines of the request's base.

    A base is the commit before the merge. Targets that equal its baselines are not run. Raises GateError.
    """
    tree = base_tree(request.root, request.base if brings_more(request) else None)
    loaded = load_project(replace(request, base=None, passes=None))
    project = compared_with(loaded, tree)
    own = replace(request, seed=SEED)
    fresh = measure_version(own, project, progress=progress, now=now, every=request.every)
    return decided(fresh, tree)


def brings_more(request: CheckRequest) -> bool:
    """Whether a merge changes anything but baselines; one that a person reviewed as such is taken as it is."""
    if request.base is None:
        return False
    changed = Git(request.root).changed_between(request.base, "HEAD")
    return any(not path.startswith(f"{FOLDER}/") for path in changed)


def compared_with(project: Project, tree: Readable) -> Project:
    """The project with the baselines and anchors of another tree."""
    targets = tuple(
        replace(plan, suites=tuple(replace(one, reference=reference_from(tree, one.reference)) for one in plan.suites))
        for plan in project.targets
    )
    return replace(project, targets=targets)


def reference_from(tree: Readable, known: Reference) -> Reference:
    """What a suite is compared with, from another tree."""
    return replace(
        known,
        baseline=load_baseline(tree, baseline_path(known.target, known.suite)),
        anchor=load_baseline(tree, anchor_path(known.target, known.suite)),
    )


def decided(fresh: Fresh, tree: Readable) -> Renewal:
    """Decide about fresh passes against the baselines of a tree, and write the record."""
    request, evidence = fresh.request, fresh.evidence
    project = compared_with(fresh.project, tree)
    references = references_of(project)
    decision = decide(policy=project.policy, evidence=evidence, references=references, as_of=request.as_of)
    excerpts = collect_excerpts(decision, [one.run for one in fresh.made], references, base=project.base)
    found = Found(project, evidence, references, decision, excerpts, ())
    result = record(replace(request, base=None), found, fresh.bench).result
    code = refusal(evidence, decision)
    units = () if code else tuple(_unit(fresh, one) for one in fresh.made)
    names = ", ".join(dict.fromkeys(one.run.identity.target for one in fresh.made))
    return Renewal(
        result=result,
        code=code,
        title=f"Promote the baseline of {names}",
        units=units,
        again=lambda other: decided(fresh, other),
        notes=(*(f"{name} equals its baseline" for name in evidence.unchanged), *_left_over(project)),
    )


def _left_over(project: Project) -> tuple[str, ...]:
    """A sentence about baselines whose suite was removed or renamed; nobody deletes them but a person."""
    targets = project.settings.targets.items()
    known = {baseline_path(name, PurePosixPath(suite).name) for name, target in targets for suite in target.suites}
    files = (path for path in project.head.list(FOLDER) if PurePosixPath(path).match(f"{FOLDER}/*/*.json"))
    left = [path for path in files if path not in known]
    if not left:
        return ()
    return (f"no suite of gate.yaml has these baselines any more; remove them by hand: {named(left)}",)


def _unit(fresh: Fresh, one: FreshRun) -> Unit:
    identity, request = one.run.identity, fresh.request
    place = baseline_path(identity.target, identity.suite)
    trials = max((len(case.scored) for case in one.run.evidence().cases), default=0)
    name = f"{identity.target} / {identity.suite}"
    return Unit(
        name=name,
        place=place,
        files=fresh.files(one),
        before=committed(fresh.project, place),
        line=f"{name}: {len(one.run.suite.cases)} cases, {trials} trials each at most, as of {request.as_of}",
    )


def refresh_baselines(request: CheckRequest, *, progress: Progress, now: Callable[[], float]) -> Renewal:
    """Compare the baselines with fresh passes of their own version, and top up those that did not lose.

    A baseline that lost is marked stale: its provider moved. Targets whose version has no baseline here are promoted
    where no target has one, and named otherwise. Raises GateError.
    """
    project = load_project(replace(request, base=None))
    fitting = tuple(plan for plan in project.targets if all(_fits(one) for one in plan.suites))
    if not fitting:
        return promote_merged(replace(request, base=None), progress=progress, now=now)
    check_sizes(project)
    left = tuple(plan.definition.name for plan in project.targets if plan not in fitting)
    own = replace(project, targets=fitting)
    ceilings = ceilings_from(project.settings, request.budget_usd)
    outfit = Outfit(purpose="check", ceilings=ceilings, progress=progress, now=now)
    references = references_of(own)
    with open_bench(request, own, outfit) as bench:
        runs, _ = prepare_runs(own, bench, every=True)
        for run in runs:
            run.reused = {}
        evidence = gather(runs, policy=own.policy, references=references, as_of=request.as_of, unchanged=())
        decision = decide(policy=own.policy, evidence=evidence, references=references, as_of=request.as_of)
        stale = stale_baselines(own, decision)
        more = {} if evidence.interrupted or evidence.stopped else dict(_topped(own, bench, stale=stale))
    excerpts = collect_excerpts(decision, runs, references, base=own.base)
    result = record(request, Found(own, evidence, references, decision, excerpts, ()), bench).result
    code = ExitCode.INTERRUPTED if evidence.interrupted else EXIT_CODES[decision.outcome]
    return Renewal(
        result=result,
        code=ExitCode.HOLD if left and not code else code,
        title="Mark baselines stale: the provider moved" if stale else f"Top up baselines to {PASSES} trials",
        units=_units(own, more | stale, stale=stale),
        notes=tuple(f"{name} was left out: its baseline is of another version, so promote it" for name in left),
    )


def _fits(entry: SuitePlan) -> bool:
    """Whether a suite's baseline speaks of exactly what is here; a stale one is shown as such by the decision."""
    state = entry.reference.baseline
    return isinstance(state, SuiteBaseline) and state.identity == entry.identity


def _topped(project: Project, bench: Bench, *, stale: Collection[str]) -> Iterator[tuple[str, str]]:
    """Path and text of each incomplete baseline with its missing trials."""
    runs, _ = prepare_runs(project, replace(bench, seed=SEED), every=True)
    states = {(one.target, one.suite): one.baseline for one in references_of(project)}
    for run in runs:
        key = (run.identity.target, run.identity.suite)
        state, place = states[key], baseline_path(*key)
        if not isinstance(state, SuiteBaseline) or state.stale or place in stale:
            continue
        if (made := _more(run, state)) is not None:
            yield place, render_baseline(made)


def _more(run: SuiteRun, state: SuiteBaseline) -> SuiteBaseline | None:
    missing = missing_trials(state, PASSES)
    if not missing:
        return None
    run.watch = run.beside = None
    run.reused = {}
    run.earlier = counted(state, run)
    run.run_more(missing)
    made = topped_up(state, run.trials, suite=run.suite)
    return None if run.interrupted or made == state else made


def counted(state: SuiteBaseline, run: SuiteRun) -> SuiteEvidence:
    """The baseline's trials as made, so that those to come are others."""
    nothing = suite_evidence(suite=run.suite, identity=run.identity, trials={}, passes=0)
    cases = tuple(
        CaseEvidence(case_id=one.case_id, digest=one.digest, marks=PASS * one.passes + FAIL * (one.trials - one.passes))
        for one in state.cases
    )
    return replace(nothing, cases=cases, metric=Metric.PASS)


def _units(project: Project, texts: dict[str, str], *, stale: Collection[str]) -> tuple[Unit, ...]:
    names = {baseline_path(one.target, one.suite): f"{one.target} / {one.suite}" for one in references_of(project)}
    topped = f"topped up to {PASSES} trials"
    told = {place: "stale, the provider moved" if place in stale else topped for place in texts}
    return tuple(
        Unit(
            name=names[place],
            place=place,
            files={place: text},
            before=committed(project, place),
            line=f"{names[place]}: {told[place]}",
        )
        for place, text in sorted(texts.items())
    )


def committed(project: Project, place: str) -> bytes | None:
    """A file of the commit that was measured, whatever the run did to the working tree."""
    return GitTree(Git(project.head.root), "HEAD").read(place)
