"""What a person or a CI log sees: text that cannot forge anything."""

from __future__ import annotations

import os
import sys
from shutil import get_terminal_size

import click


def say(text: str, *, error: bool = False) -> None:
    """Print our own or quoted text, line by line, made harmless for the place where it is shown."""
    from gate.report.escape import workflow_line

    for line in text.split("\n"):
        _write(workflow_line(line) + "\n", error=error)


def say_json(text: str) -> None:
    """Print a JSON document, so that it still parses to the same value and a log finds no command in it."""
    from gate.report.escape import json_lines

    _write(json_lines(text.rstrip("\n")) + "\n")


def say_error(text: str) -> None:
    """Print to standard error."""
    say(text, error=True)


def say_command(text: str) -> None:
    """Print a workflow command, whose content is escaped already, to standard error, where progress is shown."""
    _write(text, error=True)


def paint(text: str) -> None:
    """Print a report that escaped its content already and may carry colours."""
    _write(text + "\n")


def _write(text: str, *, error: bool = False) -> None:
    """Print; a reader that went away (`| head`) does not end the run and does not change the exit code."""
    try:
        click.echo(text, nl=False, err=error)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (sys.stderr if error else sys.stdout).fileno())
        os.close(nowhere)


def colours() -> bool:
    """Whether standard output is a terminal that wants colours (NO_COLOR is respected)."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def width() -> int:
    """Columns of the terminal, between 60 and 100."""
    return max(60, min(100, get_terminal_size().columns))
