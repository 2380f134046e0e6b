"""A branch that baselines are committed to: where it stands, what happened on it, and how a commit comes onto it.

A commit is made for one head and lands only while the branch still stands there (compare and swap); nothing is forced.
Commits of the gate say so in their last lines, and which commit they were measured on.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from urllib.parse import quote

from gate.core.model import Json
from gate.errors import PublishError
from gate.forge.api import Api, Reply
from gate.forge.event import MARK

MEASURED = "Gate-Measured"
MEASURED_LINE = re.compile(rf"^{MEASURED}: ([0-9a-f]{{40,64}})$", re.MULTILINE)
MISSING = 404
PAGE = 100
MOST_PAGES = 10
MOST_ATTEMPTS = 25
LONGEST_PAUSE_S = 5.0
WRITE_HINT = "give the job this in its workflow file:\npermissions:\n  contents: write\n  pull-requests: write"
RULES_HINT = (
    "the rules of the branch ask for a pull request; to commit directly, let an app of yours bypass them and pass its"
    " token as `github-token`, or write in gate.yaml:\nbaseline: {update: pull-request}"
)
GUARDED = re.compile(
    r"GH006|GH013|protected branch|protected ref|rule violations|through a pull request", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Files to write in one commit, and its message; no file is ever removed."""

    files: Mapping[str, str]
    title: str
    body: str

    @property
    def message(self) -> str:
        """The whole message."""
        return f"{self.title}\n\n{self.body}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """The branch now stands at `commit`."""

    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Somebody else was quicker, or the answer was lost: whoever wants to know must look again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """The branch's rules or the token's permissions forbid it; `hint` says what to change."""

    reason: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A way of writing that is not offered here."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """There is nothing to write: what stands there is as new, or newer; `reasons` in words."""

    reasons: tuple[str, ...]


Attempt: TypeAlias = Landed | Moved | Barred | Unavailable
Propose: TypeAlias = Callable[[str], Change | Kept]


class Writer(Protocol):
    """One way to put a commit onto a branch."""

    def commit(self, branch: "Branch", head: str, change: Change) -> Attempt:
        """Put a change onto the branch if it still stands at `head`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file of a commit: the id of its blob, and its bytes."""

    blob: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A commit of the gate: what it was measured on ("" where it does not say), and the files that it wrote."""

    measured: str
    paths: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened on a branch since a commit: all commits, and those of the gate, oldest first."""

    commits: frozenset[str]
    baselines: tuple[Past, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch of a repository (`owner/name`) as the API shows it; every method may raise PublishError.

    `space` is the folder of refs that it lies in; only git can write to another one than that of branches.
    """

    api: Api
    repository: str
    name: str
    space: str = "heads"

    @property
    def path(self) -> str:
        """The repository in the API."""
        return f"/repos/{self.repository}"

    @property
    def ref(self) -> str:
        """Its full name."""
        return f"refs/{self.space}/{self.name}"

    def head(self) -> str | None:
        """The commit that the branch stands at; None where there is no such branch."""
        reply = self.api.get(f"{self.path}/git/ref/{self.space}/{quote(self.name)}")
        if reply.status == MISSING:
            return None
        return _text(_mapping(reply.expect(f"the branch {self.name} could not be read").body, "object"), "sha")

    def create(self, commit: str) -> Barred | None:
        """Start the branch at a commit; what forbids it, or None. It is no error if somebody was quicker."""
        reply = self.api.post(f"{self.path}/git/refs", {"ref": self.ref, "sha": commit})
        if reply.ok or self.head() is not None:
            return None
        if refusal := barred(reply):
            return refusal
        reply.expect(f"the branch {self.name} could not be started")
        return None

    def read(self, commit: str, path: str) -> Stored | None:
        """A file of a commit; None where there is none."""
        reply = self.api.get(f"{self.path}/contents/{quote(path)}", {"ref": commit})
        if reply.status == MISSING:
            return None
        body = reply.expect(f"{path} could not be read").body
        blob = _text(body, "sha")
        # Files over 1 MB come without their content.
        if _text(body, "encoding") != "base64":
            body = self.api.get(f"{self.path}/git/blobs/{blob}").expect(f"{path} could not be read").body
        return Stored(blob=blob, content=_decoded(_text(body, "content")))

    def since(self, measured: str, head: str) -> History | None:
        """What happened between a commit and a later head; None where the commit is not in the head's history."""
        found: list[Json] = []
        for page in range(1, MOST_PAGES + 1):
            reply = self.api.get(f"{self.path}/compare/{measured}...{head}", {"per_page": PAGE, "page": page})
            if reply.status == MISSING:
                return None
            body = reply.expect("the branch's history could not be read").body
            if _text(body, "status") not in ("ahead", "identical"):
                return None
            found += _list(body, "commits")
            if reply.last_page:
                return self._history(found)
        raise PublishError(f"the branch {self.name} is over {PAGE * MOST_PAGES} commits ahead", hint="run it again")

    def _history(self, commits: Sequence[Json]) -> History:
        told = [(_text(commit, "sha"), _text(_mapping(commit, "commit"), "message")) for commit in commits]
        own = tuple(self._past(sha, message) for sha, message in told if is_marked(message))
        return History(commits=frozenset(sha for sha, _ in told), baselines=own)

    def _past(self, sha: str, message: str) -> Past:
        body = self.api.get(f"{self.path}/commits/{sha}").expect(f"the commit {sha} could not be read").body
        return Past(measured=measured_on(message), paths=frozenset(_text(f, "filename") for f in _list(body, "files")))


def is_marked(message: str) -> bool:
    """Whether a commit's message says that the gate wrote it."""
    return MARK in message.splitlines()


def measured_on(text: str) -> str:
    """The commit that a message or a pull request's text says it was measured on; "" where it says none."""
    found = MEASURED_LINE.search(text.replace("\r", ""))
    return found.group(1) if found else ""


def trailers(measured: str) -> str:
    """The last lines of a message of the gate."""
    return f"{MARK}\n{MEASURED}: {measured}"


def land(
    branch: Branch, writers: Sequence[Writer], propose: Propose, *, may_begin: bool = False
) -> Landed | Kept | Barred:
    """Bring a change onto a branch, looking again for as long as others are quicker, 25 times at most.

    `propose` is asked for the change at each head that the branch is found at. Writers are tried in order, the next one
    where one is not offered here. A branch that is not there has the head "" where the change `may_begin` it, without
    any history. Raises PublishError for what the API does.
    """
    moved = Moved(reason="")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        head = branch.head() or ("" if may_begin else None)
        if head is None:
            raise PublishError(f"there is no branch {branch.name}", hint="check out and name a branch that is there")
        change = propose(head)
        if isinstance(change, Kept):
            return change
        made = _first_offered(branch, writers, made_for=(head, change))
        if not isinstance(made, Moved):
            return made
        moved = made
        branch.api.sleep(pause(head + change.message, attempt))
    raise PublishError(f"{branch.name} moved {MOST_ATTEMPTS} times: {moved.reason}", hint="run the job again")


def _first_offered(
    branch: Branch, writers: Sequence[Writer], *, made_for: tuple[str, Change]
) -> Landed | Moved | Barred:
    reasons = []
    for writer in writers:
        made = writer.commit(branch, *made_for)
        if not isinstance(made, Unavailable):
            return made
        reasons.append(made.reason)
    raise PublishError(f"no way to write to {branch.name}: {'; '.join(reasons)}")


def pause(text: str, attempt: int) -> float:
    """Seconds to wait before the next attempt: longer each time, and not the same for all who wait."""
    share = (binascii.crc32(f"{text}{attempt}".encode()) % 1000) / 1000
    return min(LONGEST_PAUSE_S, 0.5 * attempt) * (0.1 + share)


def barred(reply: Reply) -> Barred | None:
    """What a refusal says that may be changed; None for anything else."""
    if GUARDED.search(reply.detail):
        return Barred(reason=reply.detail, hint=RULES_HINT)
    denied = reply.status in (401, 403) and reply.wait_s is None
    return Barred(reason=f"HTTP {reply.status}, {reply.detail}", hint=WRITE_HINT) if denied else None


def _mapping(value: Json, key: str) -> Json:
    return value.get(key) if isinstance(value, dict) else None


def _list(value: Json, key: str) -> list[Json]:
    found = _mapping(value, key)
    return found if isinstance(found, list) else []


def _text(value: Json, key: str) -> str:
    found = _mapping(value, key)
    if not isinstance(found, str):
        raise PublishError(f"the API's answer has no usable {key!r}")
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise PublishError("the API's answer is not valid base64") from error
