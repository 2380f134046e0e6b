"""Fixtures of the integration tests: one model server for all, and projects that use it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.projects import RUNNER, ModelServer, Project, echo_files, files_below, serving
from tests.rigs.github import GitHub, Token, github_server


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A GitHub whose limits no test meets, with a token that may write and one that may not."""
    with github_server() as state:
        state.limits.creations_per_minute = state.limits.points_per_minute = 100_000
        state.limits.requests_per_hour = 100_000
        state.tokens = {"t0ken": Token(), "read-only": Token(may_write=False)}
        yield state


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session that asks no proxy."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture
def waits() -> list[float]:
    """Seconds that would have been waited."""
    return []


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    """One server for the whole session: its address is part of a version, so that a baseline can be made once."""
    with serving() as found:
        yield found


@pytest.fixture
def model(server: ModelServer) -> Iterator[ModelServer]:
    """The server, with nothing asked yet, repeating words."""
    server.reset()
    yield server
    server.released.set()


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without a file, outside of any CI."""
    for name in [name for name in os.environ if name.startswith(RUNNER)]:
        monkeypatch.delenv(name)
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, capsys)


@pytest.fixture
def project(empty: Project, model: ModelServer) -> Project:
    """A project whose model repeats words, without a baseline yet."""
    empty.write(echo_files(model.url))
    return empty


@pytest.fixture(scope="session")
def baselines(server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that promoting that project with two passes writes."""
    made = Project(tmp_path_factory.mktemp("promoted"))
    server.reset()
    made.write(echo_files(server.url))
    assert made.gate("promote", "--passes", "2", "--quiet", "--as-of", "2026-11-20").code == 0
    return {f"baselines/{name}": content for name, content in files_below(made.root / "baselines").items()}


@pytest.fixture
def promoted(baselines: dict[str, bytes], project: Project) -> Project:
    """The project with its baseline."""
    project.write(baselines)
    return project
