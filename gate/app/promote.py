"""Promotion: fresh passes of the version that is there now become the baseline that later versions are compared with.

Never the passes that won a promotion (winner's curse), and never a version that is shown worse than the baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gate.app.bench import Bench, Outfit, ceilings_from, open_bench
from gate.app.check import check_sizes
from gate.app.excerpts import typical_answers
from gate.app.judges import calibrate, require_labelled_cases, take_references
from gate.app.project import Project, load_project
from gate.app.references import compares
from gate.app.request import EXIT_CODES, CheckRequest
from gate.app.reuse import with_requests
from gate.app.running import prepare_runs, references_of
from gate.core.aggregate import baseline_from
from gate.core.agreement import Calibration
from gate.core.canonical import readable_json
from gate.core.decision import decide
from gate.core.evidence import Evidence
from gate.core.finding import Decision, Outcome, Rule
from gate.core.rules.judges import render_calibration
from gate.errors import ExitCode
from gate.runner.progress import Progress
from gate.runner.suite_run import SuiteRun
from gate.store.baselines import anchor_path, answers_path, baseline_path, references_path, render_baseline
from gate.store.outputs import write_files

PASSES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What a promotion did: files written (none when it was refused), and why; `judges` are sentences about them."""

    files: tuple[str, ...]
    decision: Decision
    exit_code: ExitCode
    judges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshRun:
    """A run of fresh passes: the answers that its judges compare with, and how far they agree with people."""

    run: SuiteRun
    references: Mapping[str, str]
    calibration: tuple[Calibration, ...] = ()


def promote_version(
    request: CheckRequest, *, progress: Progress, now: Callable[[], float], anchor: str = ""
) -> Promotion:
    """Run fresh passes and write the baselines; with `anchor`, also pin this version under that name.

    Refused where evidence is incomplete (exit 10) or harm against the present baseline is shown (exit 20).
    """
    project = load_project(replace(request, base=None, passes=None))
    fresh = measure_version(request, project, progress=progress, now=now)
    decision = decide(
        policy=project.policy, evidence=fresh.evidence, references=references_of(project), as_of=request.as_of
    )
    code = refusal(fresh.evidence, decision)
    files: dict[str, str] = {}
    for one in () if code else fresh.made:
        files |= fresh.files(one, anchor=anchor)
    write_files(request.root, files)
    return Promotion(
        files=tuple(sorted(files)),
        decision=decision,
        exit_code=code,
        judges=tuple(
            f"{one.run.identity.target} / {one.run.suite.name}: {render_calibration(judge)}"
            for one in fresh.made
            for judge in one.calibration
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """Fresh passes of a version, not decided about yet."""

    request: CheckRequest
    project: Project
    made: tuple[FreshRun, ...]
    evidence: Evidence
    bench: Bench

    def files(self, one: FreshRun, *, anchor: str = "") -> dict[str, str]:
        """The files that a suite's passes make, by path."""
        run, policy = one.run, self.project.policy_digest
        target, suite = run.identity.target, run.suite.name
        made = baseline_from(run.evidence(), as_of=self.request.as_of, policy=policy)
        baseline = replace(with_requests(made, self.project, run.prompts), calibration=one.calibration)
        files = {baseline_path(target, suite): render_baseline(baseline)}
        if compares(run.suite):
            files[references_path(target, suite)] = readable_json(dict(one.references))
        files[answers_path(target, suite)] = readable_json(dict(typical_answers(run)))
        if anchor:
            files[anchor_path(target, suite)] = render_baseline(replace(baseline, tag=anchor))
        return files


def measure_version(
    request: CheckRequest, project: Project, *, progress: Progress, now: Callable[[], float], every: bool = True
) -> Fresh:
    """Run fresh passes (10) of a project's suites; without `every`, not of targets that equal their baselines."""
    check_sizes(project)
    ceilings = ceilings_from(project.settings, request.budget_usd)
    outfit = Outfit(purpose="promote", ceilings=ceilings, progress=progress, now=now)
    with open_bench(request, project, outfit) as bench:
        runs, same = prepare_runs(project, bench, every=every)
        made = tuple(_fresh(run, project, bench) for run in runs)
        evidence = replace(_fresh_passes(runs, request.passes or PASSES), unchanged=same, as_of=request.as_of)
        if not evidence.interrupted:
            made = tuple(replace(one, calibration=tuple(calibrate(one.run))) for one in made)
        if not (evidence.interrupted or evidence.stopped):
            bench.answers.end()
    return Fresh(request=request, project=project, made=made, evidence=evidence, bench=bench)


def _fresh(run: SuiteRun, project: Project, bench: Bench) -> FreshRun:
    """What a suite's judges need before the first pass; raises SuiteError for a label of no case."""
    require_labelled_cases(run)
    return FreshRun(run=run, references=take_references(run, project, bench))


def _fresh_passes(runs: tuple[SuiteRun, ...], passes: int) -> Evidence:
    for run in runs:
        run.interrupted = any(other.interrupted for other in runs)
        # Only the first pass is watched: a version that is broken costs no more than that.
        run.run_passes(1)
        run.run_passes(passes)
    return Evidence(
        suites=tuple(run.evidence() for run in runs),
        interrupted=any(run.interrupted for run in runs),
        stopped=next((run.stopped for run in runs if run.stopped), ""),
    )


def refusal(evidence: Evidence, decision: Decision) -> ExitCode:
    """The exit code that forbids a promotion; PROMOTE where nothing does.

    What only a missing baseline demands does not, nor what a target lacks: suites may be promoted one by one.
    """
    if evidence.interrupted:
        return ExitCode.INTERRUPTED
    blocking = [finding for finding in decision.findings if finding.blocking]
    if any(finding.demands is Outcome.ROLLBACK for finding in blocking):
        return EXIT_CODES[Outcome.ROLLBACK]
    held = [f for f in blocking if f.rule in (Rule.COMPLETENESS, Rule.ABORT) and f.demands is Outcome.HOLD]
    incomplete = any(finding.suite or not finding.target for finding in held)
    return EXIT_CODES[Outcome.HOLD if incomplete else Outcome.PROMOTE]
