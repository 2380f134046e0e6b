"""Failing cases that are no news, and those that look broken without proof: known flaky ones, and suspects.

A reader of a red list wants to know which cases to look at. Known flaky cases fail as their baseline leads to expect.
Suspects pass so seldom that over a whole suite an unchanged version has one in twenty runs at most, in expectation; so
does a case that never failed in a baseline too short to confirm it, and only fails now. Nothing here blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gate.core.broken import BASELINE_TRIALS
from gate.core.evidence import PASS, BaselineCase, CaseEvidence
from gate.core.finding import Finding, Rule, Verdict, figures
from gate.core.flaky import chance_unchanged, flaky_counts
from gate.core.model import Severity
from gate.core.prior import Tally
from gate.core.rules.broken_cases import known_flaky, suspects, table_for
from gate.core.rules.context import SuiteContext, named
from gate.core.rules.pairing import Both
from gate.core.statistics import settled

FLAKY = "flaky"
SUSPECTS = "suspects"
FALSE_SUSPECTS = 0.05
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A case that failed at least once now, and how likely an unchanged one passes so seldom."""

    now: CaseEvidence
    before: BaselineCase
    chance: float


def check_flaky(context: SuiteContext) -> tuple[Finding, ...]:
    """Up to two findings that do not block: suspects, the least likely first, and known flaky cases that fail now."""
    left = _left(context)
    if context.baseline is None or not left:
        return ()
    tally = context.baseline.tally
    found = [_failing(tally, now, before) for now, before in left]
    odd = sorted((one for one in found if _odd(context, one)), key=lambda one: (one.chance, one.now.case_id))
    known = flaky_counts(tally)
    rest = [one for one in found if one not in odd and not _vetoed(context, one)]
    flaky = [one for one in rest if (one.before.passes, one.before.trials) in known]
    return (*_suspects(context, odd), *_flaky(context, flaky))


def _left(context: SuiteContext) -> list[Both]:
    """Cases that failed now and are neither confirmed broken nor about to be, by id."""
    table = table_for(context)
    failed = [(now, before) for now, before in context.both if now.failed and now.case_id not in context.reused]
    if table is None or not context.requirement.broken or not failed:
        return []
    judged = {one.case.case_id for one in suspects(context, table) if one.confirmed or one.pending}
    return [(now, before) for now, before in failed if now.case_id not in judged]


def _failing(tally: Tally, now: CaseEvidence, before: BaselineCase) -> Failing:
    after = (now.marks.count(PASS), len(now.scored))
    return Failing(now=now, before=before, chance=chance_unchanged(tally, (before.passes, before.trials), after))


def _odd(context: SuiteContext, one: Failing) -> bool:
    short = one.before.trials != BASELINE_TRIALS and one.before.solid
    return (short and PASS not in one.now.marks) or settled(one.chance * len(context.both)) <= FALSE_SUSPECTS


def _vetoed(context: SuiteContext, one: Failing) -> bool:
    """Whether a veto may be about this case: its failure is never explained away."""
    return context.requirement.vetoes and context.severity(one.now) in {Severity.P0, Severity.P1}


def _suspects(context: SuiteContext, odd: Sequence[Failing]) -> tuple[Finding, ...]:
    if not odd:
        return ()
    told = [
        f"{one.now.case_id} ({one.now.marks.count(PASS)} of {len(one.now.scored)}, "
        f"before {one.before.passes} of {one.before.trials})"
        for one in odd
    ]
    finding = context.finding(
        Rule.BROKEN_CASE,
        Verdict.INCONCLUSIVE,
        f"{context.evidence.name}: suspects, named and not confirmed: {named(told)}",
        subject=SUSPECTS,
        blocking=False,
        cases=tuple(one.now.case_id for one in odd),
        figures=figures(suspects=len(odd), least_chance=odd[0].chance),
    )
    return (finding,)


def _flaky(context: SuiteContext, flaky: Sequence[Failing]) -> tuple[Finding, ...]:
    if not flaky:
        return ()
    ids = [one.now.case_id for one in flaky]
    many = "case" if len(ids) == 1 else "cases"
    finding = context.finding(
        Rule.BROKEN_CASE,
        Verdict.PASS,
        f"{context.evidence.name}: known flaky, not counted as broken: {len(ids)} {many}: {named(ids, MOST_NAMED)}",
        subject=FLAKY,
        blocking=False,
        cases=tuple(ids),
        figures=figures(failing=len(ids), flaky=known_flaky(context)),
    )
    return (finding,)
