"""`gate check`: the main job."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gate.cli import options
from gate.cli.console import colours, paint, say, say_json, width

if TYPE_CHECKING:
    from gate.app.record import Checked
    from gate.app.request import CheckRequest
    from gate.cli.progress import TrialProgress


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
@options.resume_option
@options.cache_option
@options.record_option
@options.offline_option
@click.option("--aa", is_flag=True, help="Compare the baseline's version with itself; a loss marks the baseline stale.")
@click.option("--all", "every", is_flag=True, help="Run also what equals its baseline.")
@click.option(
    "--shard", metavar="I/N", help="Run only the I-th of N shares of the cases and write a part for `gate merge`."
)
@options.engine_options
@click.option(
    "--release",
    type=click.Path(dir_okay=False, path_type=Path),
    help="release.json of `gate approve`: pass the recorded HOLD beside it. Makes no call.",
)
@options.fail_on_option
@options.json_option
def check(
    *, quiet: bool, fail_on: str, as_json: bool, shard: str | None, release: Path | None, **values: object
) -> int:
    """Run the suites against the candidate and decide.

    Exit codes: 0 PROMOTE, 10 HOLD, 20 ROLLBACK, 2 configuration, 130 interrupted. In `mode: advisory` always 0.
    """
    from gate.app.check import check as run
    from gate.cli.progress import TrialProgress

    request, progress = options.request_from(**values), TrialProgress(quiet=quiet)
    if release is not None:
        return _pass_released(release, request, fail_on=fail_on, as_json=as_json)
    if shard is not None:
        return _run_shard(shard, request, progress=progress)
    checked = run(request, progress=progress, now=time.monotonic)
    return report(checked, fail_on=fail_on, as_json=as_json)


def _pass_released(path: Path, request: CheckRequest, *, fail_on: str, as_json: bool) -> int:
    from gate.app.released import check_released

    checked = check_released(request, path)
    code = report(checked, fail_on=fail_on, as_json=as_json)
    if not as_json:
        say(f"HOLD, released by {checked.result.released_by}")
    return code


def _run_shard(text: str, request: CheckRequest, *, progress: TrialProgress) -> int:
    from gate.app.shard import run_shard
    from gate.runner.shards import Shard

    try:
        shard = Shard.parse(text)
    except ValueError as error:
        raise click.UsageError(f"--shard {error}, not {text!r}") from None
    result = run_shard(request, shard, progress=progress, now=time.monotonic)
    say(result.sentence)
    say(f"part: {result.path.as_posix()}; join all {shard.count} with `gate merge`")
    return result.exit_code


def report(checked: Checked, *, fail_on: str, as_json: bool) -> int:
    """Print a decision and return the exit code."""
    from gate.errors import ExitCode
    from gate.report.terminal import render_terminal

    result = checked.result
    if as_json:
        say_json((result.out / "decision.json").read_text(encoding="utf-8"))
    else:
        paint(render_terminal(checked.view, width(), colour=colours()))
        say(f"record: {_shown(result.out)}/ (comment.md, decision.json, trials.jsonl)")
    relaxed = fail_on == "rollback" and result.exit_code is ExitCode.HOLD
    return ExitCode.PROMOTE if relaxed else result.exit_code


def _shown(path: Path) -> str:
    return path.as_posix().rstrip("/")
