"""One daemon, one build of the real image, for all end-to-end tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.mails import mail_files
from tests.projects import files_below
from tests.rigs.docker import Docker, NoDaemonError, docker_daemon, ensure_base
from tests.rigs.github import GitHub, Token, github_server
from tests.rigs.image_runner import ImageRunner
from tests.rigs.repository import new_repository
from tests.rigs.step import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
STAND_IN = """
FROM lockgate-e2e
COPY stand_in_check.py /opt/stand_in/
ENTRYPOINT ["/usr/local/bin/python", "-I", "-u", "/opt/stand_in/stand_in_check.py"]
"""


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """A daemon that answers."""
    folder = tmp_path_factory.mktemp("dockerd")
    daemon = docker_daemon(folder)
    try:
        found = daemon.__enter__()
    except NoDaemonError as error:
        pytest.skip(str(error))
    try:
        ensure_base(found, folder, Path(__file__).with_name("base_image.sh"))
        yield found
    finally:
        daemon.__exit__(None, None, None)


@pytest.fixture(scope="session")
def image(docker: Docker) -> str:
    """The image of this repository's Dockerfile."""
    try:
        docker.build("lockgate-e2e", REPOSITORY)
    except NoDaemonError as error:
        pytest.skip(str(error))
    return "lockgate-e2e"


@pytest.fixture(scope="session")
def stand_in_image(docker: Docker, image: str) -> str:
    """The same image, with a check inside that is hostile and quick."""
    docker.build("lockgate-e2e-stand-in", Path(__file__).parent, STAND_IN.replace("lockgate-e2e", image))
    return "lockgate-e2e-stand-in"


@pytest.fixture
def github() -> Iterator[GitHub]:
    """GitHub, which knows the job's token."""
    with github_server() as state:
        state.tokens = {TOKEN: Token()}
        yield state


@pytest.fixture(scope="module")
def runner(docker: Docker, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRunner]:
    """A runner of the image, and a repository of its own that still is empty."""
    with github_server() as hub:
        yield ImageRunner(hub=hub, docker=docker, image=image, folder=tmp_path_factory.mktemp("jobs"))


@pytest.fixture(scope="session")
def promoted(docker: Docker, image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | bytes | None]:
    """The small project with a baseline that the image itself has promoted."""
    repository = new_repository(tmp_path_factory.mktemp("mails") / "repository")
    files = mail_files()
    repository.commit({path: str(text) for path, text in files.items()})
    mount = f"{repository.path}:/repository"
    ran = docker.call("run", "--rm", "--network", "none", "-v", mount, "-w", "/repository", image, "promote", "--quiet")
    assert ran.code == 0, ran.log
    below = files_below(repository.path / "baselines")
    return {**files, **{f"baselines/{name}": content for name, content in below.items()}}
