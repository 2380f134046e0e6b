"""`gate check`: the main job."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gate.cli import options
from gate.cli.console import TrialProgress, colours, paint, say, width


@click.command(
    epilog=options.examples(
        "gate check --base origin/main --out lockgate-out", "gate check --prompt draft.md --passes 2"
    )
)
@options.project_options
@options.base_option
@options.profile_option
@options.looks_option
@options.budget_option
@options.out_option
@options.seed_option
@options.as_of_option
@options.quiet_option
@click.option("--prompt", help="A prompt file to try in place of the target's own.")
@click.option(
    "--evidence",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="evidence.json of an earlier run of the same version: it counts, and is not asked again. May be repeated.",
)
@click.option("--aa", is_flag=True, help="Compare the baseline's version with itself; a loss marks the baseline stale.")
@click.option("--all", "every", is_flag=True, help="Run also what equals its baseline.")
@click.option(
    "--fail-on",
    type=click.Choice(["hold", "rollback"]),
    default="hold",
    show_default=True,
    help="The mildest outcome that is not exit 0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print decision.json instead of the report.")
def check(*, quiet: bool, fail_on: str, as_json: bool, **values: object) -> int:
    """Run the suites against the candidate and decide.

    Exit codes: 0 PROMOTE, 10 HOLD, 20 ROLLBACK, 2 configuration, 130 interrupted. In `mode: advisory` always 0.
    """
    from gate.app.check import check as run
    from gate.errors import ExitCode
    from gate.report.terminal import render_terminal

    request = options.request_from(**values)
    checked = run(request, progress=TrialProgress(quiet=quiet), now=time.monotonic)
    result = checked.result
    if as_json:
        say((result.out / "decision.json").read_text(encoding="utf-8").rstrip("\n"))
    else:
        paint(render_terminal(checked.view, width(), colour=colours()))
        say(f"record: {_shown(result.out)}/ (comment.md, decision.json, trials.jsonl)")
    relaxed = fail_on == "rollback" and result.exit_code is ExitCode.HOLD
    return ExitCode.PROMOTE if relaxed else result.exit_code


def _shown(path: Path) -> str:
    return path.as_posix().rstrip("/")
