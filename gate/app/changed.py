"""What a change edits of the gate itself, and of its recorded answers."""

from __future__ import annotations

from pathlib import PurePosixPath

from gate.app.project import WAIVERS, Project
from gate.app.request import CheckRequest
from gate.forge.git import Git

GATE_FOLDERS = ("golden_sets", "baselines", ".github")
JUDGED = "cases.jsonl"


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
