"""What a run leaves behind: a record that can be replayed, and its reports."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gate.app.changed import changed_recordings
from gate.app.prediction import Used
from gate.app.project import Project
from gate.app.request import EXIT_CODES, CheckRequest, CheckResult
from gate.core.canonical import digest_text
from gate.core.evidence import Evidence, Reference
from gate.core.finding import Decision
from gate.core.policy import Mode
from gate.errors import ExitCode
from gate.report.comment import render_comment, render_summary
from gate.report.junit import render_junit
from gate.report.view import Excerpt, Provenance, ReportView, build_view
from gate.store.outputs import write_files
from gate.store.records import render_decision, render_evidence, render_policy, render_references


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A run's result with the view that its reports were rendered from."""

    result: CheckResult
    view: ReportView


class Spent(Used, Protocol):
    """What a run used, with its tokens."""

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
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
    plan: str = ""
    rights: str = ""


def record(request: CheckRequest, found: Found, spent: Spent) -> Checked:
    """Write the out folder, and return the result with its view."""
    inputs = _inputs(found)
    text = render_decision(found.decision, inputs)
    digest = digest_text(text)
    view = _view(found, _provenance(request, found, spent, digest=digest))
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


def _inputs(found: Found) -> dict[str, tuple[str, str]]:
    """Path and text by name of all that the decision was made from."""
    return {
        "policy": ("inputs/policy.json", render_policy(found.project.policy)),
        "references": ("inputs/references.json", render_references(found.references)),
        "evidence": ("evidence.json", render_evidence(found.evidence)),
    }


def _view(found: Found, provenance: Provenance) -> ReportView:
    return build_view(
        decision=found.decision,
        evidence=found.evidence,
        references=found.references,
        provenance=provenance,
        excerpts=found.excerpts,
        policy=found.project.policy,
    )


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
        plan=found.plan,
        rights=found.rights,
    )


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
