"""The action's inputs and the runner's variables, checked once and frozen."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from gate.core.policy import Mode, Profile
from gate.errors import ConfigurationError
from gate.forge.event import Command
from gate.forge.statuses import Publish

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

MOST_PASSES = 100
SHOWN_VALUE = 60
SHARD = re.compile(r"[1-9][0-9]{0,3}/[1-9][0-9]{0,3}")
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
WORKFLOW = re.compile(r"[^/]+/[^/]+/(?P<path>[^@]+)@.+")
OUTSIDE_HINT = "`gate action` runs inside of GitHub Actions; on a command line use `gate check`"


class FailOn(StrEnum):
    """The mildest outcome that fails the job."""

    HOLD = "hold"
    ROLLBACK = "rollback"


class CommentMode(StrEnum):
    """When the pull request gets the sticky comment: each time, when it says something else or holds, or never."""

    UPDATE = "update"
    ON_CHANGE = "on-change"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerFiles:
    """Where the runner collects outputs and the job summary; None outside of a runner."""

    output: Path | None
    summary: Path | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "RunnerFiles":
        """Find the files; never fails, so that outputs are written whatever else is wrong."""
        output, summary = environ.get("GITHUB_OUTPUT"), environ.get("GITHUB_STEP_SUMMARY")
        return cls(output=Path(output) if output else None, summary=Path(summary) if summary else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSettings:
    """What the workflow file and the runner say; `budget_usd` in US dollars, paths relative to `workspace`.

    `shard` reads as `i/n`, and `parts` is the folder of what shards wrote. `targets` and `suites` are separated by
    commas or line ends. None and () mean "not given". `workflow` is the path of the workflow file and `job` the id of
    the job in it, both empty where the runner does not say.
    """

    command: Command | None
    config: str
    base: str | None
    targets: tuple[str, ...]
    suites: tuple[str, ...]
    profile: Profile | None
    prompt: str | None
    passes: int | None
    shard: str | None
    parts: str | None
    prompt_ref: str | None
    publish: Publish | None
    budget_usd: float | None
    fail_on: FailOn
    mode: Mode
    comment: CommentMode
    require_publish: bool
    github_token: str = field(repr=False)
    api_url: str
    server_url: str
    repository: str
    event_name: str
    event_path: Path
    sha: str
    run_id: int
    run_attempt: int
    workflow: str
    job: str
    workspace: Path

    @property
    def own_command(self) -> Command | None:
        """The command that is asked for; a `prompt-ref` by itself asks for a check."""
        return Command.CHECK if self.command is None and self.prompt_ref else self.command

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ActionSettings":
        """Read `INPUT_*` and `GITHUB_*`; an empty value is an absent one.

        Raises ConfigurationError that names the input and its allowed values, or the missing variable.
        """
        inputs = _Inputs(environ, workspace := Path(_variable(environ, "GITHUB_WORKSPACE")))
        return cls(
            command=inputs.read("command", _command, None),
            config=inputs.path("config") or "gate.yaml",
            base=inputs.read("base", _ref, None),
            targets=inputs.read("targets", _words, ()),
            suites=inputs.paths("suites"),
            profile=inputs.read("profile", _choice(Profile), None),
            prompt=inputs.path("prompt"),
            passes=inputs.read("passes", _passes, None),
            shard=inputs.read("shard", _shard, None),
            parts=inputs.path("parts"),
            prompt_ref=inputs.read("prompt-ref", _ref, None),
            publish=inputs.read("publish", _choice(Publish), None),
            budget_usd=inputs.read("budget-usd", _dollars, None),
            fail_on=inputs.read("fail-on", _choice(FailOn), FailOn.HOLD),
            mode=inputs.read("mode", _choice(Mode), Mode.ENFORCE),
            comment=inputs.read("comment", _comment, CommentMode.UPDATE),
            require_publish=inputs.read("require-publish", _flag, default=False),
            github_token=inputs.read("github-token", str, ""),
            api_url=_url(environ, "GITHUB_API_URL"),
            server_url=_url(environ, "GITHUB_SERVER_URL"),
            repository=_matching(environ, "GITHUB_REPOSITORY", REPOSITORY),
            event_name=_variable(environ, "GITHUB_EVENT_NAME"),
            event_path=Path(_variable(environ, "GITHUB_EVENT_PATH")),
            sha=_variable(environ, "GITHUB_SHA"),
            run_id=int(_matching(environ, "GITHUB_RUN_ID", re.compile("[0-9]{1,18}"))),
            run_attempt=int(_matching(environ, "GITHUB_RUN_ATTEMPT", re.compile("[0-9]{1,6}"))),
            workflow=_workflow(environ.get("GITHUB_WORKFLOW_REF", "")),
            job=environ.get("GITHUB_JOB", ""),
            workspace=workspace,
        )


@dataclass(frozen=True, slots=True)
class _Inputs:
    environ: Mapping[str, str]
    workspace: Path

    def read(self, name: str, convert: Callable[[str], T], default: T) -> T:
        text = self.environ.get(f"INPUT_{name.upper()}", "").strip()
        if not text:
            return default
        try:
            return convert(text)
        except ValueError as error:
            # The token is the one input whose value must not be shown, and it converts always.
            message = f"input `{name}`: {error}, not {text[:SHOWN_VALUE]!r}"
            raise ConfigurationError(message, hint="correct the `with:` block of the step that uses lockgate") from None

    def path(self, name: str) -> str | None:
        return self.read(name, self._inside, None)

    def paths(self, name: str) -> tuple[str, ...]:
        return tuple(self.read(name, lambda text: [self._inside(word) for word in _words(text)], []))

    def _inside(self, text: str) -> str:
        root = self.workspace.resolve()
        if "\0" in text or Path(text).is_absolute() or not (root / text).resolve().is_relative_to(root):
            raise ValueError("must be a path below the workspace")
        return text


def _command(text: str) -> Command:
    offered = {command.value: command for command in Command if command is not Command.IGNORE}
    if text.lower() not in offered:
        raise ValueError(f"must be one of {', '.join(offered)}")
    return offered[text.lower()]


def _choice(kind: type[E]) -> Callable[[str], E]:
    def convert(text: str) -> E:
        try:
            return kind(text.lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(kind)}") from None

    return convert


def _comment(text: str) -> CommentMode:
    # `on` was the name of the default.
    return CommentMode.UPDATE if text.lower() == "on" else _choice(CommentMode)(text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in re.split(r"[,\n]", text) if (word := part.strip()))


def _ref(text: str) -> str:
    if text.startswith("-") or not text.isprintable() or " " in text:
        raise ValueError("must be a branch, a tag or a commit")
    return text


def _passes(text: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= MOST_PASSES:
        raise ValueError(f"must be a whole number from 1 to {MOST_PASSES}")
    return int(text)


def _shard(text: str) -> str:
    if not SHARD.fullmatch(text):
        raise ValueError("must be i/n, such as 2/4")
    return text


def _dollars(text: str) -> float:
    wanted = "must be a number of US dollars, 0 or more"
    try:
        value = float(text)
    except ValueError:
        raise ValueError(wanted) from None
    if not math.isfinite(value) or value < 0:
        raise ValueError(wanted)
    return value


def _variable(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set", hint=OUTSIDE_HINT)
    return value


def _matching(environ: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    value = _variable(environ, name)
    if not pattern.fullmatch(value):
        raise ConfigurationError(f"{name} has the unusable value {value[:SHOWN_VALUE]!r}", hint=OUTSIDE_HINT)
    return value


def _workflow(text: str) -> str:
    found = WORKFLOW.fullmatch(text)
    return found["path"] if found else ""


def _url(environ: Mapping[str, str], name: str) -> str:
    return _matching(environ, name, re.compile(r"https?://[A-Za-z0-9.:/_\[\]-]{1,200}")).rstrip("/")
