"""The out folder of a step: under a name that nothing has yet, and left to whoever owns the workspace."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from gate.errors import OutputError

OUT_FOLDER = "lockgate-out"
MOST_FOLDERS = 100


def fresh_folder(workspace: Path) -> Path:
    """Create the out folder under a name that nothing has yet: a pull request may have committed a symlink there."""
    for number in range(1, MOST_FOLDERS + 1):
        folder = workspace / (OUT_FOLDER if number == 1 else f"{OUT_FOLDER}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            message = f"{folder.name} cannot be created: {error.strerror}"
            raise OutputError(message, hint="lockgate writes below the workspace") from error
        return folder
    raise OutputError(f"there are already {MOST_FOLDERS} folders {OUT_FOLDER}-*", hint="remove them")


def give_to_owner(out: Path, workspace: Path) -> None:
    """Hand what root wrote to the workspace's owner, so that a self-hosted runner can clean it up.

    Git's index is among it: a question about differences refreshes it.
    """
    if os.geteuid() != 0:
        return
    owner = workspace.stat()
    with suppress(OSError):
        os.chown(workspace / ".git" / "index", owner.st_uid, owner.st_gid, follow_symlinks=False)
    for folder, folders, files in os.walk(out):
        for name in (".", *folders, *files):
            os.chown(Path(folder, name), owner.st_uid, owner.st_gid, follow_symlinks=False)


def give_files(paths: Iterable[str], workspace: Path) -> None:
    """Hand files below the workspace, and the folders that they lie in, to its owner."""
    if os.geteuid() != 0:
        return
    owner = workspace.stat()
    for path in paths:
        for part in (path, *map(str, PurePosixPath(path).parents)):
            os.chown(workspace / part, owner.st_uid, owner.st_gid, follow_symlinks=False)
