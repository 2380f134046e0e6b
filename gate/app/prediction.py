"""What a plan predicted, and what the run then took: printed after each run, so that nobody need believe plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gate.app.plan import SuiteOutlook, suite_outlook
from gate.app.project import Project
from gate.app.reuse import Reuse
from gate.app.running import render_suite
from gate.core.evidence import Evidence
from gate.core.question import Origin
from gate.runner.suite_run import SuiteRun

NOT_COMPARED = "no comparison with the plan: "


class Used(Protocol):
    """What a run used; dollars are None where no price is known. `reused` are answers that it did not ask for."""

    @property
    def reused(self) -> tuple[tuple[Origin, int], ...]: ...  # noqa: D102 the class says it

    @property
    def calls(self) -> int: ...  # noqa: D102

    @property
    def usd(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Calls of everybody, and dollars without those of judges; None where no price is known."""

    calls: float
    usd: float | None


def predicted(outlooks: Sequence[SuiteOutlook]) -> Prediction:
    """What a change that changes nothing is expected to take, by the baseline's recorded usage."""
    dollars = [outlook.expected_usd for outlook in outlooks]
    known = [usd for usd in dollars if usd is not None]
    return Prediction(
        calls=sum(outlook.expected_calls for outlook in outlooks),
        usd=sum(known) if known and len(known) == len(dollars) else None,
    )


def compare_with_plan(project: Project, runs: Sequence[SuiteRun], evidence: Evidence, *, spent: Used) -> str:
    """One sentence: calls and dollars as predicted and as made, with the error; or why they cannot be compared.

    Empty where nothing was run.
    """
    why = _incomparable(evidence, spent)
    if not why and any(run.earlier is not None for run in runs):
        why = "earlier runs of this version count, too"
    if why or not runs:
        return f"{NOT_COMPARED}{why}" if runs else ""
    own = {(run.identity.target, run.identity.suite): run for run in runs}
    made = [
        suite_outlook(project, plan, entry, prompts=run.prompts, reuse=_reuse(run), rates=False)
        for plan in project.targets
        for entry in plan.suites
        if (run := own.get((plan.definition.name, entry.suite.name))) is not None
    ]
    return told(predicted(made), calls=spent.calls, usd=_of_targets(evidence, spent.usd))


def compare_parts(project: Project, evidence: Evidence, *, spent: Used) -> str:
    """The same for a run whose parts were made elsewhere, where nothing is reused."""
    shown = {(suite.identity.target, suite.name) for suite in evidence.suites}
    why = _incomparable(evidence, spent)
    if why or not shown:
        return f"{NOT_COMPARED}{why}" if shown else ""
    made = [
        suite_outlook(project, plan, entry, prompts=render_suite(plan, entry), reuse=Reuse(), rates=False)
        for plan in project.targets
        for entry in plan.suites
        if (plan.definition.name, entry.suite.name) in shown
    ]
    return told(predicted(made), calls=spent.calls, usd=_of_targets(evidence, spent.usd))


def _reuse(run: SuiteRun) -> Reuse:
    return Reuse(requests=run.reused, fresh=run.fresh)


def _incomparable(evidence: Evidence, spent: Used) -> str:
    if evidence.interrupted or evidence.stopped:
        return "the run did not come to its end"
    if spent.reused:
        return f"{sum(number for _, number in spent.reused):,} answers were not asked for"
    return ""


def _of_targets(evidence: Evidence, usd: float | None) -> float | None:
    """Dollars without those of judges, which no plan knows."""
    judges = sum(suite.judging.usd or 0.0 for suite in evidence.suites if suite.judging is not None)
    return None if usd is None else usd - judges


def told_plan(plan: Prediction) -> str:
    """What is predicted, before the run."""
    return f"{plan.calls:,.0f} calls" + ("" if plan.usd is None else f", ${plan.usd:,.4f}")


def told(plan: Prediction, *, calls: int, usd: float | None) -> str:
    """The sentence."""
    sentence = f"{plan.calls:,.0f} calls predicted, {calls:,} made ({_error(calls, plan.calls)})"
    if usd is None:
        return sentence
    if not plan.usd:
        return f"{sentence}; no dollars predicted, ${usd:,.4f} spent"
    return f"{sentence}; ${plan.usd:,.4f} predicted, ${usd:,.4f} spent ({_error(usd, plan.usd)})"


def _error(made: float, expected: float) -> str:
    """How far off a prediction was, as a share of it."""
    return f"{made / expected - 1:+.0%}".replace("%", " %") if expected else "none was expected"
