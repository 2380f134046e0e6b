"""Attempts of runs, as the stand-in for GitHub lists them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from gate.core.chain import Attempt
from gate.errors import PublishError
from gate.forge.api import Api
from gate.forge.attempts import fetch_attempt, fetch_attempts, may_have_asked
from gate.forge.pulls import Repository
from tests.rigs.github import GitHub, Token, github_server

HEAD, WORKFLOW = "d" * 40, ".github/workflows/gate.yml"
AT = "2026-11-20T13:00:00Z"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token(), "poor": Token(permissions={"contents": "read"})}
        yield state


def repository(github: GitHub, token: str = "t0ken") -> Repository:
    return Repository(api=Api(session=requests.Session(), url=github.url, token=token), name=github.slug)


def add(github: GitHub, run: int, attempt: int = 1, **said: object) -> None:
    github.add_run(HEAD, id=run, run_attempt=attempt, run_started_at=AT, updated_at=AT, **said)


def found(github: GitHub, *known: tuple[int, int]) -> list[tuple[int, int, str]]:
    attempts = fetch_attempts(repository(github), head=HEAD, workflow=WORKFLOW, known=frozenset(known))
    return [(one.run, one.attempt, one.conclusion) for one in attempts]


def test_fetch_attempts__every_attempt_of_the_workflow_on_the_commit(github: GitHub) -> None:
    add(github, 50, conclusion="failure")
    add(github, 50, 2, conclusion="cancelled")
    add(github, 51, 1, status="in_progress", conclusion=None)
    add(github, 52, 1, event="merge_group", path=f"{WORKFLOW}@refs/heads/main")
    add(github, 53, 1, path=".github/workflows/other.yml")
    add(github, 54, 1, event="workflow_dispatch")
    add(github, 55, 1, head_repository={"full_name": "mallory/app"})
    github.add_run("e" * 40, id=56)
    assert found(github) == [(50, 1, "failure"), (50, 2, "cancelled"), (51, 1, ""), (52, 1, "success")]


def test_fetch_attempts__known_ones_are_not_looked_up(github: GitHub) -> None:
    add(github, 50)
    add(github, 50, 2)
    assert found(github, (50, 1)) == [(50, 2, "success")]
    assert not any("/attempts/" in path for path in github.asked("GET"))


def test_fetch_attempts__over_all_pages(github: GitHub) -> None:
    for run in range(1, 131):
        add(github, run)
    assert len(found(github)) == 130


def test_fetch_attempts__too_many_to_look_up(github: GitHub) -> None:
    add(github, 50, 52)
    with pytest.raises(PublishError, match="51 attempts of runs of dddddddddddd have left no record"):
        found(github)


def test_fetch_attempts__without_the_right_to(github: GitHub) -> None:
    with pytest.raises(PublishError, match="could not be listed: HTTP 403") as caught:
        fetch_attempts(repository(github, "poor"), head=HEAD, workflow=WORKFLOW, known=frozenset())
    assert "actions: read" in caught.value.hint


def test_fetch_attempt__one(github: GitHub) -> None:
    add(github, 50)
    ran = fetch_attempt(repository(github), 50, 1)
    assert ran.attempt == Attempt(run=50, attempt=1, started=AT, ended=AT, conclusion="success")
    assert (ran.head, ran.event, ran.workflow, ran.repository) == (HEAD, "pull_request", WORKFLOW, "acme/app")
    with pytest.raises(PublishError, match="attempt 2 of run 50 could not be read: HTTP 404"):
        fetch_attempt(repository(github), 50, 2)


@pytest.mark.parametrize(
    ("name", "steps", "asked"),
    [
        ("decide", [("Set up job", "success"), ("Build ./", "failure")], False),
        ("decide", [("Set up job", "success"), ("Run actions/checkout@v7", "failure"), ("Run ./", "skipped")], False),
        ("decide", [("Set up job", "success"), ("Run ./", None)], False),
        ("decide", [("Set up job", "success"), ("Run ./", "cancelled")], True),
        ("decide", [("Set up job", "success"), ("Run OWNER/lockgate@c0ffee", "failure")], True),
        ("decide (3.11, linux)", [("the gate", "success")], True),
        ("decides", [("the gate", "success")], False),
    ],
)
def test_may_have_asked__past_the_runners_own_steps(
    github: GitHub, name: str, steps: list[tuple[str, str | None]], asked: bool
) -> None:
    add(github, 50)
    listed = [
        {"name": step, "status": "completed", "conclusion": how, "number": number}
        for number, (step, how) in enumerate(steps, 1)
    ]
    github.add_job(50, name, steps=listed)
    github.add_job(50, "decide", steps=[])
    attempt = fetch_attempt(repository(github), 50, 1).attempt
    assert may_have_asked(repository(github), attempt, "decide") is asked
    # Without a job of that name any job may have been it.
    assert may_have_asked(repository(github), attempt, "other") is (asked or name == "decides")
