"""Options that several commands share, and the request they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gate.app.request import CheckRequest

Command = TypeVar("Command", bound=Callable[..., Any])
OUT = "lockgate-out"

root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The repository (default: here).",
)
config_option = click.option("--config", default="gate.yaml", show_default=True, help="The gate's file.")
target_option = click.option("--target", "targets", multiple=True, help="Only this target; may be repeated.")
suite_option = click.option("--suite", "suites", multiple=True, help="Only this suite; may be repeated.")
out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(OUT),
    show_default=True,
    help="Folder for the record of the run.",
)
base_option = click.option("--base", help="Git ref that policy, baseline and scorers are read from.")
profile_option = click.option("--profile", help="merge, ci, paper, pre-production or launch.")
looks_option = click.option(
    "--passes", type=click.IntRange(1, 100), help="Passes at most (default: looks after 1, 2, 3, 5)."
)
budget_option = click.option(
    "--budget-usd", type=click.FloatRange(min=0, min_open=True), help="Stop at so many dollars."
)
seed_option = click.option("--seed", type=int, default=1, show_default=True, help="For targets that take one.")
quiet_option = click.option("--quiet", is_flag=True, help="No progress.")
as_of_option = click.option("--as-of", help="Decide as of this date, YYYY-MM-DD (default: today, UTC).")


fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["hold", "rollback"]),
    default="hold",
    show_default=True,
    help="The mildest outcome that is not exit 0.",
)
resume_option = click.option(
    "--resume", is_flag=True, help="Go on with the answers that an ended run left in the out folder."
)
cache_option = click.option(
    "--cache",
    type=click.Choice(["off", "read-write", "read-only", "refresh"]),
    default="off",
    show_default=True,
    help="Use answers of past runs on this machine; not in CI.",
)
record_option = click.option("--record", is_flag=True, help="Write answers into the target's recordings.")
offline_option = click.option("--offline", is_flag=True, help="Ask no model: what is not recorded is missing.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print decision.json instead of the report.")


def examples(*lines: str) -> str:
    """An epilog with one command line a line, none of them wrapped."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def project_options(command: Command) -> Command:
    """Options of every command that reads a project."""
    for option in (suite_option, target_option, config_option, root_option):
        command = option(command)
    return command


def engine_options(command: Command) -> Command:
    """Where trials are executed."""
    engine = click.option(
        "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where trials run."
    )
    address = click.option(
        "--address",
        help="The Ray cluster: auto (the one this machine is in, the default), local (a new one), or ray://HOST:PORT.",
    )
    return engine(address(command))


def date_or_today(text: str | None) -> str:
    """A checked date; raises UsageError for what is none."""
    if text is None:
        return datetime.now(UTC).date().isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise click.UsageError(f"--as-of must be YYYY-MM-DD, not {text!r}") from None


def request_from(**values: Any) -> CheckRequest:
    """A request from option values; what is not given keeps the request's default."""
    from gate.app.request import CheckRequest
    from gate.store.answer_cache import CacheMode

    given = {name: value for name, value in values.items() if value is not None}
    given["as_of"] = date_or_today(given.get("as_of"))
    engine, address = given.pop("engine", "local"), given.pop("address", None)
    if engine == "ray":
        given["ray"] = address or "auto"
    elif address is not None:
        raise click.UsageError("--address is for --engine ray")
    given["cache"] = CacheMode(given.get("cache", "off"))
    return CheckRequest(environ=dict(os.environ), **given)
