"""Trials as JSON lines with their full text, written as they come: an interrupted run keeps what was paid for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from gate.core.canonical import canonical_json
from gate.core.codec import encode
from gate.core.model import Json, Trial
from gate.errors import OutputError


class Journal:
    """Appends trials to `trials.jsonl`; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Open a fresh file; raises OutputError where the folder cannot be written."""
        # A symlink may have come with a pull request, and lead anywhere.
        if path.parent.is_symlink():
            raise OutputError(f"{path.parent} is a symlink", hint="remove it, or name the folder that it leads to")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                path.unlink()
            self._file = path.open("w", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise OutputError(
                f"{path}: cannot write: {error.strerror}", hint="choose another folder with `--out DIR`"
            ) from error
        self._lock = threading.Lock()

    def write(self, trial: Trial, *, place: Mapping[str, str], prompt: str = "") -> None:
        """Write one trial: where it belongs, what was asked, what came back, how it was judged."""
        plain = encode(trial)
        line: dict[str, Json] = (plain if isinstance(plain, dict) else {}) | dict(place) | {"prompt": prompt}
        with self._lock:
            self._file.write(canonical_json(line) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
