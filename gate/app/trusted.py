"""What the action does with the repository's own rights: release a HOLD, judge a fork, and put results on commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gate.app.announcing import Step, announce
from gate.app.forks import Judged, check_fork, find_fork, mark_of, mirror, refused_mark, verify_fork
from gate.app.keeping import NoRecord, keep_evidence
from gate.app.out_folder import give_to_owner
from gate.app.released import release_hold
from gate.app.releasing import Refused
from gate.app.request import CheckRequest, CheckResult
from gate.app.untouched import touches_nothing
from gate.errors import ConfigurationError, ExitCode, GateError, PublishError
from gate.forge.api import Api
from gate.forge.branch import Barred, Kept, Landed
from gate.forge.commands import Level
from gate.forge.comments import Marker, NotPublished, Thread, void_comments
from gate.forge.event import Activity, Command
from gate.forge.pulls import Pull, Repository
from gate.forge.repository_data import fetch_changed
from gate.forge.settings import ActionSettings, CommentMode
from gate.forge.statuses import Mark, Publish, publish_mark

NOTHING_GATED = "this change touches nothing gated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How such a step ended: `code` is the exit code, where the result's own does not count; `url` is the comment's."""

    code: ExitCode = ExitCode.PROMOTE
    result: CheckResult | None = None
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What such a step may use: a request for its out folder, and a run of the suites."""

    request: Callable[[], CheckRequest]
    run: Callable[[CheckRequest], CheckResult]


def perform_trusted(step: Step, settings: ActionSettings, *, activity: Activity, means: Means) -> Ended:
    """Carry out a command that only an event with the repository's rights may ask for; raises GateError."""
    if activity.command is Command.RELEASE:
        return _release(step, settings, activity)
    if activity.command is Command.KEEP_EVIDENCE:
        return _keep(step, settings, activity)
    mark = mirror(activity, run_url(settings))
    if mark is not None:
        published = put_mark(step, settings, mark, otherwise=Publish.STATUS)
        step.annotate(Level.NOTICE, f"a run of this repository: {mark.line}")
        return Ended(code=ExitCode.PROMOTE if published else ExitCode.NOT_PUBLISHED)
    return _fork(step, settings, activity=activity, means=means)


def repository_of(step: Step, settings: ActionSettings) -> Repository:
    """The repository behind the API, under the job's token."""
    api = Api(session=step.session, url=settings.api_url, token=settings.github_token)
    return Repository(api=api, name=settings.repository)


def run_url(settings: ActionSettings) -> str:
    """The address of this run."""
    return f"{settings.server_url}/{settings.repository}/actions/runs/{settings.run_id}"


def put_mark(step: Step, settings: ActionSettings, mark: Mark, *, otherwise: Publish) -> bool:
    """Put a mark on its commit as the workflow asks, or `otherwise`; says so and returns False where it cannot."""
    how = settings.publish or otherwise
    if how is Publish.NONE:
        return True
    found = publish_mark(repository_of(step, settings), mark, how)
    if isinstance(found, NotPublished):
        step.annotate(Level.ERROR, f"{found.reason}\n{found.hint}".strip())
        return False
    return True


def _release(step: Step, settings: ActionSettings, activity: Activity) -> Ended:
    if activity.number is None or activity.comment is None:
        raise ConfigurationError("the event names no comment", hint="run this command on `issue_comment`")
    found = release_hold(repository_of(step, settings), activity.number, activity.comment)
    if isinstance(found, Refused):
        step.annotate(Level.ERROR, f"not released: {found.reason}")
        return Ended(code=ExitCode.HOLD)
    step.annotate(Level.NOTICE, f"HOLD of {found.head[:12]} released by {found.by}; its failed jobs were started again")
    return Ended(code=ExitCode.PROMOTE)


def _keep(step: Step, settings: ActionSettings, activity: Activity) -> Ended:
    if activity.origin is None:
        raise ConfigurationError("the event names no finished run", hint="run this command on `workflow_run`")
    repository = repository_of(step, settings)
    match keep_evidence(repository, activity.origin, head=activity.head, server_url=settings.server_url):
        case Landed(commit=commit):
            step.annotate(Level.NOTICE, f"the evidence of run {activity.origin.id} is kept, in {commit[:12]}")
        case Kept(reasons=reasons):
            step.annotate(Level.NOTICE, "; ".join(reasons))
        case NoRecord(reason=reason):
            step.annotate(Level.NOTICE if activity.is_fork else Level.WARNING, reason)
        case Barred(reason=reason, hint=hint):
            step.annotate(Level.ERROR, f"the evidence was not kept: {reason}\n{hint}".strip())
            return Ended(code=ExitCode.NOT_PUBLISHED)
    return Ended()


def _fork(step: Step, settings: ActionSettings, *, activity: Activity, means: Means) -> Ended:
    repository = repository_of(step, settings)
    pull = find_fork(repository, activity)
    request = means.request()
    try:
        if touches_nothing(request, fetch_changed(repository, pull.number)):
            return _untouched(step, settings, pull)
        return _decided(step, settings, activity=activity, pull=pull, means=replace(means, request=lambda: request))
    finally:
        give_to_owner(request.out, request.root)


def _decided(step: Step, settings: ActionSettings, *, activity: Activity, pull: Pull, means: Means) -> Ended:
    """Judge a fork's pull request, and say so in its thread and on its head commit."""
    try:
        judged = _judged(repository_of(step, settings), activity, pull=pull, means=means)
    except GateError as error:
        put_mark(step, settings, refused_mark(pull, error, run_url(settings)), otherwise=Publish.STATUS)
        raise
    # The thread is of this repository, and so is the token.
    about = replace(activity, number=pull.number, head=pull.head, is_fork=False)
    told = announce(step, settings, activity=about, result=judged.result)
    published = put_mark(step, settings, mark_of(judged, run_url(settings)), otherwise=Publish.STATUS)
    return Ended(code=ExitCode.PROMOTE if published else ExitCode.NOT_PUBLISHED, result=judged.result, url=told.url)


def _untouched(step: Step, settings: ActionSettings, pull: Pull) -> Ended:
    """Green at once, and no older verdict is left standing."""
    step.annotate(Level.NOTICE, NOTHING_GATED)
    mark = Mark(sha=pull.head, is_green=True, line=NOTHING_GATED, url=run_url(settings))
    published = put_mark(step, settings, mark, otherwise=Publish.STATUS)
    void_verdict(step, settings, number=pull.number, head=pull.head)
    return Ended(code=ExitCode.PROMOTE if published else ExitCode.NOT_PUBLISHED)


def void_verdict(step: Step, settings: ActionSettings, *, number: int, head: str) -> None:
    """Replace what older runs said about a change that now touches nothing gated; never raises."""
    if settings.comment is CommentMode.OFF:
        return
    thread = Thread(api=repository_of(step, settings).api, repository=settings.repository, number=number)
    marker = Marker(key="all", run_id=settings.run_id, attempt=settings.run_attempt, head=head)
    try:
        void_comments(thread, marker, f"Nothing to decide: {NOTHING_GATED}.")
    except PublishError as error:
        step.annotate(Level.WARNING, f"an older comment still stands: {error}")


def _judged(repository: Repository, activity: Activity, *, pull: Pull, means: Means) -> Judged:
    if activity.command is Command.VERIFY_FORK:
        return verify_fork(means.request(), repository, activity=activity, pull=pull)
    return check_fork(means.request(), repository, pull=pull, run=means.run)
