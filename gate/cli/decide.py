"""`gate decide` and `gate replay`: decisions from files, without a model call."""

from __future__ import annotations

from pathlib import Path

import click

from gate.cli import options
from gate.cli.console import say, say_json

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    short_help="Decide on evidence that is already there.",
    epilog=options.examples(
        "gate decide --policy out/inputs/policy.json --references out/inputs/references.json \\",
        "  --evidence out/evidence.json --as-of 2026-11-21",
    ),
)
@click.option("--policy", type=FILE, required=True, help="As in inputs/policy.json of a record.")
@click.option("--references", type=FILE, required=True, help="Baselines, as in inputs/references.json.")
@click.option("--evidence", type=FILE, required=True, help="Counts, as in evidence.json.")
@click.option("--out", type=FILE, help="Write the decision there instead of printing it.")
@options.as_of_option
def decide(*, policy: Path, references: Path, evidence: Path, out: Path | None, as_of: str | None) -> int:
    """Decide on evidence that is already there; the same files and date give the same bytes."""
    from gate.app.replay import Inputs, decide_files
    from gate.app.request import EXIT_CODES
    from gate.store.outputs import write_file

    inputs = Inputs(policy=policy, references=references, evidence=evidence)
    decision, text = decide_files(inputs, as_of=options.date_or_today(as_of))
    if out is None:
        say_json(text)
    else:
        write_file(out, text)
        say(f"{decision.outcome}: {decision.reason}")
        if decision.settle:
            say(f"to settle it: {decision.settle}")
    return EXIT_CODES[decision.outcome]


@click.command(
    short_help="Recompute a recorded decision and compare.",
    epilog=options.examples("gate replay lockgate-out/decision.json"),
)
@click.argument("decision", type=FILE)
def replay(*, decision: Path) -> int:
    """Recompute a recorded decision from its inputs; it must match byte for byte (exit 4 otherwise)."""
    from gate.app.replay import replay as recompute

    result = recompute(decision)
    how = "byte for byte" if result.exact else "in outcome and findings (another core version wrote it)"
    say(f"{result.decision.outcome} as of {result.decision.as_of}: matches {how}")
    say(f"decision {result.digest}")
    return 0
