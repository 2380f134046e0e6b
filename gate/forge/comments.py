"""The one sticky comment: found by marker and author, replaced in place, never by an older run."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from gate.core.model import Json
from gate.errors import PublishError
from gate.forge.api import Api, Reply

PREFIX = "<!-- lockgate:v1 "
KEY = re.compile(r"key=([A-Za-z0-9._-]+)")
LINE = re.compile(
    r"<!-- lockgate:v1 key=([A-Za-z0-9._-]+) run=([0-9]{1,18})\.([0-9]{1,6}) head=([0-9a-f]{40}|[0-9a-f]{64}) "
    r"decision=(sha256:[0-9a-f]{64}) -->"
)
RUN = re.compile(r"run=([0-9]{1,18})(?:\.([0-9]{1,6}))?(?: |$)")
ACTIONS_LOGIN = "github-actions[bot]"
PAGE = 100
MOST_PAGES = 100
GONE = (404, 410)
SAYS = "<!-- lockgate:says {} -->"
SAYS_DIGITS = 16
FORK_HINT = "runs for a fork get a read-only token; the report is in the job summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What the comment's hidden first line says: whose comment it is, which run wrote it, and what was decided.

    `digest` is the decision's, and empty where nothing was decided.
    """

    key: str
    run_id: int
    attempt: int
    head: str
    digest: str = ""

    @property
    def line(self) -> str:
        """The first line of the comment."""
        decision = f" decision={self.digest}" if self.digest else ""
        return f"{PREFIX}key={self.key} run={self.run_id}.{self.attempt} head={self.head}{decision} -->"

    @property
    def run(self) -> tuple[int, int]:
        """Orders runs: a later run or attempt is greater."""
        return self.run_id, self.attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The conversation of one pull request; `repository` is `owner/name`."""

    api: Api
    repository: str
    number: int
    is_fork: bool = False

    @property
    def path(self) -> str:
        """The thread's comments in the API."""
        return f"/repos/{self.repository}/issues/{self.number}/comments"

    def comment_path(self, identifier: int) -> str:
        """One comment in the API."""
        return f"/repos/{self.repository}/issues/comments/{identifier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The comment stands at `url`."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPublished:
    """There is no new comment, and why; `hint` says what to do about it."""

    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comment:
    id: int
    login: str
    url: str
    key: str
    run: tuple[int, int]


def marker_key(body: str) -> str:
    """Return the key in a rendered comment's first line, or `all`."""
    first = body.partition("\n")[0]
    found = KEY.search(first) if first.startswith(PREFIX) else None
    return found.group(1) if found else "all"


def decided_markers(thread: Thread) -> tuple[Marker, ...]:
    """Markers of our own comments that tell of a decision, the latest run last; raises PublishError."""
    login, markers = own_login(thread.api), []
    for item in all_comments(thread):
        found = LINE.fullmatch(first_line(item)) if author_of(item) == login else None
        if found:
            key, run, attempt, head, digest = found.groups()
            markers.append(Marker(key=key, run_id=int(run), attempt=int(attempt), head=head, digest=digest))
    return tuple(sorted(markers, key=lambda marker: marker.run))


def void_comments(thread: Thread, marker: Marker, body: str) -> int:
    """Replace what older runs said, under every key, and return how many comments that were; writes no new one.

    For a run that decided nothing: an old verdict would otherwise stand for a commit that nobody decided about.
    Raises PublishError.
    """
    found = (_comment(item) for item in all_comments(thread)) if thread.api.token else ()
    login = own_login(thread.api) if thread.api.token else ""
    older = [one for one in found if one and one.key and one.login == login and one.run < marker.run]
    for comment in older:
        own = replace(marker, key=comment.key)
        thread.api.patch(thread.comment_path(comment.id), {"body": _stamped(body, own)}).expect(
            "the comment could not be updated"
        )
    return len(older)


def says(body: str, what: str) -> str:
    """The body with a hidden last line that stands for what it says, for `standing_says`."""
    return f"{body.rstrip()}\n\n{SAYS.format(sha256(what.encode()).hexdigest()[:SAYS_DIGITS])}\n"


def standing_says(thread: Thread, key: str, what: str) -> str:
    """The address of our standing comment if it says the same, else ""; raises PublishError."""
    wanted, login = SAYS.format(sha256(what.encode()).hexdigest()[:SAYS_DIGITS]), own_login(thread.api)
    for item in all_comments(thread):
        comment, body = _comment(item), item.get("body") if isinstance(item, dict) else None
        ours = comment is not None and (comment.login, comment.key) == (login, key)
        if comment and ours and isinstance(body, str) and body.rstrip().endswith(wanted):
            return comment.url
    return ""


def write_reply(thread: Thread, body: str) -> str:
    """Write one comment below the others and return its address; raises PublishError."""
    reply = thread.api.post(thread.path, {"body": body})
    written = _comment(reply.expect("the reply could not be written").body)
    return written.url if written else ""


def upsert_comment(thread: Thread, marker: Marker, body: str) -> Published | NotPublished:
    """Write the comment, or replace the one that carries the marker's key; never raises for what the API does."""
    if not thread.api.token:
        return NotPublished(reason="no github-token was given", hint="pass github-token: ${{ github.token }}")
    try:
        return _upsert(thread, marker, _stamped(body, marker))
    except PublishError as error:
        return NotPublished(reason=str(error), hint=FORK_HINT if thread.is_fork else error.hint)


def _stamped(body: str, marker: Marker) -> str:
    first, _, rest = body.partition("\n")
    return f"{marker.line}\n{rest if first.startswith(PREFIX) else body}"


def _upsert(thread: Thread, marker: Marker, body: str) -> Published | NotPublished:
    login = own_login(thread.api)
    if own := _own(thread, login, marker.key):
        replaced = _replace(thread, own, marker=marker, body=body)
        if replaced is not None:
            return replaced
    posted = _post(thread, marker, body)
    own = _own(thread, posted.login, marker.key)
    if posted.login != login and own and own[0].id != posted.id:
        # The API shows an app's own login only on what it wrote; now older comments of that login are known to be ours.
        return _replace(thread, own, marker=marker, body=body) or Published(url=posted.url)
    return _settle(thread, own, marker=marker, posted=posted)


def _settle(thread: Thread, own: list[_Comment], *, marker: Marker, posted: _Comment) -> Published | NotPublished:
    """After others may have posted at the same time: keep the newest run's first comment, whoever looks last.

    No one overwrites here: each removes what is older than its own, and its own where somebody else's is to stay.
    """
    if any(comment.run > marker.run for comment in own):
        _remove(thread, own, marker)
        return NotPublished(reason="a newer run has already commented")
    kept = next((comment for comment in own if comment.run == marker.run), posted)
    _remove(thread, [comment for comment in own if comment.id != kept.id], marker)
    return Published(url=kept.url)


def _replace(thread: Thread, own: list[_Comment], *, marker: Marker, body: str) -> Published | NotPublished | None:
    """Overwrite the oldest of our comments and remove the others; None when it has just been deleted."""
    kept = own[0]
    if any(comment.run > marker.run for comment in own):
        _remove(thread, [comment for comment in own[1:] if comment.run == marker.run], marker)
        return NotPublished(reason="a newer run has already commented")
    reply = thread.api.patch(thread.comment_path(kept.id), {"body": body})
    if reply.status in GONE:
        return None
    reply.expect("the comment could not be updated")
    _remove(thread, own[1:], marker)
    return Published(url=kept.url)


def _remove(thread: Thread, duplicates: Iterable[_Comment], marker: Marker) -> None:
    """Delete duplicates of this and older runs; a newer run clears up after itself."""
    for comment in duplicates:
        if comment.run <= marker.run:
            thread.api.delete(thread.comment_path(comment.id))


def _post(thread: Thread, marker: Marker, body: str) -> _Comment:
    reply = thread.api.post(thread.path, {"body": body})
    if reply.unknown:
        # It may stand already: look before posting again.
        for standing in _own(thread, own_login(thread.api), marker.key):
            if standing.run == marker.run:
                return standing
        reply = thread.api.post(thread.path, {"body": body})
    comment = _comment(reply.expect("the comment could not be written").body)
    if comment is None:
        raise PublishError("the comment could not be written: the API's answer is not a comment")
    return comment


def own_login(api: Api) -> str:
    """Our own login; a workflow's token may not ask for it, and is always the same app."""
    reply = api.get("/user")
    login = reply.body.get("login") if reply.ok and isinstance(reply.body, dict) else None
    return login if isinstance(login, str) and login else ACTIONS_LOGIN


def _own(thread: Thread, login: str, key: str) -> list[_Comment]:
    """All comments by `login` under `key`, the oldest first."""
    found = (_comment(item) for item in all_comments(thread))
    mine = [comment for comment in found if comment is not None and (comment.login, comment.key) == (login, key)]
    return sorted(mine, key=lambda comment: comment.id)


def all_comments(thread: Thread) -> list[Json]:
    """Every comment of the thread, the oldest first; raises PublishError."""
    comments: list[Json] = []
    for page in range(1, MOST_PAGES + 1):
        reply: Reply = thread.api.get(thread.path, {"per_page": PAGE, "page": page})
        body = reply.expect("the comments could not be read").body
        if not isinstance(body, list):
            raise PublishError("the comments could not be read: the API's answer is not a list")
        comments += body
        if reply.last_page:
            return comments
    raise PublishError(f"the comments could not be read: there are more than {PAGE * MOST_PAGES}")


def author_of(value: Json) -> str:
    """The login of a comment's author; empty where there is none."""
    user = value.get("user") if isinstance(value, dict) else None
    login = user.get("login") if isinstance(user, dict) else None
    return login if isinstance(login, str) else ""


def first_line(value: Json) -> str:
    """The first line of a comment."""
    body = value.get("body") if isinstance(value, dict) else None
    return body.partition("\n")[0].rstrip("\r") if isinstance(body, str) else ""


def _comment(value: Json) -> _Comment | None:
    if not isinstance(value, dict) or not isinstance(identifier := value.get("id"), int):
        return None
    url, first = value.get("html_url"), first_line(value)
    ours, run = first.startswith(PREFIX), RUN.search(first)
    return _Comment(
        id=identifier,
        login=author_of(value),
        url=url if isinstance(url, str) and url.startswith("http") and url.isprintable() else "",
        key=marker_key(first) if ours else "",
        run=(int(run.group(1)), int(run.group(2) or 1)) if ours and run else (0, 0),
    )
