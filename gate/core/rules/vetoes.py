"""Vetoes: single failures that no average may outweigh (R5, R20, R21). Read from raw output only.

A new P0 is decisive at once: what happened once is real. A new P1 needs a second failing trial. "New" is against the
baseline's own trials. A P0 that the baseline already has is not releasable either, unless waived. An unscored trial
that could have been such a failure holds.
"""

from __future__ import annotations

from gate.core.evidence import CaseEvidence
from gate.core.finding import Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Severity
from gate.core.policy import Waiver
from gate.core.rules.context import SuiteContext, named

CONFIRM_TRIALS = 4
CONFIRM_FAILURES = 2
LONGEST_WAIVER_DAYS = 14


def check_vetoes(context: SuiteContext) -> tuple[Finding, ...]:
    """Findings for P0 and P1 failures of a suite whose dimension has vetoes."""
    if not context.requirement.vetoes:
        return ()
    failing = [case for case in context.evidence.cases if case.failed]
    waived = _waived(context)
    found = [
        *_p0(context, [case for case in failing if context.severity(case) is Severity.P0], waived),
        *_p1(context, [case for case in failing if _watched(context, case)], waived),
        *_unseen(context),
    ]
    return tuple(found) or (_clear(context),)


def _unseen(context: SuiteContext) -> list[Finding]:
    unseen = [case.case_id for case in context.evidence.cases if _gap_matters(context, case)]
    if not unseen:
        return []
    sentence = f"P0 and P1 cases with unscored trials, which may have failed: {named(unseen)}"
    return [_veto(context, Verdict.INCONCLUSIVE, sentence, cases=unseen, settle="run again: these trials decide")]


def _gap_matters(context: SuiteContext, case: CaseEvidence) -> bool:
    """Whether the missing trials of a case, taken as failures, would raise a veto that is not raised without them."""
    gap = context.evidence.passes - len(case.scored)
    if gap <= 0 or case.case_id in _waived(context):
        return False
    if context.severity(case) is Severity.P0:
        return not case.failed
    watched = _watched(context, case)
    unconfirmed = case.failed + gap >= CONFIRM_FAILURES or len(case.scored) + gap < CONFIRM_TRIALS
    return watched and case.failed < CONFIRM_FAILURES and not is_pending(case) and unconfirmed


def _waived(context: SuiteContext) -> frozenset[str]:
    return frozenset(waiver.case for waiver in context.policy.waivers if _waives(context, waiver))


def _watched(context: SuiteContext, case: CaseEvidence) -> bool:
    return context.severity(case) is Severity.P1 and _new(context, case)


def _new(context: SuiteContext, case: CaseEvidence) -> bool:
    before = context.known.get(case.case_id)
    return before is None or before.passes == before.trials or before.digest != case.digest


def _p0(context: SuiteContext, failing: list[CaseEvidence], waived: frozenset[str]) -> list[Finding]:
    """A waiver accepts a failure that is known; a new one is never accepted in advance."""
    new = [case.case_id for case in failing if _new(context, case)]
    known = [case.case_id for case in failing if case.case_id not in new]
    old = [case_id for case_id in known if case_id not in waived]
    accepted = [case_id for case_id in known if case_id in waived]
    found = []
    if new:
        sentence = f"new P0 failure: {named(new)}"
        found.append(_veto(context, Verdict.FAIL, sentence, cases=new))
    if old:
        sentence = f"P0 failure that the baseline already has, not releasable: {named(old)}"
        settle = "mend it, or let someone other than the author waive it in gate-waivers.yaml for at most 14 days"
        found.append(_veto(context, Verdict.INCONCLUSIVE, sentence, cases=old, settle=settle))
    if accepted:
        found.append(_veto(context, Verdict.PASS, f"P0 failure with a waiver: {named(accepted)}", cases=accepted))
    return found


def _p1(context: SuiteContext, failing: list[CaseEvidence], waived: frozenset[str]) -> list[Finding]:
    open_cases = [case for case in failing if case.case_id not in waived]
    confirmed = [case.case_id for case in open_cases if case.failed >= CONFIRM_FAILURES]
    pending = [case.case_id for case in open_cases if is_pending(case)]
    found = []
    if confirmed:
        sentence = f"new P1 failure, confirmed: {named(confirmed)}"
        found.append(_veto(context, Verdict.FAIL, sentence, cases=confirmed))
    if pending:
        sentence = f"a new P1 failure is not confirmed yet: {named(pending)}"
        found.append(_veto(context, Verdict.INCONCLUSIVE, sentence, cases=pending, settle="confirmation trials decide"))
    return found


def is_pending(case: CaseEvidence) -> bool:
    """Whether a failing P1 case needs more trials before it is confirmed or cleared."""
    return 0 < case.failed < CONFIRM_FAILURES and len(case.scored) < CONFIRM_TRIALS


def vetoes_to_confirm(context: SuiteContext) -> dict[str, int]:
    """Cases with an unconfirmed new P1 failure or unscored trials that matter, and how many more trials each needs."""
    if not context.requirement.vetoes:
        return {}
    wanted: dict[str, int] = {}
    for case in context.evidence.cases:
        if _watched(context, case) and is_pending(case):
            wanted[case.case_id] = CONFIRM_TRIALS - len(case.scored)
        elif _gap_matters(context, case):
            wanted[case.case_id] = context.evidence.passes - len(case.scored)
    asked = {case.case_id: context.room(case, CONFIRM_TRIALS) for case in context.evidence.cases}
    return {case_id: min(trials, asked[case_id]) for case_id, trials in wanted.items() if asked[case_id]}


def _waives(context: SuiteContext, waiver: Waiver) -> bool:
    try:
        days = day_number(waiver.expires) - day_number(context.as_of)
    except ValueError:
        return False
    by_another = bool(waiver.by) and login(waiver.by) != login(context.policy.author)
    return waiver.suite == context.evidence.name and by_another and 0 <= days <= LONGEST_WAIVER_DAYS


def login(name: str) -> str:
    """A login as GitHub compares it: without regard to case, spaces around it, or a leading @."""
    return name.strip().removeprefix("@").casefold()


def day_number(date: str) -> int:
    """Days since year 0 of a YYYY-MM-DD date (proleptic Gregorian), so that no clock or calendar module is needed."""
    year, month, day = (int(part) for part in date.split("-"))
    shifted = year - (month <= 2)  # noqa: PLR2004 the year starts in March, so that leap days come last
    leap_days = shifted // 4 - shifted // 100 + shifted // 400
    return 365 * shifted + leap_days + (153 * ((month + 9) % 12) + 2) // 5 + day


def _veto(context: SuiteContext, verdict: Verdict, sentence: str, *, cases: list[str], settle: str = "") -> Finding:
    return context.finding(
        Rule.VETO,
        verdict,
        f"{context.evidence.name}: {sentence}",
        cases=tuple(cases),
        figures=figures(failures=len(cases)),
        settle=settle,
        demands=Outcome.PROMOTE if verdict is Verdict.PASS else None,
    )


def _clear(context: SuiteContext) -> Finding:
    sentence = f"{context.evidence.name}: no new P0 or P1 failure"
    return context.finding(Rule.VETO, Verdict.PASS, sentence, figures=figures(failures=0))
