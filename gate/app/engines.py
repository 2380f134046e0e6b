"""The engine that a run was asked for, and what it needs to know of a target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from gate.app.project import Project, TargetPlan
from gate.app.request import CheckRequest
from gate.core.judging import Judge
from gate.core.model import Suite
from gate.core.policy import LatencyRule
from gate.errors import ConfigurationError
from gate.runner.engine import Engine, LocalEngine, Site
from gate.scorers.python_call import PythonCall
from gate.targets.pacing import Paces
from gate.targets.prices import Prices
from gate.targets.table import build_target


def open_engine(request: CheckRequest, project: Project) -> Engine:
    """Open this process, or the cluster that the request names; raises ConfigurationError where that cannot be used."""
    if request.ray is None:
        return LocalEngine()
    if project.policy.latency is LatencyRule.CONCURRENT:
        raise ConfigurationError(
            "latencies of two versions cannot be compared when several machines ask",
            hint="run without `--engine ray`, or leave out `latency: concurrent`",
        )
    from gate.runner.ray_engine import RayEngine

    return RayEngine(request.ray)


def site_of(plan: TargetPlan, *, environ: Mapping[str, str], root: Path, prices: Prices, paces: Paces) -> Site:
    """A target as an engine needs it. Of the environment only the keys go along that the base's credentials name."""
    definition = plan.definition
    keys = {name: environ[name] for name in definition.allowed_hosts if name in environ}
    suites = tuple(entry.suite for entry in plan.suites)
    return Site(
        build=partial(build_target, definition, environ=keys, root=root.resolve(), prices=prices, paces=paces),
        suites=suites,
        portable=frozenset(suite.name for suite in suites if is_portable(suite)),
        workers=plan.workers,
        timeout_s=definition.timeout_s,
    )


def is_portable(suite: Suite) -> bool:
    """Whether its scorers need nothing of this machine: neither the run's judges nor code of the repository."""
    return not any(isinstance(entry.scorer, Judge | PythonCall) for entry in suite.scorers)
