"""What a step tells the runner: workflow commands on stdout, outputs and the job summary in files.

The runner reads `::command::` at the start of a line and `##[command]` anywhere in one, so every text that is not ours
is escaped before it is printed.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from gate.errors import OutputError

MOST_ANNOTATIONS = 9
MESSAGE_LIMIT = 4_000
SUMMARY_LIMIT = 1024 * 1024
CUT_NOTE = "\n\n_The rest was left out: a job summary holds 1 MiB. The whole report is in the artifact._\n"
ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"
ENDGROUP = "::endgroup::\n"


class Level(StrEnum):
    """How loud an annotation is."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One line in the run's list of annotations, at a file and line where known."""

    level: Level
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None


def escape_data(text: str) -> str:
    """Make text safe as a command's message: one line, and no `##[command]` inside."""
    broken = text.replace("##[", f"#{ZERO_WIDTH}#[")
    return broken.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Make text safe as a command's property."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def mask(secret: str) -> str:
    """Return the commands that make the runner hide a secret, one for each of its lines."""
    return "".join(f"::add-mask::{escape_data(line)}\n" for line in secret.splitlines() if line.strip())


def annotate(annotations: Sequence[Annotation]) -> str:
    """Return the commands for at most nine annotations and one that counts the rest (the runner shows ten)."""
    shown = list(annotations[:MOST_ANNOTATIONS])
    if rest := annotations[MOST_ANNOTATIONS:]:
        shown.append(Annotation(level=rest[0].level, message=f"{len(rest)} more in the job summary", title="lockgate"))
    return "".join(_command(annotation) for annotation in shown)


def _command(annotation: Annotation) -> str:
    properties = {
        "file": annotation.file,
        "line": str(annotation.line) if annotation.file and annotation.line else "",
        "title": annotation.title,
    }
    given = ",".join(f"{name}={escape_property(value)}" for name, value in properties.items() if value)
    return f"::{annotation.level}{' ' if given else ''}{given}::{escape_data(annotation.message[:MESSAGE_LIMIT])}\n"


def group(title: str) -> str:
    """Return the command that starts a group of lines; groups do not nest, and `ENDGROUP` ends one."""
    return f"::group::{escape_data(title)}\n"


@contextmanager
def commands_stopped(stdout: TextIO) -> Iterator[None]:
    """Keep the runner from obeying anything that is printed to `stdout` inside of the block."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}", file=stdout, flush=True)
    try:
        yield
    finally:
        print(f"\n::{token}::", file=stdout, flush=True)


def write_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Append outputs to the runner's file, each between random delimiters that its value cannot contain.

    Raises OutputError where the file cannot be written.
    """
    append(path, "".join(_output(name, value) for name, value in outputs.items()))


def _output(name: str, value: str) -> str:
    delimiter = f"lockgate_{secrets.token_hex(16)}"
    if delimiter in value or delimiter in name:
        raise OutputError(f"output {name!r} contains its own delimiter", hint="run the job again")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def write_summary(path: Path, text: str) -> None:
    """Append Markdown to the job summary, cut at a section border where the 1 MiB of a step would not hold it."""
    taken = path.stat().st_size if path.exists() else 0
    append(path, cut_summary(text, SUMMARY_LIMIT - taken))


def cut_summary(text: str, limit: int) -> str:
    """Keep as many whole sections as fit into `limit` bytes of UTF-8, with a note where any was left out."""
    if len(text.encode("utf-8", "replace")) <= limit:
        return text
    room = limit - len(CUT_NOTE.encode())
    kept = ""
    for section in _sections(text):
        room -= len(section.encode("utf-8", "replace"))
        if room < 0:
            break
        kept += section
    return kept + CUT_NOTE if kept else ""


def _sections(text: str) -> Iterator[str]:
    """Split before headings and folds that are neither in a fence nor inside of another fold."""
    section, fence, depth = "", "", 0
    for line in re.split(r"(?<=\n)", text):
        stripped = line.strip()
        if not fence and depth == 0 and line.startswith(("#", "<details")) and section:
            yield section
            section = ""
        section += line
        if fence:
            fence = "" if stripped.startswith(fence) and not stripped.strip(fence[0]) else fence
        elif stripped.startswith(("```", "~~~")):
            fence = stripped[: len(stripped) - len(stripped.lstrip(stripped[0]))]
        else:
            depth += line.count("<details") - line.count("</details>")
    yield section


def append(path: Path, text: str) -> None:
    """Append UTF-8 text to one of the runner's files; raises OutputError where that fails."""
    try:
        with path.open("a", encoding="utf-8", errors="replace", newline="") as stream:
            stream.write(text)
    except OSError as error:
        message = f"{path.name} of the runner cannot be written: {error.strerror}"
        raise OutputError(message, hint="lockgate must run as root in its container") from error
