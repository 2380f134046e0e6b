"""A/A: the accepted version against its own baseline. A loss means that the provider moved: no change did harm.

The baseline is then marked stale, and every verdict holds until it is refreshed with `gate promote`.
"""

from __future__ import annotations

from dataclasses import replace

from gate.app.project import Project
from gate.core.evidence import SuiteBaseline
from gate.core.finding import Decision, Rule, Verdict
from gate.errors import ConfigurationError
from gate.store.baselines import baseline_path, render_baseline

LOSSES = frozenset((Rule.ABORT, Rule.REGRESSION, Rule.BROKEN_CASE))


def require_baseline_version(project: Project) -> None:
    """Raise ConfigurationError unless every suite's baseline is there and speaks of the version that is here."""
    for plan in project.targets:
        for entry in plan.suites:
            state = entry.reference.baseline
            if not isinstance(state, SuiteBaseline) or state.identity.version != entry.identity.version:
                raise ConfigurationError(
                    f"{plan.definition.name} / {entry.suite.name}: the version here is not the baseline's",
                    hint="run `--aa` on the commit that the baseline was promoted from",
                )


def stale_baselines(project: Project, decision: Decision) -> dict[str, str]:
    """Files to write: the baseline of each suite that lost against itself, marked stale with the reason."""
    files = {}
    for plan in project.targets:
        for entry in plan.suites:
            state = entry.reference.baseline
            lost = _loss(decision, entry.reference.target, entry.reference.suite)
            if lost and isinstance(state, SuiteBaseline):
                reason = f"the provider moved: on {decision.as_of} the same version lost ({lost})"
                files[baseline_path(plan.definition.name, entry.suite.name)] = render_baseline(
                    replace(state, stale=reason)
                )
    return files


def _loss(decision: Decision, target: str, suite: str) -> str:
    own = (f for f in decision.findings if (f.target, f.suite) == (target, suite))
    return next((f.sentence for f in own if f.rule in LOSSES and f.verdict is Verdict.FAIL), "")
