"""Releasing a HOLD by a comment: every fact is read from the API by the job that releases, and by the one that passes.

A comment can be written by anybody, edited by many, and copied; so a release is believed only as far as its author, its
commit and its decision can be read afresh.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gate.app.recorded import Recorded, read_recorded
from gate.core.rules.vetoes import login
from gate.errors import GateError, PublishError
from gate.forge.artifacts import artifact_name, fetch_artifact
from gate.forge.comments import Marker, Thread, all_comments, author_of, decided_markers, first_line, own_login
from gate.forge.pulls import (
    Pull,
    Repository,
    Said,
    WorkflowRun,
    fetch_commit_people,
    fetch_pull,
    fetch_run,
    fetch_said,
    may_write,
)
from gate.forge.release import Approval, parse_approval, pointed_record
from gate.store.releases import Release, parse_release

SHOWN = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A release that is not given, and why in a sentence; `answered` says whether the thread is told, too."""

    reason: str
    answered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A release that everything speaks for: its record, the recorded decision, and the run that made it."""

    release: Release
    recorded: Recorded
    run: WorkflowRun


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    said: Said
    approval: Approval
    pull: Pull


def examine(repository: Repository, number: int, comment: int) -> Granted | Refused:
    """Decide whether a comment releases the last decision about a pull request's head.

    Raises GateError where something that must be known cannot be read.
    """
    asked = _asked(repository, number, comment)
    if isinstance(asked, Refused):
        return asked
    marker = _marker(Thread(api=repository.api, repository=repository.name, number=number), asked)
    if isinstance(marker, Refused):
        return marker
    run = fetch_run(repository, marker.run_id)
    recorded = _recorded(repository, run, marker)
    if isinstance(recorded, Refused):
        return recorded
    release = Release(
        pull=number,
        head=asked.pull.head,
        decision=recorded.digest,
        by=asked.said.author,
        at=asked.said.at,
        reason=asked.approval.reason,
        comment=comment,
    )
    return Granted(release=release, recorded=recorded, run=run)


def _recorded(repository: Repository, run: WorkflowRun, marker: Marker) -> Recorded | Refused:
    """The record of the decision in the comment, if it can be released."""
    if run.event == "workflow_run":
        return Refused(reason="a fork's result is not released: let a maintainer approve a run of this commit")
    if run.head != marker.head or run.event != "pull_request":
        return Refused(reason="the run that the comment names was not about this commit: run the check again")
    recorded = read_recorded(fetch_artifact(repository, run.id, artifact_name(marker.attempt)).read)
    if recorded.digest != marker.digest:
        return Refused(reason="the record of the run is not that of the decision in the comment: run the check again")
    return Refused(reason=recorded.why) if recorded.why else recorded


def _asked(repository: Repository, number: int, comment: int) -> _Asked | Refused:
    """What was asked for, by somebody who may."""
    said = fetch_said(repository, comment)
    if said.number != number or not said.is_person:
        return Refused(reason="the command was not given by a person on this pull request", answered=False)
    if not may_write(repository, said.author):
        return Refused(reason=f"`{said.author}` has no write permission, which a release needs", answered=False)
    pull = fetch_pull(repository, number)
    reason = next(_objections(repository, said, pull), "")
    if reason:
        return Refused(reason=reason)
    try:
        return _Asked(said=said, approval=parse_approval(said.body), pull=pull)
    except GateError as error:
        return Refused(reason=f"{error}; {error.hint}")


def _objections(repository: Repository, said: Said, pull: Pull) -> Iterator[str]:
    if said.is_edited:
        yield "the command was edited after it was given: give it again in a new comment"
    if not pull.is_open:
        yield "the pull request is closed"
    if login(said.author) == login(pull.author):
        yield f"`{said.author}` is the author of the pull request; somebody else must release it"
    if said.author.casefold() in fetch_commit_people(repository, pull.head):
        yield f"`{said.author}` is the author of the head commit; somebody else must release it"


def _marker(thread: Thread, asked: _Asked) -> Marker | Refused:
    """The comment's mark of the last decision about the head, if it is the one that is meant."""
    markers, prefix = decided_markers(thread), f"sha256:{asked.approval.prefix}"
    current = [marker for marker in markers if marker.head == asked.pull.head]
    meant = [marker for marker in current if marker.digest.startswith(prefix)]
    if meant:
        return meant[-1]
    if any(marker.digest.startswith(prefix) for marker in markers):
        return Refused(
            reason="that decision is about an earlier commit, and a push voids it: wait for the new decision"
        )
    if not current:
        return Refused(reason=f"there is no decision about the commit {asked.pull.head[:12]} yet")
    given = current[-1].digest[:SHOWN]
    return Refused(reason=f"the last decision about this commit is {given}, not {prefix[:SHOWN]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointers:
    """Replies that carry a release of one commit: our own records, the latest last, and who else wrote such lines."""

    own: tuple[Release, ...]
    forgers: tuple[str, ...]


def find_pointers(thread: Thread, head: str) -> Pointers:
    """Look for releases of a commit in a thread; raises PublishError where it cannot be read."""
    mine = login(own_login(thread.api))
    own: list[Release] = []
    forgers: dict[str, None] = {}
    for item in all_comments(thread):
        release = _pointed(first_line(item))
        if release is None or (release.pull, release.head) != (thread.number, head):
            continue
        if login(author_of(item)) == mine:
            own.append(release)
        else:
            forgers[author_of(item)] = None
    return Pointers(own=tuple(own), forgers=tuple(forgers))


def _pointed(line: str) -> Release | None:
    text = pointed_record(line)
    try:
        return None if text is None else parse_release(text, "comment")
    except GateError:
        return None


def confirm(repository: Repository, release: Release) -> Granted | Refused:
    """Examine a recorded release again, from its command on; never raises: what cannot be read is not believed."""
    if release.comment is None:
        return Refused(reason="the release names no comment that asked for it")
    try:
        found = examine(repository, release.pull, release.comment)
    except GateError as error:
        hint = f" ({' '.join(error.hint.split())})" if error.hint and isinstance(error, PublishError) else ""
        return Refused(reason=f"{error}{hint}")
    if isinstance(found, Granted) and found.release != release:
        return Refused(reason="the record of the release is not what was asked for in the comment")
    return found
