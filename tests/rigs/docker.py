"""Real containers: a daemon that is there or can be started, and `docker run` in the shape that the runner uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BASE = "python:3.11-slim-bookworm"
START_S = 60
BUILD_S = 180
RUN_S = 300
MOUNTS = ("runner_temp", "home", "workflow", "file_commands", "workspace")
RUNNER_USER = 1001


class NoDaemonError(Exception):
    """No container engine can be had here, and why."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a container ended; `log` is stdout and stderr together."""

    code: int
    log: str


@dataclass(frozen=True, kw_only=True)
class Docker:
    """The docker command against one daemon."""

    host: str

    def call(self, *arguments: str, stdin: str = "", timeout_s: float = BUILD_S) -> Ran:
        """Run one docker command."""
        environ = {"PATH": os.environ["PATH"], "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0", "HOME": "/nonexistent"}
        done = subprocess.run(
            ("docker", *arguments), env=environ, input=stdin, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s, check=False,
        )  # fmt: skip
        return Ran(code=done.returncode, log=done.stdout)

    def has(self, image: str) -> bool:
        """Whether an image is there."""
        return self.call("image", "inspect", image).code == 0

    def build(self, tag: str, context: Path, dockerfile: str = "") -> None:
        """Build an image from a folder, or from a Dockerfile's text with that folder as its context.

        A build that errs is a failed test. One that hangs is tried again; raises NoDaemonError where it hangs again,
        because then it is the network between container and package mirror that does not answer.
        """
        file = ("--file", "-") if dockerfile else ()
        for _ in range(2):
            try:
                done = self.call("build", "--tag", tag, *file, str(context), stdin=dockerfile)
            except subprocess.TimeoutExpired:
                continue
            assert done.code == 0, done.log
            return
        raise NoDaemonError(
            f"the image was not built within {BUILD_S} s, twice: no package mirror answers in containers"
        )

    def run_step(self, image: str, folder: Path, *, environ: Mapping[str, str], arguments: Sequence[str]) -> Ran:
        """Run one step as actions/runner does; `folder` holds what it mounts, owned by the runner's user.

        See DockerCommandManager.cs: the socket is always there, variables go by name, the network is the host's here
        so that a server on 127.0.0.1 can stand in for GitHub.
        """
        _give_to_runner(folder)
        mounts = [f"{folder / name}:/github/{name}" for name in MOUNTS]
        socket = f"{self.host.removeprefix('unix://')}:/var/run/docker.sock"
        inside = {**_inside(folder, environ), "HOME": "/github/home", "GITHUB_ACTIONS": "true", "CI": "true"}
        return self.call(
            "run", "--rm", "--workdir", "/github/workspace", "--network", "host",
            *(word for name, value in inside.items() for word in ("-e", f"{name}={value}")),
            *(word for mount in (socket, *mounts) for word in ("-v", mount)),
            image, *arguments,
            timeout_s=RUN_S,
        )  # fmt: skip


def _inside(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Translate paths of the host to those of the container, as the runner does."""
    return {name: value.replace(str(folder), "/github") for name, value in environ.items()}


def _give_to_runner(folder: Path) -> None:
    for root, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(root, name), RUNNER_USER, RUNNER_USER, follow_symlinks=False)


@contextmanager
def docker_daemon(folder: Path) -> Iterator[Docker]:
    """Use the daemon of DOCKER_HOST or the default socket, else start one below `folder`; raises NoDaemonError."""
    if shutil.which("docker") is None:
        raise NoDaemonError("the docker command is not installed")
    if os.geteuid() != 0:
        raise NoDaemonError("only root can give a workspace to the runner's user")
    given = Docker(host=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    if given.host.startswith("unix://") and given.call("info").code == 0:
        yield given
        return
    if shutil.which("dockerd") is None:
        raise NoDaemonError("no daemon answers and dockerd is not installed")
    yield from _own_daemon(folder)


def _own_daemon(folder: Path) -> Iterator[Docker]:
    docker = Docker(host=f"unix://{folder}/d.sock")
    command = ("dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-H", docker.host,
               "--pidfile", f"{folder}/d.pid")  # fmt: skip
    with (folder / "dockerd.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + START_S
            while docker.call("info").code != 0:
                if process.poll() is not None or time.monotonic() > deadline:
                    words = (folder / "dockerd.log").read_text(errors="replace").splitlines()
                    raise NoDaemonError(f"dockerd does not start: {words[-1] if words else 'no message'}")
                time.sleep(0.2)
            yield docker
        finally:
            process.terminate()
            process.wait(START_S)
            # dockerd leaves a mount behind, and gigabytes, which pytest would keep for three runs.
            subprocess.run(("umount", f"{folder}/exec/netns/default"), stderr=subprocess.DEVNULL, check=False)
            shutil.rmtree(folder, ignore_errors=True)


def ensure_base(docker: Docker, folder: Path, script: Path) -> None:
    """See to it that the base image is there: as it is, or a stand-in where it can be made, else let the build pull."""
    if docker.has(BASE) or shutil.which("mmdebstrap") is None:
        return
    archive = folder / "base.tar"
    subprocess.run((str(script), str(archive)), check=True, timeout=BUILD_S)
    done = docker.call("import", str(archive), BASE)
    assert done.code == 0, done.log
    archive.unlink()
