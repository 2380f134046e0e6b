"""The main job: run the suites, decide, and leave a record that can be replayed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from gate.app.aa import require_baseline_version, stale_baselines
from gate.app.ahead import load_ahead
from gate.app.bench import Outfit, ceilings_from, open_bench
from gate.app.excerpts import collect_excerpts
from gate.app.project import WAIVERS, Project, load_project
from gate.app.replay import read_text, require_distinct
from gate.app.request import EXIT_CODES, CheckRequest, CheckResult
from gate.app.running import gather, prepare_runs, references_of
from gate.core.canonical import digest_text
from gate.core.decision import decide
from gate.core.evidence import Evidence, Reference
from gate.core.finding import Decision
from gate.core.policy import Mode
from gate.core.question import Origin
from gate.core.window import in_window
from gate.errors import ExitCode, RecordError
from gate.forge.git import Git
from gate.report.view import Excerpt, Provenance, ReportView, build_view
from gate.runner.progress import Progress
from gate.store.outputs import write_files
from gate.store.records import parse_evidence, render_decision, render_evidence, render_policy, render_references
from gate.suites.limits import check_size

GATE_FOLDERS = ("golden_sets", "baselines", ".github")
JUDGED = "cases.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A run's result with the view that its reports were rendered from."""

    result: CheckResult
    view: ReportView


def run_check(request: CheckRequest, *, progress: Progress, now: Callable[[], float]) -> CheckResult:
    """Run one gate check; raises GateError for what a user must mend. `now` returns seconds of a steady clock."""
    return check(request, progress=progress, now=now).result


def check(request: CheckRequest, *, progress: Progress, now: Callable[[], float]) -> Checked:
    """Like `run_check`, with the view of the report."""
    project = load_project(request)
    check_sizes(project)
    load_ahead(project)
    if request.aa:
        require_baseline_version(project)
    earlier = load_earlier(request)
    # Asked before any code of the change runs, which might tidy up behind itself.
    changed = changed_judges(request, project)
    ceilings = ceilings_from(project.settings, request.budget_usd)
    outfit = Outfit(purpose="check", ceilings=ceilings, progress=progress, now=now)
    with open_bench(request, project, outfit, earlier=earlier) as bench:
        runs, same = prepare_runs(project, bench, every=request.every or request.aa, as_of=request.as_of)
        references = references_of(project)
        evidence = gather(runs, policy=project.policy, references=references, as_of=request.as_of, unchanged=same)
        if not (evidence.interrupted or evidence.stopped):
            bench.answers.end()
    evidence = replace(evidence, unverified=request.unverified)
    decision = decide(policy=project.policy, evidence=evidence, references=references, as_of=request.as_of)
    excerpts = collect_excerpts(decision, runs, references, base=project.base)
    found = Found(project, evidence, references, decision, excerpts, changed)
    checked = record(request, found, bench)
    if request.aa:
        write_files(request.root, stale_baselines(project, decision))
    return checked


def load_earlier(request: CheckRequest) -> tuple[Evidence, ...]:
    """Evidence files of earlier runs, as far as they lie in the window; raises RecordError for bad ones."""
    files = [(parse_evidence(read_text(path), str(path)), str(path)) for path in request.evidence]
    for evidence, place in files:
        require_distinct(evidence, place)
        if evidence.unverified:
            raise RecordError(f"{place}: its counts are unverified: {evidence.unverified}", hint="leave the file out")
    return in_window([evidence for evidence, _ in files], as_of=request.as_of)


def check_sizes(project: Project) -> None:
    """Refuse blocking suites that could never show what the policy asks of them (3/margin cases)."""
    for plan in project.targets:
        for entry in plan.suites:
            requirement = project.policy.requirement(entry.suite.dimension)
            if requirement.blocking and requirement.regression:
                check_size(entry.suite, requirement.margin or project.policy.margin)


class Spent(Protocol):
    """What a run used; dollars are None where no price is known. `reused` are answers that it did not ask for."""

    @property
    def reused(self) -> tuple[tuple[Origin, int], ...]:
        """How many came from where."""
        ...

    @property
    def calls(self) -> int:
        """Calls to targets."""
        ...

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        ...

    @property
    def usd(self) -> float | None:
        """US dollars."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found out: all that its record and its reports are made of."""

    project: Project
    evidence: Evidence
    references: tuple[Reference, ...]
    decision: Decision
    excerpts: Sequence[Excerpt]
    changed: tuple[str, ...]


def record(request: CheckRequest, found: Found, spent: Spent) -> Checked:
    """Write the out folder, and return the result with its view."""
    from gate.report.comment import render_comment, render_summary
    from gate.report.junit import render_junit

    inputs = {
        "policy": ("inputs/policy.json", render_policy(found.project.policy)),
        "references": ("inputs/references.json", render_references(found.references)),
        "evidence": ("evidence.json", render_evidence(found.evidence)),
    }
    text = render_decision(found.decision, inputs)
    digest = digest_text(text)
    provenance = _provenance(request, found, spent, digest=digest)
    view = build_view(
        decision=found.decision,
        evidence=found.evidence,
        references=found.references,
        provenance=provenance,
        excerpts=found.excerpts,
        policy=found.project.policy,
    )
    comment, summary = render_comment(view), render_summary(view)
    files = dict(inputs.values()) | {
        "comment.md": comment,
        "summary.md": summary,
        "junit.xml": render_junit(decision=found.decision, evidence=found.evidence, excerpts=found.excerpts),
        "decision.json": text,
    }
    write_files(request.out, files)
    advisory = found.project.policy.mode is Mode.ADVISORY
    result = CheckResult(
        decision=found.decision,
        digest=digest,
        out=request.out,
        comment=comment,
        summary=summary,
        calls=spent.calls,
        usd=spent.usd,
        advisory=advisory,
        exit_code=_exit_code(found, advisory=advisory),
    )
    return Checked(result=result, view=view)


def _exit_code(found: Found, *, advisory: bool) -> ExitCode:
    if found.evidence.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.PROMOTE if advisory else EXIT_CODES[found.decision.outcome]


def _provenance(request: CheckRequest, found: Found, spent: Spent, *, digest: str) -> Provenance:
    targets = found.project.targets
    return Provenance(
        key=targets[0].definition.name if len(targets) == 1 else "all",
        run=request.run,
        head=request.head,
        base=request.base or "",
        version=targets[0].version.digest if len(targets) == 1 else "",
        calls=spent.calls,
        reused=spent.reused,
        usd=spent.usd,
        tokens=spent.tokens,
        advisory=found.project.policy.mode is Mode.ADVISORY,
        changed=found.changed,
        recordings=changed_recordings(request, found.project),
        unfollowed=found.project.unfollowed,
        digest=digest,
        reproduce=reproduce_command(request),
    )


def changed_judges(request: CheckRequest, project: Project) -> tuple[str, ...]:
    """Files of the gate itself that the change edits; cases belong to what is judged."""
    if request.base is None:
        return ()
    suites = {suite for target in project.settings.targets.values() for suite in target.suites}
    folders = tuple(f"{folder}/" for folder in (*GATE_FOLDERS, *sorted(suites)))
    single = {PurePosixPath(request.config).as_posix(), WAIVERS}
    files = Git(request.root).changed_files(request.base)
    judging = [path for path in files if path in single or path.startswith(folders)]
    return tuple(path for path in judging if PurePosixPath(path).name != JUDGED)


def changed_recordings(request: CheckRequest, project: Project) -> tuple[str, ...]:
    """Recorded answers that the change edits, adds or removes: the base's are used."""
    if request.base is None:
        return ()
    named = (plan.recordings or plan.records_to for plan in project.targets)
    folders = tuple(f"{folder}/" for folder in named if folder)
    return tuple(path for path in Git(request.root).changed_files(request.base) if path.startswith(folders))


def _shown_path(request: CheckRequest) -> str | None:
    """The one-off prompt as a path from the repository's root where it lies inside."""
    if request.prompt is None:
        return None
    path, root = Path(request.prompt).resolve(), request.root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else request.prompt


def reproduce_command(request: CheckRequest) -> str:
    """The command line that runs the same check again."""
    words = ["gate", "check"]
    for option, value in (
        ("--base", request.base),
        ("--prompt", _shown_path(request)),
        ("--profile", request.profile),
        ("--passes", request.passes),
    ):
        words += [option, str(value)] if value is not None else []
    for option, values in (("--target", request.targets), ("--suite", request.suites)):
        words += [word for value in values for word in (option, value)]
    return shlex.join(words + (["--all"] if request.every else []))
