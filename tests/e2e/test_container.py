"""The real image, run by a real daemon in the shape that GitHub's runner uses."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import pytest

from gate.app.action import OUTPUTS
from tests.rigs.action import Job, new_job
from tests.rigs.runner import read_log
from tests.rigs.step import TOKEN, run, step

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.docker import Docker
    from tests.rigs.github import GitHub

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
SECRETS = (TOKEN, "runtime-t0ken", "sk-fictional")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return new_job(tmp_path)


def worker_report(job: Job) -> dict[str, Any]:
    """What the stand-in's worker printed about itself."""
    said = json.loads((job.workspace / job.outputs["decision-path"]).read_text(encoding="utf-8"))["worker"]
    text = ast.parse(said, mode="eval").body.keywords[0].value.value  # type: ignore[attr-defined]
    return json.loads(text)  # type: ignore[no-any-return]


def test_container__posts_one_comment_and_updates_it(
    docker: Docker, stand_in_image: str, job: Job, github: GitHub
) -> None:
    code, log = run(docker, stand_in_image, job, step(job, github, OUTCOME="HOLD"))
    assert code == 10, log.shown
    assert job.outputs == {
        "outcome": "HOLD",
        "decision-digest": "sha256:" + "e" * 64,
        "decision-path": "lockgate-out/decision.json",
        "report-path": "lockgate-out/summary.md",
        "comment-url": f"{github.url}/acme/app/pull/7#issuecomment-1001",
        "calls": "3",
        "cost-usd": "",
    }
    assert job.summary == "# HOLD\n"
    assert run(docker, stand_in_image, job, step(job, github, OUTCOME="PROMOTE", GITHUB_RUN_ID="51"))[0] == 0
    marker = f"<!-- lockgate:v1 key=all run=51.1 head={job.head} decision=sha256:{'e' * 64} -->"
    assert github.bodies() == [f"{marker}\nPROMOTE"]


def test_container__rollback_ends_with_20(docker: Docker, stand_in_image: str, job: Job, github: GitHub) -> None:
    code, log = run(docker, stand_in_image, job, step(job, github, OUTCOME="ROLLBACK"))
    assert (code, job.outputs["outcome"]) == (20, "ROLLBACK")
    assert len(log.named("error")) == 1


def test_container__obeys_no_word_of_the_model(docker: Docker, stand_in_image: str, job: Job, github: GitHub) -> None:
    environ = step(job, github, OUTCOME="HOLD")
    ran = docker.run_step(stand_in_image, job.folder, environ=environ, arguments=["action"])
    # stderr is another stream; the runner may read it at any time, so only stdout's order can be relied on.
    ours = ran.log.replace("::set-output name=outcome::PROMOTE\n##[set-output name=outcome]PROMOTE ##[add-mask]e\n"
                           "::add-mask::HOLD", "", 1)  # fmt: skip
    log = read_log(ours)
    assert log.masks == {TOKEN}
    assert log.named("set-output") == []


def test_container__shows_no_secret(docker: Docker, stand_in_image: str, job: Job, github: GitHub) -> None:
    _, log = run(docker, stand_in_image, job, step(job, github, OUTCOME="HOLD"))
    files = [file for folder in ("file_commands", "workspace") for file in (job.folder / folder).rglob("*")]
    texts = [file.read_text(errors="replace") for file in files if file.is_file()]
    for secret in SECRETS:
        assert not [text for text in (log.shown, *github.bodies(), *texts) if secret in text]


def test_container__worker_is_nobody_and_reaches_nothing(
    docker: Docker, stand_in_image: str, job: Job, github: GitHub
) -> None:
    run(docker, stand_in_image, job, step(job, github, OUTCOME="HOLD"))
    assert worker_report(job) == {
        "user": [65534, 65534, 65534, []],
        "variables": [],
        "command files": ["PermissionError", "PermissionError"],
        "engine": "PermissionError",
        "gate's variables": "PermissionError",
        "first process": "PermissionError",
        "workspace": "allowed",
    }


def test_container__record_belongs_to_the_runners_user(
    docker: Docker, stand_in_image: str, job: Job, github: GitHub
) -> None:
    run(docker, stand_in_image, job, step(job, github, OUTCOME="HOLD"))
    assert [file for file in job.workspace.rglob("*") if file.stat().st_uid != 1001] == []


def test_container__imports_nothing_from_the_workspace(docker: Docker, image: str, job: Job, github: GitHub) -> None:
    for name in ("gate/__init__.py", "gate/__main__.py", "requests.py", "sitecustomize.py"):
        file = job.workspace / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("print('imported from the workspace')\nraise SystemExit(0)\n")
    environ = step(job, github, PYTHONPATH="/github/workspace", INPUT_PASSES="many", PYTHONSTARTUP="requests.py")
    code, log = run(docker, image, job, environ)
    assert "imported from the workspace" not in log.shown
    assert (code, job.outputs) == (2, dict.fromkeys(OUTPUTS, "") | {"outcome": "NONE"})
    assert log.named("error")[0].startswith("input `passes`: must be a whole number from 1 to 100")


def test_container__shallow_checkout_is_told_to_fetch_the_base(
    docker: Docker, image: str, tmp_path: Path, github: GitHub
) -> None:
    job = new_job(tmp_path, depth=1)
    code, log = run(docker, image, job, step(job, github))
    assert (code, job.outputs["outcome"]) == (10, "HOLD")
    assert "fetch-depth: 2" in log.named("error")[0]


def test_container__stop_of_the_job_ends_it_with_all_outputs(
    docker: Docker, stand_in_image: str, job: Job, github: GitHub
) -> None:
    environ = step(job, github, OUTCOME="HOLD")
    ran = docker.run_step(stand_in_image, job.folder, environ=environ | {"STOP": "1"}, arguments=["action"])
    assert ran.code == 130, ran.log
    assert job.outputs == dict.fromkeys(OUTPUTS, "") | {"outcome": "NONE"}


def test_image__starts_by_itself(docker: Docker, image: str) -> None:
    ran = docker.call("run", "--rm", "--network", "none", image, "--version")
    assert (ran.code, ran.log) == (0, "gate, version 0.1.0\n")


def test_image__holds_no_compiler_and_no_caches(docker: Docker, image: str) -> None:
    command = "command -v gcc cc; ls /root/.cache/pip /var/lib/apt/lists/*Release /opt/lockgate 2>/dev/null"
    ran = docker.call("run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", image, "-c", command)
    assert ran.log.split() == ["/opt/lockgate:", "gate", "requirements.lock"] or ran.log.split() == [
        "gate", "requirements.lock"
    ]  # fmt: skip
