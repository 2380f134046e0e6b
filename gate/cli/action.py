"""`gate action`: the entry point of the GitHub Action."""

from __future__ import annotations

import os
import sys
import time

import click


@click.command(hidden=True)
def action() -> int:
    """Run as a GitHub Action: inputs from INPUT_*, the event from the runner, outputs written last and always."""
    import requests

    from gate.app.action import Jobs, run_action
    from gate.app.check import run_check
    from gate.app.merge import run_merge
    from gate.app.renewal import promote_merged, refresh_baselines
    from gate.app.shard import run_shard
    from gate.cli.progress import TrialProgress

    progress = TrialProgress()
    jobs = Jobs(
        run_check=lambda request: run_check(request, progress=progress, now=time.monotonic),
        run_shard=lambda request, shard: run_shard(request, shard, progress=progress, now=time.monotonic),
        run_merge=run_merge,
        run_promote=lambda request: promote_merged(request, progress=progress, now=time.monotonic),
        run_refresh=lambda request: refresh_baselines(request, progress=progress, now=time.monotonic),
    )
    with requests.Session() as session:
        return run_action(dict(os.environ), jobs=jobs, session=session, stdout=sys.stdout)
