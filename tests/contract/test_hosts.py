"""GitHub's addresses come from the runner's variables, so that the gate works on GitHub Enterprise Server."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "gate"
HOST = re.compile(r"[A-Za-z0-9.-]*(?:github\.com|githubusercontent\.com|ghe\.com)")
# The default of a command line, which GITHUB_API_URL replaces, and the address of the bot that writes commits.
KNOWN = {("cli/plan.py", "api.github.com"), ("forge/git.py", "users.noreply.github.com")}


def test_gate__names_no_host_of_github() -> None:
    texts = {
        file.relative_to(PACKAGE).as_posix(): file.read_text(encoding="utf-8")
        for file in PACKAGE.rglob("*")
        if file.is_file() and file.suffix not in (".pyc", ".png")
    }
    found = {(name, host) for name, text in texts.items() for host in HOST.findall(text)}
    assert found == KNOWN
    assert 'os.environ.get("GITHUB_API_URL", GITHUB)' in texts["cli/plan.py"]
