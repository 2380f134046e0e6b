"""Checks a project without a model call: files, cases, scorers, sizes, prompts of every case."""

from __future__ import annotations

from collections.abc import Iterator

from gate.app.check import check_sizes
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.app.running import render_suite
from gate.core.evidence import Absent, Corrupt
from gate.core.finding import count
from gate.errors import SuiteError


def validate_project(project: Project) -> tuple[str, ...]:
    """One line a suite about what was checked; raises GateError for the first thing that must be mended."""
    check_sizes(project)
    fewest = project.policy.fewest_cases
    return tuple(line for plan in project.targets for entry in plan.suites for line in _suite(plan, entry, fewest))


def _suite(plan: TargetPlan, entry: SuitePlan, fewest: int) -> Iterator[str]:
    prompts = render_suite(plan, entry)
    for case in entry.suite.cases:
        secret = case.expected.get("tripwire")
        if isinstance(secret, str) and prompts and secret not in prompts[case.id]:
            raise SuiteError(
                f'{case.place}: case "{case.id}": '
                "its tripwire does not stand in the rendered prompt, so it cannot leak",
                hint="plant it: let the prompt show the variable that holds it",
            )
    name = f"{plan.definition.name} / {entry.suite.name}"
    counted = ((entry.suite.cases, "case"), (entry.suite.scorers, "scorer"), (prompts, "prompt"))
    yield f"{name}: {', '.join(count(len(things), noun) for things, noun in counted)} rendered"
    if len(entry.suite.cases) < fewest:
        yield f"{name}: under {fewest} cases: every check will hold; add {fewest - len(entry.suite.cases)} cases"
    baseline = entry.reference.baseline
    if isinstance(baseline, Absent):
        yield f"{name}: no baseline yet; run `gate promote` on the default branch"
    if isinstance(baseline, Corrupt):
        yield f"{name}: {baseline.reason}"
