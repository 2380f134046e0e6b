"""GitHub's runner for jobs that use this action: the workflow file says what happens, and the real image does it.

Every job gets a run of the stand-in, a token with the permissions of the file, a checkout over HTTP, and leaves its
artifact behind as the file says.
"""

from __future__ import annotations

import copy
import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from tests.rigs.action import Job
from tests.rigs.docker import RUNNER_USER
from tests.rigs.github_hub.model import Token
from tests.rigs.github_hub.shapes import repository
from tests.rigs.github_hub.smart_http import credentials
from tests.rigs.hub_job import record_files
from tests.rigs.repository import new_repository
from tests.rigs.runner import read_log
from tests.rigs.step import ACTION
from tests.rigs.workflow import OWN, WorkflowJob, resolved

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.rigs.docker import Docker
    from tests.rigs.events import Event
    from tests.rigs.github_hub import GitHub
    from tests.rigs.runner import Log

ARTIFACT = "lockgate-out*/"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A job that has ended; `asked` is what it asked of GitHub.

    `comments` are all that stood then, and `main` is where the default branch stood.
    """

    id: int
    attempt: int
    event: Event
    code: int
    log: Log
    job: Job
    comments: tuple[dict[str, Any], ...]
    main: str
    asked: tuple[Any, ...]

    @property
    def outputs(self) -> dict[str, str]:
        """The step's outputs."""
        return self.job.outputs

    @property
    def digest(self) -> str:
        """The decision's digest without its kind."""
        return self.outputs["decision-digest"].removeprefix("sha256:")

    def text(self, name: str) -> str:
        """A file of the record."""
        return (self.job.workspace / "lockgate-out" / name).read_text(encoding="utf-8")

    def has(self, name: str) -> bool:
        """Whether the record has a file."""
        return (self.job.workspace / "lockgate-out" / name).exists()


@dataclass
class ImageRunner:
    """A machine that runs jobs one after the other.

    `secrets` are those of environments, by name; `api` is where GitHub's API lies, if not at its root.
    """

    hub: GitHub
    docker: Docker
    image: str
    folder: Path
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    api: str = ""
    runs: int = 100
    jobs: int = 0

    def run(
        self,
        asked: WorkflowJob,
        event: Event,
        *,
        again: Ended | None = None,
        beside: Ended | None = None,
        inputs: Mapping[str, str] | None = None,
        matrix: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run a job for an event: in a new run, in the next attempt of one, or in the same one beside another job."""
        assert event.name in asked.triggers, f"{asked.path} does not start on {event.name}"
        self.runs += again is None and beside is None
        self.jobs += 1
        identifier, attempt = (again.id, again.attempt + 1) if again else (self.runs, 1)
        if beside:
            identifier, attempt = beside.id, beside.attempt
        is_fork = event.repository != self.hub.slug
        word = f"t0ken-of-job-{self.jobs}"
        # Read-only for what a fork's own event starts, and only for that.
        self.hub.tokens[word] = Token(permissions=asked.permissions(is_fork=is_fork))
        values = self._values(asked, event, attempt=attempt, word=word)
        values |= {f"matrix.{name}": value for name, value in (matrix or {}).items()}
        begun, before = _now(), len(self.hub.journal)
        job = self._job(asked, event, values)
        self._download(asked, job, run_id=identifier)
        environ = self._environ(asked, event, job=job, values=values)
        environ |= {"GITHUB_RUN_ID": str(identifier), "GITHUB_RUN_ATTEMPT": str(attempt)}
        environ |= {f"INPUT_{name.upper()}": value for name, value in (inputs or {}).items()}
        ran = self.docker.run_step(self.image, job.folder, environ=environ, arguments=ACTION["runs"]["args"])
        del self.hub.tokens[word]
        ended = Ended(
            id=identifier,
            attempt=attempt,
            event=event,
            code=ran.code,
            log=read_log(ran.log),
            job=job,
            comments=tuple(copy.deepcopy(self.hub.comments)),
            main=self.hub.bare.tip("refs/heads/main") or "",
            asked=tuple(self.hub.journal[before:]),
        )
        self._finish(asked, ended, begun=begun)
        self._upload(asked, ended, values)
        _require_no_secret(ended, values)
        _require_tidy(ended)
        return ended

    def _values(self, asked: WorkflowJob, event: Event, *, attempt: int, word: str) -> dict[str, str]:
        """The expressions that workflow files may use."""
        secrets = self.secrets.get(asked.environment, {})
        return {
            "github.event_name": event.name,
            "github.token": word,
            "github.run_attempt": str(attempt),
            **{f"secrets.{name}": value for name, value in secrets.items()},
        }

    def _job(self, asked: WorkflowJob, event: Event, values: Mapping[str, str]) -> Job:
        """A checkout as actions/checkout leaves it, and the runner's folders around it."""
        folder = self.folder / f"job-{self.jobs}"
        for name in ("workflow", "file_commands", "home", "runner_temp"):
            (folder / name).mkdir(parents=True)
        for name in ("output", "summary"):
            (folder / "file_commands" / name).touch()
        given = asked.step("actions/checkout@")["with"]
        assert given["persist-credentials"] is False
        depth = int(resolved(given.get("fetch-depth", 1), values))
        checkout = new_repository(folder / "workspace")
        checkout.git("remote", "add", "origin", f"{self.hub.url}/{self.hub.slug}.git")
        sha = self.hub.bare.tip(event.ref) or ""
        what = [f"--depth={depth}", f"+{sha}:{event.ref.replace('refs/', 'refs/remotes/', 1)}"]
        if not depth:
            what = ["+refs/heads/*:refs/remotes/origin/*", sha]
        checkout.git(*credentials(values["github.token"]), "fetch", "--quiet", "--no-tags", "origin", *what)
        checkout.git("checkout", "--quiet", "--detach", sha)
        return Job(folder=folder, head=sha)

    def _environ(self, asked: WorkflowJob, event: Event, *, job: Job, values: Mapping[str, str]) -> dict[str, str]:
        """The variables of the step: the file's own, the inputs with action.yml's defaults, and the runner's."""
        own = asked.step(*OWN)
        defaults = {name: declared["default"] for name, declared in ACTION["inputs"].items()}
        given = {name: resolved(value, values) for name, value in {**defaults, **own.get("with", {})}.items()}
        said = {name: resolved(value, values) for name, value in own.get("env", {}).items()}
        runner = job.environ(self.hub.url)
        # Whoever wants a key must be given one.
        del runner["OPENAI_API_KEY"]
        return {
            **said,
            **runner,
            **job.send(event.name, event.payload),
            "GITHUB_API_URL": self.api or self.hub.url,
            "GITHUB_SHA": job.head,
            "GITHUB_REF": event.ref,
            "GITHUB_JOB": asked.name,
            "GITHUB_WORKFLOW_REF": f"{self.hub.slug}/{asked.path}@{event.ref}",
            **{f"INPUT_{name.upper()}": value for name, value in given.items()},
        }

    def _finish(self, asked: WorkflowJob, ended: Ended, *, begun: str) -> None:
        conclusion = "failure" if ended.code else "success"
        at = {"run_started_at": begun, "updated_at": _now()}
        head = {"head_branch": ended.event.branch, "head_repository": repository(self.hub, ended.event.repository)}
        told = {"event": ended.event.name, "path": asked.path, "status": "completed", "conclusion": conclusion}
        waiting = [one for one in self.hub.runs if (one["id"], one["run_attempt"]) == (ended.id, ended.attempt)]
        for one in waiting:
            one |= {**told, **at}
        if not waiting:
            said = {**told, **at, **head}
            self.hub.add_run(ended.event.head, id=ended.id, run_attempt=ended.attempt, **said)
        names = ("Set up job", f"Run {asked.step('actions/checkout@')['uses']}", f"Run {asked.step(*OWN)['uses']}")
        steps = [{"name": name, "status": "completed", "conclusion": "success", "number": number}
                 for number, name in enumerate(names, 1)]  # fmt: skip
        steps[-1]["conclusion"] = conclusion
        name = asked.said.get("name", asked.name)
        self.hub.add_job(ended.id, name, run_attempt=ended.attempt, conclusion=conclusion, steps=steps)

    def _download(self, asked: WorkflowJob, job: Job, *, run_id: int) -> None:
        """Unpack artifacts of the run, each into a folder of its name, where the file says so."""
        given = asked.step("actions/download-artifact@").get("with")
        for artifact in self.hub.artifacts if given else ():
            if artifact.run_id == run_id and fnmatch(artifact.name, given["pattern"]):
                with zipfile.ZipFile(io.BytesIO(artifact.content)) as archive:
                    archive.extractall(job.workspace / given["path"] / artifact.name)

    def _upload(self, asked: WorkflowJob, ended: Ended, values: Mapping[str, str]) -> None:
        """Keep the out folder, where the file says so; files with a dot are left out, as by actions/upload-artifact."""
        given = asked.step("actions/upload-artifact@").get("with")
        if not given:
            return
        assert given["path"] == ARTIFACT
        files = {path: content for path, content in record_files(ended.job).items() if "/." not in path}
        if files:
            self.hub.add_artifact(ended.id, resolved(given["name"], values), files)


def _require_no_secret(ended: Ended, values: Mapping[str, str]) -> None:
    """No token and no key stands in the log, in a comment, or in what is uploaded."""
    secrets = [value for name, value in values.items() if name == "github.token" or name.startswith("secrets.")]
    texts = [ended.log.shown, ended.job.summary, *(one["body"] for one in ended.comments)]
    texts += [content.decode("utf-8", "replace") for content in record_files(ended.job).values()]
    assert not [secret for secret in secrets for text in texts if secret in text]


def _require_tidy(ended: Ended) -> None:
    """Every declared output is there, and whatever was written belongs to the runner's user."""
    assert ended.outputs.keys() == ACTION["outputs"].keys()
    foreign = [file for file in ended.job.workspace.rglob("*") if file.lstat().st_uid != RUNNER_USER]
    assert not foreign, foreign


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
