"""A pull request whose commits lie in the stand-in's own repository, and the jobs that its events start."""

from __future__ import annotations

import dataclasses
import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import requests

from gate.app.action import Jobs, run_action
from gate.app.check import run_check
from gate.cli.progress import TrialProgress
from tests.rigs import events
from tests.rigs.action import Job
from tests.rigs.github_hub.conversations import sync_pulls
from tests.rigs.repository import Repository, new_repository
from tests.rigs.runner import Log, read_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gate.app.request import CheckRequest, CheckResult
    from tests.rigs.github_hub import GitHub

RUN_ID = 50
Files = "Mapping[str, str | bytes | None]"


def refuse(*_asked: object) -> NoReturn:
    raise AssertionError("not asked for")


def real_check(request: CheckRequest) -> CheckResult:
    return run_check(request, progress=TrialProgress(quiet=True), now=time.monotonic)


def jobs(run: Callable[[CheckRequest], CheckResult] = real_check) -> Jobs:
    """Jobs of which only the check may be asked for."""
    others = {one.name: refuse for one in dataclasses.fields(Jobs)}
    return Jobs(**{**others, "run_check": run})


@dataclass
class Change:
    """Pull request 7 of the stand-in; each `act` is one job of it with a folder of its own."""

    hub: GitHub
    folder: Path
    owner: str = ""
    login: str = "dana"
    made: list[Job] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.owner}:topic" if self.owner else "topic"

    def push(self, files: Mapping[str, str | bytes | None], *, login: str = "dana") -> str:
        """Land a commit on the pull request's head."""
        head = self.hub.commit(files, branch=self.label, onto="main", login=login)
        if 7 not in self.hub.pulls:
            self.hub.open_pull(self.label, number=7, login=self.login)
        sync_pulls(self.hub)
        return head

    @property
    def head(self) -> str:
        # GitHub keeps the head of a pull request whose branch is gone.
        sha = self.hub.bare.tip(self.hub.pulls[7].head_ref) or self.hub.bare.tip("refs/pull/7/head")
        assert sha is not None
        return sha

    def job(self, ref: str) -> Job:
        """A fresh job with a checkout of a ref, as actions/checkout leaves it."""
        folder = self.folder / f"job-{len(self.made) + 1}"
        for name in ("workflow", "file_commands", "home", "runner_temp"):
            (folder / name).mkdir(parents=True)
        for name in ("output", "summary"):
            (folder / "file_commands" / name).touch()
        checkout: Repository = new_repository(folder / "workspace")
        checkout.git("fetch", "--quiet", "--depth=2", f"file://{self.hub.bare.path}", ref)
        checkout.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        self.made.append(Job(folder=folder, head=self.head))
        return self.made[-1]

    def pull_request(self, run: Any = real_check, *, attempt: int = 1, **changes: str) -> tuple[int, Log, Job]:
        """The gate's job on the pull request's merge commit."""
        job = self.job("refs/pull/7/merge")
        event = events.pull_request(self.hub, 7).payload
        return self.act(job, "pull_request", event, run=run, GITHUB_RUN_ATTEMPT=str(attempt), **changes)

    def comment(self, login: str, body: str, **changes: str) -> tuple[int, Log, Job]:
        """Write a comment, and run the job that it starts on the default branch."""
        return self.commented(self.hub.add(login, body), **changes)

    def commented(self, identifier: int, *, action: str = "created", **changes: str) -> tuple[int, Log, Job]:
        event = events.issue_comment(self.hub, identifier).payload | {"action": action}
        return self.act(self.job("refs/heads/main"), "issue_comment", event, run=refuse, **changes)

    def workflow_run(
        self, run: Any = refuse, *, origin: Mapping[str, Any] | None = None, **changes: str
    ) -> tuple[int, Log, Job]:
        """The trusted half on the default branch, after the pull request's run has ended."""
        told = {
            "id": RUN_ID,
            "run_attempt": 1,
            "event": "pull_request",
            "conclusion": "failure",
            "head_sha": self.head,
            "head_branch": "topic",
            "head_repository": {"full_name": f"{self.owner}/app" if self.owner else self.hub.slug},
            "pull_requests": [{"number": 999}],
            **(origin or {}),
        }
        event = {
            "action": "completed",
            "workflow_run": told,
            "repository": {"full_name": self.hub.slug, "default_branch": "main"},
        }
        return self.act(self.job("refs/heads/main"), "workflow_run", event, run=run, GITHUB_RUN_ID="60", **changes)

    def act(self, job: Job, name: str, event: dict[str, Any], *, run: Any, **changes: str) -> tuple[int, Log, Job]:
        environ = job.environ(self.hub.url) | job.send(name, event)
        environ |= {"GITHUB_RUN_ID": str(RUN_ID), **{key.replace("__", "-"): value for key, value in changes.items()}}
        stdout = io.StringIO()
        with requests.Session() as session:
            code = run_action(environ, jobs=jobs(run), session=session, stdout=stdout)
        return code, read_log(stdout.getvalue()), job

    def finish(self, job: Job, *, attempt: int = 1, conclusion: str = "failure") -> None:
        """Let the job's run end, with its out folder uploaded as an artifact."""
        self.hub.add_run(self.head, id=RUN_ID, run_attempt=attempt, conclusion=conclusion)
        self.hub.add_artifact(RUN_ID, f"lockgate-{attempt}", record_files(job))


def record_files(job: Job) -> dict[str, bytes]:
    """The out folder by the paths that actions/upload-artifact gives its files."""
    out = job.workspace / "lockgate-out"
    return {f"lockgate-out/{file.relative_to(out).as_posix()}": file.read_bytes()
            for file in sorted(out.rglob("*")) if file.is_file()}  # fmt: skip
