"""Trials as JSON lines with their full text, written as they come, for people to read."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gate.core.canonical import canonical_json
from gate.core.codec import encode
from gate.core.model import Json, Trial
from gate.errors import OutputError


class Journal:
    """Appends trials to `trials.jsonl`; safe to share between threads.

    `failed` is empty, or says why the file could not be written any further.
    """

    def __init__(self, path: Path) -> None:
        """Open a fresh file; raises OutputError where the folder cannot be written."""
        self._path = path
        try:
            prepare_place(path)
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise unwritable(path, error) from error
        self._lock = threading.Lock()
        self.failed = ""

    def write(self, trial: Trial, *, place: Mapping[str, str], prompt: str = "") -> None:
        """Write one trial: where it belongs, what was asked, what came back, how it was judged."""
        plain = encode(trial)
        line: dict[str, Json] = (plain if isinstance(plain, dict) else {}) | dict(place) | {"prompt": prompt}
        with self._lock:
            if not self.failed:
                self._append((canonical_json(line) + "\n").encode("utf-8", "backslashreplace"))

    def _append(self, line: bytes) -> None:
        size = self._file.tell()
        try:
            write_whole(self._file.fileno(), line)
        except OSError as error:
            self.failed = f"{self._path.name} cannot be written: {error.strerror}"
            with suppress(OSError):
                self._file.truncate(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def prepare_place(path: Path) -> None:
    """Make the folder of a file; a symlink in the file's place is removed, and one in the folder's place refused.

    Raises OutputError, and OSError where the folder cannot be made.
    """
    # A symlink may have come with a pull request, and lead anywhere.
    if path.parent.is_symlink():
        raise OutputError(f"{path.parent} is a symlink", hint="remove it, or name the folder that it leads to")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all bytes; raises OSError, and then a part of them may have been written."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def unwritable(path: Path, error: OSError) -> OutputError:
    """What to say of a file that cannot be written."""
    return OutputError(f"{path}: cannot write: {error.strerror}", hint="choose another folder with `--out DIR`")
