"""`gate show`: a recorded run, or one case of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gate.cli import options
from gate.cli.console import colours, paint, say, width

if TYPE_CHECKING:
    from gate.app.show import CaseHistory
    from gate.core.model import Trial


@click.command(
    short_help="Show the last run, or one case of it.",
    epilog=options.examples("gate show", "gate show es-0042", "gate show --out runs/7 es-0042"),
)
@click.argument("case", required=False)
@options.root_option
@options.out_option
def show(*, case: str | None, root: Path, out: Path) -> int:
    """Show the last run, or one case: prompt, answers, scores, before and now."""
    from gate.app.show import load_histories, load_view, load_watched
    from gate.documents.tree import WorkingTree
    from gate.report.terminal import render_terminal

    if case is None:
        paint(render_terminal(load_view(out), width(), colour=colours()))
        for line in load_watched(out):
            say(line)
        return 0
    for number, history in enumerate(load_histories(out, case, WorkingTree(root))):
        if number:
            say("")
        _show_case(history)
    return 0


def _show_case(history: CaseHistory) -> None:
    from gate.app.excerpts import NEW

    say(f"{history.target} / {history.suite} / {history.case_id}")
    if history.prompt:
        say("\nprompt:")
        say(history.prompt.rstrip("\n"))
    say(f"\nbefore: {'not in the baseline' if history.before_marks == NEW else history.before_marks + ' passed'}")
    if history.before is not None:
        say(history.before)
    for trial in history.trials:
        _show_trial(trial)


def _show_trial(trial: Trial) -> None:
    result = "unscored" if trial.value is None else f"{'passed' if trial.passed else 'failed'} at {trial.value:.2f}"
    say(f"\nnow, trial {trial.index + 1}: {result}")
    say(trial.answer.text if trial.answer else f"({trial.missing}: {trial.detail})")
    for scored in trial.scores:
        value = getattr(scored.result, "value", None)
        words = getattr(scored.result, "explanation", None) or getattr(scored.result, "detail", "")
        say(f"  {scored.scorer}: {'unscored' if value is None else f'{value:.2f}'}  {words}")
