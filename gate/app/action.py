"""The GitHub Action: read inputs and event, decide, tell GitHub, and leave every output behind whatever happens."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TextIO, TypeAlias, TypeVar

import requests

from gate.app.announcing import Step, announce, announce_bug, announce_error, announce_held, is_advisory, withdraw
from gate.app.base import MissingBase, reachable_base
from gate.app.bringing import Bringing
from gate.app.looking_back import leaving_word, look_back
from gate.app.out_folder import fresh_folder, give_to_owner
from gate.app.renewal import Renewal
from gate.app.request import EXIT_CODES, CheckRequest, CheckResult
from gate.app.shard import ShardResult
from gate.app.shortcuts import Untouched, by_hand, mark_result, sentence_of, settled
from gate.app.trusted import Means, perform_trusted
from gate.core.canonical import NotJsonError, parse_json
from gate.core.finding import Outcome
from gate.core.model import Json
from gate.errors import ConfigurationError, ExitCode, GateError, OutputError
from gate.forge.commands import Level, commands_stopped, mask, write_outputs
from gate.forge.event import TRUSTED, Activity, Command, read_event
from gate.forge.settings import ActionSettings, FailOn, RunnerFiles
from gate.runner.shards import Shard

RunCheck: TypeAlias = Callable[[CheckRequest], CheckResult]
RunShard: TypeAlias = Callable[[CheckRequest, Shard], ShardResult]
RunRenewal: TypeAlias = Callable[[CheckRequest], Renewal]

T = TypeVar("T")

OUTPUTS = ("outcome", "decision-digest", "decision-path", "report-path", "comment-url", "calls", "cost-usd")
UNDECIDED = "NONE"
PAYLOAD_LIMIT = 32 * 2**20
RUNNER_VARIABLES = ("INPUT_", "ACTIONS_", "GITHUB_", "RUNNER_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What one step may be asked for: a decision, a shard of one, the merge of all shards, and renewed baselines."""

    run_check: RunCheck
    run_shard: RunShard
    run_merge: RunCheck
    run_promote: RunRenewal
    run_refresh: RunRenewal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How the step ends: its exit code and its outputs; those not named are empty."""

    code: int
    outputs: Mapping[str, str] = field(default_factory=dict)


def run_action(environ: Mapping[str, str], *, jobs: Jobs, session: requests.Session, stdout: TextIO) -> int:
    """Run one step and return its exit code; all outputs are written whatever happens, and nothing is raised."""
    step = Step(environ=environ, files=RunnerFiles.from_environ(environ), session=session, stdout=stdout)
    ending = _Ending(code=ExitCode.INTERRUPTED)
    try:
        with _termination_as_interrupt():
            ending = _guarded(step, jobs)
    except KeyboardInterrupt:
        step.annotate(Level.ERROR, "interrupted; nothing was decided")
    finally:
        code = _write_outputs(step, ending)
    return code


def _guarded(step: Step, jobs: Jobs) -> _Ending:
    try:
        return _perform(step, jobs)
    except GateError as error:
        announce_error(step, error)
        return _Ending(code=error.exit_code)
    except Exception:  # noqa: BLE001 the outermost frame: whatever it is must not look like a decision
        announce_bug(step)
        return _Ending(code=ExitCode.BUG)


def _perform(step: Step, jobs: Jobs) -> _Ending:
    settings = ActionSettings.from_environ(step.environ)
    if step.environ.get("GITHUB_ACTIONS") == "true":
        step.say(mask(settings.github_token))
    activity = read_event(settings.event_name, _payload(settings.event_path), settings.own_command)
    if activity.command is Command.IGNORE:
        step.annotate(Level.NOTICE, activity.reason)
        return _Ending(code=ExitCode.PROMOTE)
    if activity.command in TRUSTED:
        return _trusted(step, settings, activity, jobs=jobs)
    try:
        return _decide(step, settings, activity, jobs=jobs)
    except GateError as error:
        withdraw(step, settings, activity=activity, error=error)
        raise
    except Exception:
        withdraw(step, settings, activity=activity, error=None)
        raise


def _decide(step: Step, settings: ActionSettings, activity: Activity, *, jobs: Jobs) -> _Ending:
    out = fresh_folder(settings.workspace)
    with leaving_word(out, settings, activity):
        return _decide_in(step, settings, activity, jobs=jobs, out=out)


def _decide_in(step: Step, settings: ActionSettings, activity: Activity, *, jobs: Jobs, out: Path) -> _Ending:
    merging = activity.command is Command.MERGE
    shard = _shard(settings, merging=merging)
    base = settings.base or reachable_base(settings, activity)
    if isinstance(base, MissingBase):
        announce_held(step, base.error)
        withdraw(step, settings, activity=activity, error=base.error)
        return _Ending(code=ExitCode.HOLD, outputs={"outcome": Outcome.HOLD.value})
    asked = _request(step, settings, replace(activity, base=base), out=out)
    request = by_hand(step, settings, activity=activity, request=asked)
    found = None if shard else settled(step, settings, activity=activity, request=request)
    if isinstance(found, Untouched):
        return _Ending(code=found.code)
    if activity.command in (Command.PROMOTE, Command.REFRESH):
        return _renewed(step, settings, activity, run=partial(_run, step, request, _renewal(jobs, activity)))
    if shard is not None:
        return _part_ending(step, _run(step, request, lambda asked: jobs.run_shard(asked, shard)))
    if found is None:
        request = replace(request, history=look_back(step, settings, activity, request=request))
    result = found or _run(step, request, jobs.run_merge if merging else jobs.run_check)
    told = announce(step, settings, activity=activity, result=result)
    code = _exit_code(result, settings)
    marked = mark_result(step, settings, sha=request.head, line=sentence_of(result), is_green=not code)
    unpublished = not code and (not marked or (told.failed and settings.require_publish))
    outputs = _outputs(result, settings.workspace, told.url)
    return _Ending(code=ExitCode.NOT_PUBLISHED if unpublished else code, outputs=outputs)


def _trusted(step: Step, settings: ActionSettings, activity: Activity, *, jobs: Jobs) -> _Ending:
    """Carry out what only an event with the repository's rights may ask for."""
    means = Means(
        request=lambda: _request(
            step, settings, replace(activity, base=settings.base or activity.base), out=fresh_folder(settings.workspace)
        ),
        run=lambda request: _run(step, request, jobs.run_check),
    )
    ended = perform_trusted(step, settings, activity=activity, means=means)
    if ended.result is None:
        return _Ending(code=ended.code)
    # Nobody vouches for a fork's HOLD, so it is not tolerated.
    code = ended.code or _exit_code(ended.result, replace(settings, fail_on=FailOn.HOLD))
    return _Ending(code=code, outputs=_outputs(ended.result, settings.workspace, ended.url))


def _run(step: Step, request: CheckRequest, run: Callable[[CheckRequest], T]) -> T:
    """Run what may print foreign text, and leave its files to the workspace's owner."""
    try:
        with commands_stopped(step.stdout):
            return run(request)
    finally:
        give_to_owner(request.out, request.root)


def _renewal(jobs: Jobs, activity: Activity) -> RunRenewal:
    return jobs.run_promote if activity.command is Command.PROMOTE else jobs.run_refresh


def _renewed(step: Step, settings: ActionSettings, activity: Activity, *, run: Callable[[], Renewal]) -> _Ending:
    """Renew baselines, commit them, and tell the merged pull request where harm is shown."""
    bringing = Bringing(step, settings, activity, run())
    code = bringing.bring()
    told = announce(step, settings, activity=bringing.merged(), result=bringing.told_after_merge().result)
    result = bringing.renewal.result
    give_to_owner(result.out, settings.workspace)
    lenient = code is ExitCode.HOLD and settings.fail_on is FailOn.ROLLBACK
    decided = code in EXIT_CODES.values()
    shown = ExitCode.PROMOTE if decided and (lenient or is_advisory(result, settings)) else code
    return _Ending(code=shown, outputs=_outputs(result, settings.workspace, told.url))


def _request(step: Step, settings: ActionSettings, activity: Activity, *, out: Path) -> CheckRequest:
    kept = {name: value for name, value in step.environ.items() if not name.startswith(RUNNER_VARIABLES)}
    return CheckRequest(
        root=settings.workspace,
        out=out,
        as_of=datetime.now(UTC).date().isoformat(),
        config=settings.config,
        base=activity.base,
        targets=settings.targets,
        suites=settings.suites,
        profile=settings.profile,
        prompt=settings.prompt,
        passes=settings.passes,
        budget_usd=settings.budget_usd,
        parts=(settings.workspace / settings.parts,) if settings.parts else (),
        every=activity.every,
        aa=activity.command is Command.AA,
        keyless=activity.is_fork and activity.origin is None,
        author=activity.author,
        head=activity.head or settings.sha,
        run=f"{settings.run_id}.{settings.run_attempt}",
        environ=kept,
    )


def _shard(settings: ActionSettings, *, merging: bool) -> Shard | None:
    """The shard that the step is to run, if any; raises ConfigurationError for inputs that contradict each other."""
    if merging and settings.parts is None:
        raise ConfigurationError("the command merge needs `parts`", hint="name the folder that the parts are in")
    if merging and settings.shard is not None:
        raise ConfigurationError("the command merge takes no `shard`", hint="give `shard` to the jobs of the matrix")
    try:
        return None if settings.shard is None else Shard.parse(settings.shard)
    except ValueError as error:
        raise ConfigurationError(f"input `shard` {error}", hint="as in shard: 2/4") from None


def _part_ending(step: Step, result: ShardResult) -> _Ending:
    """Say what a shard found without a verdict; only its numbers are outputs."""
    step.annotate(Level.WARNING if result.exit_code else Level.NOTICE, result.sentence)
    part = result.part
    usd = "" if part.usd is None else f"{part.usd:.6f}"
    return _Ending(code=result.exit_code, outputs={"calls": str(part.calls), "cost-usd": usd})


def _payload(path: Path) -> Mapping[str, Json]:
    hint = "GITHUB_EVENT_PATH must name the event's JSON file"
    try:
        with path.open("rb") as stream:
            payload = parse_json(stream.read(PAYLOAD_LIMIT).decode("utf-8"))
    except (OSError, UnicodeDecodeError, NotJsonError) as error:
        raise ConfigurationError("the event's payload cannot be read", hint=hint) from error
    if not isinstance(payload, dict):
        raise ConfigurationError("the event's payload is not a JSON object", hint=hint)
    return payload


def _outputs(result: CheckResult, workspace: Path, comment_url: str) -> dict[str, str]:
    # Relative paths: the workspace has another absolute path outside of the container.
    return {
        "outcome": result.decision.outcome.value,
        "decision-digest": result.digest,
        "decision-path": os.path.relpath(result.out / "decision.json", workspace),
        "report-path": os.path.relpath(result.out / "summary.md", workspace),
        "comment-url": comment_url,
        "calls": str(result.calls),
        "cost-usd": "" if result.usd is None else f"{result.usd:.6f}",
    }


def _exit_code(result: CheckResult, settings: ActionSettings) -> int:
    if result.exit_code not in EXIT_CODES.values():
        return result.exit_code
    outcome = result.decision.outcome
    tolerated = outcome is Outcome.HOLD and (settings.fail_on is FailOn.ROLLBACK or bool(result.released_by))
    return ExitCode.PROMOTE if tolerated or is_advisory(result, settings) else EXIT_CODES[outcome]


def _write_outputs(step: Step, ending: _Ending) -> int:
    outputs = dict.fromkeys(OUTPUTS, "") | {"outcome": UNDECIDED} | dict(ending.outputs)
    if step.files.output is None:
        return ending.code
    try:
        write_outputs(step.files.output, outputs)
    except OutputError as error:
        step.annotate(Level.ERROR, f"{error}\n{error.hint}")
        return ending.code or error.exit_code
    return ending.code


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt: as a container's first process, Python would ignore it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
