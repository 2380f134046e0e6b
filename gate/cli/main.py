"""The command group, and the one place where errors become words and exit codes."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType

import click

from gate import __version__
from gate.cli.action import action
from gate.cli.approve import approve
from gate.cli.check import check
from gate.cli.decide import decide, replay
from gate.cli.demo import demo
from gate.cli.explain import explain
from gate.cli.init import init
from gate.cli.merge import merge
from gate.cli.plan import plan, validate
from gate.cli.promote import promote
from gate.cli.schema import schema
from gate.cli.show import show
from gate.errors import ExitCode, GateError

DOCS = "docs/reference/errors.md"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", prog_name="gate")
def gate() -> None:
    """Decide whether a new version of a prompt, model or agent may be merged.

    PROMOTE: shown not worse. HOLD: not shown either way. ROLLBACK: harm shown.

    Start with `gate demo` (offline, no key), then `gate init` in your repository.
    """


for command in (init, validate, plan, check, merge, approve, decide, replay, explain, promote):
    gate.add_command(command)
for command in (show, schema, demo, action):
    gate.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; a bug keeps its traceback and says that it is one."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return int(gate.main(args=list(arguments), prog_name="gate", standalone_mode=False) or 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _fail("interrupted", ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return ExitCode.CONFIGURATION
    except GateError as error:
        return _fail(str(error), error.exit_code, hint=error.hint, anchor=error.anchor)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PROMOTE
    except Exception:  # noqa: BLE001 the last resort: whatever it is, it is ours
        # An exception may quote what a model said.
        _say_traceback()
        return _fail("this is a bug in gate; please report it with the lines above", ExitCode.BUG)


def _fail(message: str, code: ExitCode, *, hint: str = "", anchor: str = "") -> int:
    from gate.cli.console import say_error

    say_error(f"error: {message}")
    if hint:
        say_error(f" help: {hint}")
    if anchor:
        say_error(f"  see: {DOCS}#{anchor}")
    return code


def _say_traceback() -> None:
    from gate.cli.console import say_error

    say_error(traceback.format_exc().rstrip("\n"))


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
