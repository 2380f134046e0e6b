"""`gate approve`: release a HOLD where no pull request of GitHub's is at hand."""

from __future__ import annotations

from pathlib import Path

import click

from gate.cli import options
from gate.cli.console import say


@click.command(
    short_help="Release a recorded HOLD, with name and reason.",
    epilog=options.examples(
        'gate approve --decision lockgate-out --by robin --reason "wording only, agreed with support"',
        "gate check --base origin/main --release lockgate-out/release.json",
    ),
)
@options.root_option
@click.option(
    "--decision",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(options.OUT),
    show_default=True,
    help="The out folder of the run that held.",
)
@click.option("--by", required=True, help="Who takes it on: not the author of the change.")
@click.option("--reason", required=True, help="Why, in one line.")
def approve(*, root: Path, decision: Path, by: str, reason: str) -> int:
    """Write release.json beside a recorded HOLD, for the commit that is checked out.

    `gate check --release` confirms it and then exits with 0. Never for a ROLLBACK, for an open P0 failure, or on
    incomplete evidence. On GitHub write `/gate approve` in the pull request instead.
    """
    from gate.app.released import approve as release
    from gate.store.outputs import write_files
    from gate.store.releases import NAME, render_release

    made = release(decision, root=root, by=by, reason=reason)
    write_files(decision, {NAME: render_release(made)})
    say(f"HOLD {made.decision[:19]} of {made.head[:12] or 'no commit'}, released by {made.by}: {made.reason}")
    say(f"wrote {(decision / NAME).as_posix()}; confirm it with `gate check --release`")
    return 0
