"""Which commit the base is, and how it is had: shallow checkouts, moved bases, deleted branches, merge groups."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from gate.app.action import run_action
from gate.app.project import load_project
from gate.app.request import CheckRequest, CheckResult
from tests.integration.test_action import Check, jobs
from tests.projects import OFFLINE_PROMPT, offline_files
from tests.rigs.action import Job, pull_request_event
from tests.rigs.github_hub import GitHub, Token, github_server
from tests.rigs.pushed import push_job
from tests.rigs.repository import Repository
from tests.rigs.runner import Log, read_log

BRIEF = {"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token()}
        yield state


def pull_job(github: GitHub, folder: Path, *, depth: int) -> Job:
    """A job of pull request 7, whose base is the project and whose head shortens the prompt."""
    github.commit(offline_files(), message="base")
    head = github.commit(BRIEF, branch="topic")
    github.open_pull("topic", number=7)
    merge = merge_commit(github)
    pushed = push_job(github, folder, merge, depth=depth)
    return Job(folder=pushed.job.folder, head=head)


def merge_commit(github: GitHub) -> str:
    """The test merge as GitHub keeps it."""
    response = requests.get(
        f"{github.url}/repos/acme/app/pulls/7", headers={"Authorization": "Bearer t0ken"}, timeout=20
    )
    return str(response.json()["merge_commit_sha"])


class Loading(Check):
    """Reads the project at the base before it decides as told."""

    def __call__(self, request: CheckRequest) -> CheckResult:
        self.project = load_project(request)
        return super().__call__(request)


def act(job: Job, github: GitHub, check: Check, **more: str) -> tuple[int, Log]:
    stdout = io.StringIO()
    environ = {**job.environ(github.url), **job.send("pull_request", pull_request_event(job.head)), **more}
    with requests.Session() as session:
        session.trust_env = False
        code = run_action(environ, jobs=jobs(check), session=session, stdout=stdout)
    return code, read_log(stdout.getvalue())


@pytest.mark.parametrize(("depth", "named"), [(2, True), (1, False)])
def test_base__is_the_first_parent_however_deep_the_checkout(
    github: GitHub, tmp_path: Path, depth: int, named: bool
) -> None:
    job, check = pull_job(github, tmp_path, depth=depth), Loading()
    code, log = act(job, github, check)
    assert code == 0, log.shown
    main = github.bare.tip("refs/heads/main") or ""
    assert check.request.base == ("HEAD^1" if named else main)
    assert check.project.base.read("prompts/inbox.md") == OFFLINE_PROMPT.encode()
    assert check.project.head.read("prompts/inbox.md") == BRIEF["prompts/inbox.md"].encode()


def test_base__that_was_forced_away_is_still_the_one_of_the_merge(github: GitHub, tmp_path: Path) -> None:
    job, check = pull_job(github, tmp_path, depth=2), Loading()
    old = Repository(job.workspace).git("rev-parse", "HEAD^1")
    github.bare.git("update-ref", "refs/heads/main", f"{old}^")
    github.commit({"other.txt": "x"})
    assert act(job, github, check)[0] == 0
    assert check.project.base.read("prompts/inbox.md") == OFFLINE_PROMPT.encode()


def test_base__head_branch_may_be_gone_by_now(github: GitHub, tmp_path: Path) -> None:
    job, check = pull_job(github, tmp_path, depth=1), Loading()
    github.bare.git("update-ref", "-d", "refs/heads/topic")
    assert act(job, github, check)[0] == 0


def test_base__that_is_nowhere_holds_and_withdraws_an_old_verdict(github: GitHub, tmp_path: Path) -> None:
    job = pull_job(github, tmp_path, depth=1)
    act(job, github, Loading("PROMOTE"))
    other = pull_again(github, tmp_path / "again", job)
    check = Check()
    code, log = act(other, github, check, GITHUB_RUN_ID="51", GITHUB_SERVER_URL="http://127.0.0.1:9")
    assert (code, check.requests, other.outputs["outcome"]) == (10, [], "HOLD")
    assert "with: {fetch-depth: 2}" in log.named("error")[-1]
    (body,) = github.bodies()
    assert "### lockgate could not decide" in body
    assert "run=51.1" in body.splitlines()[0]
    assert "fetch-depth: 2" in body


def pull_again(github: GitHub, folder: Path, job: Job) -> Job:
    folder.mkdir()
    return Job(folder=push_job(github, folder, merge_commit(github), depth=1).job.folder, head=job.head)


def test_base__of_a_merge_group_is_fetched_by_its_id(github: GitHub, tmp_path: Path) -> None:
    base = github.commit(offline_files(), message="base")
    github.commit({"other.txt": "x"})
    head = github.commit(BRIEF)
    job = push_job(github, tmp_path, head, depth=1).job
    event = {"action": "checks_requested", "merge_group": {"head_sha": head, "base_sha": base}}
    check, stdout = Loading(), io.StringIO()
    with requests.Session() as session:
        environ = job.environ(github.url) | job.send("merge_group", event)
        code = run_action(environ, jobs=jobs(check), session=session, stdout=stdout)
    assert (code, check.request.base) == (0, base)
    assert check.project.base.read("prompts/inbox.md") == OFFLINE_PROMPT.encode()


def test_base__fetch_leaves_no_token_behind(github: GitHub, tmp_path: Path) -> None:
    job = pull_job(github, tmp_path, depth=1)
    act(job, github, Loading())
    assert "t0ken" not in (job.workspace / ".git" / "config").read_text()
    assert not (job.workspace / ".git" / "FETCH_HEAD").read_text().count("t0ken")
