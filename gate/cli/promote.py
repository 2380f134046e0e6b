"""`gate promote`: write the baseline."""

from __future__ import annotations

import time

import click

from gate.cli import options
from gate.cli.console import say


@click.command(
    short_help="Write the baseline from fresh passes.",
    epilog=options.examples("gate promote", "gate promote --suite sales_email_intent --anchor v1.4"),
)
@options.project_options
@click.option("--passes", type=click.IntRange(1, 100), help="Fresh passes (default: 10).")
@options.budget_option
@options.out_option
@options.resume_option
@options.as_of_option
@options.quiet_option
@click.option("--anchor", default="", help="Also pin this version under that name, against slow decay.")
@click.option("--seed", type=int, default=0, show_default=True, help="For targets that take one.")
def promote(*, quiet: bool, anchor: str, **values: object) -> int:
    """Run fresh passes (10) of the present version and write them as the baseline to commit.

    Refused with exit 10 where evidence is incomplete, and with exit 20 where harm against the present baseline is
    shown.
    """
    from gate.app.promote import promote_version
    from gate.cli.progress import TrialProgress

    request = options.request_from(**values)
    done = promote_version(request, progress=TrialProgress(quiet=quiet), now=time.monotonic, anchor=anchor)
    for line in done.judges:
        say(line)
    for path in done.files:
        say(f"wrote {path}")
    if done.files:
        say("commit these files: git add baselines && git commit -m 'Promote the baseline'")
        return done.exit_code
    say(f"the baseline stays as it is: {done.decision.outcome}")
    for finding in done.decision.findings:
        if finding.blocking and finding.demands is not finding.demands.PROMOTE:
            say(f"- {finding.sentence}")
    return done.exit_code
