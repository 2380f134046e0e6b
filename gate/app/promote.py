"""Promotion: fresh passes of the version that is there now become the baseline that later versions are compared with.

Never the passes that won a promotion (winner's curse), and never a version that is shown worse than the baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gate.app.check import check_sizes
from gate.app.excerpts import typical_answers
from gate.app.project import load_project
from gate.app.request import EXIT_CODES, CheckRequest
from gate.app.running import Bench, ceilings_from, prepare_runs, references_of
from gate.core.aggregate import baseline_from
from gate.core.canonical import readable_json
from gate.core.decision import decide
from gate.core.evidence import Evidence
from gate.core.finding import Decision, Outcome, Rule
from gate.errors import ExitCode
from gate.runner.budget import Budget
from gate.runner.journal import Journal
from gate.runner.suite_run import Progress, SuiteRun
from gate.store.baselines import anchor_path, answers_path, baseline_path, render_baseline
from gate.store.outputs import write_files

PASSES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What a promotion did: files written (none when it was refused), and why."""

    files: tuple[str, ...]
    decision: Decision
    calls: int
    exit_code: ExitCode


def promote_version(
    request: CheckRequest, *, progress: Progress, now: Callable[[], float], anchor: str = ""
) -> Promotion:
    """Run fresh passes and write the baselines; with `anchor`, also pin this version under that name.

    Refused where evidence is incomplete (exit 10) or harm against the present baseline is shown (exit 20).
    """
    project = load_project(replace(request, base=None, passes=None))
    check_sizes(project)
    journal = Journal(request.out / "trials.jsonl")
    budget = Budget(ceilings_from(project.settings, request.budget_usd), now)
    bench = Bench(
        root=request.root,
        environ=request.environ,
        budget=budget,
        journal=journal,
        progress=progress,
        seed=request.seed,
    )
    try:
        runs, _ = prepare_runs(project, bench, every=True)
        evidence = _fresh_passes(runs, request.passes or PASSES)
    finally:
        journal.close()
    decision = decide(policy=project.policy, evidence=evidence, references=references_of(project), as_of=request.as_of)
    code = ExitCode.INTERRUPTED if evidence.interrupted else _refusal(decision)
    files = {} if code else _files(runs, as_of=request.as_of, policy=project.policy_digest, anchor=anchor)
    write_files(request.root, files)
    return Promotion(files=tuple(sorted(files)), decision=decision, calls=budget.calls, exit_code=code)


def _fresh_passes(runs: tuple[SuiteRun, ...], passes: int) -> Evidence:
    for run in runs:
        run.interrupted = any(other.interrupted for other in runs)
        run.run_passes(passes)
    return Evidence(
        suites=tuple(run.evidence() for run in runs),
        interrupted=any(run.interrupted for run in runs),
        stopped=next((run.stopped for run in runs if run.stopped), ""),
    )


def _refusal(decision: Decision) -> ExitCode:
    """The exit code that forbids a promotion; PROMOTE where nothing does.

    What only a missing baseline demands does not, nor what a target lacks: suites may be promoted one by one.
    """
    blocking = [finding for finding in decision.findings if finding.blocking]
    if any(finding.demands is Outcome.ROLLBACK for finding in blocking):
        return EXIT_CODES[Outcome.ROLLBACK]
    held = [f for f in blocking if f.rule is Rule.COMPLETENESS and f.demands is Outcome.HOLD]
    incomplete = any(finding.suite or not finding.target for finding in held)
    return EXIT_CODES[Outcome.HOLD if incomplete else Outcome.PROMOTE]


def _files(runs: tuple[SuiteRun, ...], *, as_of: str, policy: str, anchor: str) -> dict[str, str]:
    files = {}
    for run in runs:
        target, suite = run.identity.target, run.suite.name
        baseline = baseline_from(run.evidence(), as_of=as_of, policy=policy)
        files[baseline_path(target, suite)] = render_baseline(baseline)
        files[answers_path(target, suite)] = readable_json(dict(typical_answers(run)))
        if anchor:
            files[anchor_path(target, suite)] = render_baseline(replace(baseline, tag=anchor))
    return files
