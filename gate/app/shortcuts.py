"""What settles a change before anything is run: nothing gated was touched, or a person released its HOLD."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gate.app.announcing import Step
from gate.app.fork_data import take_commit
from gate.app.released import find_released
from gate.app.request import CheckRequest, CheckResult
from gate.app.shard import fixed_passes
from gate.app.trusted import NOTHING_GATED, put_mark, repository_of, run_url, void_verdict
from gate.app.untouched import untouched_files
from gate.errors import ConfigurationError, ExitCode
from gate.forge.commands import Level
from gate.forge.comments import Thread
from gate.forge.event import Activity, Command
from gate.forge.settings import ActionSettings
from gate.forge.statuses import Mark, Publish

SHOWN = 3
OF_THE_BRANCH = (Command.PROMOTE, Command.REFRESH, Command.AA)
HAND_HINT = "leave it out here: a pull request's own prompts are judged anyway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Untouched:
    """The change touches nothing gated; `code` is the exit code."""

    code: ExitCode


def settled(
    step: Step, settings: ActionSettings, *, activity: Activity, request: CheckRequest
) -> CheckResult | Untouched | None:
    """What a change needs no run for; None where it needs one. Raises GateError for unusable configuration."""
    changes = activity.merge_checkout or settings.event_name == "merge_group"
    if activity.command is Command.CHECK and changes:
        files = untouched_files(request)
        if files is not None:
            return _untouched(step, settings, activity=activity, files=files)
    if activity.command in (Command.CHECK, Command.MERGE) and changes and settings.run_attempt > 1:
        return _released(step, settings, activity=activity, request=request)
    return None


def _untouched(step: Step, settings: ActionSettings, *, activity: Activity, files: tuple[str, ...]) -> Untouched:
    named = ", ".join(files[:SHOWN]) + (f" and {len(files) - SHOWN} more" if len(files) > SHOWN else "")
    step.annotate(Level.NOTICE, f"{NOTHING_GATED}: {named}")
    if activity.number is not None and not activity.is_fork:
        void_verdict(step, settings, number=activity.number, head=activity.head)
    marked = mark_result(step, settings, sha=activity.head, line=NOTHING_GATED, is_green=True)
    return Untouched(code=ExitCode.PROMOTE if marked else ExitCode.NOT_PUBLISHED)


def _released(step: Step, settings: ActionSettings, *, activity: Activity, request: CheckRequest) -> CheckResult | None:
    if activity.number is None or activity.is_fork or not settings.github_token:
        return None
    asked = fixed_passes(request) if activity.command is Command.MERGE else request
    thread = Thread(api=repository_of(step, settings).api, repository=settings.repository, number=activity.number)
    search = find_released(asked, thread, run_id=settings.run_id)
    for sentence in search.refused:
        step.annotate(Level.WARNING, sentence)
    return search.result


def by_hand(step: Step, settings: ActionSettings, *, activity: Activity, request: CheckRequest) -> CheckRequest:
    """The request with prompts and cases of `prompt-ref`, as data on this checkout; raises GateError."""
    if settings.prompt_ref is None:
        return request
    if activity.number is not None or settings.event_name == "merge_group":
        raise ConfigurationError("input `prompt-ref` is for runs by hand", hint=HAND_HINT)
    if activity.command in OF_THE_BRANCH:
        # Else the baseline of prompts that nobody merged would be committed.
        message = f"input `prompt-ref` does not go with {activity.command}, which is about the branch itself"
        raise ConfigurationError(message, hint="leave `prompt-ref` out, or choose the command check")
    sha = take_commit(request, repository_of(step, settings), settings.prompt_ref)
    return replace(request, base=request.base or "HEAD", head=sha)


def mark_result(step: Step, settings: ActionSettings, *, sha: str, line: str, is_green: bool) -> bool:
    """Put an ordinary run's result on its commit, where the workflow asks for that."""
    mark = Mark(sha=sha, is_green=is_green, line=line, url=run_url(settings))
    return put_mark(step, settings, mark, otherwise=Publish.NONE)


def sentence_of(result: CheckResult) -> str:
    """One line for a commit: the outcome, and why or by whom."""
    line = f"{result.decision.outcome}: {result.decision.reason}"
    return f"{line}, released by {result.released_by}" if result.released_by else line
