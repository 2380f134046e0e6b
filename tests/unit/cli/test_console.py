"""What is printed."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from gate.cli.console import colours, paint, say, say_command, width


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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
            say_command("x\n")
        nowhere = Path(os.devnull).stat().st_rdev
        assert [os.fstat(stream.fileno()).st_rdev for stream in (out, err)] == [nowhere, nowhere]


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
