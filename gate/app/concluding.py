"""The end of a run: the decision, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gate.app.aa import stale_baselines
from gate.app.bench import Bench
from gate.app.excerpts import collect_excerpts
from gate.app.prediction import compare_with_plan
from gate.app.project import Project
from gate.app.record import Checked, Found, record
from gate.app.request import CheckRequest
from gate.app.rights import rights_note
from gate.core.decision import decide
from gate.core.evidence import Evidence, Reference
from gate.runner.suite_run import SuiteRun
from gate.store.outputs import write_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was asked, what came of it, and what it is compared with; `changed` are files of the gate itself."""

    runs: Sequence[SuiteRun]
    evidence: Evidence
    references: tuple[Reference, ...]
    changed: tuple[str, ...]
    bench: Bench


def conclude(request: CheckRequest, project: Project, gathered: Gathered) -> Checked:
    """Decide, and write the record, the reports, and baselines that went stale."""
    evidence, references, runs = gathered.evidence, gathered.references, gathered.runs
    decision = decide(policy=project.policy, evidence=evidence, references=references, as_of=request.as_of)
    found = Found(
        project=project,
        evidence=evidence,
        references=references,
        decision=decision,
        excerpts=collect_excerpts(decision, runs, references, base=project.base),
        changed=gathered.changed,
        plan=compare_with_plan(project, runs, evidence, spent=gathered.bench),
        rights=rights_note(project, request.root) if runs else "",
    )
    checked = record(request, found, gathered.bench)
    if request.aa:
        write_files(request.root, stale_baselines(project, decision))
    return checked
