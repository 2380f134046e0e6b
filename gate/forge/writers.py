"""Three ways to put a commit onto a branch: one signed by GitHub, a git push, and file by file.

Each compares and swaps: the branch must still stand where the change was made for, or the file must still be the one
that was read. None of them forces anything.
"""

import base64
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gate.core.model import Json
from gate.forge.api import Reply
from gate.forge.branch import (
    GUARDED,
    RULES_HINT,
    WRITE_HINT,
    Attempt,
    Barred,
    Branch,
    Change,
    Landed,
    Moved,
    Unavailable,
    barred,
)
from gate.forge.git import network_environment

COMMIT = "mutation ($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }"
CONFLICT = (409, 422)
TIMEOUT_S = 120
FILE_MODE = "100644"
SHOWN = 300
DENIED = re.compile(r"error: 40[13]|Permission to \S+ denied|Authentication failed|could not read Username")


@dataclass(frozen=True, slots=True)
class SignedCommit:
    """One commit of all files, made and signed by GitHub (`createCommitOnBranch`)."""

    def commit(self, branch: Branch, head: str, change: Change) -> Attempt:
        """Put a change onto the branch if it still stands at `head`."""
        additions: list[Json] = [{"path": path, "contents": _base64(text)} for path, text in change.files.items()]
        wanted: dict[str, Json] = {
            "branch": {"repositoryNameWithOwner": branch.repository, "branchName": branch.name},
            "expectedHeadOid": head,
            "message": {"headline": change.title, "body": change.body},
            "fileChanges": {"additions": additions},
        }
        reply = branch.api.graphql(COMMIT, {"input": wanted})
        if reply.unknown:
            return Moved(reason=f"the answer was lost ({reply.detail})")
        if not reply.ok:
            return barred(reply) or Unavailable(reason=f"GraphQL answered HTTP {reply.status}")
        return _made(reply)


def _made(reply: Reply) -> Attempt:
    body = reply.body if isinstance(reply.body, dict) else {}
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], dict) else {}
        return _problem(str(first.get("type", "")), str(first.get("message", ""))[:SHOWN])
    found: Json = body.get("data")
    for key in ("createCommitOnBranch", "commit", "oid"):
        found = found.get(key) if isinstance(found, dict) else None
    return Landed(commit=found) if isinstance(found, str) else Moved(reason="the API's answer names no commit")


def _problem(kind: str, words: str) -> Attempt:
    if GUARDED.search(words):
        return Barred(reason=words, hint=RULES_HINT)
    if kind == "FORBIDDEN":
        return Barred(reason=words, hint=WRITE_HINT)
    return Moved(reason=words) if kind == "STALE_DATA" else Unavailable(reason=words or "GraphQL refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPush:
    """One commit of all files, pushed with git; `server_url` is where repositories lie.

    It is made in an empty repository of its own, so that nothing of a checkout (hooks, settings) takes part.
    """

    server_url: str

    def commit(self, branch: Branch, head: str, change: Change) -> Attempt:
        """Put a change onto the branch if it still stands at `head`."""
        url = f"{self.server_url}/{branch.repository}.git"
        try:
            with tempfile.TemporaryDirectory(prefix="lockgate-push-") as folder:
                git = _Scratch(Path(folder), network_environment(url, branch.api.token))
                return _push(git, url, branch.ref, made_for=(head, change))
        except subprocess.TimeoutExpired:
            return Moved(reason=f"git took over {TIMEOUT_S} s")
        except (OSError, subprocess.CalledProcessError) as error:
            return Unavailable(reason=f"git: {type(error).__name__}")


def _push(git: "_Scratch", url: str, ref: str, *, made_for: tuple[str, Change]) -> Attempt:
    head, change = made_for
    failed = git.run("init", "--quiet", "--bare", ".")
    failed = failed or (git.run("fetch", "--quiet", "--depth=1", url, head) if head else "")
    if failed:
        return _pushed(failed)
    commit = git.commit(head, change)
    failed = git.run("push", "--quiet", "--porcelain", url, f"{commit}:{ref}")
    return _pushed(failed) if failed else Landed(commit=commit)


def _pushed(words: str) -> Attempt:
    """What git's words about a failed fetch or push mean."""
    shown = " ".join(words.split())[:SHOWN]
    if GUARDED.search(words):
        return Barred(reason=shown, hint=RULES_HINT)
    if DENIED.search(words):
        return Barred(reason=shown, hint=WRITE_HINT)
    return Moved(reason=shown) if "rejected]" in words else Unavailable(reason=f"git: {shown}")


@dataclass(frozen=True, slots=True)
class _Scratch:
    folder: Path
    environ: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """Run git; its words where it failed, "" where it did not."""
        done = self._finished(*arguments)
        return "" if done.returncode == 0 else (done.stderr + done.stdout).decode("utf-8", "replace") or "failed"

    def commit(self, head: str, change: Change) -> str:
        self._made("read-tree", head or "--empty")
        for path, text in change.files.items():
            blob = self._made("hash-object", "-w", "--stdin", stdin=text)
            self._made("update-index", "--add", "--cacheinfo", f"{FILE_MODE},{blob},{path}")
        parent = ("-p", head) if head else ()
        return self._made("commit-tree", self._made("write-tree"), *parent, stdin=change.message)

    def _made(self, *arguments: str, stdin: str = "") -> str:
        done = self._finished(*arguments, stdin=stdin)
        done.check_returncode()
        return done.stdout.decode("ascii").strip()

    def _finished(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 no shell, and every argument is ours
            ("git", *arguments),  # noqa: S607 found by PATH, as everywhere
            cwd=self.folder,
            env=self.environ,
            input=stdin.encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )


@dataclass(frozen=True, slots=True)
class FileByFile:
    """One commit for each file through the contents API, each only where the file is still the one at `head`."""

    def commit(self, branch: Branch, head: str, change: Change) -> Attempt:
        """Put a change onto the branch; where it stops in between, the next attempt goes on with what is left."""
        made: Attempt = Unavailable(reason="there is no file to write")
        for path, text in change.files.items():
            standing = branch.read(head, path)
            body: dict[str, Json] = {
                "message": change.message,
                "content": _base64(text),
                "branch": branch.name,
                **({"sha": standing.blob} if standing else {}),
            }
            made = _put(branch.api.put(f"{branch.path}/contents/{path}", body))
            if not isinstance(made, Landed):
                return made
        return made


def _put(reply: Reply) -> Attempt:
    if reply.ok:
        commit = reply.body.get("commit") if isinstance(reply.body, dict) else None
        sha = commit.get("sha") if isinstance(commit, dict) else None
        return Landed(commit=sha if isinstance(sha, str) else "")
    if refusal := barred(reply):
        return refusal
    if reply.unknown or reply.status in CONFLICT:
        return Moved(reason=reply.detail)
    return Unavailable(reason=f"the contents API answered HTTP {reply.status}, {reply.detail}")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")
