"""The whole product in its container: a real baseline, real pull requests, the built-in offline model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.action import new_job
from tests.rigs.repository import new_repository
from tests.rigs.step import run, step

if TYPE_CHECKING:
    from tests.rigs.docker import Docker
    from tests.rigs.github import GitHub

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
REPOSITORY = Path(__file__).parents[2]
PROMPT = "prompts/sales_email_intent.md"
GATE = """\
version: 1
targets:
  sales-email-intent:
    prompt: prompts/sales_email_intent.md
    model: {provider: offline, name: offline-1, temperature: 0.2, max_output_tokens: 300}
    suites: [golden_sets/sales_email_intent]
policy: {profile: ci}
"""


def files_below(root: Path, *folders: str) -> dict[str, str | None]:
    found = [file for folder in folders for file in (root / folder).rglob("*") if file.is_file()]
    return {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in found}


@pytest.fixture(scope="module")
def base(docker: Docker, image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """A default branch whose baseline the image itself has promoted."""
    repository = new_repository(tmp_path_factory.mktemp("promote") / "repository")
    files = {"gate.yaml": GATE, **files_below(REPOSITORY, "golden_sets/sales_email_intent", "prompts")}
    repository.commit(files)
    mount = f"{repository.path}:/repository"
    ran = docker.call("run", "--rm", "--network", "none", "-v", mount, "-w", "/repository", image, "promote", "--quiet")
    assert ran.code == 0, ran.log
    return {**files, **files_below(repository.path, "baselines")}


def broken(prompt: str) -> str:
    """The prompt without what it says about four intents."""
    return re.sub(r"(?ms)^- `(?:pricing_request|demo_request|support_issue|contract_change)` .*?(?=^- `)", "", prompt)


def test_decision__harmless_change_is_promoted(
    docker: Docker, image: str, base: dict[str, str | None], tmp_path: Path, github: GitHub
) -> None:
    prompt = str(base[PROMPT]).replace("no other text", "and no other text")
    job = new_job(tmp_path, base=base, change={PROMPT: prompt})
    code, log = run(docker, image, job, step(job, github))
    assert (code, job.outputs["outcome"]) == (0, "PROMOTE"), log.shown
    assert int(job.outputs["calls"]) >= 200
    for name in ("decision-path", "report-path"):
        assert (job.workspace / job.outputs[name]).is_file()
    (body,) = github.bodies()
    digest = job.outputs["decision-digest"]
    marker = f"<!-- lockgate:v1 key=sales-email-intent run=50.1 head={job.head} decision={digest} -->"
    assert body.startswith(f"{marker}\n> [!TIP]\n")
    assert job.summary


def test_decision__broken_prompt_is_rolled_back_whatever_the_pull_request_says(
    docker: Docker, image: str, base: dict[str, str | None], tmp_path: Path, github: GitHub
) -> None:
    change = {
        PROMPT: broken(str(base[PROMPT])),
        "gate.yaml": GATE.replace("version: 1", "version: 1\nmode: advisory"),
        "baselines/sales-email-intent/sales_email_intent.json": None,
    }
    job = new_job(tmp_path, base=base, change=change)
    code, log = run(docker, image, job, step(job, github))
    assert (code, job.outputs["outcome"]) == (20, "ROLLBACK"), log.shown
    assert len(log.named("error")) >= 1
    (body,) = github.bodies()
    assert "> [!CAUTION]" in body
    assert "baselines/sales-email-intent/sales_email_intent.json" in body


def test_decision__record_replays(
    docker: Docker, image: str, base: dict[str, str | None], tmp_path: Path, github: GitHub
) -> None:
    job = new_job(tmp_path, base=base, change={PROMPT: broken(str(base[PROMPT]))})
    run(docker, image, job, step(job, github, INPUT_PASSES="1", INPUT_COMMENT="off"))
    mount = f"{job.workspace}:/repository"
    command = ("run", "--rm", "--network", "none", "-v", mount, "-w", "/repository", image, "replay",
               "lockgate-out/decision.json")  # fmt: skip
    ran = docker.call(*command)
    assert ran.code == 0, ran.log
    assert github.journal == []
