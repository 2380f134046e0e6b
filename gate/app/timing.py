"""Runs whose latencies decide something: fewer calls at a time, and a look at this machine meanwhile."""

from __future__ import annotations

import math

from gate.app.beside import compares_latency
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.core.evidence import SuiteBaseline
from gate.core.model import Dimension
from gate.core.policy import Policy
from gate.runner.client_lag import ClientLag
from gate.runner.engine import Engine, LocalEngine

# With more, answers wait for this process: 0.20 s reads as 0.21 with 8 threads, and as 0.31 with 64.
MOST_TIMED = 8


def judges_latency(policy: Policy) -> bool:
    """Whether latency is more than shown: it blocks, has a budget, or is compared with the base's."""
    requirement = dict(policy.requirements).get(Dimension.LATENCY)
    if requirement is None:
        return False
    return requirement.blocking or bool(policy.p95_ms or requirement.floor) or compares_latency(policy)


def workers_of(project: Project, plan: TargetPlan) -> int:
    """How many calls of a target are under way at a time."""
    return min(plan.workers, MOST_TIMED) if judges_latency(project.policy) else plan.workers


def client_lag(project: Project, engine: Engine) -> ClientLag | None:
    """What notes how late this machine is; None where nothing is decided from latencies, or others ask."""
    return ClientLag() if judges_latency(project.policy) and isinstance(engine, LocalEngine) else None


def expected_ms(entry: SuitePlan) -> dict[str, float]:
    """How long answers took when the baseline was made, by case id: geometric means of cases that are as they were."""
    baseline, now = entry.reference.baseline, {case.id: case.digest for case in entry.suite.cases}
    known = baseline.cases if isinstance(baseline, SuiteBaseline) else ()
    logs = {case.case_id: case.log_ms.mean for case in known if now.get(case.case_id) == case.digest}
    return {case_id: math.exp(mean) for case_id, mean in logs.items() if mean is not None}
