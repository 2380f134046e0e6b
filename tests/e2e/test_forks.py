"""A fork's pull request in the real image: its own half, the half that believes none of it, and the approved run."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.mails import HARMFUL, HARMLESS, PROMPT
from tests.rigs.events import pull_request, workflow_run
from tests.rigs.workflow import documented, shipped

if TYPE_CHECKING:
    from tests.rigs.github_hub import GitHub
    from tests.rigs.image_runner import Ended, ImageRunner

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
GATE = shipped("gate", "decide")
VERIFY, APPROVED = (documented("how-to/forks.md", job) for job in ("verify", "approved"))
AS_CHECK = {"publish": "check-run", "permission": "checks"}
# What no job may run or read from a fork, beside what is gated.
FOREIGN = {"app/main.py": "raise SystemExit(0)\n", "sitecustomize.py": "raise SystemExit(0)\n"}


@pytest.fixture(scope="module")
def repository(runner: ImageRunner, promoted: dict[str, str | bytes | None]) -> GitHub:
    runner.secrets["fork-evaluation"] = {"OPENAI_API_KEY": "sk-of-the-environment"}
    runner.hub.commit(promoted)
    return runner.hub


def opened(runner: ImageRunner, number: int, files: dict[str, str]) -> Ended:
    """A pull request from a fork, and its own half: read-only token, no secrets."""
    branch = f"mallory:topic-{number}"
    runner.hub.commit(files, branch=branch, onto="main", login="mallory")
    runner.hub.open_pull(branch, number=number, login="mallory")
    return runner.run(GATE, pull_request(runner.hub, number))


def forge(hub: GitHub, ended: Ended) -> None:
    """Replace the counts of the uploaded record by ten passes of every case."""
    (artifact,) = (one for one in hub.artifacts if one.run_id == ended.id)
    with zipfile.ZipFile(io.BytesIO(artifact.content)) as archive:
        files: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    evidence = json.loads(files["lockgate-out/evidence.json"])
    for suite in evidence["suites"]:
        suite["passes"] = 10
        for case in suite["cases"]:
            case |= {"marks": "P" * 10, "missing": [], "tags": [], "by_judge": 0}
    decision = json.loads(files["lockgate-out/decision.json"]) | {"outcome": "PROMOTE", "reason": "shown not worse"}
    files["lockgate-out/evidence.json"] = json.dumps(evidence).encode()
    files["lockgate-out/decision.json"] = json.dumps(decision).encode()
    files["lockgate-out/comment.md"] = "<!-- lockgate:v1 key=inbox -->\nPROMOTE @acme/all"
    hub.artifacts.remove(artifact)
    hub.add_artifact(ended.id, artifact.name, files)


@pytest.fixture(scope="module")
def harm(runner: ImageRunner, repository: GitHub) -> Ended:
    ended = opened(runner, 7, HARMFUL)
    forge(repository, ended)
    return ended


@pytest.fixture(scope="module")
def verified(runner: ImageRunner, harm: Ended) -> Ended:
    return runner.run(VERIFY, workflow_run(runner.hub, harm.id))


@pytest.fixture(scope="module")
def harm_approved(runner: ImageRunner, harm: Ended, verified: Ended) -> Ended:
    assert verified.code == 10, verified.log.shown
    return runner.run(APPROVED, workflow_run(runner.hub, harm.id))


@pytest.fixture(scope="module")
def harmless(runner: ImageRunner, repository: GitHub) -> Ended:
    return opened(runner, 8, {**HARMLESS, **FOREIGN})


@pytest.fixture(scope="module")
def harmless_verified(runner: ImageRunner, harmless: Ended) -> Ended:
    assert harmless.code == 0, harmless.log.shown
    return runner.run(VERIFY.given(**AS_CHECK), workflow_run(runner.hub, harmless.id))


@pytest.fixture(scope="module")
def harmless_approved(runner: ImageRunner, harmless: Ended, harmless_verified: Ended) -> Ended:
    assert harmless_verified.code == 10, harmless_verified.log.shown
    return runner.run(APPROVED.given(**AS_CHECK), workflow_run(runner.hub, harmless.id))


def about(ended: Ended, number: int) -> list[str]:
    return [comment["body"] for comment in ended.comments if comment["number"] == number]


@pytest.fixture(scope="module")
def kept(runner: ImageRunner, harmless: Ended, harmless_approved: Ended) -> Ended:
    """The job that keeps evidence, as if its condition in the file were not there."""
    assert harmless_approved.code == 0, harmless_approved.log.shown
    return runner.run(shipped("evidence", "keep"), workflow_run(runner.hub, harmless.id))


def test_forks__own_half_decides_and_can_tell_nobody(harm: Ended) -> None:
    assert (harm.code, harm.outputs["outcome"], harm.outputs["comment-url"]) == (20, "ROLLBACK", ""), harm.log.shown
    assert about(harm, 7) == []
    written = [(seen.method, seen.status) for seen in harm.asked if seen.method != "GET" and "git-" not in seen.path]
    assert {status for _, status in written} <= {403}
    assert "the report is in the job summary" in "".join(harm.log.named("warning"))
    assert "ROLLBACK" in harm.job.summary


def test_forks__forged_counts_are_a_hold(runner: ImageRunner, harm: Ended, verified: Ended) -> None:
    outputs = verified.outputs
    assert (verified.code, outputs["outcome"], outputs["calls"]) == (10, "HOLD", "0"), verified.log.shown
    (comment,) = about(verified, 7)
    assert comment.splitlines()[0].endswith(f"head={harm.event.head} decision={outputs['decision-digest']} -->")
    assert "unverified: a job that the fork's own workflow could change wrote these counts" in comment
    assert "@acme/all" not in comment
    status = runner.hub.statuses[0]
    told = (status["sha"], status["context"], status["state"], status["description"])
    assert told == (harm.event.head, "lockgate", "failure", "HOLD: unverified")


def test_forks__approved_run_of_harm_is_rolled_back(runner: ImageRunner, harm: Ended, harm_approved: Ended) -> None:
    assert (harm_approved.code, harm_approved.outputs["outcome"]) == (20, "ROLLBACK"), harm_approved.log.shown
    states = [(one["sha"], one["state"]) for one in runner.hub.statuses]
    assert states == [(harm.event.head, "failure"), (harm.event.head, "failure")]
    assert len(about(harm_approved, 7)) == 1


def test_forks__approved_run_takes_prompts_by_commit_and_nothing_else(
    runner: ImageRunner, harmless: Ended, harmless_approved: Ended
) -> None:
    ended, head = harmless_approved, harmless.event.head
    assert (ended.code, ended.outputs["outcome"], ended.outputs["calls"]) == (0, "PROMOTE", "36"), ended.log.shown
    assert (ended.job.workspace / PROMPT).read_text(encoding="utf-8") == HARMLESS[PROMPT]
    assert not [path for path in FOREIGN if (ended.job.workspace / path).exists()]
    read = [
        (seen.path.partition("/contents/")[2], seen.query["ref"]) for seen in ended.asked if "/contents/" in seen.path
    ]
    assert read == [(PROMPT, [head])]


def test_forks__result_is_a_check_on_the_head(runner: ImageRunner, harmless: Ended, harmless_approved: Ended) -> None:
    checks = [(one["name"], one["head_sha"], one["status"], one["conclusion"]) for one in runner.hub.checks]
    head = harmless.event.head
    assert checks == [("lockgate", head, "completed", "failure"), ("lockgate", head, "completed", "success")]
    assert head not in {one["sha"] for one in runner.hub.statuses}
    (comment,) = about(harmless_approved, 8)
    assert "> [!TIP]" in comment


def test_forks__evidence_is_never_kept(runner: ImageRunner, kept: Ended) -> None:
    assert (kept.code, kept.log.named("notice")) == (0, ["the run of a fork: its evidence is never kept"]), (
        kept.log.shown
    )
    assert runner.hub.bare.tip("refs/gate/evidence") is None


@pytest.mark.usefixtures("kept")
def test_forks__push_while_somebody_approves_is_not_judged(runner: ImageRunner, harmless: Ended) -> None:
    head = runner.hub.commit(HARMFUL, branch="mallory:topic-8", login="mallory")
    ended = runner.run(APPROVED.given(**AS_CHECK), workflow_run(runner.hub, harmless.id))
    assert (ended.code, ended.outputs["outcome"], ended.outputs["calls"]) == (5, "NONE", ""), ended.log.shown
    assert ended.log.named("error")[0].startswith(f"no open pull requests have the head {harmless.event.head[:12]}")
    assert head not in {one["head_sha"] for one in runner.hub.checks}
