"""Events are read from their payloads alone."""

import copy
from typing import Any

import pytest

from gate.errors import ConfigurationError, ExitCode, NothingToDoError
from gate.forge.event import Activity, Command, read_event

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


def test_read_event__push_to_the_default_branch_is_verified_against_what_was_there() -> None:
    activity = read_event("push", PUSH)
    assert activity == Activity(command=Command.VERIFY, head=HEAD, base=BASE, author="dana")
    assert activity.every


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
def test_read_event__privileged_events_are_refused_even_by_command(name: str) -> None:
    with pytest.raises(NothingToDoError, match="secrets"):
        read_event(name, PULL, Command.CHECK)


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
