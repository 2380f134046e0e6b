"""The first command of a newcomer: what it says where Python is missing, old, or without venv."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = 'case "$*" in *version_info*) exit 1;; -V) echo "Python 3.9.2";; esac'
BARE = 'case "$*" in *ensurepip*) exit 1;; esac'


def check(python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(ROOT / ".ci" / "check-python"), python], capture_output=True, text=True, check=False, timeout=30
    )


def stand_in(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_check_python__missing() -> None:
    done = check("python-that-is-not-there")
    assert done.returncode == 2
    assert done.stderr == "lockgate needs Python 3.11 or newer: type  sudo apt install python3 python3-venv\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [(OLD, "is Python 3.9.2: type  sudo apt install python3.11"), (BARE, "type  sudo apt install python3-venv")],
)
def test_check_python__old_or_without_venv(tmp_path: Path, script: str, words: str) -> None:
    done = check(stand_in(tmp_path, script))
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_check_python__good() -> None:
    assert check("python3").returncode == 0


def test_make__names_the_command_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / ".ci").symlink_to(ROOT / ".ci")
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    for name in ("requirements.lock", "requirements-build.lock", "pyproject.toml"):
        (tmp_path / name).write_text("")
    python = stand_in(tmp_path, BARE)
    done = subprocess.run(
        ["make", f"PYTHON={python}", "gate"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "sudo apt install python3-venv" in done.stderr
