"""The main job: run the suites, decide, and leave a record that can be replayed.

What only the end needs is loaded there: a run waits for its first answer, and may as well load while it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gate.app.aa import require_baseline_version
from gate.app.ahead import load_for_asking, load_for_deciding
from gate.app.bench import Outfit, ceilings_from, open_bench
from gate.app.changed import changed_judges
from gate.app.history import kept_evidence
from gate.app.project import Project, load_project
from gate.app.request import CheckRequest, CheckResult
from gate.app.running import gather, prepare_runs, references_of
from gate.core.evidence import Evidence
from gate.runner.progress import Progress
from gate.suites.limits import check_size

if TYPE_CHECKING:
    from gate.app.record import Checked


def run_check(request: CheckRequest, *, progress: Progress, now: Callable[[], float]) -> CheckResult:
    """Run one gate check; raises GateError for what a user must mend. `now` returns seconds of a steady clock."""
    return check(request, progress=progress, now=now).result


def check(request: CheckRequest, *, progress: Progress, now: Callable[[], float]) -> Checked:
    """Like `run_check`, with the view of the report."""
    project = load_project(request)
    check_sizes(project)
    load_for_asking(project)
    if request.aa:
        require_baseline_version(project)
    kept = kept_evidence(request.history, project, as_of=request.as_of)
    earlier = (*_earlier(request), *(kept.window(request.as_of) if kept else ()))
    # Asked before any code of the change runs, which might tidy up behind itself.
    changed = changed_judges(request, project)
    ceilings = ceilings_from(project.settings, request.budget_usd)
    outfit = Outfit(purpose="check", ceilings=ceilings, progress=progress, now=now)
    with open_bench(request, project, outfit, earlier=earlier) as bench:
        runs, same = prepare_runs(project, bench, every=request.every or request.aa, as_of=request.as_of)
        references = references_of(project)
        load_for_deciding(project)
        evidence = gather(runs, policy=project.policy, references=references, as_of=request.as_of, unchanged=same)
        if not (evidence.interrupted or evidence.stopped):
            bench.answers.end()
    evidence = replace(kept.told(evidence) if kept else evidence, unverified=request.unverified)
    from gate.app.concluding import Gathered, conclude

    gathered = Gathered(runs=runs, evidence=evidence, references=references, changed=changed, bench=bench)
    return conclude(request, project, gathered)


def _earlier(request: CheckRequest) -> tuple[Evidence, ...]:
    if not request.evidence:
        return ()
    from gate.app.earlier import load_earlier

    return load_earlier(request)


def check_sizes(project: Project) -> None:
    """Refuse blocking suites that could never show what the policy asks of them (3/margin cases)."""
    for plan in project.targets:
        for entry in plan.suites:
            requirement = project.policy.requirement(entry.suite.dimension)
            if requirement.blocking and requirement.regression:
                check_size(entry.suite, requirement.margin or project.policy.margin)
