"""Events are read from their payloads alone."""

import copy
from typing import Any

import pytest

from gate.errors import ConfigurationError, ExitCode, NothingToDoError
from gate.forge.event import TRUSTED, Activity, Command, FinishedRun, read_event

HEAD, BASE, OLD = "a" * 40, "b" * 40, "c" * 40
PULL: dict[str, Any] = {
    "action": "synchronize",
    "number": 7,
    "pull_request": {
        "head": {"sha": HEAD, "repo": {"full_name": "acme/app"}},
        "base": {"sha": OLD, "repo": {"full_name": "acme/app"}},
        "user": {"login": "dana"},
    },
}
PUSH: dict[str, Any] = {
    "ref": "refs/heads/main",
    "before": BASE,
    "after": HEAD,
    "repository": {"default_branch": "main"},
    "sender": {"login": "dana"},
}


def pull(**changes: Any) -> dict[str, Any]:
    payload = copy.deepcopy(PULL)
    payload.update(changes)
    return payload


@pytest.mark.parametrize(
    "action", ["opened", "synchronize", "reopened", "ready_for_review", "labeled", "edited", "converted_to_draft"]
)
def test_read_event__pull_request_is_checked_against_the_merge_commits_first_parent(action: str) -> None:
    assert read_event("pull_request", pull(action=action)) == Activity(
        command=Command.CHECK, number=7, head=HEAD, base="HEAD^1", author="dana", merge_checkout=True
    )


def test_read_event__closed_pull_request_is_ignored() -> None:
    activity = read_event("pull_request", pull(action="closed"))
    assert (activity.command, activity.reason) == (Command.IGNORE, "the pull request is closed")


@pytest.mark.parametrize("repository", [{"full_name": "mallory/app"}, None])
def test_read_event__fork_is_known_even_when_deleted(repository: dict[str, str] | None) -> None:
    payload = pull()
    payload["pull_request"]["head"]["repo"] = repository
    assert read_event("pull_request", payload).is_fork


def test_read_event__merge_group_has_no_thread_and_its_own_base() -> None:
    payload = {"action": "checks_requested", "merge_group": {"head_sha": HEAD, "base_sha": BASE}}
    assert read_event("merge_group", payload) == Activity(command=Command.CHECK, head=HEAD, base=BASE)


def test_read_event__destroyed_merge_group_is_ignored() -> None:
    assert read_event("merge_group", {"action": "destroyed", "merge_group": {}}).command is Command.IGNORE


def test_read_event__push_to_the_default_branch_is_promoted_against_what_was_there() -> None:
    activity = read_event("push", PUSH)
    assert activity == Activity(command=Command.PROMOTE, head=HEAD, base=BASE, author="dana", branch="main")
    assert not activity.every


OWN = {"message": "Promote\n\nGate-Baseline: true", "added": [], "modified": ["baselines/t/s.json"], "removed": []}


@pytest.mark.parametrize(
    ("commits", "command"),
    [
        ([OWN], Command.IGNORE),
        ([OWN, OWN], Command.IGNORE),
        ([OWN, OWN | {"message": "Merge pull request #3"}], Command.PROMOTE),
        ([OWN | {"message": "quoted: Gate-Baseline: true"}], Command.PROMOTE),
        ([OWN | {"added": ["gate.yaml"]}], Command.PROMOTE),
        ([OWN | {"removed": ["prompts/x.md"]}], Command.PROMOTE),
        ([OWN | {"modified": []}], Command.PROMOTE),
        ([OWN | {"modified": ["baselines.md"]}], Command.PROMOTE),
        ([OWN | {"modified": [3]}], Command.PROMOTE),
        ([OWN | {"message": None}], Command.PROMOTE),
        (["x"], Command.PROMOTE),
        ([], Command.PROMOTE),
        ("x", Command.PROMOTE),
    ],
)
def test_read_event__push_of_its_own_baselines_is_ignored(commits: object, command: Command) -> None:
    assert read_event("push", PUSH | {"commits": commits}).command is command


def test_read_event__first_push_of_a_branch_has_no_base() -> None:
    assert read_event("push", PUSH | {"before": "0" * 40}).base is None


@pytest.mark.parametrize("ref", ["refs/heads/topic", "refs/tags/main", "main", None])
def test_read_event__push_elsewhere_is_never_green(ref: str | None) -> None:
    with pytest.raises(NothingToDoError, match="default branch only") as caught:
        read_event("push", PUSH | {"ref": ref})
    assert caught.value.exit_code is ExitCode.NOTHING_TO_DO


def test_read_event__deleted_branch_is_ignored() -> None:
    assert read_event("push", PUSH | {"deleted": True, "after": "0" * 40}).command is Command.IGNORE


def test_read_event__schedule_refreshes_the_working_tree() -> None:
    activity = read_event("schedule", {"schedule": "0 4 * * 1"})
    assert (activity.command, activity.base, activity.every) == (Command.REFRESH, None, True)


@pytest.mark.parametrize(("ref", "base"), [("refs/heads/main", None), ("refs/heads/topic", "origin/main")])
def test_read_event__dispatch_elsewhere_takes_policy_from_the_default_branch(ref: str, base: str | None) -> None:
    activity = read_event("workflow_dispatch", PUSH | {"ref": ref})
    assert (activity.command, activity.base, activity.number) == (Command.REFRESH, base, None)


def test_read_event__command_overrides_the_event() -> None:
    assert read_event("schedule", {}, Command.CHECK).command is Command.CHECK
    assert read_event("pull_request", PULL, Command.REFRESH).every


def test_read_event__command_makes_an_unknown_event_usable() -> None:
    payload = {"sender": {"login": "dana"}}
    assert read_event("repository_dispatch", payload, Command.VERIFY) == Activity(command=Command.VERIFY, author="dana")


def test_read_event__unknown_event_has_nothing_to_do() -> None:
    with pytest.raises(NothingToDoError, match="'watch'"):
        read_event("watch", {})


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run", "issue_comment"])
@pytest.mark.parametrize("command", [Command.CHECK, Command.REFRESH, Command.AA])
def test_read_event__privileged_events_are_refused_even_by_command(name: str, command: Command) -> None:
    with pytest.raises(NothingToDoError, match="secrets"):
        read_event(name, PULL, command)


def test_read_event__pull_request_target_is_always_refused() -> None:
    with pytest.raises(NothingToDoError, match="lockgate does not run on pull_request_target"):
        read_event("pull_request_target", PULL)


@pytest.mark.parametrize("name", ["pull_request", "push", "schedule", "workflow_dispatch", "repository_dispatch"])
@pytest.mark.parametrize("command", TRUSTED)
def test_read_event__trusted_commands_need_their_event(name: str, command: Command) -> None:
    with pytest.raises(NothingToDoError, match=f"the command {command} has nothing to do on '{name}'"):
        read_event(name, {**PULL, **PUSH}, command)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("issue_comment", Command.CHECK_FORK),
        ("issue_comment", Command.KEEP_EVIDENCE),
        ("workflow_run", Command.RELEASE),
    ],
)
def test_read_event__trusted_commands_do_not_swap_events(name: str, command: Command) -> None:
    with pytest.raises(NothingToDoError, match="lockgate does only"):
        read_event(name, PULL, command)


COMMENT: dict[str, Any] = {
    "action": "created",
    "issue": {"number": 7, "pull_request": {}},
    "comment": {"id": 12, "body": "/gate approve 12345678 why", "user": {"login": "robin"}},
}


def test_read_event__command_in_a_comment_is_a_release() -> None:
    assert read_event("issue_comment", COMMENT) == Activity(
        command=Command.RELEASE, number=7, comment=12, author="robin"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"action": "edited"}, "only a new comment is a command"),
        ({"action": "deleted"}, "only a new comment is a command"),
        ({"issue": {"number": 7}}, "the comment is not on a pull request"),
        ({"comment": {"id": 12, "body": "thanks"}}, "the comment is no command"),
        ({"comment": {"id": 12, "body": "/gateway"}}, "the comment is no command"),
        ({"comment": {"id": 12, "body": None}}, "the comment is no command"),
    ],
)
@pytest.mark.parametrize("command", [None, Command.RELEASE])
def test_read_event__other_comments_are_ignored(change: dict[str, Any], reason: str, command: Command | None) -> None:
    activity = read_event("issue_comment", COMMENT | change, command)
    assert activity.command is Command.IGNORE
    assert activity.reason.startswith(reason)


@pytest.mark.parametrize("change", [{"issue": {"number": "7"}}, {"comment": {"id": None}}, {"comment": None}])
def test_read_event__malformed_comment_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        read_event("issue_comment", COMMENT | change)


RUN: dict[str, Any] = {
    "action": "completed",
    "repository": {"full_name": "acme/app", "default_branch": "main"},
    "workflow_run": {
        "id": 50,
        "run_attempt": 2,
        "event": "pull_request",
        "conclusion": "failure",
        "head_sha": HEAD,
        "head_branch": "topic",
        "head_repository": {"full_name": "mallory/app"},
        "pull_requests": [{"number": 1}],
    },
}


@pytest.mark.parametrize("command", [None, Command.VERIFY_FORK, Command.CHECK_FORK])
def test_read_event__finished_run_of_a_fork_names_no_pull_request(command: Command | None) -> None:
    origin = FinishedRun(
        id=50,
        attempt=2,
        event="pull_request",
        conclusion="failure",
        repository="mallory/app",
        branch="topic",
        is_fork=True,
        default_branch="main",
    )
    assert read_event("workflow_run", RUN, command) == Activity(
        command=command or Command.VERIFY_FORK, head=HEAD, base="HEAD", is_fork=True, origin=origin
    )


def test_read_event__finished_run_of_the_repository_itself() -> None:
    own = RUN | {"workflow_run": RUN["workflow_run"] | {"head_repository": {"full_name": "acme/app"}}}
    assert not read_event("workflow_run", own).is_fork


@pytest.mark.parametrize("change", [{"action": "requested"}, {"workflow_run": RUN["workflow_run"] | {"event": "push"}}])
def test_read_event__other_runs_are_ignored(change: dict[str, Any]) -> None:
    assert read_event("workflow_run", RUN | change, Command.CHECK_FORK).command is Command.IGNORE


@pytest.mark.parametrize(
    "change", [{"id": "50"}, {"run_attempt": None}, {"head_sha": "main"}, {"head_repository": None}, {"head_branch": 1}]
)
def test_read_event__malformed_run_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        read_event("workflow_run", RUN | {"workflow_run": RUN["workflow_run"] | change})


def test_read_event__draft_is_decided_like_any_other() -> None:
    payload = pull(action="opened")
    payload["pull_request"]["draft"] = True
    assert read_event("pull_request", payload).command is Command.CHECK


@pytest.mark.parametrize("sha", ["", "main", "A" * 40, "a" * 39, "a" * 40 + "\n", "--upload-pack=x", None, 7])
def test_read_event__malformed_commit_is_an_error(sha: object) -> None:
    payload = pull()
    payload["pull_request"]["head"]["sha"] = sha
    with pytest.raises(ConfigurationError, match="'sha'"):
        read_event("pull_request", payload)


@pytest.mark.parametrize("number", [0, -1, "7", None])
def test_read_event__malformed_number_is_an_error(number: object) -> None:
    with pytest.raises(ConfigurationError, match="'number'"):
        read_event("pull_request", pull(number=number))


@pytest.mark.parametrize(
    ("login", "author"), [("renovate[bot]", "renovate[bot]"), ("a b", ""), ("x\n::error::", ""), (3, "")]
)
def test_read_event__author_is_a_login_or_nothing(login: object, author: str) -> None:
    payload = pull()
    payload["pull_request"]["user"] = {"login": login}
    assert read_event("pull_request", payload).author == author
