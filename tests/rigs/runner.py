"""What GitHub's runner makes of a step's files and log, after actions/runner (FileCommandManager, ActionCommand)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = frozenset(
    ("error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher", "remove-matcher", "echo",
     "stop-commands", "set-output", "save-state")
)  # fmt: skip


def read_file_command(file: Path) -> dict[str, str]:
    """Parse GITHUB_OUTPUT; raises ValueError where the runner would fail the step."""
    values: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, delimiter = line.split("<<", 1)
            values[name] = "\n".join(_until(lines, delimiter))
        elif equals >= 0:
            name, value = line.split("=", 1)
            values[name] = value
        else:
            message = f"invalid format {line!r}"
            raise ValueError(message)
    return values


def _until(lines: object, delimiter: str) -> list[str]:
    content: list[str] = []
    for line in lines:  # type: ignore[attr-defined]
        if line == delimiter:
            return content
        content.append(line)
    message = f"matching delimiter not found {delimiter!r}"
    raise ValueError(message)


@dataclass
class Log:
    """A step's log as the runner reads it: what it obeyed, what it hid, and what people see."""

    obeyed: list[tuple[str, str, str]] = field(default_factory=list)
    masks: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """The log with secrets hidden."""
        text = "\n".join(self.lines)
        for secret in sorted(self.masks, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def named(self, command: str) -> list[str]:
        """Messages of one command."""
        return [message for name, _, message in self.obeyed if name == command]


def read_log(text: str) -> Log:
    """Read stdout and stderr together, line by line; both forms of commands count, stopping included."""
    log, stopped = Log(), ""
    for line in re.split(r"\r\n|\n|\r", text):
        if stopped:
            if line.strip() == f"::{stopped}::":
                stopped = ""
            else:
                log.lines.append(line)
            continue
        found = _command(line)
        if found is None:
            log.lines.append(line)
            continue
        log.obeyed.append(found)
        name, _, message = found
        if name == "stop-commands":
            stopped = message
        elif name == "add-mask":
            log.masks.add(message)
        else:
            log.lines.append(f"##[{name}]{message}")
    return log


def _command(line: str) -> tuple[str, str, str] | None:
    second = re.match(r"::([\w-]+)( [^:]*)?::(.*)$", line.strip())
    first = re.search(r"##\[([\w-]+)( [^\]]*)?\](.*)$", line)
    found = next((match for match in (second, first) if match and match.group(1).lower() in COMMANDS), None)
    if found is None:
        return None
    message = found.group(3).replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    return found.group(1).lower(), (found.group(2) or "").strip(), message
