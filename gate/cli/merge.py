"""`gate merge`: one decision from the parts of all shards."""

from __future__ import annotations

from pathlib import Path

import click

from gate.cli import options
from gate.cli.check import report


@click.command(
    short_help="Join the parts of all shards and decide.",
    epilog=options.examples("gate merge part-*-of-4.json --base origin/main", "gate merge parts --out lockgate-out"),
)
@click.argument("parts", nargs=-1, required=True, metavar="PART...", type=click.Path(exists=True, path_type=Path))
@options.project_options
@options.base_option
@options.profile_option
@click.option("--passes", type=click.IntRange(1, 100), help="As the shards were told (default: 3).")
@click.option("--prompt", help="As the shards were told: a prompt file in place of the target's own.")
@options.out_option
@options.as_of_option
@options.fail_on_option
@options.json_option
def merge(*, fail_on: str, as_json: bool, **values: object) -> int:
    """Join the parts that `gate check --shard` wrote, and decide as one undivided run would.

    PART is a file, or a folder that holds such files. Makes no call. Parts that are missing, damaged, given twice or of
    another run are refused with exit 4; the other exit codes are those of `gate check`.
    """
    from gate.app.merge import merge as run

    return report(run(options.request_from(**values)), fail_on=fail_on, as_json=as_json)
