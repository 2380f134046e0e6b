"""Whether code of the repository runs as user 0, which a person should know before they rely on the isolation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gate.app.project import Project
from gate.worker.privileges import why_root_stays

LOUD = (
    "WARNING: code of this repository runs as user 0: {what}. It holds no capability, and yet may read root's files "
    "and use root's sockets, because {why}. Check out and install where everybody can read, or run gate as an "
    "ordinary user."
)
SMALL = "Code of this repository ran as user 0, with root's files and sockets in reach: {what}."


def rights_warning(project: Project, root: Path) -> str:
    """What to say before anything runs; empty where no code of the repository is run as user 0."""
    found = tuple(_as_root(project, root))
    return LOUD.format(what=_names(found), why=found[0][1]) if found else ""


def rights_note(project: Project, root: Path) -> str:
    """The same as a sentence of the report, which shows no path of this machine."""
    found = tuple(_as_root(project, root))
    return SMALL.format(what=_names(found)) if found else ""


def _names(found: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(dict.fromkeys(name for name, _ in found))


def _as_root(project: Project, root: Path) -> Iterator[tuple[str, str]]:
    """Each program with the reason that leaves it user 0."""
    for name, folder in _programs(project, root):
        if why := why_root_stays(folder):
            yield name, why


def _programs(project: Project, root: Path) -> Iterator[tuple[str, Path]]:
    """What runs code of the repository, and in which folder: targets that are programs, and Python scorers."""
    from gate.scorers.python_call import PythonCall

    for plan in project.targets:
        if plan.definition.command or plan.definition.python:
            yield f"target {plan.definition.name}", root
        for suite in plan.suites:
            scorers = (weighted.scorer for weighted in suite.suite.scorers)
            yield from ((f"scorer of {suite.suite.name}", one.cwd) for one in scorers if isinstance(one, PythonCall))
