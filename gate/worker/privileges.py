"""Which user a worker becomes."""

import os
import sys
import sysconfig
import tempfile
from pathlib import Path

NOBODY = 65534
_TO_BECOME_AND_TO_KILL = (0, 5, 6, 7)  # CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID
_READ_AND_ENTER = 0o5
_ENTER = 0o1


def user_to_become(cwd: Path) -> int | None:
    """Return `nobody` where this process may become it and it can reach what a worker needs, else None."""
    return NOBODY if os.geteuid() == 0 and not why_root_stays(cwd) else None


def why_root_stays(cwd: Path) -> str:
    """Why a worker of this process stays user 0; empty where it becomes `nobody`, or where this is another user."""
    if os.geteuid() != 0:
        return ""
    if not _has_capabilities():
        return "this process may not become another user"
    interpreter = (sys.executable, sys.prefix, sysconfig.get_path("stdlib"))
    needed = (*interpreter, Path(__file__).parent, cwd, tempfile.gettempdir())
    closed = next((Path(path) for path in needed if not _is_open_to_all(Path(path))), None)
    return "" if closed is None else f"not everybody can reach {closed}"


def _has_capabilities() -> bool:
    status = Path("/proc/self/status").read_text("utf-8", "replace")
    effective = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
    return all(effective >> capability & 1 for capability in _TO_BECOME_AND_TO_KILL)


def _is_open_to_all(path: Path) -> bool:
    """Say whether everybody can read and enter (or execute) the path, by the name given and by the resolved one."""
    absolute, resolved = path.absolute(), path.resolve()
    parents = (*absolute.parents, *resolved.parents)
    try:
        return _allows(resolved, _READ_AND_ENTER) and all(_allows(parent, _ENTER) for parent in parents)
    except OSError:
        return False


def _allows(path: Path, bits: int) -> bool:
    return path.stat().st_mode & bits == bits
