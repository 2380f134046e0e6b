"""The GitHub Action: read inputs and event, decide, tell GitHub, and leave every output behind whatever happens."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TextIO, TypeAlias

import requests

from gate.app.announcing import Step, announce, announce_bug, announce_error, is_advisory
from gate.app.request import EXIT_CODES, CheckRequest, CheckResult
from gate.core.canonical import NotJsonError, parse_json
from gate.core.finding import Outcome
from gate.core.model import Json
from gate.errors import ConfigurationError, ExitCode, GateError, OutputError
from gate.forge.commands import Level, commands_stopped, mask, write_outputs
from gate.forge.event import Activity, Command, read_event
from gate.forge.git import DEPTH_HINT, Git
from gate.forge.settings import ActionSettings, FailOn, RunnerFiles

RunCheck: TypeAlias = Callable[[CheckRequest], CheckResult]

OUTPUTS = ("outcome", "decision-digest", "decision-path", "report-path", "comment-url", "calls", "cost-usd")
UNDECIDED = "NONE"
OUT_FOLDER = "lockgate-out"
MOST_FOLDERS = 100
PAYLOAD_LIMIT = 32 * 2**20
RUNNER_VARIABLES = ("INPUT_", "ACTIONS_", "GITHUB_", "RUNNER_")
MERGE_HINT = "run actions/checkout on pull_request without `ref:`, or name the `base` input"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How the step ends: its exit code and its outputs; those not named are empty."""

    code: int
    outputs: Mapping[str, str] = field(default_factory=dict)


def run_action(environ: Mapping[str, str], *, run_check: RunCheck, session: requests.Session, stdout: TextIO) -> int:
    """Run one step and return its exit code; all outputs are written whatever happens, and nothing is raised."""
    step = Step(environ=environ, files=RunnerFiles.from_environ(environ), session=session, stdout=stdout)
    ending = _Ending(code=ExitCode.INTERRUPTED)
    try:
        with _termination_as_interrupt():
            ending = _guarded(step, run_check)
    except KeyboardInterrupt:
        step.annotate(Level.ERROR, "interrupted; nothing was decided")
    finally:
        code = _write_outputs(step, ending)
    return code


def _guarded(step: Step, run_check: RunCheck) -> _Ending:
    try:
        return _perform(step, run_check)
    except GateError as error:
        announce_error(step, error)
        return _Ending(code=error.exit_code)
    except Exception:  # noqa: BLE001 the outermost frame: whatever it is must not look like a decision
        announce_bug(step)
        return _Ending(code=ExitCode.BUG)


def _perform(step: Step, run_check: RunCheck) -> _Ending:
    settings = ActionSettings.from_environ(step.environ)
    if step.environ.get("GITHUB_ACTIONS") == "true":
        step.say(mask(settings.github_token))
    activity = read_event(settings.event_name, _payload(settings.event_path), settings.command)
    if activity.command is Command.IGNORE:
        step.annotate(Level.NOTICE, activity.reason)
        return _Ending(code=ExitCode.PROMOTE)
    request = _request(step, settings, activity)
    try:
        with commands_stopped(step.stdout):
            result = run_check(request)
    finally:
        _give_to_owner(request.out, settings.workspace)
    url = announce(step, settings, activity=activity, result=result)
    return _Ending(code=_exit_code(result, settings), outputs=_outputs(result, settings.workspace, url))


def _request(step: Step, settings: ActionSettings, activity: Activity) -> CheckRequest:
    if settings.base is None and activity.merge_checkout:
        _require_merge_checkout(Git(settings.workspace), activity)
    kept = {name: value for name, value in step.environ.items() if not name.startswith(RUNNER_VARIABLES)}
    return CheckRequest(
        root=settings.workspace,
        out=_fresh_folder(settings.workspace),
        as_of=datetime.now(UTC).date().isoformat(),
        config=settings.config,
        base=settings.base or activity.base,
        targets=settings.targets,
        suites=settings.suites,
        profile=settings.profile,
        prompt=settings.prompt,
        passes=settings.passes,
        budget_usd=settings.budget_usd,
        every=activity.every,
        author=activity.author,
        head=activity.head or settings.sha,
        run=f"{settings.run_id}.{settings.run_attempt}",
        environ=kept,
    )


def _require_merge_checkout(git: Git, activity: Activity) -> None:
    """Refuse a checkout whose first parent is not the base: policy would come from the pull request itself."""
    parents = git.parents("HEAD")
    if not parents and git.commit("HEAD") != activity.head:
        raise ConfigurationError("the base commit HEAD^1 is not in this checkout", hint=DEPTH_HINT)
    if parents[1:] != (activity.head,):
        raise ConfigurationError("this checkout is not GitHub's merge of the pull request's head", hint=MERGE_HINT)


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


def _fresh_folder(workspace: Path) -> Path:
    """Create the out folder under a name that nothing has yet: a pull request may have committed a symlink there."""
    for number in range(1, MOST_FOLDERS + 1):
        folder = workspace / (OUT_FOLDER if number == 1 else f"{OUT_FOLDER}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            message = f"{folder.name} cannot be created: {error.strerror}"
            raise OutputError(message, hint="lockgate writes below the workspace") from error
        return folder
    raise OutputError(f"there are already {MOST_FOLDERS} folders {OUT_FOLDER}-*", hint="remove them")


def _give_to_owner(out: Path, workspace: Path) -> None:
    """Hand what root wrote to the workspace's owner, so that a self-hosted runner can clean it up."""
    if os.geteuid() != 0:
        return
    owner = workspace.stat()
    for folder, folders, files in os.walk(out):
        for name in (".", *folders, *files):
            os.chown(Path(folder, name), owner.st_uid, owner.st_gid, follow_symlinks=False)


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
    tolerated = outcome is Outcome.HOLD and settings.fail_on is FailOn.ROLLBACK
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
