"""The head branch, the fork or the open state of a pull request is gone before the default branch's job looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from gate.app.evidence_ref import evidence_branch, load_chain
from gate.app.request import CheckRequest, CheckResult
from gate.forge.api import Api
from gate.forge.pulls import Repository
from tests.projects import OFFLINE_PROMPT, offline_files, promoted_baselines
from tests.rigs.github import GitHub, Token, github_server
from tests.rigs.hub_job import RUN_ID, Change, real_check, record_files

PROMPT = "prompts/inbox.md"
BETTER = {PROMPT: OFFLINE_PROMPT + "Be brief.\n"}
KEEPING = {".github/workflows/evidence.yml": "# command: keep-evidence\n"}
WORKFLOW = {"GITHUB_WORKFLOW_REF": "acme/app/.github/workflows/gate.yml@refs/pull/7/merge", "GITHUB_JOB": "decide"}
Loss = Callable[[GitHub], object]
LOSSES: list[Loss] = [
    lambda github: github.delete_branch(7),
    lambda github: setattr(github.pulls[7], "state", "closed"),
    lambda github: github.merge_pull(7),
]
NAMES = ["branch", "closed", "merged"]


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return promoted_baselines(tmp_path_factory.mktemp("promoted"), offline_files())


@pytest.fixture
def github(baselines: dict[str, bytes]) -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token(), "fork": Token(may_write=False)}
        state.collaborators["robin"] = "write"
        state.commit({**offline_files(), **baselines, **KEEPING})
        yield state


@pytest.fixture
def fork(github: GitHub, tmp_path: Path) -> Change:
    """A fork's pull request after the half without secrets."""
    change = Change(github, tmp_path, owner="mallory", login="mallory")
    change.push(BETTER)
    _, _, job = change.pull_request(INPUT_GITHUB__TOKEN="fork")
    change.finish(job, conclusion="success")
    return change


@pytest.fixture
def own(github: GitHub, tmp_path: Path) -> Change:
    """A pull request of the repository itself that was decided, and whose run has ended."""
    change = Change(github, tmp_path)
    change.push(BETTER)
    code, log, job = change.pull_request(INPUT_PASSES="1", **WORKFLOW)
    assert code in (0, 10), log.shown
    at = datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z")
    github.add_run(change.head, id=RUN_ID, run_attempt=1, conclusion="success", run_started_at=at, updated_at=at)
    github.add_artifact(RUN_ID, "lockgate-1", record_files(job))
    return change


@pytest.mark.parametrize("lose", [*LOSSES, lambda github: github.delete_fork(7)], ids=[*NAMES, "fork"])
@pytest.mark.parametrize("command", ["verify-fork", "check-fork"])
def test_fork__that_is_gone_gets_no_mark_and_no_comment(fork: Change, github: GitHub, lose: Loss, command: str) -> None:
    lose(github)
    code, log, job = fork.workflow_run(INPUT_COMMAND=command)
    told = f"no open pull requests have the head {fork.head[:12]} of mallory/app"
    assert (code, log.named("error")[0].splitlines()[0].startswith(told)) == (5, True), log.shown
    assert (job.outputs["outcome"], github.statuses, github.bodies()) == ("NONE", [], [])


def test_fork__that_the_event_does_not_name_any_more_is_an_error(fork: Change, github: GitHub) -> None:
    github.delete_fork(7)
    for command in ("verify-fork", "check-fork", "keep-evidence"):
        code, log, _ = fork.workflow_run(origin={"head_repository": None}, INPUT_COMMAND=command)
        assert (code, "head_repository" in log.named("error")[0]) == (2, True), log.shown
    assert (github.statuses, github.bodies()) == ([], [])


@pytest.mark.parametrize("lose", LOSSES, ids=NAMES)
def test_fork__that_goes_while_it_is_judged_still_gets_its_verdict(fork: Change, github: GitHub, lose: Loss) -> None:
    head = fork.head

    def judge(request: CheckRequest) -> CheckResult:
        lose(github)
        return real_check(request)

    code, log, _ = fork.workflow_run(judge, INPUT_COMMAND="check-fork")
    assert code == 0, log.shown
    assert [(one["sha"], one["state"]) for one in github.statuses] == [(head, "success")]


@pytest.mark.parametrize("lose", LOSSES, ids=NAMES)
def test_own_run__is_mirrored_on_its_commit(own: Change, github: GitHub, lose: Loss) -> None:
    head = own.head
    lose(github)
    assert own.workflow_run(origin={"conclusion": "failure", "head_sha": head})[0] == 0
    assert [(one["sha"], one["state"]) for one in github.statuses] == [(head, "failure")]


@pytest.mark.parametrize("lose", LOSSES, ids=NAMES)
def test_own_run__leaves_its_evidence_all_the_same(
    own: Change, github: GitHub, lose: Loss, session: requests.Session
) -> None:
    lose(github)
    code, log, _ = own.workflow_run(INPUT_COMMAND="keep-evidence")
    assert code == 0, log.shown
    branch = evidence_branch(Repository(api=Api(session=session, url=github.url, token="t0ken"), name=github.slug))
    (entry,) = load_chain(branch, branch.head() or "")
    assert (entry.run, entry.head) == (RUN_ID, own.head)


@pytest.mark.parametrize("lose", LOSSES, ids=NAMES)
def test_release__of_a_pull_request_that_is_gone_is_refused(github: GitHub, tmp_path: Path, lose: Loss) -> None:
    github.commit(dict.fromkeys(("baselines/inbox/mail.json", "baselines/inbox/answers/mail.json")))
    held = Change(github, tmp_path)
    held.push(BETTER)
    code, log, job = held.pull_request()
    assert (code, job.outputs["outcome"]) == (10, "HOLD"), log.shown
    held.finish(job)
    prefix = job.outputs["decision-digest"].removeprefix("sha256:")[:8]
    lose(github)
    code, log, _ = held.comment("robin", f"/gate approve {prefix} wording only")
    assert (code, log.named("error")) == (10, ["not released: the pull request is closed"])
    assert len(github.runs) == 1


def test_release__of_a_deleted_fork_is_refused(fork: Change, github: GitHub) -> None:
    _, _, job = fork.workflow_run()
    prefix = job.outputs["decision-digest"].removeprefix("sha256:")[:8]
    main = github.bare.tip("refs/heads/main") or ""
    github.add_run(main, id=60, event="workflow_run")
    github.delete_fork(7)
    code, log, _ = fork.comment("robin", f"/gate approve {prefix} wording only")
    told = "not released: a fork's result is not released: let a maintainer approve a run of this commit"
    assert (code, log.named("error")) == (10, [told])


def test_release__that_was_given_before_the_branch_went_does_not_outlive_it(github: GitHub, tmp_path: Path) -> None:
    github.commit(dict.fromkeys(("baselines/inbox/mail.json", "baselines/inbox/answers/mail.json")))
    held = Change(github, tmp_path)
    held.push(BETTER)
    _, _, job = held.pull_request()
    held.finish(job)
    prefix = job.outputs["decision-digest"].removeprefix("sha256:")[:8]
    assert held.comment("robin", f"/gate approve {prefix} wording only")[0] == 0
    github.delete_branch(7)
    second = held.job("refs/pull/7/merge")
    event = {
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "head": {"sha": held.head, "ref": "topic", "repo": {"full_name": github.slug}},
            "base": {"sha": github.bare.tip("refs/heads/main"), "ref": "main", "repo": {"full_name": github.slug}},
            "user": {"login": "dana"},
        },
    }
    code, log, again = held.act(second, "pull_request", event, run=real_check, GITHUB_RUN_ATTEMPT="2")
    assert (code, again.outputs["outcome"]) == (10, "HOLD"), log.shown
