"""What a person or a CI log sees: text that cannot forge anything, and progress that suits where it is shown."""

from __future__ import annotations

import os
import sys
import time
from shutil import get_terminal_size

import click

LINE_EVERY_SHARE = 0.05
LINE_EVERY_SECONDS = 15.0
LINE_AT_MOST_EVERY_SECONDS = 3.0
BAR_EVERY_SECONDS = 0.1
BAR_WIDTH = 24


def say(text: str, *, error: bool = False) -> None:
    """Print our own or quoted text, line by line, made harmless for the place where it is shown."""
    from gate.report.escape import workflow_line

    for line in text.split("\n"):
        _write(workflow_line(line) + "\n", error=error)


def say_error(text: str) -> None:
    """Print to standard error."""
    say(text, error=True)


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


class TrialProgress:
    """Progress on standard error: a bar on a terminal, a line each 5 % or 15 s elsewhere; silent when quiet."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Remember where to write."""
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._label, self._total, self._done, self._failed = "", 0, 0, 0
        self._started = self._shown_at = 0.0
        self._shown = 0

    def begin(self, label: str, total: int) -> None:
        """A batch of trials starts."""
        self._label, self._total, self._done, self._failed, self._shown = label, total, 0, 0, 0
        self._started = self._shown_at = time.monotonic()

    def step(self, *, answered: bool) -> None:
        """One more trial is done."""
        self._done += 1
        self._failed += not answered
        now = time.monotonic()
        if self._live and now - self._shown_at >= BAR_EVERY_SECONDS:
            self._show(now, end="")
        elif not self._live and self._line_due(now) and self._done < self._total:
            self._show(now, end="\n")

    def end(self) -> None:
        """The batch is over."""
        self._show(time.monotonic(), end="\n")

    def _line_due(self, now: float) -> bool:
        since = now - self._shown_at
        enough = self._done - self._shown >= max(1, LINE_EVERY_SHARE * self._total)
        return since >= LINE_EVERY_SECONDS or (enough and since >= LINE_AT_MOST_EVERY_SECONDS)

    def _show(self, now: float, *, end: str) -> None:
        self._shown_at, self._shown = now, self._done
        if self._quiet:
            return
        rate = self._done / max(now - self._started, 1e-9)
        left = (self._total - self._done) / rate if rate else 0.0
        errors = f", {self._failed} unanswered" if self._failed else ""
        eta = f", {left:.0f} s left" if self._done < self._total else ""
        text = f"{self._label}: {self._done}/{self._total} trials, {rate:.0f}/s{errors}{eta}"
        if self._live:
            text = f"\r\033[K{self._with_bar(text)}"
        _write(text + end, error=True)

    def _with_bar(self, text: str) -> str:
        """A bar before the text where both fit: a line that wraps could not be drawn over."""
        filled = round(BAR_WIDTH * self._done / max(self._total, 1))
        line = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {text}"
        room = get_terminal_size().columns - 1
        return line if len(line) <= room else text[:room]
