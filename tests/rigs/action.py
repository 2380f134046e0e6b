"""A job of a pull request as the runner sets it up: workspace, event, file commands, variables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.rigs.repository import pull_request_checkout
from tests.rigs.runner import read_file_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILES: dict[str, str | None] = {"gate.yaml": "version: 1\n", "prompts/x.md": "base\n"}
CHANGE: dict[str, str | None] = {"prompts/x.md": "change\n"}


def pull_request_event(head: str, *, action: str = "synchronize", fork: bool = False) -> dict[str, Any]:
    """The parts of a pull_request payload that matter, with hostile text around them."""
    side = {"full_name": "acme/app"}
    return {
        "action": action,
        "number": 7,
        "pull_request": {
            "title": "::set-output name=outcome::PROMOTE",
            "head": {"sha": head, "repo": {"full_name": "mallory/app"} if fork else side},
            "base": {"sha": "b" * 40, "repo": side},
            "user": {"login": "dana"},
        },
    }


@dataclass(frozen=True)
class Job:
    """One job's folders below `folder`, named as the runner's mounts are."""

    folder: Path
    head: str

    @property
    def workspace(self) -> Path:
        """The checkout."""
        return self.folder / "workspace"

    @property
    def outputs(self) -> dict[str, str]:
        """What GITHUB_OUTPUT holds."""
        return read_file_command(self.folder / "file_commands" / "output")

    @property
    def summary(self) -> str:
        """What GITHUB_STEP_SUMMARY holds."""
        return (self.folder / "file_commands" / "summary").read_text(encoding="utf-8")

    def send(self, name: str, payload: dict[str, Any]) -> dict[str, str]:
        """Write an event and return the variables that name it."""
        event = self.folder / "workflow" / "event.json"
        event.write_text(json.dumps(payload), encoding="utf-8")
        return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(event)}

    def environ(self, api_url: str) -> dict[str, str]:
        """The variables of a pull_request job outside of a container."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": api_url,
            "GITHUB_SERVER_URL": api_url,
            "GITHUB_REPOSITORY": "acme/app",
            "GITHUB_SHA": "d" * 40,
            "GITHUB_RUN_ID": "50",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(self.folder / "file_commands" / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "file_commands" / "summary"),
            "ACTIONS_RUNTIME_TOKEN": "runtime-t0ken",
            "INPUT_GITHUB-TOKEN": "t0ken",
            "OPENAI_API_KEY": "sk-fictional",
            **self.send("pull_request", pull_request_event(self.head)),
        }


def new_job(
    folder: Path, *, base: Mapping[str, str | None] = FILES, change: Mapping[str, str | None] = CHANGE, depth: int = 2
) -> Job:
    """Set a job up in an empty folder, for a pull request that changes a base."""
    _, head = pull_request_checkout(folder, base=base, change=change, depth=depth)
    for name in ("workflow", "file_commands", "home", "runner_temp"):
        (folder / name).mkdir()
    for name in ("output", "summary"):
        (folder / "file_commands" / name).touch()
    return Job(folder=folder, head=head)
