"""Commits, read without running anything that a repository could bring along: no hooks, filters, pagers or prompts."""

import base64
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
BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
PASSED = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "GIT_SSL_CAINFO")
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
        if not self.holds(ref):
            raise ConfigurationError(f"the commit {quoted(ref)} is not in this checkout", hint=DEPTH_HINT)
        return self.run("rev-parse", "--verify", f"{ref}^{{commit}}").decode("ascii").strip()

    def holds(self, ref: str) -> bool:
        """Whether a commit is there to read; raises ConfigurationError for an unsafe ref, or without a repository."""
        if not ref or ref.startswith("-") or not ref.isprintable():
            raise ConfigurationError(f"{quoted(ref)} is not a git ref", hint="name a branch, a tag or a commit")
        if self._finished("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").returncode == 0:
            return True
        self._require_repository()
        return False

    def parents(self, ref: str) -> tuple[str, ...]:
        """Return the ids of a commit's parents, first parent first."""
        return tuple(self.run("rev-parse", f"{self.commit(ref)}^@").decode("ascii").split())

    def named_parents(self, ref: str) -> tuple[str, ...]:
        """Return the ids of the parents that a commit names, also where a shallow checkout does not have them."""
        head = self.run("cat-file", "commit", self.commit(ref)).partition(b"\n\n")[0]
        return tuple(line[7:].decode("ascii") for line in head.split(b"\n") if line.startswith(b"parent "))

    def changed_files(self, base: str) -> tuple[str, ...]:
        """Return the sorted paths in which the working tree differs from a commit; a rename is two paths."""
        options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        tracked = self.run("diff", *options, self.commit(base), "--")
        untracked = self.run("ls-files", "-z", "--others", "--exclude-standard")
        return tuple(sorted({os.fsdecode(name) for name in (tracked + untracked).split(b"\0") if name}))

    def changed_between(self, old: str, new: str) -> tuple[str, ...]:
        """Return the sorted paths in which two commits differ; a rename is two paths."""
        options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        changed = self.run("diff", *options, self.commit(old), self.commit(new), "--")
        return tuple(sorted(os.fsdecode(name) for name in changed.split(b"\0") if name))

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


def fetch_commit(git: Git, url: str, *, commit: str, token: str) -> bool:
    """Bring one commit into a shallow checkout, by its id and without its history; says whether it is there now."""
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit) is None:
        return False
    command = ("git", "fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", url, commit)
    environ = network_environment(url, token)
    try:
        done = subprocess.run(  # noqa: S603 no shell, and the arguments are checked
            command, cwd=git.root, env=environ, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def network_environment(url: str, token: str) -> dict[str, str]:
    """Git's whole environment where it may talk to one server; raises nothing, and shows nobody the token.

    The token stands here and not among the arguments, which other processes can read.
    """
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    settings = (
        *(pair for pair in SETTINGS if pair[0] != "protocol.allow"),
        # An empty value drops what actions/checkout may have left in the checkout: two such headers are refused.
        (f"http.{url}.extraheader", ""),
        *(((f"http.{url}.extraheader", f"AUTHORIZATION: basic {secret}"),) if token else ()),
        ("protocol.allow", "never"),
        ("protocol.https.allow", "always"),
        ("protocol.http.allow", "always"),
        ("http.followRedirects", "false"),
        ("gc.auto", "0"),
    )
    pairs = {f"GIT_CONFIG_KEY_{index}": key for index, (key, _) in enumerate(settings)}
    pairs |= {f"GIT_CONFIG_VALUE_{index}": value for index, (_, value) in enumerate(settings)}
    parts = ("NAME", "EMAIL")
    people = {f"GIT_{role}_{part}": BOT[at] for role in ("AUTHOR", "COMMITTER") for at, part in enumerate(parts)}
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return _environment() | people | passed | pairs | {"GIT_CONFIG_COUNT": str(len(settings))}


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

    def read_all(self, folder: str) -> dict[str, bytes]:
        """Return the contents of all files below a folder by path, in two steps of git; empty for a missing folder."""
        wanted = safe_path(folder)
        entries = [one for one in self._git.entries(self._commit, wanted) if one.regular and one.path != wanted]
        return dict(zip((one.path for one in entries), self._git.blobs(entries), strict=True)) if entries else {}


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
        # A question must not rewrite the index: as root that would take it from the workspace's owner.
        "GIT_OPTIONAL_LOCKS": "0",
    }
