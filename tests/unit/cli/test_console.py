"""What is printed, and how often."""

from __future__ import annotations

import io
import os
import sys

import pytest

from gate.cli import console
from gate.cli.console import TrialProgress, colours, paint, say, width


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: seconds[0])
    return seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def go(progress: TrialProgress, clock: list[float], total: int, seconds: float) -> None:
    """Answer all trials in so many seconds, every tenth of them not."""
    progress.begin("echo / echo", total)
    for number in range(total):
        clock[0] += seconds / total
        progress.step(answered=number % 10 != 9)
    progress.end()


def test_trial_progress__fast_batch_is_one_line(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    go(TrialProgress(), clock, 100, 2.0)
    assert capsys.readouterr().err == "echo / echo: 100/100 trials, 50/s, 10 unanswered\n"


def test_trial_progress__slow_batch_is_a_line_each_5_percent(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    go(TrialProgress(), clock, 100, 100.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "echo / echo: 5/100 trials, 1/s, 95 s left"
    assert len(lines) == 20


def test_trial_progress__very_slow_batch_is_a_line_each_15_seconds(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    go(TrialProgress(), clock, 1000, 1500.0)
    assert len(capsys.readouterr().err.splitlines()) == 100


def test_trial_progress__quiet(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    go(TrialProgress(quiet=True), clock, 100, 100.0)
    assert capsys.readouterr() == ("", "")


def test_trial_progress__terminal_gets_a_bar_in_place(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    go(TrialProgress(), clock, 10, 10.0)
    shown = terminal.getvalue()
    assert shown.startswith("\r\033[K[##......................] echo / echo: 1/10 trials, 1/s, 9 s left")
    assert shown.endswith("[########################] echo / echo: 10/10 trials, 1/s, 1 unanswered\n")
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("columns", "line"),
    [("48", "echo / echo: 1/10 trials, 1/s, 9 s left"), ("25", "echo / echo: 1/10 trials")],
)
def test_trial_progress__never_wraps(
    columns: str, line: str, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    go(TrialProgress(), clock, 10, 10.0)
    assert terminal.getvalue().startswith(f"\r\033[K{line}\r")


def closed_pipe() -> io.TextIOWrapper:
    """A stream whose reader went away."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", encoding="utf-8")


def test_say__a_reader_that_went_away_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_pipe() as out, closed_pipe() as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        for _ in range(2):
            say("x")
            paint("x")
            say("x", error=True)
            TrialProgress().end()


def test_say__makes_every_line_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\n::error::two\n##[add-mask]three\x1b[2J")
    assert capsys.readouterr().out == "one\n:\u200b:error::two\n#\u200b#[add-mask]three\\x1b[2J\n"
    say("two", error=True)
    assert capsys.readouterr() == ("", "two\n")


def test_colours__on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not colours()
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert colours()
    monkeypatch.setenv("NO_COLOR", "")
    assert not colours()


@pytest.mark.parametrize(("columns", "expected"), [("20", 60), ("80", 80), ("300", 100)])
def test_width__is_bounded(columns: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert width() == expected
