"""Commits, read without running anything that a repository could bring along: no hooks, filters, pagers or prompts."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gate.documents.tree import FILE_LIMIT
from gate.documents.wording import quoted
from gate.errors import ConfigurationError

TIMEOUT_S = 120
REGULAR = ("100644", "100755")
EXECUTABLE = "100755"
DEPTH_HINT = (
    "check out with fetch-depth: 2 (pull_request) or 0 (merge_group, push), so that the base commit is there to read"
)
SETTINGS = (
    ("safe.directory", "*"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("protocol.allow", "never"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a commit; `size` is bytes, 0 for what is not a blob."""

    path: str
    mode: str
    blob: str
    size: int

    @property
    def regular(self) -> bool:
        """Whether this is a file, not a symlink or a submodule."""
        return self.mode in REGULAR


@dataclass(frozen=True, slots=True)
class Git:
    """A repository below `root`, which may belong to another user."""

    root: Path

    def commit(self, ref: str) -> str:
        """Return the full id of a commit; raises ConfigurationError for a ref that is unsafe or not there."""
        if not ref or ref.startswith("-") or not ref.isprintable():
            raise ConfigurationError(f"{quoted(ref)} is not a git ref", hint="name a branch, a tag or a commit")
        found = self._finished("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if found.returncode != 0:
            self._require_repository()
            raise ConfigurationError(f"the commit {quoted(ref)} is not in this checkout", hint=DEPTH_HINT)
        return found.stdout.decode("ascii").strip()

    def parents(self, ref: str) -> tuple[str, ...]:
        """Return the ids of a commit's parents, first parent first."""
        return tuple(self.run("rev-parse", f"{self.commit(ref)}^@").decode("ascii").split())

    def changed_files(self, base: str) -> tuple[str, ...]:
        """Return the sorted paths in which the working tree differs from a commit; a rename is two paths."""
        options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        tracked = self.run("diff", *options, self.commit(base), "--")
        untracked = self.run("ls-files", "-z", "--others", "--exclude-standard")
        return tuple(sorted({os.fsdecode(name) for name in (tracked + untracked).split(b"\0") if name}))

    def export(self, ref: str, *, paths: Iterable[str], folder: Path) -> None:
        """Write files and folders of a commit below `folder`; raises ConfigurationError for a path that is not there.

        Symlinks and submodules are left out, so that what is written stays where it belongs.
        """
        commit = self.commit(ref)
        for path in paths:
            entries = [entry for entry in self.entries(commit, safe_path(path)) if entry.regular]
            if not entries:
                raise ConfigurationError(f"{quoted(path)} is not in the commit {quoted(ref)}", hint=DEPTH_HINT)
            for entry, content in zip(entries, self.blobs(entries), strict=True):
                target = folder / safe_path(entry.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                target.chmod(0o755 if entry.mode == EXECUTABLE else 0o644)

    def entries(self, commit: str, path: str) -> tuple[Entry, ...]:
        """Return the file at a path of a commit, or all files below it; empty where there is none."""
        listing = self.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit, *([path] if path else []))
        return tuple(_entry(os.fsdecode(record)) for record in listing.split(b"\0") if record)

    def blobs(self, entries: Iterable[Entry]) -> Iterator[bytes]:
        """Yield the contents of files in order; raises ConfigurationError for one over 64 MB."""
        wanted = list(entries)
        for entry in wanted:
            if entry.size > FILE_LIMIT:
                raise ConfigurationError(f"{quoted(entry.path)} is larger than {FILE_LIMIT} bytes", hint="split it")
        output = self.run("cat-file", "--batch", stdin="".join(f"{entry.blob}\n" for entry in wanted).encode())
        start = 0
        for entry in wanted:
            start = output.index(b"\n", start) + 1
            yield output[start : start + entry.size]
            start += entry.size + 1

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run one git command and return its output; raises ConfigurationError with git's own words if it fails."""
        finished = self._finished(*arguments, stdin=stdin)
        if finished.returncode != 0:
            self._require_repository()
            words = finished.stderr.decode("utf-8", "replace").strip().splitlines()
            message = f"git {arguments[0]} failed: {quoted(words[-1] if words else 'without a word')}"
            raise ConfigurationError(message, hint=DEPTH_HINT)
        return finished.stdout

    def _finished(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ("git", "--no-pager", "--literal-pathspecs", *arguments)
        try:
            return subprocess.run(  # noqa: S603 no shell; every argument is ours, checked, or behind a `--`
                command,
                cwd=self.root,
                env=_environment(),
                input=stdin,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError as error:
            raise ConfigurationError("git cannot be started here", hint="install git; check the folder") from error
        except subprocess.TimeoutExpired as error:
            raise ConfigurationError(f"git {arguments[0]} took over {TIMEOUT_S} s", hint="run it again") from error

    def _require_repository(self) -> None:
        if self._finished("rev-parse", "--git-dir").returncode != 0:
            message = f"{quoted(self.root.resolve().name)} is not a git repository"
            hint = "without git leave `--base` out; in a workflow run actions/checkout before lockgate"
            raise ConfigurationError(message, hint=hint)


class GitTree:
    """The files of one commit as a `gate.documents.tree.Tree`."""

    def __init__(self, git: Git, ref: str) -> None:
        """Resolve the ref; raises ConfigurationError for one that is not there."""
        self._git = git
        self._ref = ref
        self._commit = git.commit(ref)

    @property
    def name(self) -> str:
        """What messages call this tree."""
        return f"{self._ref} ({self._commit[:12]})"

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is no such file.

        Raises ConfigurationError for unsafe paths, for folders, symlinks and submodules, and for over 64 MB.
        """
        wanted = safe_path(path)
        entries = self._git.entries(self._commit, wanted) if wanted else ()
        if not entries:
            return None
        if entries[0].path != wanted or not entries[0].regular:
            raise ConfigurationError(f"{quoted(path)} at {self.name} is not a regular file", hint="name a file")
        return next(self._git.blobs(entries))

    def list(self, folder: str) -> tuple[str, ...]:
        """Return the paths of all files below a folder, sorted; empty for a missing folder."""
        wanted = safe_path(folder)
        entries = self._git.entries(self._commit, wanted)
        return tuple(sorted(entry.path for entry in entries if entry.regular and entry.path != wanted))


def safe_path(path: str) -> str:
    """Return a relative posix path in its shortest form; raises ConfigurationError where it leaves the repository."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\0" in path or any(part.lower() == ".git" for part in parts):
        raise ConfigurationError(f"{quoted(path)} leaves the repository", hint="use a relative path without ..")
    return "/".join(parts)


def _entry(record: str) -> Entry:
    found = re.match(r"(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t", record)
    if found is None:
        raise ConfigurationError("git ls-tree printed something unknown", hint="lockgate needs git 2.30 or newer")
    mode, blob, size = found.groups()
    return Entry(path=record[found.end() :], mode=mode, blob=blob, size=0 if size == "-" else int(size))


def _environment() -> dict[str, str]:
    """Git's whole environment: nothing of ours but the search path, so that no variable can redirect it."""
    settings = {
        f"GIT_CONFIG_{part}_{index}": pair[place]
        for index, pair in enumerate(SETTINGS)
        for place, part in enumerate(("KEY", "VALUE"))
    }
    return settings | {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_COUNT": str(len(SETTINGS)),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
