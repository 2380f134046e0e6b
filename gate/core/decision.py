"""The decision: one pure function over policy, evidence and references.

Rules in order, each a function of its own; findings keep this order:

 0. unchanged                 every hash equals the baseline's: nothing to test
 1. evidence missing          earlier runs of this commit left no record: hold, and name them
    completeness of the run   a stopped run, an uncovered dimension and counts of unknown origin hold
 2. comparability             baseline absent, corrupt, or judged by other scorers: hold, and say which
 3. completeness of a suite   under 95 % of the planned trials scored, or under 30 comparable cases: hold
 4. abort                     a first pass that was stopped early, because the candidate is broken
 5. vetoes                    a new P0, a confirmed new P1: roll back; a P0 that was there before: hold
 6. judges                    models that judge agree with people, and with themselves
 7. floors                    good enough by itself
 8. regression                not worse than the baseline by the margin; slices
 9. k of m                    so many of these dimensions not worse, where the policy asks for that
10. broken cases              solid cases that fail now, confirmed; known flaky ones and suspects are named
11. budgets                   cost, latency
12. anchor                    no slow decay since a pinned release

The worst demand of a blocking finding is the outcome. Rule 7 is not asked about a suite that is not complete, and rules
6, 8, 10 and 12 not about one that is not comparable either, so that missing evidence can look neither like a regression
nor like a pass; vetoes always are, because a leak that was seen is a leak. For rule 9 such a suite is not shown.
PROMOTE needs every blocking dimension shown, which needs no correction; ROLLBACK by rates shares one error budget over
the blocking suites.
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
from gate.core.rules.across_runs import check_runs
from gate.core.rules.anchor import check_anchor
from gate.core.rules.broken_cases import check_broken, to_confirm
from gate.core.rules.budgets import check_cost, check_latency
from gate.core.rules.comparability import check_comparability, comparable
from gate.core.rules.completeness import (
    UNVERIFIED,
    check_anything,
    check_completeness,
    check_dimensions,
    check_source,
    check_stop,
    check_suites,
    is_complete,
)
from gate.core.rules.context import SuiteContext
from gate.core.rules.flaky_cases import check_flaky
from gate.core.rules.floors import check_floor
from gate.core.rules.judges import check_judges
from gate.core.rules.k_of_m import check_comparison, check_k_of_m, rival_targets, undecided
from gate.core.rules.outlook import loss_expected, next_look
from gate.core.rules.regression import check_slices
from gate.core.rules.repeats import check_repeats
from gate.core.rules.vetoes import check_vetoes, vetoes_to_confirm
from gate.core.settling import cheapest

ABORTED = (check_comparability, check_abort, check_vetoes)
BEFORE_RATES = (check_comparability, check_completeness, check_vetoes)
# Chosen by simulation (benchmarks/decision): a quarter of a pass.
MANY_CONFIRMATIONS = 0.25
AGAINST_BASELINE = (
    check_judges,
    check_comparison,
    check_repeats,
    check_slices,
    check_broken,
    check_flaky,
    check_anchor,
)


def decide(*, policy: Policy, evidence: Evidence, references: Sequence[Reference], as_of: str) -> Decision:
    """Decide; total for any well-formed input, and the same for any order of suites, cases and references."""
    contexts = suite_contexts(policy, evidence, references, as_of=as_of)
    findings = [*check_runs(evidence), *check_source(evidence), *check_anything(evidence), *check_stop(evidence)]
    findings += [*check_suites(evidence, references), *_findings(contexts, policy)]
    ordered = tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.rule)))
    # Who may write the counts may claim harm as well as a pass.
    outcome = Outcome.HOLD if evidence.unverified else _outcome(ordered)
    return Decision(
        outcome=outcome,
        reason=UNVERIFIED if evidence.unverified else _reason(ordered),
        as_of=as_of,
        findings=ordered,
        settle=cheapest(ordered) if outcome is Outcome.HOLD else "",
    )


def _findings(contexts: Sequence[SuiteContext], policy: Policy) -> list[Finding]:
    findings = [*check_dimensions(policy, contexts)]
    for context in contexts:
        findings += _suite_findings(context)
    findings += check_k_of_m(policy, contexts)
    return [*findings, *check_cost(policy, contexts), *check_latency(policy, contexts)]


_ORDER = (
    Rule.UNCHANGED,
    Rule.EVIDENCE_MISSING,
    Rule.COMPLETENESS,
    Rule.COMPARABILITY,
    Rule.ABORT,
    Rule.VETO,
    Rule.JUDGE,
    Rule.FLOOR,
    Rule.REGRESSION,
    Rule.K_OF_M,
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
    alone = sum(context.blocking and context.requirement.regression and not context.member for context in contexts)
    rivals = alone + rival_targets(contexts)
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
    if not is_complete(context):
        return findings
    findings += check_floor(context)
    if comparable(context):
        findings += [finding for check in AGAINST_BASELINE for finding in check(context)]
    return findings


def _outcome(findings: Sequence[Finding]) -> Outcome:
    demands = [finding.demands for finding in findings if finding.blocking]
    return max(demands, key=lambda outcome: outcome.weight, default=Outcome.HOLD)


def _reason(findings: Sequence[Finding]) -> str:
    worst = _outcome(findings)
    if worst is Outcome.PROMOTE:
        same = all(finding.rule is Rule.UNCHANGED for finding in findings if finding.blocking)
        return "unchanged" if same else "shown not worse"
    return next(
        (str(finding.rule) for finding in findings if finding.blocking and finding.demands is worst), "nothing measured"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteStep:
    """What one suite still needs: the number of passes to reach, and extra trials by case id.

    `whole` asks reused cases, too, because a rule is open that compares with no baseline.
    """

    target: str
    suite: str
    passes: int
    confirm: Mapping[str, int]
    whole: bool = False


def next_steps(
    *, policy: Policy, evidence: Evidence, references: Sequence[Reference], as_of: str
) -> tuple[SuiteStep, ...]:
    """What would settle the open questions, cheapest first; empty when nothing more is to be asked of the candidate.

    Confirmation trials come before further passes, but for many of them where the next pass is expected to show a loss.
    Harm that is shown and evidence that is missing end the run. So does a case that is confirmed broken, because no
    further pass could promote, unless a loss beyond such cases is expected to be shown.
    """
    every = suite_contexts(policy, evidence, references, as_of=as_of)
    findings = _findings(every, policy)
    if evidence.stopped or evidence.interrupted or _outcome(findings) is Outcome.ROLLBACK:
        return ()
    contexts = [context for context in every if is_complete(context)]
    confirming = [
        SuiteStep(target=c.evidence.identity.target, suite=c.evidence.name, passes=c.evidence.passes, confirm=wanted)
        for c in contexts
        if (wanted := _suspects(c) | vetoes_to_confirm(c))
    ]
    if confirming:
        return tuple(confirming)
    broken = [one for one in findings if one.rule is Rule.BROKEN_CASE and one.blocking and one.verdict is Verdict.FAIL]
    if broken:
        contexts = [context for context in contexts if _worse_beyond(context, broken)]
    return tuple(step for context in contexts for step in _next_pass(context, findings))


def _worse_beyond(context: SuiteContext, broken: Sequence[Finding]) -> bool:
    """Whether harm is expected to be shown beyond the cases that are confirmed broken, which hold by themselves."""
    own = (context.evidence.identity.target, context.evidence.name)
    named = frozenset(case for finding in broken if (finding.target, finding.suite) == own for case in finding.cases)
    return loss_expected(context, named)


def _suspects(context: SuiteContext) -> dict[str, int]:
    """Confirmation trials to ask for now; many of them wait for a pass that is expected to settle the suite itself."""
    wanted = to_confirm(context) if comparable(context) else {}
    many = sum(wanted.values()) > MANY_CONFIRMATIONS * len(context.both)
    return {} if many and context.blocking and loss_expected(context) else wanted


def _next_pass(context: SuiteContext, findings: Sequence[Finding]) -> tuple[SuiteStep, ...]:
    suite, following = context.evidence, next_look(context)
    if following is None or not context.blocking or not comparable(context) or not _open(context, findings):
        return ()
    whole = _open_rate(context, findings, (Rule.FLOOR,))
    if not whole and len(context.reused) == len(suite.cases):
        return ()
    return (SuiteStep(target=suite.identity.target, suite=suite.name, passes=following, confirm={}, whole=whole),)


def _open(context: SuiteContext, findings: Sequence[Finding]) -> bool:
    """Whether another pass could settle a rate of this suite."""
    target = context.evidence.identity.target
    counted = (found for found in findings if found.rule is Rule.K_OF_M and found.target == target)
    if any(found.verdict is Verdict.INCONCLUSIVE and undecided(context, found) for found in counted):
        return True
    return _open_rate(context, findings, (Rule.FLOOR,) if context.member else (Rule.FLOOR, Rule.REGRESSION))


def _open_rate(context: SuiteContext, findings: Sequence[Finding], rules: Sequence[Rule]) -> bool:
    own = (context.evidence.identity.target, context.evidence.name)
    found = (one.verdict for one in findings if one.rule in rules and (one.target, one.suite) == own)
    return Verdict.INCONCLUSIVE in found


def is_unchanged(identity: Identity, baseline: SuiteBaseline, policy_digest: str) -> bool:
    """Whether running would compare a version with itself: every hash equal, the version hash complete, no P0 open."""
    open_p0 = any(case.severity is Severity.P0 and case.passes < max(case.trials, 1) for case in baseline.cases)
    same = identity == baseline.identity and baseline.policy == policy_digest
    sound = bool(baseline.cases) and not baseline.stale and not open_p0
    return same and identity.coverage == "complete" and sound
