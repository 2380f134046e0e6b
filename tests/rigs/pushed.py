"""A job of a push to the default branch of a stand-in: a clone of it, the event, and the variables of a runner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.rigs.action import Job
from tests.rigs.github_hub.smart_http import credentials
from tests.rigs.repository import new_repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.github_hub import GitHub


@dataclass(frozen=True)
class Pushed:
    """One job on a commit of the default branch."""

    job: Job
    github: GitHub

    def environ(self, event: str = "push", **inputs: str) -> dict[str, str]:
        """The variables of the job for an event, with inputs by name."""
        return {
            **self.job.environ(self.github.url),
            **self.job.send(event, self.payload(event)),
            "GITHUB_SHA": self.job.head,
            **{f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()},
        }

    def payload(self, event: str) -> dict[str, Any]:
        """What GitHub sends."""
        repository = {"default_branch": "main", "full_name": self.github.slug}
        if event == "schedule":
            return {"schedule": "0 3 * * *", "repository": repository}
        if event == "workflow_dispatch":
            return {"ref": "refs/heads/main", "repository": repository, "sender": {"login": "dana"}}
        before = self.github.bare.commit(self.job.head).parents[0]
        return {
            "ref": "refs/heads/main",
            "before": before,
            "after": self.job.head,
            "repository": repository,
            "sender": {"login": "dana"},
            "commits": [self.commit(before)],
        }

    def commit(self, before: str) -> dict[str, Any]:
        """The pushed commit as the event names it."""
        kinds = {"A": "added", "M": "modified", "D": "removed"}
        listed: dict[str, list[str]] = {kind: [] for kind in kinds.values()}
        for line in self.github.bare.git("diff", "--name-status", "--no-renames", before, self.job.head).splitlines():
            status, path = line.split("\t")
            listed[kinds[status]].append(path)
        return {"id": self.job.head, "message": self.github.bare.commit(self.job.head).message, **listed}


def push_job(github: GitHub, folder: Path, commit: str | None = None, *, depth: int = 0) -> Pushed:
    """Clone the stand-in at a commit of main (its tip), as actions/checkout does, into an empty folder."""
    head = commit or github.bare.tip("refs/heads/main") or ""
    workspace = new_repository(folder / "workspace")
    shallow = [f"--depth={depth}"] if depth else []
    url = f"{github.url}/{github.slug}.git"
    workspace.git(*credentials("t0ken"), "fetch", "--quiet", *shallow, url, head)
    workspace.git("checkout", "--quiet", "--detach", head)
    for name in ("workflow", "file_commands", "home", "runner_temp"):
        (folder / name).mkdir()
    for name in ("output", "summary"):
        (folder / "file_commands" / name).touch()
    return Pushed(job=Job(folder=folder, head=head), github=github)
