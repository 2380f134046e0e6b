"""Comparability: is the baseline there, sound, and about the same thing? Says exactly what differs."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from gate.core.evidence import Absent, BaselineCase, CaseEvidence, Corrupt, SuiteBaseline
from gate.core.finding import Act, Finding, Rule, Verdict, count, figures
from gate.core.model import Severity
from gate.core.rules.context import Settling, SuiteContext, named
from gate.core.rules.edited_cases import FIRST, check_edited

WEIGHTY = frozenset((Severity.P0, Severity.P1))


def check_comparability(context: SuiteContext) -> tuple[Finding, ...]:
    """Findings about the baseline itself and about cases that are not the same on both sides."""
    state = context.reference.baseline
    if isinstance(state, Corrupt):
        return (_unusable(context, f"the baseline cannot be believed: {state.reason}"),)
    if isinstance(state, Absent):
        return (_unusable(context, f"there is no baseline yet ({state.place})"),)
    return (*_stale(context, state), *_identity(context, state), *_cases(context))


def _stale(context: SuiteContext, baseline: SuiteBaseline) -> tuple[Finding, ...]:
    if not baseline.stale:
        return ()
    return (_unusable(context, f"the baseline is stale: {baseline.stale}"),)


def comparable(context: SuiteContext) -> bool:
    """Whether rates of the two sides may be compared at all."""
    baseline = context.baseline
    return (
        baseline is not None
        and not baseline.stale
        and baseline.identity.scorer_digest == context.evidence.identity.scorer_digest
    )


def _unusable(context: SuiteContext, sentence: str) -> Finding:
    command = f"gate promote --suite {context.evidence.name}"
    return context.finding(
        Rule.COMPARABILITY,
        Verdict.INCONCLUSIVE,
        f"{context.evidence.name}: {sentence}",
        settle=f"run `{command}` on the default branch and commit the file it writes",
        act=Act.BASELINE,
    )


def _identity(context: SuiteContext, baseline: SuiteBaseline) -> tuple[Finding, ...]:
    now, before = context.evidence.identity, baseline.identity
    found = []
    if now.scorer_digest != before.scorer_digest:
        sentence = f"{now.suite}: judge changed: the scorers are not those of the baseline, so no score can be compared"
        settle = "merge the scorer change with its own baseline first"
        particulars = Settling(settle=settle, act=Act.BASELINE)
        found.append(context.finding(Rule.COMPARABILITY, Verdict.INCONCLUSIVE, sentence, **particulars))
    for what, new, old in (
        ("model", now.model, before.model),
        ("parameters", now.parameters, before.parameters),
    ):
        if new != old:
            sentence = f"{now.suite}: the {what} changed from {old} to {new}"
            found.append(context.finding(Rule.COMPARABILITY, Verdict.PASS, sentence, blocking=False))
    return tuple(found)


def _cases(context: SuiteContext) -> tuple[Finding, ...]:
    now = {case.case_id: case.digest for case in context.evidence.cases if not case.edits}
    before = {case.case_id: case for case in context.baseline.cases} if context.baseline else {}
    removed = before.keys() - now.keys()
    renamed = {context.known[case_id].case_id for case_id in now.keys() - before.keys() if case_id in context.known}
    edited = {case_id for case_id in before.keys() & now.keys() if before[case_id].digest != now[case_id]}
    judged = {case.edits or case.case_id for case in context.evidence.cases if case.edits or case.removed}
    changed = ((removed - renamed) | edited | judged) & before.keys()
    failed = {case_id for case_id in changed if before[case_id].passes < before[case_id].trials}
    downgraded = {
        now.case_id
        for now in context.evidence.cases
        if (old := context.known.get(now.case_id)) and (old.severity or old.critical) and _played_down(now, old)
    }
    found = [
        _fact(context, f"{count(len(ids), 'case')} {what}: {named(sorted(ids))}", tuple(sorted(ids)))
        for what, ids in (
            ("added", now.keys() - before.keys()),
            ("removed", removed - renamed),
            ("renamed", renamed),
            ("edited, not compared", edited),
            ("called less severe, which was not followed", downgraded),
        )
        if ids
    ]
    if failed:
        sentence = f"{len(failed)} of the removed or edited cases failed in the baseline: {named(sorted(failed))}"
        found.append(_fact(context, sentence, tuple(sorted(failed)), verdict=Verdict.INCONCLUSIVE))
    return (*found, *check_edited(context), *_weakened(context, before, gone=removed - renamed, edited=edited))


def _weakened(
    context: SuiteContext, before: Mapping[str, BaselineCase], *, gone: AbstractSet[str], edited: AbstractSet[str]
) -> tuple[Finding, ...]:
    """A change of the candidate that takes along the cases which would judge it cannot be judged by the rest."""
    if context.baseline is None or context.baseline.identity.version == context.evidence.identity.version:
        return ()
    removed = gone | {case.case_id for case in context.evidence.cases if case.removed and case.case_id in before}
    severe = [one for one in sorted(removed) if before[one].severity in WEIGHTY or before[one].critical]
    share = len(gone | edited) / max(len(before), 1)
    sentences = []
    if severe:
        sentences.append(f"P0, P1 or critical cases were removed together with the change: {named(severe)}")
    if share > 1 - context.policy.scored_share:
        sentences.append(f"{share * 100:.0f} % of the baseline's cases were removed or edited together with the change")
    particulars = Settling(settle=FIRST, act=Act.BASELINE)
    return tuple(
        context.finding(Rule.COMPARABILITY, Verdict.INCONCLUSIVE, f"{context.evidence.name}: {sentence}", **particulars)
        for sentence in sentences
    )


def _played_down(case: CaseEvidence, before: BaselineCase) -> bool:
    milder = before.severity is not None and (case.severity is None or before.severity < case.severity)
    return milder or (before.critical and not case.critical)


def _fact(context: SuiteContext, sentence: str, cases: tuple[str, ...], *, verdict: Verdict = Verdict.PASS) -> Finding:
    return context.finding(
        Rule.COMPARABILITY,
        verdict,
        f"{context.evidence.name}: {sentence}",
        blocking=False,
        cases=cases,
        figures=figures(count=len(cases)),
    )
