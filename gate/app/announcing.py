"""What the action says to GitHub: log lines, annotations, job summary, and the sticky comment."""

import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

import requests

from gate.app.request import CheckResult
from gate.core.finding import Outcome
from gate.core.policy import Mode
from gate.errors import GateError, OutputError
from gate.forge.api import Api
from gate.forge.commands import Annotation, Level, annotate, write_summary
from gate.forge.comments import Marker, NotPublished, Published, Thread, marker_key, upsert_comment
from gate.forge.event import Activity
from gate.forge.settings import ActionSettings, CommentMode, RunnerFiles
from gate.report.escape import md_text, workflow_line

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


def announce(step: Step, settings: ActionSettings, *, activity: Activity, result: CheckResult) -> str:
    """Show the result everywhere it belongs and return the comment's address; never changes what was decided."""
    try:
        step.say(workflow_line(f"lockgate: {result.decision.outcome}: {result.decision.reason}") + "\n")
        step.say(annotate(_annotations(result, settings)))
        _summarize(step, result.summary)
        return _publish(step, settings, activity=activity, result=result)
    except Exception:  # noqa: BLE001 the decision stands whatever happens to its publication
        announce_bug(step)
        return ""


def announce_error(step: Step, error: GateError) -> None:
    """Show why nothing could be decided."""
    step.annotate(Level.ERROR, f"{error}\n{error.hint}".strip())
    _summarize(step, f"### lockgate could not decide\n\n{md_text(str(error))}\n\n{md_text(error.hint)}\n")


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


def _publish(step: Step, settings: ActionSettings, *, activity: Activity, result: CheckResult) -> str:
    if activity.number is None or settings.comment is CommentMode.OFF:
        return ""
    marker = Marker(
        key=marker_key(result.comment), run_id=settings.run_id, attempt=settings.run_attempt, head=activity.head
    )
    api = Api(session=step.session, url=settings.api_url, token=settings.github_token)
    thread = Thread(api=api, repository=settings.repository, number=activity.number, is_fork=activity.is_fork)
    match upsert_comment(thread, marker, result.comment):
        case Published(url=url):
            return url
        case NotPublished(reason=reason, hint=hint):
            step.annotate(Level.WARNING, f"no comment: {reason}\n{hint}".strip())
    return ""


def _summarize(step: Step, text: str) -> None:
    if step.files.summary is None:
        return
    try:
        write_summary(step.files.summary, text)
    except OutputError as error:
        step.annotate(Level.WARNING, str(error))
