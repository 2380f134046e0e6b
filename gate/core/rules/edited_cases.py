"""Cases that the change edits or removes: judged as the base has them, so that an edit cannot hide what it edits.

The new version of an edited case has no baseline yet: it is shown, and takes part in floors and vetoes like any new
case. Where the base's versions could not be asked, nobody knows what the edit hides, which holds.
"""

from __future__ import annotations

from gate.core.evidence import CaseEvidence
from gate.core.finding import Act, Finding, Rule, Verdict, count, figures
from gate.core.rules.context import SuiteContext, named

FIRST = "change the suite in a pull request of its own, and promote its baseline first"


def both_versions(context: SuiteContext) -> tuple[tuple[CaseEvidence, CaseEvidence], ...]:
    """Edited cases as the base has them and as they are now, in the order of the cases."""
    cases = {case.case_id: case for case in context.evidence.cases}
    return tuple((cases[case.edits], case) for case in context.evidence.cases if case.edits in cases)


def check_edited(context: SuiteContext) -> tuple[Finding, ...]:
    """Facts about both versions of edited cases and about removed ones; one that holds where they were not asked."""
    both = both_versions(context)
    removed = [case.case_id for case in context.evidence.cases if case.removed]
    edited = [before.case_id for before, _ in both]
    found = [
        _fact(context, f"{count(len(ids), 'case')} {what}, judged as the base has them: {named(ids)}", ids)
        for what, ids in (("removed", removed), ("edited", edited))
        if ids
    ]
    if both:
        found.append(_new_versions(context, [now for _, now in both]))
    return (*found, *_moved(context, both), *_unasked(context))


def _new_versions(context: SuiteContext, cases: list[CaseEvidence]) -> Finding:
    failing = [case.case_id for case in cases if _fails(case)]
    unscored = [case.case_id for case in cases if not case.scored]
    told = [f"{len(ids)} {what}: {named(ids)}" for what, ids in (("fail", failing), ("have no score", unscored)) if ids]
    sentence = f"{count(len(cases), 'new version')} of edited cases, no baseline yet; {'; '.join(told) or 'none fails'}"
    verdict = Verdict.INCONCLUSIVE if failing else Verdict.PASS
    return _fact(context, sentence, failing or [case.case_id for case in cases], verdict=verdict)


def _moved(context: SuiteContext, both: tuple[tuple[CaseEvidence, CaseEvidence], ...]) -> tuple[Finding, ...]:
    """Cases that fail as they were and pass as they are: their edit may be meant, or may hide a regression."""
    passing = [(before, now) for before, now in both if now.scored and not _fails(now)]
    moved = [(before.case_id, now.case_id) for before, now in passing if _fails(before)]
    if not moved:
        return ()
    sentence = f"{len(moved)} of the edited cases fail as the base has them and pass as edited: "
    sentence += f"{named(before for before, _ in moved)}; if that is meant, {FIRST}"
    return (_fact(context, sentence, [one for pair in moved for one in pair], verdict=Verdict.INCONCLUSIVE),)


def _unasked(context: SuiteContext) -> tuple[Finding, ...]:
    why = context.evidence.unasked
    if not why:
        return ()
    sentence = f"{context.evidence.name}: edited or removed cases were not asked as the base has them: {why}"
    return (context.finding(Rule.COMPARABILITY, Verdict.INCONCLUSIVE, sentence, settle=FIRST, act=Act.BASELINE),)


def _fails(case: CaseEvidence) -> bool:
    return 2 * case.failed > len(case.scored)


def _fact(context: SuiteContext, sentence: str, cases: list[str], *, verdict: Verdict = Verdict.PASS) -> Finding:
    return context.finding(
        Rule.COMPARABILITY,
        verdict,
        f"{context.evidence.name}: {sentence}",
        blocking=False,
        cases=tuple(cases),
        figures=figures(count=len(cases)),
    )
