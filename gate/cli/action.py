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

    from gate.app.action import run_action
    from gate.app.check import run_check
    from gate.cli.console import TrialProgress

    progress = TrialProgress()
    with requests.Session() as session:
        return run_action(
            dict(os.environ),
            run_check=lambda request: run_check(request, progress=progress, now=time.monotonic),
            session=session,
            stdout=sys.stdout,
        )
