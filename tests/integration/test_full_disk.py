"""A disk that is truly full: what is said, and that nothing is paid for twice once there is space again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.projects import CASES, ModelServer, Project

ONE = ("check", "--all", "--quiet", "--passes", "1", "--as-of", "2026-11-21")
WORKERS = 8


def mount(*words: str) -> str:
    """Mount, and return why that cannot be done here."""
    program = shutil.which("mount")
    if program is None:
        return "there is no mount"
    done = subprocess.run((program, *words), capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


@pytest.fixture
def small(promoted: Project) -> Iterator[Path]:
    """The out folder on a file system of a quarter of a megabyte."""
    promoted.record.mkdir()
    why = mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(promoted.record))
    if why:
        pytest.skip(f"no small file system can be mounted: {why}")
    yield promoted.record
    subprocess.run(("umount", "--lazy", str(promoted.record)), check=True)


def long_answers(prompt: str) -> str:
    return prompt.rsplit(maxsplit=1)[-1] + " " * 6_000


def answers(folder: Path) -> int:
    lines = (folder / "answers.jsonl").read_text().splitlines()
    return sum("answer" in json.loads(line) for line in lines)


def test_check__on_a_full_disk__names_the_file_and_resume_pays_for_nothing_twice(
    small: Path, promoted: Project, model: ModelServer
) -> None:
    model.answers = long_answers
    ran = promoted.gate(*ONE)
    kept, asked = answers(small), len(model.prompts)
    assert (ran.code, ran.out) == (2, "")
    assert re.match(r"error: lockgate-out/(inputs/)?\w+\.\w+: cannot write: No space left on device\n", ran.err)
    assert "make space on that disk; what was answered so far is kept, and `--resume` goes on with it" in ran.err
    assert 5 <= kept < CASES
    # Those on their way when the disk was full, and no others, were asked in vain.
    assert kept < asked <= kept + WORKERS
    assert not [path for path in small.iterdir() if path.name.endswith(".partial")]
    assert mount("-o", "remount,size=64m", str(small)) == ""
    model.reset()
    assert promoted.gate(*ONE, "--resume").code == 0
    assert len(model.prompts) == CASES - kept
    assert answers(small) == CASES
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__on_a_disk_that_is_full_from_the_start__asks_nothing(
    small: Path, promoted: Project, model: ModelServer
) -> None:
    filler = small / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)
    ran = promoted.gate(*ONE)
    assert ran.code == 2
    assert "No space left on device" in ran.err
    assert "Traceback" not in ran.err
    assert model.prompts == []
