"""Where files come from: a tree is the working directory, or one commit of it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from gate.documents.wording import quoted
from gate.errors import ConfigurationError

FILE_LIMIT = 64 * 2**20


class Tree(Protocol):
    """A set of files under relative posix paths."""

    @property
    def name(self) -> str:
        """What messages call this tree."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is no such file; raises ConfigurationError for unsafe paths."""
        ...

    def list(self, folder: str) -> tuple[str, ...]:
        """Return the paths of all files below a folder, sorted, relative to the tree; empty for a missing folder."""
        ...


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """The files on disk below a root. Paths that leave it (also by symlink) and `.git` are refused."""

    root: Path

    @property
    def name(self) -> str:
        """What messages call this tree."""
        return "the working tree"

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is no such file.

        Raises ConfigurationError for a path outside of the root, something that is not a regular file, a file over
        64 MB, and a file that may not be read.
        """
        try:
            return _read_regular(self._inside(path), path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            message = f"{quoted(path)} cannot be read: {error.strerror}"
            raise ConfigurationError(message, hint="check the file's type and permissions") from error

    def list(self, folder: str) -> tuple[str, ...]:
        """Return the paths of all files below a folder, sorted, relative to the root; empty for a missing folder.

        Symlinked folders are not entered. Raises ConfigurationError for a folder outside of the root.
        """
        start = self._inside(folder)
        base = PurePosixPath(*_segments(folder))
        return tuple(sorted(str(base / below) for below in _files_below(start)))

    def _inside(self, path: str) -> Path:
        root = self.root.resolve()
        try:
            found = root.joinpath(*_segments(path)).resolve()
        except (OSError, RuntimeError) as error:
            raise ConfigurationError(f"{quoted(path)} is a symlink to itself", hint="remove the symlink") from error
        if not found.is_relative_to(root):
            raise ConfigurationError(f"{quoted(path)} leaves the repository", hint="use a file inside of it")
        _refuse_git_folder(found.relative_to(root).parts, path)
        return found


def _segments(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise ConfigurationError(f"{quoted(path)} leaves the repository", hint="use a relative path without ..")
    _refuse_git_folder(parts, path)
    return parts


def _refuse_git_folder(parts: tuple[str, ...], path: str) -> None:
    if any(part.lower() == ".git" for part in parts):
        raise ConfigurationError(f"{quoted(path)} is inside of .git", hint="use a file of the repository itself")


def _read_regular(file: Path, path: str) -> bytes:
    # Opening a pipe would wait for its writer, so its type is asked first.
    if not stat.S_ISREG(file.stat().st_mode):
        raise ConfigurationError(f"{quoted(path)} is not a regular file", hint="name a file")
    with file.open("rb") as stream:
        content = stream.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise ConfigurationError(f"{quoted(path)} is larger than {FILE_LIMIT} bytes", hint="split the file")
    return content


def _files_below(start: Path) -> Iterator[PurePosixPath]:
    for folder, subfolders, files in os.walk(start):
        subfolders[:] = [name for name in subfolders if name.lower() != ".git"]
        inner = Path(folder).relative_to(start)
        yield from (PurePosixPath(inner.as_posix(), name) for name in files if name.lower() != ".git")
