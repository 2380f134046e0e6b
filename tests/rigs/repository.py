"""Real git repositories in the shape that actions/checkout leaves behind."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
            (("NAME", "Dana"), ("EMAIL", "dana@acme.example"), ("DATE", "2026-11-20T12:00:00Z"))}  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A repository on disk, driven by git itself."""

    path: Path

    def git(self, *arguments: str) -> str:
        """Run git and return its output without the line end."""
        environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **IDENTITY}
        done = subprocess.run(
            ("git", *arguments), cwd=self.path, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str = "change") -> str:
        """Write files (None removes one), commit them, and return the commit's id."""
        for name, text in files.items():
            file = self.path / name
            if text is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


def new_repository(path: Path) -> Repository:
    """Create an empty repository with the branch main."""
    path.mkdir(parents=True)
    repository = Repository(path)
    repository.git("init", "--quiet", "--initial-branch=main")
    return repository


def pull_request_checkout(
    folder: Path, *, base: Mapping[str, str | None], change: Mapping[str, str | None], depth: int = 2
) -> tuple[Repository, str]:
    """Build base and head, merge them as GitHub does, and check that out like actions/checkout.

    Returns the shallow checkout and the pull request's head commit.
    """
    origin = new_repository(folder / "origin")
    origin.commit(base, "base")
    origin.git("switch", "--quiet", "--create", "topic")
    head = origin.commit(change, "change")
    origin.git("switch", "--quiet", "--detach", "main")
    origin.git("merge", "--quiet", "--no-ff", "--message", "merge", "topic")
    origin.git("update-ref", "refs/pull/7/merge", "HEAD")
    checkout = new_repository(folder / "workspace")
    checkout.git("fetch", "--quiet", f"--depth={depth}", f"file://{origin.path}", "refs/pull/7/merge")
    checkout.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    return checkout, head
