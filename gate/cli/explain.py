"""`gate explain`: the chain of findings of a recorded decision in plain words."""

from __future__ import annotations

from pathlib import Path

import click

from gate.cli import options
from gate.cli.console import say
from gate.core.finding import Rule


@click.command(
    short_help="Explain a recorded decision, rule by rule, with its numbers.",
    epilog=options.examples(
        "gate explain lockgate-out/decision.json", "gate explain lockgate-out/decision.json --rule regression"
    ),
)
@click.argument("decision", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--rule", type=click.Choice([str(rule) for rule in Rule]), help="Only findings of this rule.")
def explain(*, decision: Path, rule: str | None) -> int:
    """Explain a recorded decision: every finding with its formula, its numbers, and what would have changed it.

    The record is recomputed first, like `gate replay` does (exit 4 where it was changed).
    """
    from gate.app.explain import explain as explained
    from gate.app.explain import render_explanation

    for line in render_explanation(explained(decision, rule=Rule(rule) if rule else None)):
        say(line)
    return 0
