"""What the API says of pull requests, people, comments and runs: read afresh, and never from an event alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from gate.core.model import Json
from gate.errors import PublishError
from gate.forge.api import Api
from gate.forge.event import COMMIT, LOGIN

WRITERS = ("admin", "write")
PAGE = 100
RERUN_HINT = "give the job that releases this in its workflow file:\npermissions:\n  actions: write"
RUN_HINT = "give the job this in its workflow file:\npermissions:\n  actions: read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository behind the API; `name` is `owner/name`."""

    api: Api
    name: str

    def get(self, path: str, doing: str, params: Mapping[str, int | str] | None = None) -> Json:
        """Read below the repository; raises PublishError with what was attempted."""
        return self.api.get(f"/repos/{self.name}{path}", params).expect(doing).body


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request as it is now; `head` is a commit, `base` a branch, `author` a login."""

    number: int
    is_open: bool
    head: str
    head_repository: str
    base: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A comment as it is now; `at` is when it was written. An edited one says what somebody wanted to say later."""

    number: int
    author: str
    body: str
    at: str
    is_edited: bool
    is_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    """A run of a workflow in its latest attempt."""

    id: int
    head: str
    event: str


def fetch_pull(repository: Repository, number: int) -> Pull:
    """Read a pull request; raises PublishError."""
    doing = f"pull request {number} could not be read"
    return _pull(repository.get(f"/pulls/{number}", doing), doing)


def find_pull(repository: Repository, *, head: str, head_repository: str, branch: str) -> Pull:
    """The one open pull request with this very head; raises PublishError where there is none, or more than one."""
    doing = "the pull request could not be looked up"
    owner = head_repository.partition("/")[0]
    asked: dict[str, int | str] = {"state": "open", "head": f"{owner}:{branch}", "per_page": PAGE}
    listed = repository.get("/pulls", doing, asked)
    found = [_pull(entry, doing) for entry in listed] if isinstance(listed, list) else []
    same = [pull for pull in found if pull.is_open and (pull.head, pull.head_repository) == (head, head_repository)]
    if len(same) != 1:
        message = f"{len(same) or 'no'} open pull requests have the head {head[:12]} of {head_repository}"
        raise PublishError(message, hint="nothing is published; after a push the next run speaks for the new head")
    return same[0]


def fetch_said(repository: Repository, identifier: int) -> Said:
    """Read one comment of a pull request's thread; raises PublishError, also where it is gone."""
    doing = f"comment {identifier} could not be read"
    value = _mapping(repository.get(f"/issues/comments/{identifier}", doing), doing)
    user = _mapping(value.get("user"), doing)
    created = _text(value, "created_at", doing)
    number = _text(value, "issue_url", doing).rpartition("/")[2]
    return Said(
        number=int(number) if number.isdecimal() else 0,
        author=_text(user, "login", doing),
        body=_text(value, "body", doing),
        at=created,
        is_edited=_text(value, "updated_at", doing) != created,
        is_person=user.get("type") == "User",
    )


def may_write(repository: Repository, login: str) -> bool:
    """Whether somebody may write to the repository, now; raises PublishError where that cannot be read."""
    doing = f"the permission of {login!r} could not be read"
    value = _mapping(repository.get(f"/collaborators/{quote(login, safe='')}/permission", doing), doing)
    return value.get("permission") in WRITERS


def fetch_commit_people(repository: Repository, sha: str) -> frozenset[str]:
    """Logins of a commit's author and committer, in small letters, as far as GitHub knows them; raises PublishError."""
    doing = f"commit {sha[:12]} could not be read"
    value = _mapping(repository.get(f"/commits/{sha}", doing), doing)
    people = (value.get("author"), value.get("committer"))
    logins = (person.get("login") for person in people if isinstance(person, dict))
    return frozenset(login.casefold() for login in logins if isinstance(login, str))


def fetch_run(repository: Repository, identifier: int) -> WorkflowRun:
    """Read a workflow run; raises PublishError that names the permission for it."""
    doing = f"run {identifier} could not be read"
    value = _mapping(_allowed(repository, f"/actions/runs/{identifier}", doing), doing)
    return WorkflowRun(
        id=_number(value, "id", doing),
        head=_text(value, "head_sha", doing),
        event=_text(value, "event", doing),
    )


def rerun_failed(repository: Repository, identifier: int) -> None:
    """Start the failed jobs of a run again; raises PublishError that names the permission for it."""
    reply = repository.api.post(f"/repos/{repository.name}/actions/runs/{identifier}/rerun-failed-jobs", {})
    if reply.status in (401, 403) and "retried" not in reply.detail:
        raise PublishError(f"run {identifier} could not be started again: {reply.detail}", hint=RERUN_HINT)
    reply.expect(f"run {identifier} could not be started again")


def _allowed(repository: Repository, path: str, doing: str) -> Json:
    reply = repository.api.get(f"/repos/{repository.name}{path}")
    if reply.status in (401, 403, 404):
        raise PublishError(f"{doing}: HTTP {reply.status}, {reply.detail}", hint=RUN_HINT)
    return reply.expect(doing).body


def _pull(body: Json, doing: str) -> Pull:
    value = _mapping(body, doing)
    head, base = _mapping(value.get("head"), doing), _mapping(value.get("base"), doing)
    where, author = head.get("repo"), _text(_mapping(value.get("user"), doing), "login", doing)
    sha = _text(head, "sha", doing)
    if COMMIT.fullmatch(sha) is None or LOGIN.fullmatch(author) is None:
        raise PublishError(f"{doing}: the API's answer is not a pull request")
    return Pull(
        number=_number(value, "number", doing),
        is_open=value.get("state") == "open",
        head=sha,
        head_repository=_text(where, "full_name", doing) if isinstance(where, dict) else "",
        base=_text(base, "ref", doing),
        author=author,
    )


def _mapping(value: Json, doing: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise PublishError(f"{doing}: the API's answer is not what it should be")
    return value


def _text(value: Mapping[str, Json], key: str, doing: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise PublishError(f"{doing}: the API's answer has no {key}")
    return found


def _number(value: Mapping[str, Json], key: str, doing: str) -> int:
    found = value.get(key)
    if not isinstance(found, int):
        raise PublishError(f"{doing}: the API's answer has no {key}")
    return found
