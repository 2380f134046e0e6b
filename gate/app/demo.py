"""The demonstration: candidate versions of the bundled prompt, decided for real against its committed baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from gate.app.check import check
from gate.app.edits import EDITS, Edit, EditClass
from gate.app.request import CheckRequest
from gate.app.sample import PROMPT
from gate.core.finding import Outcome
from gate.report.view import ReportView
from gate.runner.progress import Progress

SHOWN = tuple(next(edit for edit in EDITS if edit.kind is kind) for kind in EditClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """One edit and what the gate said to it."""

    edit: Edit
    outcome: Outcome
    calls: int
    view: ReportView


def run_edits(
    request: CheckRequest, edits: Sequence[Edit], *, progress: Progress, now: Callable[[], float]
) -> Iterator[DemoResult]:
    """Decide each edit in turn in the sample project at the request's root; each run has its own folder under `out`."""
    original = (request.root / PROMPT).read_text(encoding="utf-8")
    for edit in edits:
        candidate = request.root / "candidates" / f"{edit.name}.md"
        candidate.parent.mkdir(exist_ok=True)
        candidate.write_text(edit.apply(original), encoding="utf-8")
        edited = replace(request, out=request.out / edit.name, prompt=str(candidate), every=True)
        checked = check(edited, progress=progress, now=now)
        yield DemoResult(
            edit=edit,
            outcome=checked.result.decision.outcome,
            calls=checked.result.calls,
            view=checked.view,
        )
