"""Merging shards: the parts become one evidence, and that is decided and recorded as an undivided run would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gate.app.changed import changed_judges
from gate.app.check import check_sizes
from gate.app.excerpts import collect_excerpts
from gate.app.history import kept_evidence
from gate.app.parts import FoundPart, join_parts, load_parts, verify_parts
from gate.app.prediction import compare_parts
from gate.app.project import Project, load_project
from gate.app.record import Checked, Found, record
from gate.app.replay import read_text
from gate.app.request import EXIT_CODES, CheckRequest, CheckResult
from gate.app.running import references_of
from gate.app.shard import fixed_passes
from gate.app.show import load_trials
from gate.core.decision import decide
from gate.core.evidence import Identity
from gate.core.finding import Decision
from gate.core.model import Suite, Trial
from gate.core.question import Origin
from gate.errors import ExitCode
from gate.store.outputs import write_files


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A suite with those trials in full text that the decision names."""

    identity: Identity
    suite: Suite
    trials: dict[str, list[Trial]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    calls: int
    tokens: int
    usd: float | None
    reused: tuple[tuple[Origin, int], ...] = ()


def run_merge(request: CheckRequest) -> CheckResult:
    """Merge the request's parts and decide; raises MismatchError for parts that are not exactly one run."""
    return merge(request).result


def merge(request: CheckRequest) -> Checked:
    """Like `run_merge`, with the view of the report. No call is made: project, policy and baselines are read here."""
    request = fixed_passes(request)
    found = load_parts(request.parts)
    project = load_project(request)
    check_sizes(project)
    verify_parts(found, project, request)
    kept = kept_evidence(request.history, project, as_of=request.as_of)
    evidence, references = join_parts(found), references_of(project)
    plan = compare_parts(project, evidence, spent=_spent(found))
    evidence = kept.joined(evidence) if kept else evidence
    decision = decide(policy=project.policy, evidence=evidence, references=references, as_of=request.as_of)
    asked = _asked(project, decision, found)
    excerpts = collect_excerpts(decision, asked, references, base=project.base)
    changed = changed_judges(request, project)
    _keep_trials(request, found)
    checked = record(request, Found(project, evidence, references, decision, excerpts, changed, plan), _spent(found))
    return replace(checked, result=_own_code(checked.result))


def _asked(project: Project, decision: Decision, found: Sequence[FoundPart]) -> tuple[_Asked, ...]:
    named = {(one.target, one.suite, case_id) for one in decision.findings for case_id in one.cases}
    asked: Mapping[tuple[str, str], _Asked] = {
        (plan.definition.name, entry.suite.name): _Asked(identity=entry.identity, suite=entry.suite)
        for plan in project.targets
        for entry in plan.suites
    }
    for path in (one.trials for one in found if one.trials is not None):
        for own in load_trials(path):
            if (own.target, own.suite, own.trial.case_id) in named and (own.target, own.suite) in asked:
                asked[own.target, own.suite].trials.setdefault(own.trial.case_id, []).append(own.trial)
    return tuple(asked.values())


def _keep_trials(request: CheckRequest, found: Sequence[FoundPart]) -> None:
    """Put the full text together, for `gate show`; without any, that of another run must not be left there."""
    texts = [read_text(one.trials) for one in found if one.trials is not None]
    write_files(request.out, {"trials.jsonl": "".join(texts)})


def _spent(found: Sequence[FoundPart]) -> _Spent:
    priced = [one.part.usd for one in found if one.part.usd is not None]
    return _Spent(
        calls=sum(one.part.calls for one in found),
        tokens=sum(one.part.tokens for one in found),
        usd=sum(priced) if priced else None,
    )


def _own_code(result: CheckResult) -> CheckResult:
    """A merge of interrupted shards was not interrupted itself."""
    decided = ExitCode.PROMOTE if result.advisory else EXIT_CODES[result.decision.outcome]
    return replace(result, exit_code=decided)
