"""The one repository behind the stand-in, bare on disk, read and written by git's plumbing."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOTHING = "0" * 40
OBJECT = re.compile("[0-9a-f]{40}")
FILE, TREE = "100644", "040000"
HOOK = """#!/bin/sh
# Plays GitHub's branch protection: `protected` has lines of ref, code and the logins that may pass, between commas.
while read -r ref code bypass; do
    [ "$ref" = "$1" ] || continue
    case ",$bypass," in *",$REMOTE_USER,"*) continue ;; esac
    if [ "$code" = GH006 ]; then echo "error: GH006: Protected branch update failed for $1."
    else echo "error: GH013: Repository rule violations found for $1."; fi
    echo; echo "- Changes must be made through a pull request."
    exit 1
done < "$GIT_DIR/protected"
"""
SETTINGS = {
    "http.receivepack": "true",
    "receive.hideRefs": "refs/pull",
    "uploadpack.allowAnySHA1InWant": "true",
    "transfer.hideRefs": "refs/forks",
    "core.logAllRefUpdates": "true",
    "gc.auto": "0",
}


class GitError(Exception):
    """Git refused; its words."""


@dataclass(frozen=True)
class Person:
    """Who made a commit, and when: `date` as in 2026-11-20T12:00:00Z."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit as it is stored."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class Entry:
    """A file or folder in a tree; `size` is None for a folder."""

    path: str
    mode: str
    kind: str
    sha: str
    size: int | None


@dataclass(frozen=True)
class Bare:
    """A bare repository; every method is one or a few git commands."""

    path: Path

    def run(self, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        """Run git; raises GitError with its words."""
        done = subprocess.run(
            ("git", *arguments), cwd=self.path, env=git_environ() | dict(environ or {}), input=stdin,
            capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise GitError(done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def git(self, *arguments: str) -> str:
        """Run git and return its output without the line end."""
        return self.run(*arguments).decode("utf-8", "replace").strip()

    def tip(self, ref: str) -> str | None:
        """The object that a full ref stands at."""
        return self._verified(ref)

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag, full ref or hash names."""
        tries = (f"refs/heads/{name}", f"refs/tags/{name}", *([name] if name.startswith("refs/") else []))
        for ref in () if OBJECT.fullmatch(name) else tries:
            if found := self._verified(f"{ref}^{{commit}}"):
                return found
        return self._verified(f"{name}^{{commit}}") if re.fullmatch("[0-9a-f]{7,40}", name) else None

    def _verified(self, name: str) -> str | None:
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        except GitError:
            return None

    def kind(self, sha: str) -> str | None:
        """The type of an object; None where there is none."""
        try:
            return self.git("cat-file", "-t", sha) if OBJECT.fullmatch(sha) else None
        except GitError:
            return None

    def refs(self, prefix: str) -> list[tuple[str, str, str]]:
        """Full name, object and its type of all refs that start with a prefix."""
        folder = prefix.rpartition("/")[0]
        listing = self.git("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)", folder)
        rows = [tuple(line.split(" ")) for line in listing.splitlines()]
        return [row for row in rows if row[0].startswith(prefix)]  # type: ignore[misc]

    def commit(self, sha: str) -> Commit:
        """Read a commit."""
        head, _, message = self.run("cat-file", "commit", sha).decode("utf-8", "replace").partition("\n\n")
        said = [line.split(" ", 1) for line in head.splitlines() if " " in line]
        first = dict(reversed(said))
        parents = tuple(value for key, value in said if key == "parent")
        author, committer = (_person(first[role]) for role in ("author", "committer"))
        return Commit(sha, first["tree"], parents, author, committer, message.removesuffix("\n"))

    def entries(self, treeish: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """What is in a tree, or the one entry at a path of it (`path/` for what is below)."""
        options = ("-r", "-t") if recursive else ()
        listing = self.run("ls-tree", "-z", "-l", *options, treeish, *([path] if path else []))
        return [_entry(record.decode("utf-8", "replace")) for record in listing.split(b"\0") if record]

    def content(self, sha: str) -> bytes:
        """A blob's bytes."""
        return self.run("cat-file", "blob", sha)

    def blob(self, content: bytes) -> str:
        """Store a blob."""
        return self.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def tree(self, base: str | None, changes: Mapping[str, tuple[str, str] | None]) -> str:
        """Store a tree: a base with entries set to mode and object, or removed where None."""
        with tempfile.TemporaryDirectory() as folder:
            environ = {"GIT_INDEX_FILE": f"{folder}/index"}
            self.run("read-tree", base or "--empty", environ=environ)
            blobs = {path: found for path, found in changes.items() if found is None or found[0] != TREE}
            lines = (f"{mode} {sha}\t{path}\0" for path, (mode, sha) in
                     ((path, found or ("0", NOTHING)) for path, found in blobs.items()))  # fmt: skip
            self.run("update-index", "-z", "--index-info", stdin="".join(lines).encode(), environ=environ)
            for path in changes.keys() - blobs.keys():
                self.run("read-tree", f"--prefix={path}/", changes[path][1], environ=environ)  # type: ignore[index]
            return self.run("write-tree", environ=environ).decode().strip()

    def commit_tree(self, tree: str, parents: Sequence[str], *, message: str, people: tuple[Person, Person]) -> str:
        """Store a commit by author and committer."""
        environ = {
            f"GIT_{role}_{part}": value
            for role, person in zip(("AUTHOR", "COMMITTER"), people, strict=True)
            for part, value in (("NAME", person.name), ("EMAIL", person.email), ("DATE", person.date))
        }
        options = [word for parent in parents for word in ("-p", parent)]
        done = self.run("commit-tree", tree, *options, stdin=message.encode(), environ=environ)
        return done.decode().strip()

    def move(self, ref: str, new: str, old: str | None) -> bool:
        """Compare and swap a ref; `old` None means that it must not exist. Says whether it was moved."""
        try:
            self.run("update-ref", "-m", "api", ref, new, old or NOTHING)
        except GitError:
            return False
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None without a common history."""
        try:
            return self.git("merge-base", one, other)
        except GitError:
            return None

    def changes(self, base: str, head: str) -> list[dict[str, Any]]:
        """The changed files of a range in the words of GitHub's diff entries, with their patches."""
        raw = self.run("diff", "--raw", "--no-abbrev", "-z", "-M", base, head).decode("utf-8", "replace").split("\0")
        numbers = self.run("diff", "--numstat", "-M", base, head).decode("utf-8", "replace").splitlines()
        text = self.run("diff", "-M", base, head).decode("utf-8", "replace")
        patches = re.split(r"^diff --git .*\n", text, flags=re.MULTILINE)[1:]
        return [
            {**change, **_counts(row), **({"patch": patch[patch.index("@@") :].rstrip("\n")} if "@@" in patch else {})}
            for change, row, patch in zip(_raw(raw), numbers, patches, strict=True)
        ]


def new_bare(path: Path) -> Bare:
    """Create the repository, with the hook that plays branch protection and HEAD at main."""
    bare = Bare(path)
    path.mkdir(parents=True)
    bare.run("init", "--quiet", "--bare", "--initial-branch=main", "--template=", ".")
    with (path / "config").open("a", encoding="utf-8") as config:
        for name, value in SETTINGS.items():
            section, _, key = name.partition(".")
            config.write(f"[{section}]\n\t{key} = {value}\n")
    (path / "hooks").mkdir()
    (path / "protected").touch()
    (path / "hooks" / "update").write_text(HOOK, encoding="utf-8")
    (path / "hooks" / "update").chmod(0o755)
    return bare


def git_environ() -> dict[str, str]:
    """Git's whole environment: no setting of this machine."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def _person(line: str) -> Person:
    from datetime import UTC, datetime

    name, email, seconds = re.fullmatch(r"(.*?) ?<(.*)> (\d+) [+-]\d{4}", line).groups()  # type: ignore[union-attr]
    return Person(name, email, datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _entry(record: str) -> Entry:
    about, _, path = record.partition("\t")
    mode, kind, sha, size = about.split()
    return Entry(path, mode, kind, sha, None if size == "-" else int(size))


def _raw(fields: list[str]) -> list[dict[str, Any]]:
    names = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
    found, rest = [], iter(fields)
    for about in rest:
        if not about:
            continue
        _, _, old, new, status = about.split(" ")
        path = next(rest)
        change = {"filename": path, "status": names[status[0]], "sha": old if status[0] == "D" else new}
        if status[0] in "RC":
            change |= {"previous_filename": path, "filename": next(rest)}
        found.append(change)
    return found


def _counts(row: str) -> dict[str, int]:
    added, removed = (int(word) if word.isdecimal() else 0 for word in row.split("\t")[:2])
    return {"additions": added, "deletions": removed, "changes": added + removed}
