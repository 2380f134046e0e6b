"""What the action says to GitHub: log lines, annotations, job summary, and the sticky comment."""

import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

import requests

from gate.app.request import CheckResult
from gate.core.finding import Decision, Outcome
from gate.core.policy import Mode
from gate.errors import GateError, OutputError, PublishError
from gate.forge.api import Api
from gate.forge.commands import Annotation, Level, annotate, write_summary
from gate.forge.comments import (
    Marker,
    NotPublished,
    Published,
    Thread,
    marker_key,
    says,
    standing_says,
    upsert_comment,
    void_comments,
)
from gate.forge.event import Activity
from gate.forge.settings import ActionSettings, CommentMode, RunnerFiles
from gate.report.escape import md_fence, md_text, workflow_line

TRACEBACK_LIMIT = 20_000
TITLE = "lockgate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a job: its variables, the runner's files, the way to GitHub, and the log."""

    environ: Mapping[str, str]
    files: RunnerFiles
    session: requests.Session
    stdout: TextIO

    def say(self, text: str) -> None:
        """Print what is already escaped."""
        print(text, end="", file=self.stdout, flush=True)

    def annotate(self, level: Level, message: str) -> None:
        """Show one annotation."""
        self.say(annotate([Annotation(level=level, title=TITLE, message=message)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The comment's address, empty where there is none; `failed` where there should be one."""

    url: str = ""
    failed: bool = False


def announce(step: Step, settings: ActionSettings, *, activity: Activity, result: CheckResult) -> Announced:
    """Show the result everywhere it belongs; never changes what was decided."""
    try:
        step.say("\n".join(map(workflow_line, _lines(result.decision))) + "\n")
        step.say(annotate(_annotations(result, settings)))
        _summarize(step, result.summary)
        return _publish(step, settings, activity=activity, result=result)
    except Exception:  # noqa: BLE001 the decision stands whatever happens to its publication
        announce_bug(step)
        return Announced(failed=True)


def _lines(decision: Decision) -> tuple[str, ...]:
    told = f"lockgate: {decision.outcome}: {decision.reason}"
    return (told, f"lockgate: to settle it: {decision.settle}") if decision.settle else (told,)


def announce_error(step: Step, error: GateError) -> None:
    """Show why nothing could be decided."""
    step.annotate(Level.ERROR, f"{error}\n{error.hint}".strip())
    _summarize(step, _undecided_text(error))


def announce_held(step: Step, error: GateError) -> None:
    """Show that nothing can be decided here, and the line that would mend it."""
    step.annotate(Level.ERROR, f"HOLD: {error}\n{error.hint}".strip())
    _summarize(step, _undecided_text(error))


def withdraw(step: Step, settings: ActionSettings, *, activity: Activity, error: GateError | None) -> None:
    """Replace what earlier runs said on the pull request, since this one could not decide; never raises."""
    if activity.number is None or settings.comment is CommentMode.OFF:
        return
    marker = Marker(key="all", run_id=settings.run_id, attempt=settings.run_attempt, head=activity.head)
    thread = _thread(step, settings, activity, number=activity.number)
    body = _undecided_text(error) + "\nWhat stood here spoke of an earlier commit.\n"
    try:
        void_comments(thread, marker, body)
    except PublishError as failed:
        step.annotate(Level.WARNING, f"an earlier comment still stands: {failed}\n{failed.hint}".strip())


def _undecided_text(error: GateError | None) -> str:
    if error is None:
        return "### lockgate could not decide\n\nThis is a bug in gate; see the job's log.\n"
    hint = md_fence(error.hint) if "\n" in error.hint else md_text(error.hint)
    return f"### lockgate could not decide\n\n{md_text(str(error))}\n\n{hint}\n"


def announce_bug(step: Step) -> None:
    """Show the exception that is being dealt with as what it is, a bug in gate."""
    token = secrets.token_hex(16)
    trace = workflow_line(traceback.format_exc()[-TRACEBACK_LIMIT:])
    step.say(f"::stop-commands::{token}\n{trace}\n::{token}::\n")
    step.annotate(Level.ERROR, "this is a bug in gate; please report the traceback in this step's log")


def is_advisory(result: CheckResult, settings: ActionSettings) -> bool:
    """Whether the decision is for show: the base's policy says so, or the workflow file does."""
    return result.advisory or settings.mode is Mode.ADVISORY


def _annotations(result: CheckResult, settings: ActionSettings) -> list[Annotation]:
    harm = Level.WARNING if is_advisory(result, settings) else Level.ERROR
    demanding = [f for f in result.decision.findings if f.blocking and f.demands is not Outcome.PROMOTE]
    return [
        Annotation(
            level=harm if finding.demands is Outcome.ROLLBACK else Level.WARNING,
            title=f"{TITLE}: {finding.demands} ({finding.rule})",
            message=workflow_line(finding.sentence),
        )
        for finding in sorted(demanding, key=lambda finding: -finding.demands.weight)
    ]


def _publish(step: Step, settings: ActionSettings, *, activity: Activity, result: CheckResult) -> Announced:
    if activity.number is None or settings.comment is CommentMode.OFF:
        return Announced()
    marker = Marker(
        key=marker_key(result.comment),
        run_id=settings.run_id,
        attempt=settings.run_attempt,
        head=activity.head,
        digest=result.digest,
    )
    thread = _thread(step, settings, activity, number=activity.number)
    match _comment(thread, marker, result, mode=settings.comment):
        case Published(url=url):
            return Announced(url=url)
        case NotPublished(reason=reason, hint=hint):
            step.annotate(Level.WARNING, f"no comment: {reason}\n{hint}".strip())
    return Announced(failed=True)


def _thread(step: Step, settings: ActionSettings, activity: Activity, *, number: int) -> Thread:
    api = Api(session=step.session, url=settings.api_url, token=settings.github_token)
    return Thread(api=api, repository=settings.repository, number=number, is_fork=activity.is_fork)


def _comment(thread: Thread, marker: Marker, result: CheckResult, *, mode: CommentMode) -> Published | NotPublished:
    decision = result.decision
    # A release goes by the commit and the digest in the comment of a HOLD, so that one always speaks of this run.
    if mode is not CommentMode.ON_CHANGE or not thread.api.token or decision.outcome is Outcome.HOLD:
        return upsert_comment(thread, marker, result.comment)
    demanding = sorted(f"{one.rule} {one.sentence}" for one in decision.findings if one.demands is not Outcome.PROMOTE)
    what = "\n".join((decision.outcome, *demanding))
    try:
        standing = standing_says(thread, marker.key, what)
    except PublishError as error:
        return NotPublished(reason=str(error), hint=error.hint)
    return Published(url=standing) if standing else upsert_comment(thread, marker, says(result.comment, what))


def _summarize(step: Step, text: str) -> None:
    if step.files.summary is None:
        return
    try:
        write_summary(step.files.summary, text)
    except OutputError as error:
        step.annotate(Level.WARNING, str(error))
