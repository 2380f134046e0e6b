"""The tutorial works: every command is run, in order, and says first what the page says it does."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-gate.md"
FENCE = re.compile(r"^```([a-z]+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"The exit code is (\d+)\.")
VARYING = re.compile(r"\d{4}-\d{2}-\d{2}|[0-9a-f]{12}\.\.\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A block of commands, the first line of what it prints (empty where the page shows nothing), and its exit code."""

    commands: str
    first_line: str
    exit_code: int


def steps(markdown: str) -> Iterator[Step]:
    parts = FENCE.split(markdown)
    for place in range(1, len(parts), 3):
        language, body, after = parts[place : place + 3]
        if language == "sh":
            shown = parts[place + 4] if not after.strip() and parts[place + 3] == "text" else ""
            said = EXIT_CODE.search(parts[place + 5] if shown else after)
            yield Step(commands=body, first_line=shown.partition("\n")[0], exit_code=int(said[1]) if said else 0)


def environment() -> dict[str, str]:
    own = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "COLUMNS": "80", "LANG": "C.UTF-8"}
    return {"PATH": path, "HOME": os.devnull, **quiet, **dict.fromkeys(own, "ada@example.com")}


def test_tutorial__every_command_does_what_the_page_says(tmp_path):
    place = tmp_path / "clone"
    place.mkdir()
    found = list(steps(PAGE.read_text(encoding="utf-8")))
    for step in found:
        script = f"{step.commands}code=$?; pwd > {tmp_path}/place; exit $code"
        done = subprocess.run(
            ["sh", "-c", script], cwd=place, env=environment(), capture_output=True, text=True, check=False, timeout=120
        )
        place = Path((tmp_path / "place").read_text(encoding="utf-8").strip())
        assert done.returncode == step.exit_code, (step.commands, done.stdout, done.stderr)
        printed = [VARYING.sub("...", line) for line in (done.stdout + done.stderr).splitlines()]
        assert not step.first_line or VARYING.sub("...", step.first_line) in printed
    assert [step.exit_code for step in found].count(20) == 1
    assert len(found) == len(re.findall(r"^```sh$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
