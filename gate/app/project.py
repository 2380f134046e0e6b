"""A project as a run sees it: targets with their versions, suites, prompts and references, under the base's policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gate.app.edited_cases import Change, as_removed, judged_as_before, with_new_ids
from gate.app.model_settings import identity_parameters, with_model
from gate.app.policy import policy_digest, policy_from
from gate.app.policy_changes import policy_changes
from gate.app.references import judged_with, load_references
from gate.app.request import CheckRequest
from gate.app.trees import base_tree
from gate.core.canonical import canonical_json, digest_text
from gate.core.evidence import Identity, Reference
from gate.core.model import Suite
from gate.core.policy import Mode, Policy
from gate.documents.tree import Tree, WorkingTree
from gate.errors import ConfigurationError, NothingToDoError
from gate.scorers.table import SCORER_FACTORY
from gate.store.baselines import anchor_path, baseline_path, load_baseline
from gate.suites.cases import NAME
from gate.suites.load import load_suite
from gate.suites.settings import Settings, TargetSettings, load_settings
from gate.suites.waivers import load_waivers
from gate.targets.definition import TargetDefinition
from gate.targets.pacing import Limits
from gate.targets.prompt import Prompt, family_text, load_prompt
from gate.targets.version import VersionHash, version_hash

WAIVERS = "gate-waivers.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitePlan:
    """One suite of one target: what is run, who it is, what it is compared with.

    `references` are the baseline's answers by case id where a judge compares with them.
    """

    suite: Suite
    identity: Identity
    reference: Reference
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """One target with its suites.

    `recordings` is the folder that the base reads its recorded answers from, `records_to` the one that the candidate
    names for new ones.
    """

    definition: TargetDefinition
    version: VersionHash
    prompt: Prompt | None
    suites: tuple[SuitePlan, ...]
    workers: int
    recordings: str | None = None
    records_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """All that a run needs to know before the first call.

    `settings` are the base's; `first` says that the base has no gate.yaml yet. `head` is the candidate's tree.
    `unfollowed` are the candidate's edits of what the base decides, in words.
    """

    policy: Policy
    policy_digest: str
    settings: Settings
    targets: tuple[TargetPlan, ...]
    base: Tree
    head: WorkingTree
    first: bool
    unfollowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    base: Tree
    head: WorkingTree
    judge: Settings
    candidate: Settings
    first: bool

    @property
    def known(self) -> Mapping[str, TargetSettings]:
        """Targets of the candidate and of the base: a change cannot drop a target by not naming it."""
        return {**self.judge.targets, **self.candidate.targets}

    def removes(self, target: str, suite: str) -> bool:
        """Whether the candidate removes a suite's folder as well as its name: one that it still names is an error."""
        settings = self.candidate.targets.get(target)
        named = settings is not None and suite in settings.suites
        return not named and self.head.read(f"{suite}/{NAME}") is None


def load_project(request: CheckRequest) -> Project:
    """Load everything that the request selects; raises GateError naming what is wrong with it."""
    sides = _sides(request)
    policy = _policy(request, sides)
    names = _selected(request, sides.known)
    _require_one_target(request, names)
    targets = tuple(_target(request, sides, name) for name in names)
    return Project(
        policy=policy,
        policy_digest=policy_digest(policy),
        settings=sides.judge,
        targets=targets,
        base=sides.base,
        head=sides.head,
        first=sides.first,
        unfollowed=policy_changes(sides.judge, sides.candidate),
    )


def _sides(request: CheckRequest) -> _Sides:
    head = WorkingTree(request.root)
    base = base_tree(request.root, request.base)
    candidate = load_settings(head, request.config)
    first = base.read(request.config) is None
    judge = candidate if first or request.base is None else load_settings(base, request.config)
    return _Sides(base=base, head=head, judge=judge, candidate=candidate, first=first)


def _policy(request: CheckRequest, sides: _Sides) -> Policy:
    policy = policy_from(
        sides.judge,
        waivers=load_waivers(sides.base, WAIVERS),
        author=request.author,
        profile=request.profile,
        passes=request.passes,
    )
    return replace(policy, mode=Mode.ADVISORY) if sides.first else policy


def _selected(request: CheckRequest, known: Mapping[str, TargetSettings]) -> tuple[str, ...]:
    unknown = sorted(set(request.targets) - set(known))
    if unknown:
        raise ConfigurationError(
            f"there is no target {unknown[0]!r} in {request.config}", hint=f"known: {', '.join(known)}"
        )
    return tuple(name for name in sorted(known) if not request.targets or name in request.targets)


def _require_one_target(request: CheckRequest, names: tuple[str, ...]) -> None:
    if request.prompt is not None and len(names) > 1:
        message = f"`--prompt` replaces the prompt of one target, and {len(names)} are selected: {', '.join(names)}"
        raise ConfigurationError(message, hint="name it with `--target NAME`")


def _target(request: CheckRequest, sides: _Sides, name: str) -> TargetPlan:
    settings = sides.known[name]
    definition = target_definition(name, settings, sides.judge.credentials, tree=sides.head)
    prompt = _prompt(request, sides.head, settings)
    digests = file_digests(sides.head, settings)
    version = version_hash(definition, prompt.digest if prompt else None, digests)
    if prompt:
        family = version_hash(definition, digest_text(family_text(prompt.text)), digests).digest
        version = replace(version, family=family)
    paths = _suite_paths(request, sides, name)
    judged = sides.judge.targets.get(name)
    return TargetPlan(
        definition=definition,
        version=version,
        prompt=prompt,
        suites=tuple(_suite(sides, definition, version, prompt=prompt, path=path) for path in paths),
        workers=settings.concurrency,
        recordings=judged.recordings if judged else None,
        records_to=settings.recordings,
    )


def target_definition(
    name: str, settings: TargetSettings, credentials: Mapping[str, tuple[str, ...]], *, tree: Tree
) -> TargetDefinition:
    """A target as the candidate defines it, with the hosts that the base allows; the tree holds its response schema."""
    definition = TargetDefinition(
        name=name,
        prompt=settings.prompt,
        command=settings.command,
        python=settings.python,
        endpoint=settings.endpoint.url if settings.endpoint else None,
        api_key_name=settings.endpoint.api_key if settings.endpoint else None,
        timeout_s=settings.timeout,
        limits=Limits(
            requests_per_minute=settings.limits.requests_per_minute,
            tokens_per_minute=settings.limits.tokens_per_minute,
        ),
        allowed_hosts=credentials,
    )
    return with_model(definition, settings.model, tree) if settings.model else definition


def _prompt(request: CheckRequest, head: Tree, settings: TargetSettings) -> Prompt | None:
    if request.prompt is None:
        return load_prompt(head, settings.prompt) if settings.prompt else None
    if settings.prompt is None:
        raise ConfigurationError("`--prompt` needs a target with a model", hint="name it with `--target NAME`")
    path = Path(request.prompt)
    return load_prompt(WorkingTree(path.parent), path.name)


def file_digests(tree: Tree, settings: TargetSettings) -> dict[str, str]:
    """Digests of a target's declared files by path; raises ConfigurationError where one is not there."""
    digests = {}
    for path in settings.version_files:
        content = tree.read(path)
        if content is None:
            raise ConfigurationError(f"version file {path} does not exist", hint="correct `version-files`")
        digests[path] = digest_text(content.decode("utf-8", "backslashreplace"))
    return digests


def _suite_paths(request: CheckRequest, sides: _Sides, name: str) -> tuple[str, ...]:
    """Suites of the candidate and of the base: a change cannot drop a suite by not naming it."""
    judged = sides.judge.targets.get(name)
    every = dict.fromkeys((*(judged.suites if judged else ()), *sides.known[name].suites))
    _require_own_names(name, every)
    wanted = {Path(suite).name for suite in request.suites}
    paths = tuple(path for path in every if not wanted or Path(path).name in wanted)
    if not paths:
        known = ", ".join(Path(path).name for path in every)
        raise NothingToDoError(f"no suite of target {name} is selected", hint=f"its suites: {known}")
    return paths


def _require_own_names(target: str, paths: Iterable[str]) -> None:
    """Refuse a suite that would stand in for the base's suite of the same name, with a judge of its own."""
    seen: dict[str, str] = {}
    for path in paths:
        first = seen.setdefault(Path(path).name, path)
        if first != path:
            message = f"target {target}: the suite {path} has the name of the base's suite {first}"
            raise ConfigurationError(message, hint="give the new suite another name")


def _suite(
    sides: _Sides, definition: TargetDefinition, version: VersionHash, *, prompt: Prompt | None, path: str
) -> SuitePlan:
    known = sides.base.read(f"{path}/suite.yaml") is not None
    judged = sides.judge.targets.get(definition.name)
    source = sides.base if known else sides.head
    removed = known and sides.removes(definition.name, path)
    suite = load_suite(
        definition=source, cases=sides.base if removed else sides.head, path=path, scorers=SCORER_FACTORY
    )
    if removed:
        suite = as_removed(suite)
    anchor = load_baseline(sides.base, anchor_path(definition.name, suite.name))
    reference = Reference(
        target=definition.name,
        suite=suite.name,
        baseline=load_baseline(sides.base, baseline_path(definition.name, suite.name)),
        anchor=anchor,
        adopted=known and not sides.first and judged is not None and path in judged.suites,
    )
    change = Change(base=sides.base, head=sides.head, version=version.digest, prompt=prompt)
    suite = judged_as_before(suite, change, reference)
    references = load_references(sides.base, definition.name, suite)
    identity = replace(_identity(definition, version, suite), scorer_digest=judged_with(suite, references))
    answers = with_new_ids(references, suite)
    return SuitePlan(suite=suite, identity=identity, reference=reference, references=answers)


def _identity(definition: TargetDefinition, version: VersionHash, suite: Suite) -> Identity:
    program = "command" if definition.command else "endpoint" if definition.endpoint else "python"
    return Identity(
        target=definition.name,
        suite=suite.name,
        version=version.digest,
        family=version.family,
        coverage=str(version.coverage),
        suite_digest=suite.digest,
        scorer_digest=suite.scorer_digest,
        model=f"{definition.provider}/{definition.model}" if definition.provider else program,
        parameters=canonical_json(identity_parameters(definition)),
    )
