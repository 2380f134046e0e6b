"""One step that uses this repository's action: action.yml is read, and its image run, as the runner does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.rigs.runner import Log, read_log

if TYPE_CHECKING:
    from tests.rigs.action import Job
    from tests.rigs.docker import Docker
    from tests.rigs.github import GitHub

ACTION = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text(encoding="utf-8"))
TOKEN = "t0ken-of-the-job"


def step(job: Job, github: GitHub, **changes: str) -> dict[str, str]:
    """The variables of a step: action.yml's defaults, as the runner passes them, and the job's."""
    defaults = {f"INPUT_{name.upper()}": str(declared["default"]) for name, declared in ACTION["inputs"].items()}
    assert defaults["INPUT_GITHUB-TOKEN"] == "${{ github.token }}"
    return {**defaults, **job.environ(github.url), "INPUT_GITHUB-TOKEN": TOKEN, **changes}


def run(docker: Docker, image: str, job: Job, environ: dict[str, str]) -> tuple[int, Log]:
    """Run the step in its container: exit code, and the log as the runner reads it."""
    ran = docker.run_step(image, job.folder, environ=environ, arguments=ACTION["runs"]["args"])
    return ran.code, read_log(ran.log)
