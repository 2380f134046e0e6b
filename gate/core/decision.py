"""The decision: one pure function over policy, evidence and references.

Rules in order, each a function of its own; findings keep this order:

 0. unchanged                 every hash equals the baseline's: nothing to test
 1. completeness of the run   a stopped run and an uncovered dimension hold
 2. comparability             baseline absent, corrupt, or judged by other scorers: hold, and say which
 3. completeness of a suite   under 95 % of the planned trials scored, or under 30 comparable cases: hold
 4. abort                     a first pass that was stopped early, because the candidate is broken
 5. vetoes                    a new P0, a confirmed new P1: roll back; a P0 that was there before: hold
 6. floors                    good enough by itself
 7. regression                not worse than the baseline by the margin; slices
 8. broken cases              solid cases that fail now, confirmed
 9. budgets                   cost, latency
10. anchor                    no slow decay since a pinned release

The worst demand of a blocking finding is the outcome. Rule 6 is not asked about a suite that is not complete, and rules
7, 8 and 10 not about one that is not comparable either, so that missing evidence can look neither like a regression nor
like a pass; vetoes always are, because a leak that was seen is a leak. PROMOTE needs every blocking dimension shown,
which needs no correction; ROLLBACK by rates shares one error budget over the blocking suites.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from gate.core.evidence import Absent, Evidence, Identity, Reference, SuiteBaseline, SuiteEvidence
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Severity
from gate.core.policy import Policy
from gate.core.rules.abort import check_abort
from gate.core.rules.anchor import check_anchor
from gate.core.rules.broken_cases import check_broken, to_confirm
from gate.core.rules.budgets import check_cost, check_latency
from gate.core.rules.comparability import check_comparability, comparable
from gate.core.rules.completeness import check_anything, check_completeness, check_dimensions, check_stop, check_suites
from gate.core.rules.context import SuiteContext
from gate.core.rules.floors import check_floor
from gate.core.rules.regression import check_regression, check_slices
from gate.core.rules.vetoes import check_vetoes, vetoes_to_confirm

ABORTED = (check_comparability, check_abort, check_vetoes)
BEFORE_RATES = (check_comparability, check_completeness, check_vetoes)
AGAINST_BASELINE = (check_regression, check_slices, check_broken, check_anchor)


def decide(*, policy: Policy, evidence: Evidence, references: Sequence[Reference], as_of: str) -> Decision:
    """Decide; total for any well-formed input, and the same for any order of suites, cases and references."""
    contexts = suite_contexts(policy, evidence, references, as_of=as_of)
    findings = [*check_anything(evidence), *check_stop(evidence), *check_suites(evidence, references)]
    findings += _findings(contexts, policy)
    ordered = tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.rule)))
    return Decision(
        outcome=_outcome(ordered),
        reason=_reason(ordered),
        as_of=as_of,
        findings=ordered,
    )


def _findings(contexts: Sequence[SuiteContext], policy: Policy) -> list[Finding]:
    findings = [*check_dimensions(policy, contexts)]
    for context in contexts:
        findings += _suite_findings(context)
    return [*findings, *check_cost(policy, contexts), *check_latency(policy, contexts)]


_ORDER = (
    Rule.UNCHANGED,
    Rule.COMPLETENESS,
    Rule.COMPARABILITY,
    Rule.ABORT,
    Rule.VETO,
    Rule.FLOOR,
    Rule.REGRESSION,
    Rule.SLICE,
    Rule.BROKEN_CASE,
    Rule.COST,
    Rule.LATENCY,
    Rule.ANCHOR,
)


def suite_contexts(
    policy: Policy, evidence: Evidence, references: Sequence[Reference], *, as_of: str
) -> tuple[SuiteContext, ...]:
    """The suites as the rules see them, by target and name; a suite without a reference has no baseline."""
    known = {(reference.target, reference.suite): reference for reference in references}
    contexts = tuple(
        SuiteContext(
            evidence=replace(suite, cases=tuple(sorted(suite.cases, key=attrgetter("case_id")))),
            reference=known.get((suite.identity.target, suite.name)) or _nothing(suite),
            policy=policy,
            as_of=as_of,
        )
        for suite in sorted(evidence.suites, key=lambda suite: (suite.identity.target, suite.name))
    )
    rivals = sum(context.blocking and context.requirement.regression for context in contexts)
    return contexts if rivals <= 1 else tuple(replace(context, rivals=rivals) for context in contexts)


def _nothing(suite: SuiteEvidence) -> Reference:
    """A suite that nobody gave a reference for has no baseline, which holds."""
    place = "no reference was given"
    return Reference(target=suite.identity.target, suite=suite.name, baseline=Absent(place=place))


def _suite_findings(context: SuiteContext) -> list[Finding]:
    if context.evidence.asked:
        findings = [finding for check in ABORTED for finding in check(context)]
        broken = any(finding.rule is Rule.ABORT and finding.verdict is Verdict.FAIL for finding in findings)
        return [*findings, *check_slices(context)] if broken else findings
    findings = [finding for check in BEFORE_RATES for finding in check(context)]
    if not _complete(context):
        return findings
    findings += check_floor(context)
    if comparable(context):
        findings += [finding for check in AGAINST_BASELINE for finding in check(context)]
    return findings


def _complete(context: SuiteContext) -> bool:
    """Whether rates of this suite mean anything."""
    return not context.evidence.asked and all(
        finding.verdict is Verdict.PASS for finding in check_completeness(context)
    )


def _outcome(findings: Sequence[Finding]) -> Outcome:
    demands = [finding.demands for finding in findings if finding.blocking]
    return max(demands, key=lambda outcome: outcome.weight, default=Outcome.HOLD)


def _reason(findings: Sequence[Finding]) -> str:
    worst = _outcome(findings)
    if worst is Outcome.PROMOTE:
        return "unchanged" if all(finding.rule is Rule.UNCHANGED for finding in findings) else "shown not worse"
    return next(
        (str(finding.rule) for finding in findings if finding.blocking and finding.demands is worst), "nothing measured"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteStep:
    """What one suite still needs: the number of passes to reach, and extra trials by case id."""

    target: str
    suite: str
    passes: int
    confirm: Mapping[str, int]


def next_steps(
    *, policy: Policy, evidence: Evidence, references: Sequence[Reference], as_of: str
) -> tuple[SuiteStep, ...]:
    """What would settle the open questions, cheapest first; empty when nothing more is to be asked of the candidate.

    Confirmation trials come before further passes. Harm that is shown, and evidence that is missing, end the run.
    """
    every = suite_contexts(policy, evidence, references, as_of=as_of)
    findings = _findings(every, policy)
    if evidence.stopped or evidence.interrupted or _outcome(findings) is Outcome.ROLLBACK:
        return ()
    contexts = [context for context in every if _complete(context)]
    confirming = [
        SuiteStep(target=c.evidence.identity.target, suite=c.evidence.name, passes=c.evidence.passes, confirm=wanted)
        for c in contexts
        if (wanted := (to_confirm(c) if comparable(c) else {}) | vetoes_to_confirm(c))
    ]
    return tuple(confirming) or tuple(step for context in contexts for step in _next_pass(context, findings))


def _next_pass(context: SuiteContext, findings: Sequence[Finding]) -> tuple[SuiteStep, ...]:
    suite = context.evidence
    later = [look for look in context.policy.looks if look > suite.passes]
    if not later or not context.blocking or not comparable(context) or not _open(context, findings):
        return ()
    return (SuiteStep(target=suite.identity.target, suite=suite.name, passes=later[0], confirm={}),)


def _open(context: SuiteContext, findings: Sequence[Finding]) -> bool:
    """Whether another pass could settle a rate of this suite."""
    own = (context.evidence.identity.target, context.evidence.name)
    return any(
        finding.verdict is Verdict.INCONCLUSIVE and (finding.target, finding.suite) == own
        for finding in findings
        if finding.rule in (Rule.FLOOR, Rule.REGRESSION)
    )


def is_unchanged(identity: Identity, baseline: SuiteBaseline, policy_digest: str) -> bool:
    """Whether running would compare a version with itself: every hash equal, the version hash complete, no P0 open."""
    open_p0 = any(case.severity is Severity.P0 and case.passes < max(case.trials, 1) for case in baseline.cases)
    same = identity == baseline.identity and baseline.policy == policy_digest
    sound = bool(baseline.cases) and not baseline.stale and not open_p0
    return same and identity.coverage == "complete" and sound
