"""`gate plan` and `gate validate`: what can be known before the first call."""

from __future__ import annotations

import click

from gate.cli import options
from gate.cli.console import say


@click.command(
    short_help="Check the project without a model call.",
    epilog=options.examples("gate validate", "gate validate --target sales-email-intent"),
)
@options.project_options
@options.base_option
def validate(**values: object) -> int:
    """Check gate.yaml, suites, cases, scorers, sizes and the prompt of every case; no model call."""
    from gate.app.project import load_project
    from gate.app.validate import validate_project

    for line in validate_project(load_project(options.request_from(out=options.OUT, **values))):
        say(line)
    say("valid")
    return 0


@click.command(
    short_help="Say what a run takes and what it can show.",
    epilog=options.examples("gate plan", "gate plan --suite sales_email_intent --passes 3"),
)
@options.project_options
@options.base_option
@options.profile_option
@options.looks_option
@click.option("--no-rates", is_flag=True, help="Leave out the simulated error rates and calls (a few seconds a suite).")
def plan(*, no_rates: bool, **values: object) -> int:
    """Say what a run takes, the smallest drop that each suite can show, and how often it errs; no model call."""
    from gate.app.plan import outlook
    from gate.app.plan_text import render_outlook, render_requirements
    from gate.app.project import load_project

    project = load_project(options.request_from(out=options.OUT, **values))
    say(render_requirements(project.policy))
    suites = outlook(project, rates=not no_rates)
    for suite in suites:
        say("")
        say(render_outlook(suite))
    say(
        f"\ncalls: {sum(s.least_calls for s in suites):,} at least, {sum(s.most_calls for s in suites):,} at most, "
        "and a few to confirm suspicions"
    )
    return 0
