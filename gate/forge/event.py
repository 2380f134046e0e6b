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
EVENTS_HINT = "run lockgate on pull_request, merge_group, push to the default branch, schedule or workflow_dispatch"
COMMAND_WORD = "/gate"
BASELINES = "baselines/"
MARK = "Gate-Baseline: true"


class Command(StrEnum):
    """What the action does: decide on a change, on shards of it, or on the default branch; top up, keep, or nothing."""

    CHECK = "check"
    MERGE = "merge"
    VERIFY = "verify"
    PROMOTE = "promote"
    REFRESH = "refresh"
    AA = "aa"
    RELEASE = "release"
    VERIFY_FORK = "verify-fork"
    CHECK_FORK = "check-fork"
    KEEP_EVIDENCE = "keep-evidence"
    IGNORE = "ignore"


TRUSTED = (Command.RELEASE, Command.VERIFY_FORK, Command.CHECK_FORK, Command.KEEP_EVIDENCE)
# These events hand a repository's secrets to the job, so they do these and nothing else; the first one by themselves.
PRIVILEGED = {"pull_request_target": (), "issue_comment": TRUSTED[:1], "workflow_run": TRUSTED[1:]}


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """The run that a `workflow_run` event tells of: `event` started it, for `branch` of `repository` (owner/name).

    `default_branch` is that of the repository which is asked, and not of a fork.
    """

    id: int
    attempt: int
    event: str
    conclusion: str
    repository: str
    branch: str
    is_fork: bool
    default_branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What one event asks for.

    `base` is the git ref that policy and baseline come from (None: the working tree). `head` is the commit under
    decision as the event names it, "" where it names none. `number` is the pull request's, where a comment may go.
    `merge_checkout` says that HEAD must be GitHub's merge of `head` for `base` to mean anything. `comment` is the id of
    the comment that asks for it, `origin` the finished run that it is about. `branch` is the default branch where the
    event is on it, and empty elsewhere.
    """

    command: Command
    number: int | None = None
    head: str = ""
    base: str | None = None
    author: str = ""
    is_fork: bool = False
    merge_checkout: bool = False
    reason: str = ""
    comment: int | None = None
    origin: FinishedRun | None = None
    branch: str = ""

    @property
    def every(self) -> bool:
        """Whether unchanged targets run too."""
        return self.command in (Command.VERIFY, Command.REFRESH)


def read_event(name: str, payload: Mapping[str, Json], command: Command | None = None) -> Activity:
    """Say what an event asks for; `command` (the action's input) overrides what it is mapped to.

    Raises NothingToDoError for an event that lockgate does not act on, ConfigurationError for a malformed payload.
    """
    if name in PRIVILEGED:
        command = _privileged(name, command)
    elif command in TRUSTED:
        raise NothingToDoError(f"the command {command} has nothing to do on {name[:50]!r}", hint=EVENTS_HINT)
    reader = _READERS.get(name)
    if reader is None and command is None:
        raise NothingToDoError(f"lockgate has nothing to do on the event {name[:50]!r}", hint=EVENTS_HINT)
    activity = _by_hand(payload) if reader is None else reader(payload)
    ignored = name in PRIVILEGED and activity.command is Command.IGNORE
    return activity if command is None or ignored else replace(activity, command=command)


def _privileged(name: str, command: Command | None) -> Command:
    """The command of an event that has the repository's secrets; raises NothingToDoError for any other one."""
    allowed = PRIVILEGED[name]
    if not allowed or command not in (None, *allowed):
        does = f"does only {' and '.join(allowed)}" if allowed else "does not run"
        message = f"lockgate {does} on {name}: it would hand this repository's secrets to code of a pull request"
        raise NothingToDoError(message, hint=EVENTS_HINT)
    return command or allowed[0]


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
    if _only_own_baselines(payload):
        return Activity(command=Command.IGNORE, reason="the push brings only baselines that lockgate wrote")
    before = payload.get("before")
    new = isinstance(before, str) and NEW_BRANCH.fullmatch(before) is not None
    return Activity(
        command=Command.PROMOTE,
        branch=_default_branch(payload),
        head=_commit(payload, "after"),
        base=None if new else _commit(payload, "before"),
        author=_login(payload.get("sender")),
    )


def _schedule(payload: Mapping[str, Json]) -> Activity:
    # It always runs on the default branch.
    branch = _default_branch(payload) if "repository" in payload else ""
    return replace(_by_hand(payload), command=Command.REFRESH, base=None, branch=branch)


def _dispatch(payload: Mapping[str, Json]) -> Activity:
    activity = replace(_by_hand(payload), command=Command.REFRESH)
    if _on_default_branch(payload):
        return replace(activity, branch=_default_branch(payload))
    # By hand on another branch: that branch's own policy would decide about itself.
    return replace(activity, base=f"origin/{_default_branch(payload)}")


def _issue_comment(payload: Mapping[str, Json]) -> Activity:
    issue, comment = _mapping(payload, "issue"), _mapping(payload, "comment")
    number, identifier, body = issue.get("number"), comment.get("id"), comment.get("body")
    if not isinstance(number, int) or not isinstance(identifier, int):
        raise _malformed("comment.id")
    if "pull_request" not in issue:
        return Activity(command=Command.IGNORE, reason="the comment is not on a pull request")
    if payload.get("action") != "created":
        return Activity(command=Command.IGNORE, reason="only a new comment is a command, not one that was edited")
    if not isinstance(body, str) or body.split(maxsplit=1)[:1] != [COMMAND_WORD]:
        return Activity(
            command=Command.IGNORE, reason=f"the comment is no command: it does not begin with {COMMAND_WORD}"
        )
    return Activity(command=Command.RELEASE, number=number, comment=identifier, author=_login(comment.get("user")))


def _workflow_run(payload: Mapping[str, Json]) -> Activity:
    run = _mapping(payload, "workflow_run")
    if payload.get("action") != "completed":
        return Activity(command=Command.IGNORE, reason="the run has not ended yet")
    origin = _finished(run, payload)
    if origin.event not in ("pull_request", "merge_group"):
        return Activity(command=Command.IGNORE, reason="the run was not about a change that waits for a decision")
    return Activity(
        command=Command.VERIFY_FORK,
        head=_commit(run, "head_sha"),
        base="HEAD",
        is_fork=origin.is_fork,
        origin=origin,
    )


def _finished(run: Mapping[str, Json], payload: Mapping[str, Json]) -> FinishedRun:
    identifier, attempt = run.get("id"), run.get("run_attempt")
    event, branch = run.get("event"), run.get("head_branch")
    where = _mapping(run, "head_repository").get("full_name")
    if not isinstance(identifier, int) or not isinstance(attempt, int):
        raise _malformed("workflow_run.id")
    if not isinstance(event, str) or not isinstance(branch, str) or not isinstance(where, str):
        raise _malformed("workflow_run.head_repository")
    conclusion = run.get("conclusion")
    return FinishedRun(
        id=identifier,
        attempt=attempt,
        event=event,
        conclusion=conclusion if isinstance(conclusion, str) else "",
        repository=where,
        branch=branch,
        is_fork=where != _mapping(payload, "repository").get("full_name"),
        default_branch=_default_branch(payload),
    )


def _by_hand(payload: Mapping[str, Json]) -> Activity:
    return Activity(command=Command.CHECK, author=_login(payload.get("sender")))


_READERS = {
    "pull_request": _pull_request,
    "merge_group": _merge_group,
    "push": _push,
    "schedule": _schedule,
    "workflow_dispatch": _dispatch,
    "issue_comment": _issue_comment,
    "workflow_run": _workflow_run,
}


def _only_own_baselines(payload: Mapping[str, Json]) -> bool:
    """Whether all commits of a push say that the gate wrote them and touch nothing but baselines."""
    commits = payload.get("commits")
    return isinstance(commits, list) and bool(commits) and all(_is_own_baseline(commit) for commit in commits)


def _is_own_baseline(commit: Json) -> bool:
    if not isinstance(commit, dict) or not isinstance(message := commit.get("message"), str):
        return False
    lists = [paths for kind in ("added", "modified", "removed") if isinstance(paths := commit.get(kind), list)]
    paths = [path for some in lists for path in some]
    below = all(isinstance(path, str) and path.startswith(BASELINES) for path in paths)
    return MARK in message.splitlines() and bool(paths) and below


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
