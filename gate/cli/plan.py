"""`gate plan` and `gate validate`: what can be known before the first call."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gate.cli import options
from gate.cli.console import say

GITHUB = "https://api.github.com"


@click.command(
    short_help="Check the project without a model call.",
    epilog=options.examples("gate validate", "gate validate --target sales-email-intent"),
)
@options.project_options
@options.base_option
@click.option(
    "--repository", metavar="OWNER/NAME", help="Also ask GitHub what protects the branch; the token is GITHUB_TOKEN."
)
@click.option("--branch", default="main", show_default=True, help="The branch to ask about, with --repository.")
@click.option("--check", default="gate", show_default=True, help="The check that must be required.")
def validate(*, repository: str | None, branch: str, check: str, **values: object) -> int:
    """Check gate.yaml, suites, cases, scorers, sizes and the prompt of every case; no model call.

    With --repository, exit code 2 where protection is missing; what the token could not see is said and is no error.
    """
    from gate.app.project import load_project
    from gate.app.validate import validate_project

    for line in validate_project(load_project(options.request_from(out=options.OUT, **values))):
        say(line)
    say("valid")
    return 0 if repository is None else _survey(repository, branch=branch, check=check, root=values.get("root"))


def _survey(repository: str, *, branch: str, check: str, root: object) -> int:
    import requests

    from gate.app.validate_repository import survey_repository
    from gate.documents.tree import WorkingTree
    from gate.errors import ExitCode
    from gate.forge.api import Api

    url = os.environ.get("GITHUB_API_URL", GITHUB)
    with requests.Session() as session:
        api = Api(session=session, url=url, token=os.environ.get("GITHUB_TOKEN", ""))
        tree = WorkingTree(Path(str(root or ".")))
        found = survey_repository(api, repository, branch=branch, check=check, tree=tree)
    for sentence in found.missing:
        say(f"missing: {sentence}")
    for sentence in found.unseen:
        say(f"not seen: {sentence}")
    if not (found.missing or found.unseen):
        say(f"{repository}: {branch} is protected as the gate needs it")
    return ExitCode.CONFIGURATION if found.missing else 0


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
    from gate.app.prediction import predicted, told_plan
    from gate.app.project import load_project

    request = options.request_from(out=options.OUT, **values)
    project = load_project(request)
    say(render_requirements(project.policy))
    suites = outlook(project, rates=not no_rates, as_of=request.as_of)
    for suite in suites:
        say("")
        say(render_outlook(suite))
    say(
        f"\ncalls: {sum(s.least_calls for s in suites):,} at least, {sum(s.most_calls for s in suites):,} at most, "
        "and a few to confirm suspicions"
    )
    say(f"expected of a change that changes nothing: {told_plan(predicted(suites))}")
    return 0
