"""Whether a change touches anything that the gate judges or is judged by; asked before anything else is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from gate.app.changed import GATE_FOLDERS
from gate.app.project import WAIVERS
from gate.app.request import CheckRequest
from gate.app.trees import base_tree
from gate.documents.tree import WorkingTree
from gate.errors import GateError
from gate.forge.git import Git
from gate.suites.settings import Settings, TargetSettings, load_settings


def untouched_files(request: CheckRequest) -> tuple[str, ...] | None:
    """The changed files where none of them is gated; None where one is, or where that cannot be known.

    Gated are the configuration, waivers, suites, baselines, workflows, and whatever a target names. Of a program
    without `version-files` every file may be a part.
    """
    if request.base is None or request.prompt is not None:
        return None
    try:
        return _untouched(request, request.base)
    except GateError:
        # Whatever it is, the check says it better.
        return None


def _untouched(request: CheckRequest, ref: str) -> tuple[str, ...] | None:
    base = base_tree(request.root, ref)
    if base.read(request.config) is None:
        return None
    changed = tuple(path for path in Git(request.root).changed_files(ref) if not _own(request, path))
    sides = [load_settings(tree, request.config) for tree in (base, WorkingTree(request.root))]
    gated = any(_is_gated(settings, path, request.config) for settings in sides for path in changed)
    return None if gated or not changed else changed


def touches_nothing(request: CheckRequest, paths: Iterable[str]) -> bool:
    """Whether none of these paths is gated by the working tree; raises GateError where it has no configuration."""
    settings = load_settings(WorkingTree(request.root), request.config)
    return not any(_is_gated(settings, path, request.config) for path in paths)


def _own(request: CheckRequest, path: str) -> bool:
    """Whether a file is in the out folder, which a run writes itself."""
    return (request.root / path).resolve().is_relative_to(request.out.resolve())


def _is_gated(settings: Settings, path: str, config: str) -> bool:
    if path in (PurePosixPath(config).as_posix(), WAIVERS):
        return True
    targets = settings.targets.values()
    if any(not target.model and not target.version_files for target in targets):
        return True
    folders = (*GATE_FOLDERS, *(part for target in targets for part in _parts(target)))
    return any(path == part or path.startswith(f"{part}/") for part in folders)


def _parts(target: TargetSettings) -> Iterator[str]:
    yield from target.suites
    yield from target.version_files
    schema = target.model.response_schema if target.model else None
    yield from (part for part in (target.prompt, target.recordings, schema) if isinstance(part, str))
