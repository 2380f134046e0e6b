"""The command line: help, usage errors, and where errors become exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gate import __version__
from gate.cli.main import gate, run
from gate.errors import (
    ConfigurationError,
    ExitCode,
    GateError,
    MismatchError,
    NothingToDoError,
    OutputError,
    PublishError,
    RecordError,
    SuiteError,
)

ROOT = Path(__file__).parents[3]
COMMANDS = ("init", "validate", "plan", "check", "decide", "replay", "promote", "show", "schema", "demo")
HEAVY = ("pydantic", "jsonschema", "rapidfuzz", "regex", "requests", "jinja2", "genai_prices", "yaml")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def python(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, *words),
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_run__help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in COMMANDS)
    assert "\n  action " not in said


@pytest.mark.parametrize("name", [*COMMANDS, "action"])
def test_run__help_of_a_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "-h"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: gate {name} ")


def test_run__version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"gate, version {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chekc"], "No such command 'chekc'"),
        (["check", "--bas", "x"], "No such option"),
        (["check", "--passes", "0"], "Invalid value for '--passes'"),
        (["check", "--passes", "many"], "Invalid value for '--passes'"),
        (["check", "--budget-usd", "0"], "Invalid value for '--budget-usd'"),
        (["check", "--root", "nowhere"], "Invalid value for '--root'"),
        (["check", "--out", __file__], "Invalid value for '--out'"),
        (["check", "--fail-on", "never"], "Invalid value for '--fail-on'"),
        (["check", "--as-of", "yesterday"], "--as-of must be YYYY-MM-DD, not 'yesterday'"),
        (["check", "--as-of", "2026-02-30"], "--as-of must be YYYY-MM-DD, not '2026-02-30'"),
        (["check", "extra"], "Got unexpected extra argument (extra)"),
        (["replay"], "Missing argument 'DECISION'"),
        (["decide"], "Missing option '--policy'"),
        (["schema", "policy"], "is not one of 'gate', 'suite', 'case'"),
    ],
)
def test_run__usage_errors(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_run__without_a_command_shows_the_help() -> None:
    done = python("-m", "gate")
    assert done.returncode == 2
    assert "Usage: gate [OPTIONS] COMMAND" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> object:
    """Make a command that raises what it is given; called once a test."""

    def install(error: BaseException) -> None:
        @click.command("fall")
        def fall() -> int:
            raise error

        monkeypatch.setitem(gate.commands, "fall", fall)

    return install


@pytest.mark.parametrize(
    ("kind", "code", "anchor"),
    [
        (ConfigurationError, 2, "configuration"),
        (SuiteError, 2, "suite"),
        (RecordError, 2, "record"),
        (OutputError, 2, "output"),
        (NothingToDoError, 3, "nothing-to-do"),
        (MismatchError, 4, "mismatch"),
        (PublishError, 5, "publish"),
    ],
)
def test_run__error_of_ours(
    kind: type[GateError], code: int, anchor: str, raising: object, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(kind("what\nhappened", hint="do this"))  # type: ignore[operator]
    assert run(["fall"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"error: what\nhappened\n help: do this\n  see: docs/reference/errors.md#{anchor}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.exceptions.Abort()])
def test_run__interrupted(error: BaseException, raising: object, capsys: pytest.CaptureFixture[str]) -> None:
    raising(error)  # type: ignore[operator]
    assert run(["fall"]) == ExitCode.INTERRUPTED == 130
    assert capsys.readouterr().err.lstrip("\n") == "error: interrupted\n"


def test_run__bug(raising: object, capsys: pytest.CaptureFixture[str]) -> None:
    raising(ZeroDivisionError("oh"))  # type: ignore[operator]
    assert run(["fall"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Traceback (most recent call last):\n")
    assert "ZeroDivisionError: oh\n" in captured.err
    assert captured.err.endswith("error: this is a bug in gate; please report it with the lines above\n")


def test_run__terminated_is_interrupted() -> None:
    code = (
        "import os, signal, click\nfrom gate.cli.main import gate, run\n"
        "@gate.command()\ndef fall():\n    os.kill(os.getpid(), signal.SIGTERM)\n    signal.pause()\n"
        "raise SystemExit(run(['fall']))"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr.lstrip("\n")) == (130, "error: interrupted\n")


def test_run__reader_that_has_gone() -> None:
    code = f"{sys.executable} -m gate schema gate | head -c 1"
    done = subprocess.run(
        ("bash", "-c", f"set -o pipefail; {code}; exit ${{PIPESTATUS[0]}}"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{", "")


def test_help__imports_nothing_heavy() -> None:
    code = (
        f"import sys\nfrom gate.cli.main import run\nrun(['--help'])\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert python("-c", code).stdout.endswith("\n[]\n")
