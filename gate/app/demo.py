"""The demonstration: candidate versions of the bundled prompt, decided for real against its committed baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.app.check import check
from gate.app.edits import EDITS, Edit, EditClass
from gate.app.request import CheckRequest
from gate.app.sample import PROMPT, copy_sample
from gate.core.finding import Outcome
from gate.report.view import ReportView
from gate.runner.suite_run import Progress

SHOWN = tuple(next(edit for edit in EDITS if edit.kind is kind) for kind in EditClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """One edit and what the gate said to it."""

    edit: Edit
    outcome: Outcome
    calls: int
    view: ReportView


def run_edits(
    folder: Path, edits: Sequence[Edit], *, as_of: str, seed: int, progress: Progress, now: Callable[[], float]
) -> Iterator[DemoResult]:
    """Decide each edit in turn in a sample project at `folder`, which must hold the sample already."""
    original = (folder / PROMPT).read_text(encoding="utf-8")
    for edit in edits:
        candidate = folder / "candidates" / f"{edit.name}.md"
        candidate.parent.mkdir(exist_ok=True)
        candidate.write_text(edit.apply(original), encoding="utf-8")
        request = CheckRequest(
            root=folder,
            out=folder / "runs" / edit.name,
            as_of=as_of,
            prompt=str(candidate),
            every=True,
            seed=seed,
        )
        checked = check(request, progress=progress, now=now)
        yield DemoResult(
            edit=edit,
            outcome=checked.result.decision.outcome,
            calls=checked.result.calls,
            view=checked.view,
        )


def prepare_demo(folder: Path) -> None:
    """Leave a complete sample project in an empty folder."""
    copy_sample(folder)
