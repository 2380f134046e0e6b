"""What an event asks for: a pure reading of its name and payload."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gate.core.model import Json
from gate.errors import ConfigurationError, NothingToDoError

NEW_BRANCH = re.compile(r"0{40,64}")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62})(?:\[bot\])?")
MERGE_PARENT = "HEAD^1"
PRIVILEGED = ("pull_request_target", "workflow_run", "issue_comment")
EVENTS_HINT = "run lockgate on pull_request, merge_group, push to the default branch, schedule or workflow_dispatch"


class Command(StrEnum):
    """What the action does: decide on a change, decide on the default branch, top up, or nothing."""

    CHECK = "check"
    VERIFY = "verify"
    REFRESH = "refresh"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What one event asks for.

    `base` is the git ref that policy and baseline come from (None: the working tree). `head` is the commit under
    decision as the event names it, "" where it names none. `number` is the pull request's, where a comment may go.
    `merge_checkout` says that HEAD must be GitHub's merge of `head` for `base` to mean anything.
    """

    command: Command
    number: int | None = None
    head: str = ""
    base: str | None = None
    author: str = ""
    is_fork: bool = False
    merge_checkout: bool = False
    reason: str = ""

    @property
    def every(self) -> bool:
        """Whether unchanged targets run too."""
        return self.command in (Command.VERIFY, Command.REFRESH)


def read_event(name: str, payload: Mapping[str, Json], command: Command | None = None) -> Activity:
    """Say what an event asks for; `command` (the action's input) overrides what it is mapped to.

    Raises NothingToDoError for an event that lockgate does not act on, ConfigurationError for a malformed payload.
    """
    if name in PRIVILEGED:
        message = f"lockgate does not run on {name}: it would hand this repository's secrets to code of a pull request"
        raise NothingToDoError(message, hint=EVENTS_HINT)
    reader = _READERS.get(name)
    if reader is None and command is None:
        raise NothingToDoError(f"lockgate has nothing to do on the event {name[:50]!r}", hint=EVENTS_HINT)
    activity = _by_hand(payload) if reader is None else reader(payload)
    return activity if command is None else replace(activity, command=command)


def _pull_request(payload: Mapping[str, Json]) -> Activity:
    pull, number = _mapping(payload, "pull_request"), payload.get("number")
    if not isinstance(number, int) or number < 1:
        raise _malformed("number")
    head, base = _mapping(pull, "head"), _mapping(pull, "base")
    # Any action but `closed` decides: a label must not turn an undecided commit green.
    closed = payload.get("action") == "closed"
    return Activity(
        command=Command.IGNORE if closed else Command.CHECK,
        number=number,
        head=_commit(head, "sha"),
        base=MERGE_PARENT,
        author=_login(pull.get("user")),
        is_fork=_repository(head) != _repository(base),
        merge_checkout=True,
        reason="the pull request is closed" if closed else "",
    )


def _merge_group(payload: Mapping[str, Json]) -> Activity:
    group = _mapping(payload, "merge_group")
    if payload.get("action") == "destroyed":
        return Activity(command=Command.IGNORE, reason="the merge group is gone")
    return Activity(command=Command.CHECK, head=_commit(group, "head_sha"), base=_commit(group, "base_sha"))


def _push(payload: Mapping[str, Json]) -> Activity:
    if payload.get("deleted") is True:
        return Activity(command=Command.IGNORE, reason="the branch was deleted")
    if not _on_default_branch(payload):
        # Green here would stand on a pull request's head commit without any decision.
        raise NothingToDoError(
            "lockgate acts on pushes to the default branch only", hint="limit `on: push` to `branches: [main]`"
        )
    before = payload.get("before")
    new = isinstance(before, str) and NEW_BRANCH.fullmatch(before) is not None
    return Activity(
        command=Command.VERIFY,
        head=_commit(payload, "after"),
        base=None if new else _commit(payload, "before"),
        author=_login(payload.get("sender")),
    )


def _schedule(payload: Mapping[str, Json]) -> Activity:
    return replace(_by_hand(payload), command=Command.REFRESH, base=None)


def _dispatch(payload: Mapping[str, Json]) -> Activity:
    activity = replace(_by_hand(payload), command=Command.REFRESH)
    if _on_default_branch(payload):
        return activity
    # By hand on another branch: that branch's own policy would decide about itself.
    return replace(activity, base=f"origin/{_default_branch(payload)}")


def _by_hand(payload: Mapping[str, Json]) -> Activity:
    return Activity(command=Command.CHECK, author=_login(payload.get("sender")))


_READERS = {
    "pull_request": _pull_request,
    "merge_group": _merge_group,
    "push": _push,
    "schedule": _schedule,
    "workflow_dispatch": _dispatch,
}


def _on_default_branch(payload: Mapping[str, Json]) -> bool:
    return payload.get("ref") == f"refs/heads/{_default_branch(payload)}"


def _default_branch(payload: Mapping[str, Json]) -> str:
    branch = _mapping(payload, "repository").get("default_branch")
    if not isinstance(branch, str) or not branch:
        raise _malformed("repository.default_branch")
    return branch


def _repository(side: Mapping[str, Json]) -> Json:
    """Name of one side's repository; a deleted fork has none and differs from every base."""
    repository = side.get("repo")
    return repository.get("full_name") if isinstance(repository, dict) else None


def _mapping(parent: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise _malformed(key)
    return value


def _commit(parent: Mapping[str, Json], key: str) -> str:
    value = parent.get(key)
    if not isinstance(value, str) or COMMIT.fullmatch(value) is None:
        raise _malformed(key)
    return value


def _login(user: Json) -> str:
    login = user.get("login") if isinstance(user, dict) else None
    return login if isinstance(login, str) and LOGIN.fullmatch(login) else ""


def _malformed(key: str) -> ConfigurationError:
    return ConfigurationError(
        f"the event's payload has no usable {key!r}", hint="lockgate reads GITHUB_EVENT_PATH as GitHub wrote it"
    )
