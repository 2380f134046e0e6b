"""The out folder: every file written whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gate.errors import OutputError

FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
MAKE_SPACE = "make space on that disk; what was answered so far is kept, and `--resume` goes on with it"


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts below a folder, each atomically; raises OutputError naming the file and what to do.

    A symlink below the folder is not followed out of it: the folder may have come with a pull request.
    """
    for name, text in files.items():
        if not (folder / name).parent.resolve().is_relative_to(folder.resolve()):
            message = f"{folder / name}: its folder is a symlink that leaves {folder}"
            raise OutputError(message, hint="remove the symlink, or name another folder")
        write_file(folder / name, text)


def write_file(path: Path, text: str) -> None:
    """Write one text atomically: a reader sees the old file or the new one, never a part."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with partial.open("x", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        hint = MAKE_SPACE if error.errno in FULL else "choose another folder, or make this one writable"
        raise OutputError(f"{path}: cannot write: {error.strerror}", hint=hint) from error
