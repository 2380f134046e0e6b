"""Vetoes: single failures that no average may outweigh (R5, R20, R21). Read from raw output only.

A new P0 is decisive at once: what happened once is real. A new P1 needs a second failing trial. "New" is against the
baseline's own trials. A P0 that the baseline already has is not releasable either, unless waived. An unscored trial
that could have been such a failure holds. A failure by the word of a judge alone never vetoes: it holds, until a person
has read the answer.
"""

from __future__ import annotations

from dataclasses import replace

from gate.core.dates import day_number
from gate.core.evidence import CaseEvidence
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
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
    return [_open(context, sentence, unseen, settle="run again: these trials decide", act=Act.RERUN)]


def _gap_matters(context: SuiteContext, case: CaseEvidence) -> bool:
    """Whether the missing trials of a case, taken as failures, would raise a veto that is not raised without them."""
    gap = context.planned(case) - len(case.scored)
    if gap <= 0 or case.case_id in _waived(context):
        return False
    if context.severity(case) is Severity.P0:
        return not case.failed
    watched = _watched(context, case)
    unconfirmed = case.failed + gap >= CONFIRM_FAILURES or len(case.scored) + gap < CONFIRM_TRIALS
    return watched and case.failed < CONFIRM_FAILURES and not is_pending(case) and unconfirmed


def _waived(context: SuiteContext) -> frozenset[str]:
    named = frozenset(waiver.case for waiver in context.policy.waivers if _waives(context, waiver))
    return named | {case.case_id for case in context.evidence.cases if case.edits in named}


def _watched(context: SuiteContext, case: CaseEvidence) -> bool:
    return context.severity(case) is Severity.P1 and _new(context, case)


def _new(context: SuiteContext, case: CaseEvidence) -> bool:
    before = context.known.get(case.case_id)
    return before is None or before.passes == before.trials or before.digest != case.digest


def _p0(context: SuiteContext, failing: list[CaseEvidence], waived: frozenset[str]) -> list[Finding]:
    """A waiver accepts a failure that is known; a new one is never accepted in advance."""
    fresh = [case for case in failing if _new(context, case)]
    new = [case.case_id for case in fresh if case.failed > case.by_judge]
    doubtful = [case.case_id for case in fresh if case.failed == case.by_judge]
    known = [case.case_id for case in failing if case not in fresh]
    old = [case_id for case_id in known if case_id not in waived]
    accepted = [case_id for case_id in known if case_id in waived]
    found = []
    if new:
        sentence = f"new P0 failure: {named(new)}"
        found.append(_veto(context, Verdict.FAIL, sentence, cases=new))
    if doubtful:
        found.append(_by_judge(context, Severity.P0, doubtful))
    if old:
        sentence = f"P0 failure that the baseline already has, not releasable: {named(old)}"
        settle = "mend it, or let someone other than the author waive it in gate-waivers.yaml for at most 14 days"
        found.append(_open(context, sentence, old, settle=settle, act=Act.APPROVE))
    if accepted:
        found.append(_veto(context, Verdict.PASS, f"P0 failure with a waiver: {named(accepted)}", cases=accepted))
    return found


def _p1(context: SuiteContext, failing: list[CaseEvidence], waived: frozenset[str]) -> list[Finding]:
    open_cases = [case for case in failing if case.case_id not in waived]
    failed = [case for case in open_cases if case.failed >= CONFIRM_FAILURES]
    confirmed = [case.case_id for case in failed if case.failed - case.by_judge >= CONFIRM_FAILURES]
    doubtful = [case.case_id for case in failed if case.case_id not in confirmed]
    pending = [case.case_id for case in open_cases if is_pending(case)]
    found = []
    if confirmed:
        sentence = f"new P1 failure, confirmed: {named(confirmed)}"
        found.append(_veto(context, Verdict.FAIL, sentence, cases=confirmed))
    if doubtful:
        found.append(_by_judge(context, Severity.P1, doubtful))
    if pending:
        sentence = f"a new P1 failure is not confirmed yet: {named(pending)}"
        settle = f"run again: up to {CONFIRM_TRIALS} trials of each decide"
        found.append(_open(context, sentence, pending, settle=settle, act=Act.RERUN))
    return found


def _by_judge(context: SuiteContext, severity: Severity, cases: list[str]) -> Finding:
    sentence = f"new {severity} failure by the word of a judge alone: {named(cases)}"
    settle = "read these answers: if the judge is right, mend them; if not, mend its rubric"
    return _open(context, sentence, cases, settle=settle, act=Act.APPROVE)


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
            wanted[case.case_id] = context.planned(case) - len(case.scored)
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


def _open(context: SuiteContext, sentence: str, cases: list[str], *, settle: str, act: Act) -> Finding:
    return replace(_veto(context, Verdict.INCONCLUSIVE, sentence, cases=cases), settle=settle, act=act)


def _veto(context: SuiteContext, verdict: Verdict, sentence: str, *, cases: list[str]) -> Finding:
    return context.finding(
        Rule.VETO,
        verdict,
        f"{context.evidence.name}: {sentence}",
        cases=tuple(cases),
        figures=figures(failures=len(cases)),
        demands=Outcome.PROMOTE if verdict is Verdict.PASS else None,
    )


def _clear(context: SuiteContext) -> Finding:
    sentence = f"{context.evidence.name}: no new P0 or P1 failure"
    return context.finding(Rule.VETO, Verdict.PASS, sentence, figures=figures(failures=0))
