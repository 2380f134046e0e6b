"""Prompts and cases of another commit, laid over the checkout as data: nothing else of that commit is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from gate.app.out_folder import give_files
from gate.app.project import WAIVERS
from gate.app.request import CheckRequest
from gate.documents.tree import WorkingTree
from gate.errors import ConfigurationError
from gate.forge.git import safe_path
from gate.forge.pulls import Pull, Repository
from gate.forge.repository_data import fetch_blob, fetch_changed, fetch_commit
from gate.store.outputs import write_files
from gate.suites.settings import Settings, TargetSettings, load_settings

CASES = "cases.jsonl"


def take_change(request: CheckRequest, repository: Repository, pull: Pull) -> tuple[str, ...]:
    """Lay the prompts and cases that a pull request changes over the checkout.

    Returns the other files that it changes and that would shape answers or their judging. Raises GateError where one
    cannot be read.
    """
    settings = load_settings(WorkingTree(request.root), request.config)
    data, left, texts = data_paths(settings), [], {}
    for path in fetch_changed(repository, pull.number):
        content = fetch_blob(repository, path, pull.head) if path in data else None
        if content is not None:
            texts[path] = _text(path, content)
        elif path in data or shapes(settings, path, config=request.config):
            left.append(path)
    write_files(request.root, texts)
    give_files(texts, request.root)
    return tuple(left)


def take_commit(request: CheckRequest, repository: Repository, ref: str) -> str:
    """Lay all prompts and cases of a branch or commit over the checkout, and return the commit; raises GateError."""
    sha = fetch_commit(repository, ref)
    settings = load_settings(WorkingTree(request.root), request.config)
    texts = {}
    for path in sorted(data_paths(settings)):
        content = fetch_blob(repository, path, sha)
        if content is None:
            raise ConfigurationError(f"{path} is not in the commit {sha[:12]}", hint="name a commit that has it")
        texts[path] = _text(path, content)
    write_files(request.root, texts)
    give_files(texts, request.root)
    return sha


def data_paths(settings: Settings) -> frozenset[str]:
    """Files that are judged and run nothing: prompts, and the cases of suites."""
    targets = settings.targets.values()
    prompts = (target.prompt for target in targets if target.prompt is not None)
    cases = (f"{suite}/{CASES}" for target in targets for suite in target.suites)
    return frozenset(safe_path(path) for path in (*prompts, *cases))


def shapes(settings: Settings, path: str, *, config: str) -> bool:
    """Whether a file beside the data may shape answers, or say how they are judged."""
    if path in (PurePosixPath(config).as_posix(), WAIVERS):
        return True
    targets = settings.targets.values()
    # Any file may be part of a program.
    if any(target.command or target.python for target in targets):
        return True
    return any(path == part or path.startswith(f"{part}/") for target in targets for part in _parts(target))


def _parts(target: TargetSettings) -> Iterator[str]:
    yield from target.suites
    yield from target.version_files
    schema = target.model.response_schema if target.model else None
    yield from (part for part in (target.recordings, schema) if isinstance(part, str))


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text", hint="save the file as UTF-8") from None
