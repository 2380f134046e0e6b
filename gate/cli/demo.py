"""`gate demo`: three candidate versions, three outcomes, offline."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gate.cli import options
from gate.cli.console import colours, paint, say, width

SEED = 1


@click.command(
    short_help="Decide three edits of the bundled prompt, offline.",
    epilog=options.examples("gate demo", "gate demo --keep sample && cd sample && gate check --all"),
)
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Leave the sample project there.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="For the built-in model.")
def demo(*, keep: Path | None, seed: int) -> int:
    """Decide three edits of the bundled prompt with the built-in model: no key, no network, under 30 seconds."""
    from tempfile import TemporaryDirectory

    if keep is None:
        with TemporaryDirectory(prefix="lockgate-demo-") as folder:
            _run(Path(folder) / "sample", seed)
        return 0
    _run(keep, seed)
    say(f"the sample project is in {keep.as_posix()}: gate.yaml, prompts, golden sets, baselines, candidates, runs")
    say(f"try: cd {keep.as_posix()} && gate check --all")
    return 0


def _run(folder: Path, seed: int) -> None:
    from gate.app.demo import SHOWN, run_edits
    from gate.app.request import CheckRequest
    from gate.app.sample import copy_sample
    from gate.cli.progress import TrialProgress
    from gate.report.terminal import render_terminal

    copy_sample(folder)
    request = CheckRequest(root=folder, out=folder / "runs", as_of=options.date_or_today(None), seed=seed)
    results = run_edits(request, SHOWN, progress=TrialProgress(quiet=True), now=time.monotonic)
    say(
        "The built-in offline model is no language model: "
        "it compares words with what the prompt says, so that edits count."
    )
    lines = []
    for number, result in enumerate(results, 1):
        say(f"\n{'=' * width()}\ncandidate {number}: {result.edit.story}\n")
        paint(render_terminal(result.view, width(), colour=colours()))
        lines.append(f"{result.outcome:<9} {result.calls:>5} calls   {result.edit.story}")
    say(f"\n{'=' * width()}")
    for line in lines:
        say(line)
