"""The base's version of a target: what a run asks beside the candidate where the policy compares their latencies."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from gate.app.bench import Bench, prices_from, suite_asking
from gate.app.project import Project, TargetPlan, file_digests, target_definition
from gate.app.trees import BaseTree
from gate.core.model import Dimension, Suite, Target
from gate.core.policy import LatencyRule, Policy
from gate.core.question import Request, Role
from gate.documents.tree import Tree
from gate.errors import ConfigurationError, GateError
from gate.runner.asking import Asking
from gate.runner.beside import BaseSide
from gate.suites.settings import TargetSettings
from gate.targets.definition import TargetDefinition
from gate.targets.prices import Prices
from gate.targets.prompt import Prompt, load_prompt, render_prompts
from gate.targets.request import request_of
from gate.targets.table import build_target
from gate.targets.version import version_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseVersion:
    """The base's version of a target: prompt, model and parameters, or program, as they stand in the base."""

    definition: TargetDefinition
    version: str
    prompt: Prompt | None
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class NoBase:
    """The base has no version of a target that could be asked, and why."""

    reason: str


def compares_latency(policy: Policy) -> bool:
    """Whether runs under this policy ask the base's version beside the candidate."""
    return policy.latency is LatencyRule.CONCURRENT and Dimension.LATENCY in dict(policy.requirements)


def asks_base(project: Project, plan: TargetPlan) -> bool:
    """Whether a run will ask the base's version of this target, as far as can be known before it is built."""
    return compares_latency(project.policy) and isinstance(load_base_version(project, plan), BaseVersion)


def load_base_version(project: Project, plan: TargetPlan) -> BaseVersion | NoBase:
    """Read a target from the base, with its prompt and version; nothing is built or run yet."""
    settings = project.settings.targets.get(plan.definition.name)
    if project.first or settings is None:
        return NoBase(reason=f"the base does not have {'a gate.yaml' if project.first else 'this target'} yet")
    try:
        base = _read(project, plan.definition.name, settings)
    except GateError as error:
        return NoBase(reason=str(error))
    why = _nothing_to_ask(project, plan, base)
    return NoBase(reason=why) if why else base


def _read(project: Project, name: str, settings: TargetSettings) -> BaseVersion:
    definition = target_definition(name, settings, project.settings.credentials, tree=project.base)
    prompt = load_prompt(project.base, settings.prompt) if settings.prompt else None
    version = version_hash(definition, prompt.digest if prompt else None, file_digests(project.base, settings))
    request = request_of(definition, version, project.base.name)
    return BaseVersion(definition=definition, version=version.digest, prompt=prompt, request=request)


def _nothing_to_ask(project: Project, plan: TargetPlan, base: BaseVersion) -> str:
    """Why asking this version would say nothing; empty where it would."""
    if not isinstance(project.base, BaseTree) and base.version == plan.version.digest:
        return "no base is named, so that both are the same files; name one with `--base`"
    if base.definition.endpoint is not None and base.definition.endpoint == plan.definition.endpoint:
        return "one endpoint answers for both, with the version that runs there"
    lacking = _lacking(base.definition, head=project.head, base=project.base)
    return f"its code is not in the base: {lacking}" if lacking else ""


def _lacking(definition: TargetDefinition, *, head: Tree, base: Tree) -> str:
    """The first file that a program is made of here and that the base does not have; empty where there is none."""
    module = (definition.python or "").partition(":")[0].replace(".", "/")
    named = (f"{module}.py", f"{module}/__init__.py") if module else (definition.command or ())
    return next((path for path in named if _holds(head, path) and not _holds(base, path)), "")


def _holds(tree: Tree, path: str) -> bool:
    """Whether a tree has this file; words of a command line that are no paths are not files."""
    with suppress(ConfigurationError):
        return tree.read(path) is not None
    return False


def base_sides(project: Project, plan: TargetPlan, bench: Bench) -> dict[str, BaseSide]:
    """The base's version by suite name, ready to be asked, or with the reason why not; empty where nobody asks it."""
    if not compares_latency(project.policy):
        return {}
    base = load_base_version(project, plan) if bench.asks else NoBase(reason="this run asks no model")
    suites = [entry.suite for entry in plan.suites]
    if isinstance(base, NoBase):
        return {suite.name: BaseSide(absent=base.reason) for suite in suites}
    try:
        target = _build(project, base, environ=bench.environ, prices=prices_from(project.settings))
    except GateError as error:
        return {suite.name: BaseSide(version=base.version, absent=str(error)) for suite in suites}
    asking = Asking(
        budget=bench.budget,
        journal=bench.answers,
        request=base.request,
        role=Role.BASE,
        target=plan.definition.name,
        tally=bench.tally,
    )
    return {suite.name: _side(base, target, suite, asking=suite_asking(asking, suite.name)) for suite in suites}


def _build(project: Project, base: BaseVersion, *, environ: Mapping[str, str], prices: Prices) -> Target:
    """Build the target; a program runs in a copy of the base, and a model needs no folder."""
    folder = project.base.root if isinstance(project.base, BaseTree) and not base.prompt else project.head.root
    return build_target(base.definition, environ=environ, root=folder, prices=prices)


def _side(base: BaseVersion, target: Target, suite: Suite, *, asking: Asking) -> BaseSide:
    inputs = [(case.id, case.input) for case in suite.cases]
    try:
        texts = render_prompts(base.prompt.text, base.prompt.path, inputs) if base.prompt else ()
    except GateError as error:
        return BaseSide(version=base.version, absent=str(error))
    prompts = dict(zip((case_id for case_id, _ in inputs), texts, strict=False))
    return BaseSide(version=base.version, target=target, asking=asking, prompts=prompts)
