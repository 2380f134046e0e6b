"""What the stand-in knows beside its repository; a test reads it, and may change it between requests."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary
from zlib import crc32

from tests.rigs.github_hub.bare import FILE, Bare, Person, new_bare
from tests.rigs.github_hub.model import Barrier, Fault, Limits, Point, Protection, Seen, Token

EPOCH = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEB_FLOW = ("GitHub", "noreply@github.com")
KNOWN_IDS = {"github-actions[bot]": 41_898_282}


@dataclass(kw_only=True)
class Pull:
    """A pull request; `head` is a branch here, or `owner:branch` of a fork, stored below refs/forks/.

    `merged` is the merge commit of one that was merged.
    """

    number: int
    head: str
    base: str
    login: str
    title: str
    body: str | None = None
    state: str = "open"
    draft: bool = False
    at: str = ""
    merged: str = ""

    @property
    def head_ref(self) -> str:
        """The full ref of its head."""
        owner, _, branch = self.head.rpartition(":")
        return f"refs/forks/{owner}/{branch}" if owner else f"refs/heads/{branch}"


@dataclass(kw_only=True)
class Artifact:
    """A zip that a run has uploaded."""

    id: int
    run_id: int
    name: str
    content: bytes
    expired: bool = False
    at: str = ""


@dataclass
class GitHub:
    """The state of the stand-in, safe to change between requests; `folder` is where its repository is made."""

    folder: Path
    slug: str = "acme/app"
    private: bool = True
    tokens: dict[str, Token] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    threads: set[int] = field(default_factory=lambda: {7})
    faults: list[Fault] = field(default_factory=list)
    barriers: list[Barrier] = field(default_factory=list)
    journal: list[Seen] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    pulls: dict[int, Pull] = field(default_factory=dict)
    deleted_forks: set[str] = field(default_factory=set)
    protections: dict[str, Protection] = field(default_factory=dict)
    collaborators: dict[str, str] = field(default_factory=lambda: {"dana": "admin"})
    codeowners_errors: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    annotations: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    dispatches: list[dict[str, Any]] = field(default_factory=list)
    signed: set[str] = field(default_factory=set)
    actions_may_open_pulls: bool = True
    url: str = ""
    storage_url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    counter: int = 1000
    seconds: int = 0
    met: WeakKeyDictionary[Fault, int] = field(default_factory=WeakKeyDictionary)
    made: Bare | None = None

    @property
    def bare(self) -> Bare:
        """The repository, with one commit on main; made when it is first asked for."""
        with self.lock:
            if self.made is None:
                bare = new_bare(self.folder / f"{self.slug}.git")
                person = Person("Dana", "dana@acme.example", "2026-11-20T12:00:00Z")
                tree = bare.tree(None, {"README.md": (FILE, bare.blob(b"# app\n"))})
                bare.move("refs/heads/main", bare.commit_tree(tree, (), message="first", people=(person, person)), None)
                self.made = bare
                self._write_protections()
        return self.made

    def next_id(self) -> int:
        """A number that nothing else has."""
        with self.lock:
            self.counter += 1
            return self.counter

    def now(self) -> str:
        """The next second of a clock that only moves when it is asked."""
        with self.lock:
            self.seconds += 1
            return (EPOCH + timedelta(seconds=self.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def person(self, login: str) -> Person:
        """Somebody as the author of a commit."""
        return Person(login, f"{user_id(login)}+{login}@users.noreply.github.com", self.now())

    def add(self, login: str, body: str, *, number: int = 7) -> int:
        """Put a comment of somebody else's into a thread and return its id."""
        with self.lock:
            identifier, at = self.next_id(), self.now()
            url = f"{self.url}/{self.slug}/pull/{number}#issuecomment-{identifier}"
            user = {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}
            self.threads.add(number)
            self.comments.append({"id": identifier, "number": number, "user": user, "body": body, "html_url": url,
                                  "created_at": at, "updated_at": at})  # fmt: skip
            return identifier

    def bodies(self) -> list[str]:
        """All comments' texts in order of creation."""
        return [comment["body"] for comment in self.comments]

    def asked(self, method: str) -> list[str]:
        """Paths of all requests with a method, in order."""
        return [seen.path for seen in self.journal if seen.method == method]

    def commit(
        self, files: Mapping[str, str | bytes | None], *, branch: str = "main", message: str = "change",
        login: str = "dana", onto: str | None = None,
    ) -> str:  # fmt: skip
        """Land a commit past all protection, as a competing writer would; `onto` starts a branch from another one.

        A branch `owner:branch` is a fork's. Raises RuntimeError when the branch has moved meanwhile.
        """
        ref = Pull(number=0, head=branch, base="", login=login, title="").head_ref
        old = self.bare.tip(ref)
        parent = old or self.bare.resolve(onto or "main")
        changes = {path: None if content is None else (FILE, self.bare.blob(_bytes(content)))
                   for path, content in files.items()}  # fmt: skip
        person = self.person(login)
        tree = self.bare.tree(parent, changes)
        new = self.bare.commit_tree(tree, [parent] if parent else [], message=message, people=(person, person))
        if not self.bare.move(ref, new, old):
            raise RuntimeError(f"{ref} moved while a commit was made for it")
        return new

    def read(self, path: str, *, branch: str = "main") -> str:
        """The text of a file at a branch's tip."""
        return self.bare.run("cat-file", "blob", f"refs/heads/{branch}:{path}").decode()

    def open_pull(
        self, head: str, *, base: str = "main", number: int | None = None, login: str = "dana", title: str = "change"
    ) -> Pull:
        """Open a pull request from a branch, or from a fork's `owner:branch`."""
        with self.lock:
            used = self.pulls.keys() | self.threads
            number = (max(used, default=0) + 1) if number is None else number
            pull = Pull(number=number, head=head, base=base, login=login, title=title, at=self.now())
            self.pulls[number] = pull
            self.threads.add(number)
            return pull

    def merge_pull(self, number: int) -> str:
        """Merge a pull request as its button does, past all protection, and return the merge commit."""
        pull = self.pulls[number]
        base, head = self.bare.tip(f"refs/heads/{pull.base}") or "", self.bare.tip(pull.head_ref) or ""
        tree = self.bare.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        person = self.person(pull.login)
        message = f"Merge pull request #{number} from {pull.head}"
        made = self.bare.commit_tree(tree, [base, head], message=message, people=(person, person))
        if not self.bare.move(f"refs/heads/{pull.base}", made, base):
            raise RuntimeError(f"{pull.base} moved while a pull request was merged")
        pull.state, pull.merged = "closed", made
        return made

    def delete_branch(self, number: int) -> None:
        """Delete the head branch of a pull request, which closes it."""
        pull = self.pulls[number]
        self.bare.git("update-ref", "-d", pull.head_ref)
        pull.state = "closed"

    def delete_fork(self, number: int) -> None:
        """Delete the whole repository that a pull request comes from; what was pushed stays in refs/pull."""
        pull = self.pulls[number]
        self.bare.git("update-ref", "-d", pull.head_ref)
        self.deleted_forks.add(pull.head.partition(":")[0])

    def protect(self, protection: Protection) -> None:
        """Put rules on a branch, for pushes and for the API."""
        self.protections[protection.branch] = protection
        if self.made is not None:
            self._write_protections()

    def _write_protections(self) -> None:
        lines = "".join(protection.line for protection in self.protections.values())
        (self.bare.path / "protected").write_text(lines, encoding="utf-8")

    def refuses(self, ref: str, token: Token) -> Protection | None:
        """The rules that keep a token from writing to a ref."""
        found = self.protections.get(ref.removeprefix("refs/heads/")) if ref.startswith("refs/heads/") else None
        return None if found is None or token.login in found.bypass else found

    def add_run(self, head_sha: str, **said: Any) -> int:
        """Put in a workflow run, or a further attempt of the one that `id` names, and return its id."""
        identifier, at = said.pop("id", None) or self.next_id(), self.now()
        run = {
            "id": identifier, "name": "gate", "path": ".github/workflows/gate.yml", "event": "pull_request",
            "head_branch": "topic", "head_sha": head_sha, "run_attempt": 1, "run_number": 1, "status": "completed",
            "conclusion": "success", "created_at": at, "updated_at": at, "run_started_at": at, **said,
        }  # fmt: skip
        self.runs.append(run)
        return int(identifier)

    def add_job(self, run_id: int, name: str, **said: Any) -> int:
        """Put in a job of a run and return its id."""
        identifier, at = self.next_id(), self.now()
        run = next(run for run in reversed(self.runs) if run["id"] == run_id)
        job = {"id": identifier, "run_id": run_id, "name": name, "head_sha": run["head_sha"], "status": "completed",
               "conclusion": "success", "run_attempt": run["run_attempt"], "started_at": at, "completed_at": at,
               "created_at": at, "labels": ["ubuntu-latest"], "steps": [], **said}  # fmt: skip
        self.jobs.append(job)
        return identifier

    def add_artifact(self, run_id: int, name: str, files: Mapping[str, str | bytes], *, expired: bool = False) -> int:
        """Put in an artifact of a run, zipped, and return its id."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for path, text in files.items():
                archive.writestr(zipfile.ZipInfo(path), text)
        artifact = Artifact(id=self.next_id(), run_id=run_id, name=name, content=content.getvalue(), expired=expired,
                            at=self.now())  # fmt: skip
        self.artifacts.append(artifact)
        return artifact.id

    def reach(self, point: Point) -> None:
        """Let what waits at a point happen; no lock is held, so that it may use the API itself."""
        with self.lock:
            found = next((barrier for barrier in self.barriers if barrier.point is point), None)
            if found is not None:
                self.barriers.remove(found)
        if found is not None:
            found.then()

    def violation(self, words: str) -> None:
        """Note what breaks GitHub's description; the test fails with it."""
        with self.lock:
            self.violations.append(words)

    def take_violations(self) -> list[str]:
        """What broke GitHub's description until now, which then no longer fails the test."""
        with self.lock:
            taken, self.violations = self.violations, []
            return taken


def user_id(login: str) -> int:
    """A user's number, always the same."""
    return KNOWN_IDS.get(login, crc32(login.encode()))


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()
