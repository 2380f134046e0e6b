"""`gate plan` and `gate validate`: what can be known before the first call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gate.cli import options
from gate.cli.console import say

if TYPE_CHECKING:
    from gate.app.plan import SuiteOutlook


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
def plan(**values: object) -> int:
    """Say what a run will take, and the smallest drop that each suite can show; no model call."""
    from gate.app.plan import outlook
    from gate.app.project import load_project

    project = load_project(options.request_from(out=options.OUT, **values))
    suites = outlook(project)
    say(f"profile {project.policy.profile}, looks after passes {', '.join(map(str, project.policy.looks))}")
    for suite in suites:
        _say_suite(suite)
    say(
        f"calls: {sum(s.least_calls for s in suites):,} at least, {sum(s.most_calls for s in suites):,} at most, "
        "and a few to confirm suspicions"
    )
    return 0


def _say_suite(suite: SuiteOutlook) -> None:
    source = "from the baseline's counts" if suite.measured else "assuming usual flakiness: there is no baseline yet"
    say(f"\n{suite.target} / {suite.suite}: {suite.cases:,} cases")
    say(f"  can show a drop of {suite.smallest * 100:.1f} points ({source})")
    verdict = "enough" if suite.needed <= suite.cases else f"needs {suite.needed:,} cases like these"
    say(f"  wanted: {suite.margin * 100:g} points; {verdict}")
    say(f"  calls: {suite.least_calls:,} to {suite.most_calls:,}; {_cost(suite)} a pass; {_time(suite)}")
    if suite.measured:
        say(f"  {suite.testable:,} solid cases are watched one by one")


def _cost(suite: SuiteOutlook) -> str:
    tokens = f"{suite.tokens:,} tokens"
    return tokens if suite.usd is None else f"{tokens}, ${suite.usd:.2f}"


def _time(suite: SuiteOutlook) -> str:
    return (
        "time unknown before the first run"
        if suite.seconds is None
        else f"about {suite.seconds:.0f} s a pass by the baseline's latency"
    )
