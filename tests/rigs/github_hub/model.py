"""The words of the stand-in: tokens, faults, barriers, protection, limits, and what a request and an answer are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

BODY_LIMIT = 65_536
LEVELS = ("none", "read", "write", "admin")
ACTIONS_BOT = "github-actions[bot]"
HOUR_S, MINUTE_S = 3600.0, 60.0


@dataclass(frozen=True, kw_only=True)
class Token:
    """Who a token is and what it may do.

    `permissions` maps kinds such as `contents` to read, write or admin, and a kind it leaves out is none; without it
    all are write, or read where `may_write` is false. `knows_itself` is false for a workflow's own token.
    """

    login: str = ACTIONS_BOT
    may_write: bool = True
    knows_itself: bool = False
    permissions: Mapping[str, str] | None = None
    expired: bool = False

    @property
    def is_bot(self) -> bool:
        """Whether an app holds it."""
        return self.login.endswith("[bot]")

    def allows(self, need: str) -> bool:
        """Whether it has a permission, such as `contents:write`."""
        kind, _, level = need.partition(":")
        if kind == "administration" and self.login == ACTIONS_BOT:
            return False
        general = "write" if self.may_write else "read"
        own = general if self.permissions is None else self.permissions.get(kind, "none")
        own = max(own, "read", key=LEVELS.index) if kind == "metadata" else own
        return LEVELS.index(own) >= LEVELS.index(level)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fault:
    """What goes wrong on the `nth` request that matches, and on `times` in a row (None: from then on).

    `method` "*" is any. `status` 0 closes the connection without a word; `after` carries the request out first; `cut`
    sends that many bytes of the body and closes; `then` runs before the answer, and without a status (and without a
    cut) the request goes on normally.
    """

    method: str
    path: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b'{"message": "scripted fault"}'
    after: bool = False
    then: Callable[[], object] | None = None
    nth: int = 1
    times: int | None = 1
    cut: int | None = None


def secondary_limit(method: str, path: str, *, retry_after: int = 60, nth: int = 1) -> Fault:
    """GitHub's secondary rate limit, once."""
    body = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'
    headers = (("Retry-After", str(retry_after)),)
    return Fault(method=method, path=path, status=403, headers=headers, body=body, nth=nth)


def lost_after_commit(method: str, path: str, *, nth: int = 1) -> Fault:
    """The request is carried out, and its answer never arrives."""
    return Fault(method=method, path=path, status=0, after=True, nth=nth)


def down() -> Fault:
    """GitHub is down from now on."""
    return Fault(method="*", path=".*", status=503, body=b"<html>Unicorn!</html>", times=None)


class Point(StrEnum):
    """Where a request can be held up so that something else happens first."""

    REF_UPDATE = "before ref update"
    COMMENT_CREATE = "before comment create"


@dataclass(frozen=True, kw_only=True, eq=False)
class Barrier:
    """Run `then` when the next request reaches a point; it may write to the stand-in, also through its API."""

    point: Point
    then: Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Protection:
    """The rules of one branch; `bypass` are logins that they do not bind. A ruleset where not `classic`.

    `any_source` takes required checks from any app.
    """

    branch: str = "main"
    classic: bool = True
    reviews: int = 1
    code_owners: bool = True
    checks: tuple[str, ...] = ()
    bypass: tuple[str, ...] = ()
    any_source: bool = False

    @property
    def line(self) -> str:
        """What the hook reads."""
        return f"refs/heads/{self.branch} {'GH006' if self.classic else 'GH013'} {','.join(self.bypass)}\n"


@dataclass(kw_only=True)
class Limits:
    """How much one token may ask; `clock` in seconds."""

    requests_per_hour: int = 1_000
    points_per_minute: int = 900
    creations_per_minute: int = 80
    clock: Callable[[], float] = time.monotonic
    spent: dict[str, list[tuple[float, int, bool]]] = field(default_factory=dict)

    def spend(self, token: str, method: str) -> tuple[int, bool]:
        """Note a request; returns what is left of the hour (-1: nothing was), and whether a secondary limit holds."""
        now, creates = self.clock(), method in ("POST", "PATCH", "PUT")
        recent = [row for row in self.spent.get(token, ()) if row[0] > now - HOUR_S]
        minute = [row for row in recent if row[0] > now - MINUTE_S]
        points = 1 if method == "GET" else 5
        over = sum(row[1] for row in minute) + points > self.points_per_minute
        over |= creates and sum(row[2] for row in minute) >= self.creations_per_minute
        left = self.requests_per_hour - len(recent) - 1
        if left >= 0 and not over:
            recent.append((now, points, creates))
        self.spent[token] = recent
        return left, over


@dataclass(kw_only=True)
class Seen:
    """One request in the journal; `status` is what was answered, 0 for nothing."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    authorization: str
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    status: int = 0


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that is allowed and understood."""

    seen: Seen
    parameters: Mapping[str, str]
    token: Token

    @property
    def body(self) -> Any:
        """The JSON body; an empty object without one."""
        return {} if self.seen.body is None else self.seen.body

    def number(self, name: str) -> int:
        """A path parameter that is a number."""
        return int(self.parameters[name])

    def asked(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.seen.query.get(name, [default])[-1]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back: JSON, or bytes as they are."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 it is GitHub's answer, no error of the stand-in
    """The answer is one of GitHub's errors."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        headers = more.pop("headers", {})
        body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status), **more}
        self.answer = Answer(status=status, body=body, headers=headers)


def not_found() -> Refused:
    """The answer to everything that is not there, or not to be seen."""
    return Refused(404, "Not Found")


def invalid(message: str, *, resource: str, field: str = "data", code: str = "custom") -> Refused:
    """A 422 with one error in its list."""
    said = {"resource": resource, "field": field, "code": code, "message": message}
    return Refused(422, f"Validation Failed: {message}", errors=[said])
