"""A HOLD that a person releases by a comment, from the command to the green job, in the real image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gate.store.releases import parse_release
from tests.e2e.mails import DOUBTFUL, DOUBTFUL_PROMPT, PROMPT
from tests.rigs.events import issue_comment, pull_request, workflow_run
from tests.rigs.workflow import shipped

if TYPE_CHECKING:
    from tests.rigs.image_runner import Ended, ImageRunner

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
GATE, EVIDENCE, RELEASE = shipped("gate", "decide"), shipped("evidence", "keep"), shipped("release", "release")
REASON = "three mails are worth it @acme/all"


def decide(runner: ImageRunner, again: Ended | None = None) -> Ended:
    ended = runner.run(GATE, pull_request(runner.hub, 7), again=again)
    kept = runner.run(EVIDENCE, workflow_run(runner.hub, ended.id))
    assert kept.code == 0, kept.log.shown
    return ended


def approve(runner: ImageRunner, login: str, digest: str) -> Ended:
    comment = runner.hub.add(login, f"/gate approve {digest[:12]} {REASON}")
    return runner.run(RELEASE, issue_comment(runner.hub, comment))


@pytest.fixture(scope="module")
def held(runner: ImageRunner, promoted: dict[str, str | bytes | None]) -> Ended:
    runner.hub.collaborators |= {"robin": "write"}
    runner.hub.commit(promoted)
    runner.hub.commit(DOUBTFUL, branch="topic", onto="main")
    runner.hub.open_pull("topic", number=7)
    return decide(runner)


@pytest.fixture(scope="module")
def repeated(runner: ImageRunner, held: Ended) -> Ended:
    """The failed job, started again by hand."""
    assert held.code == 10, held.log.shown
    return decide(runner, held)


@pytest.fixture(scope="module")
def refused(runner: ImageRunner, repeated: Ended) -> Ended:
    """The author of the pull request asks first."""
    return approve(runner, "dana", repeated.digest)


@pytest.fixture(scope="module")
def approved(runner: ImageRunner, repeated: Ended, refused: Ended) -> Ended:
    assert refused.code == 10, refused.log.shown
    return approve(runner, "robin", repeated.digest)


@pytest.fixture(scope="module")
def passed(runner: ImageRunner, repeated: Ended, approved: Ended) -> Ended:
    """The attempt that the release has started."""
    assert approved.code == 0, approved.log.shown
    waiting = [run for run in runner.hub.runs if run["status"] == "queued"]
    assert [(run["id"], run["run_attempt"]) for run in waiting] == [(repeated.id, 3)]
    return decide(runner, repeated)


@pytest.fixture(scope="module")
def pushed(runner: ImageRunner, passed: Ended) -> Ended:
    assert passed.code == 0, passed.log.shown
    runner.hub.commit({PROMPT: DOUBTFUL_PROMPT + "Be kind.\n"}, branch="topic")
    return decide(runner)


def test_approval__hold_says_what_would_settle_it(held: Ended) -> None:
    assert (held.code, held.outputs["outcome"]) == (10, "HOLD"), held.log.shown
    decision = json.loads(held.text("decision.json"))
    assert (decision["reason"], bool(decision["settle"])) == ("regression", True)
    (comment,) = held.comments
    assert held.digest[:12] in comment["body"]


def test_approval__running_it_again_asks_nothing_and_holds(held: Ended, repeated: Ended) -> None:
    assert (repeated.code, repeated.outputs["outcome"], repeated.outputs["calls"]) == (10, "HOLD", "0")
    assert held.outputs["calls"] == "180"


def test_approval__author_may_not(refused: Ended) -> None:
    told = "not released: `dana` is the author of the pull request; somebody else must release it"
    assert (refused.code, refused.log.named("error")) == (10, [told])


def test_approval__command_is_answered_and_starts_the_job_again(approved: Ended) -> None:
    assert approved.code == 0, approved.log.shown
    reply = approved.comments[-1]["body"]
    assert reply.splitlines()[0].startswith("<!-- lockgate-release:v1 ")
    assert reply.splitlines()[1].startswith("**HOLD, released by `@robin`:** three mails are worth it ")
    assert "@acme" not in reply


def test_approval__released_job_passes_and_says_by_whom(repeated: Ended, passed: Ended) -> None:
    assert (passed.code, passed.outputs["outcome"], passed.outputs["calls"]) == (0, "HOLD", "0"), passed.log.shown
    assert passed.digest == repeated.digest
    record = parse_release(passed.text("release.json"), "release.json")
    assert (record.pull, record.head, record.by, record.reason) == (7, passed.event.head, "robin", REASON)
    sticky = passed.comments[0]
    assert sticky["id"] == repeated.comments[0]["id"]
    assert sticky["body"].splitlines()[0].startswith(f"<!-- lockgate:v1 key=inbox run={passed.id}.3 ")
    assert sticky["body"].splitlines()[1].startswith("**HOLD, released by `@robin`:**")
    assert "released by" in passed.job.summary


def test_approval__push_voids_it(runner: ImageRunner, passed: Ended, pushed: Ended) -> None:
    assert (pushed.code, pushed.outputs["outcome"]) == (10, "HOLD"), pushed.log.shown
    assert (pushed.outputs["calls"], pushed.has("release.json")) == ("180", False)
    assert "released by" not in pushed.comments[0]["body"]
    late = approve(runner, "robin", passed.digest)
    told = f"the last decision about this commit is sha256:{pushed.digest[:12]}, not sha256:{passed.digest[:12]}"
    assert (late.code, late.log.named("error")) == (10, [f"not released: {told}"])
