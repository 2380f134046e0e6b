"""Which cases of a run need no new trial, because the baseline was asked exactly the same: decided before any call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from gate import __version__
from gate.app.project import Project, SuitePlan, TargetPlan
from gate.core.aggregate import suite_evidence
from gate.core.canonical import digest
from gate.core.evidence import SuiteBaseline, SuiteEvidence
from gate.core.model import Json, Suite
from gate.core.policy import Policy
from gate.core.rules.context import SuiteContext
from gate.targets.request import request_of
from gate.targets.version import Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Request digests by id of the cases that are reused, and how many passes these are part of nevertheless."""

    requests: Mapping[str, str] = field(default_factory=dict)
    fresh: int = 0


def requests_of(plan: TargetPlan, suite: Suite, prompts: Mapping[str, str]) -> dict[str, str]:
    """A digest by case id of all that shapes the answers to it, and those to the cases that it must outrank.

    That is the rendered prompt, the model with its address and parameters, and the lockgate that asks. Empty for a
    target whose version does not cover all that shapes its answers.
    """
    if plan.version.coverage is not Coverage.COMPLETE:
        return {}
    request = request_of(plan.definition, plan.version, "")
    shape: dict[str, Json] = {
        "lockgate": __version__,
        "request": request.digest,
        "seeded": request.seeded,
        "seed_per_trial": plan.definition.seed_per_trial,
    }
    own: dict[str, Json] = {case.id: digest(shape | {"prompt": prompts[case.id]}) for case in suite.cases}
    return {case.id: digest([own[case.id], [own.get(peer) for peer in case.peers]]) for case in suite.cases}


def claimed(entry: SuitePlan, requests: Mapping[str, str]) -> SuiteEvidence:
    """The suite without a trial, claiming reuse for these cases."""
    nothing = suite_evidence(suite=entry.suite, identity=entry.identity, trials={}, passes=0)
    return with_claims(nothing, requests)


def with_claims(evidence: SuiteEvidence, requests: Mapping[str, str]) -> SuiteEvidence:
    """The same evidence, claiming reuse for these cases and for no other."""
    cases = (
        replace(case, reused=case.case_id in requests, request=requests.get(case.case_id, ""))
        for case in evidence.cases
    )
    return replace(evidence, cases=tuple(cases))


def reuse_of(
    policy: Policy,
    entry: SuitePlan,
    requests: Mapping[str, str],
    *,
    as_of: str,
    earlier: SuiteEvidence | None = None,
) -> Reuse:
    """What of a suite may be reused at this date: the decision itself says which claims it would follow.

    A case that an earlier run asked goes on, and a case that a changed one must outrank is asked beside it.
    """
    if not isinstance(entry.reference.baseline, SuiteBaseline):
        return Reuse()
    context = SuiteContext(evidence=claimed(entry, requests), reference=entry.reference, policy=policy, as_of=as_of)
    asked = {one.case_id for one in earlier.cases if requests.get(one.case_id) != one.request} if earlier else set()
    same = context.reused - asked
    same -= frozenset(_peers(entry.suite, same))
    return Reuse(requests={case_id: requests[case_id] for case_id in sorted(same)}, fresh=context.fresh_passes)


def with_requests(baseline: SuiteBaseline, project: Project, prompts: Mapping[str, str]) -> SuiteBaseline:
    """The baseline with what each of its cases was asked, so that later runs may reuse it."""
    own = baseline.identity
    plan = next(plan for plan in project.targets if plan.definition.name == own.target)
    suite = next(entry.suite for entry in plan.suites if entry.suite.name == own.suite)
    requests = requests_of(plan, suite, prompts)
    cases = (replace(case, request=requests.get(case.case_id, "")) for case in baseline.cases)
    return replace(baseline, cases=tuple(cases))


def _peers(suite: Suite, same: AbstractSet[str]) -> Iterator[str]:
    """Cases whose answers are needed to judge those that are not the same, at any remove."""
    by_id = {case.id: case for case in suite.cases}
    waiting = [case for case in suite.cases if case.id not in same]
    seen: set[str] = set()
    while waiting:
        for peer in waiting.pop().peers:
            if peer in by_id and peer not in seen:
                seen.add(peer)
                yield peer
                waiting.append(by_id[peer])
