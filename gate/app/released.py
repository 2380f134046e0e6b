"""What a release does: the reply and the new attempt where it is given, and the green job where it is confirmed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gate.app.record import Checked
from gate.app.recorded import judge_recorded, read_recorded, reader_of
from gate.app.releasing import Granted, Refused, confirm, examine, find_pointers
from gate.app.replay import read_text
from gate.app.request import CheckRequest, CheckResult
from gate.core.rules.vetoes import login
from gate.errors import ConfigurationError, ExitCode, GateError, MismatchError, PublishError
from gate.forge.comments import Thread, write_reply
from gate.forge.git import Git
from gate.forge.pulls import Repository, rerun_failed
from gate.forge.release import LONGEST_REASON, pointer_line
from gate.report.escape import md_code, md_text
from gate.store.outputs import write_files
from gate.store.releases import NAME, Release, parse_release, render_release

AGAIN = "start the failed jobs of that run again by hand: the release stands"


def release_hold(repository: Repository, number: int, comment: int) -> Release | Refused:
    """Examine a command; where it is granted, leave the record in a reply and start the failed jobs again.

    Raises GateError where something cannot be read or started.
    """
    thread = Thread(api=repository.api, repository=repository.name, number=number)
    found = examine(repository, number, comment)
    if isinstance(found, Refused):
        if found.answered:
            write_reply(thread, f"Not released: {md_text(found.reason)}")
        return found
    release = found.release
    if release not in find_pointers(thread, release.head).own:
        write_reply(thread, f"{pointer_line(render_release(release))}\n{banner(release)}")
    try:
        rerun_failed(repository, found.run.id)
    except PublishError as error:
        raise PublishError(str(error), hint=f"{error.hint}\n{AGAIN}".strip()) from error
    return release


def banner(release: Release) -> str:
    """One Markdown line: who let the HOLD pass, and why; nobody is mentioned by it."""
    return f"**HOLD, released by {md_code('@' + release.by)}:** {md_text(release.reason)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What became of the releases of a commit: the result of a confirmed one, and sentences about the others."""

    result: CheckResult | None = None
    refused: tuple[str, ...] = ()


def find_released(request: CheckRequest, thread: Thread, *, run_id: int) -> Search:
    """Look for a release of the request's head, confirm it, and judge the recorded run again; asks no model."""
    repository = Repository(api=thread.api, name=thread.repository)
    try:
        pointers = find_pointers(thread, request.head)
    except PublishError as error:
        return Search(refused=(f"releases could not be looked for: {error}",))
    refused = [
        f"a release by `{name}` is not believed: lockgate did not write that comment" for name in pointers.forgers
    ]
    for release in reversed(pointers.own):
        found = confirm(repository, release)
        if isinstance(found, Granted) and found.run.id != run_id:
            # Any workflow of the pull request may speak as the bot and upload a record, for its own run.
            found = Refused(reason=f"its decision was made by run {found.run.id}, and this is another one")
        if isinstance(found, Granted):
            try:
                return Search(result=_passed(request, judge_recorded(request, found.recorded), release).result)
            except GateError as error:
                found = Refused(reason=str(error))
        refused.append(f"the release by `{release.by}` is void: {found.reason}")
    return Search(refused=tuple(refused))


def _passed(request: CheckRequest, checked: Checked, release: Release) -> Checked:
    """The recorded run's result as a released one, with the record of the release beside it."""
    comment, summary = (_with_banner(text, release) for text in (checked.result.comment, checked.result.summary))
    files = {"comment.md": comment, "summary.md": summary, NAME: render_release(release)}
    write_files(request.out, files)
    result = replace(
        checked.result, comment=comment, summary=summary, exit_code=ExitCode.PROMOTE, released_by=release.by
    )
    return replace(checked, result=result)


def _with_banner(text: str, release: Release) -> str:
    marker, _, rest = text.partition("\n")
    return f"{marker}\n{banner(release)}\n\n{rest}"


def approve(folder: Path, *, root: Path, by: str, reason: str) -> Release:
    """Release a recorded HOLD for the commit that is checked out; raises GateError that says why not."""
    recorded = read_recorded(reader_of(folder))
    if recorded.why:
        raise ConfigurationError(f"this cannot be released: {recorded.why}", hint="see the report in the out folder")
    line = " ".join(reason.split())
    if not line or len(line) > LONGEST_REASON or not by.strip():
        message = f"a release needs a name, and a reason of 1 to {LONGEST_REASON} characters"
        raise ConfigurationError(message, hint="say who takes it on, and why")
    head = _head(root)
    if head and login(by) in _authors(root):
        raise ConfigurationError(f"{by} is the author of the head commit", hint="somebody else must release it")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return Release(pull=0, head=head, decision=recorded.digest, by=by.strip(), at=at, reason=line)


def check_released(request: CheckRequest, path: Path) -> Checked:
    """Pass a HOLD that was released: the record beside the file is judged again by this base, without a call.

    Raises MismatchError where decision or commit is another one, and where this decision cannot be released.
    """
    release, recorded = parse_release(read_text(path), str(path)), read_recorded(reader_of(path.parent))
    if recorded.digest != release.decision:
        message = f"{path} releases {release.decision[:19]}, and the decision beside it is {recorded.digest[:19]}"
        raise MismatchError(message, hint="a release is for one decision only")
    if recorded.why:
        raise MismatchError(f"{path} releases what cannot be released: {recorded.why}", hint="see the report")
    head = _head(request.root)
    if release.head != head:
        message = (
            f"{path} is for the commit {release.head[:12] or 'of no repository'}, and {head[:12] or 'none'} is here"
        )
        raise MismatchError(message, hint="a push voids a release: run the check again")
    if head and login(release.by) in _authors(request.root):
        raise MismatchError(f"{path}: {release.by} is the author of the commit", hint="somebody else must release it")
    return _passed(request, judge_recorded(request, recorded), release)


def _head(root: Path) -> str:
    try:
        return Git(root).commit("HEAD")
    except ConfigurationError:
        return ""


def _authors(root: Path) -> frozenset[str]:
    names = Git(root).run("log", "-1", "--format=%an%n%ae", "HEAD").decode("utf-8", "replace").splitlines()
    return frozenset(login(name) for name in names)
