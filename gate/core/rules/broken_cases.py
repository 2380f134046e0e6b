"""Broken cases: a case that was solid in the baseline and now fails, confirmed by curtailed extra trials.

The critical values come from `gate.core.broken` and depend on the baseline only. Whichever look raised the suspicion,
the statistic is the passes among the first six (or eight) trials, so looks add no error. An unscored trial of a solid
case raises the suspicion too, because it may have been a failure; it never confirms one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Unpack

from gate.core.broken import BASELINE_TRIALS, SCREEN, SOLID, BrokenTable, broken_table
from gate.core.evidence import PASS, BaselineCase, CaseEvidence
from gate.core.finding import Finding, Outcome, Rule, Verdict, figures
from gate.core.policy import OnBroken
from gate.core.rules.context import Particulars, SuiteContext, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A solid case under suspicion: passes among its first trials, and where that puts it."""

    case: CaseEvidence
    limit: int
    passes: int
    left: int

    @property
    def confirmed(self) -> bool:
        """Whether even passing all that is left could not clear it."""
        return self.passes + self.left <= self.limit

    @property
    def pending(self) -> bool:
        """Whether further trials decide."""
        return not self.confirmed and self.passes <= self.limit


def table_for(context: SuiteContext) -> BrokenTable | None:
    """The critical values of this suite, or None without a baseline."""
    if context.baseline is None:
        return None
    counts = [case.passes for case in context.baseline.cases if case.trials == BASELINE_TRIALS]
    return broken_table(counts, len(context.baseline.cases))


def check_broken(context: SuiteContext) -> tuple[Finding, ...]:
    """One finding for confirmed or still suspected cases, one naming what a short baseline cannot confirm."""
    table = table_for(context)
    if table is None or not context.requirement.broken:
        return ()
    found = list(suspects(context, table))
    confirmed = [suspect.case for suspect in found if suspect.confirmed]
    pending = [suspect.case.case_id for suspect in found if suspect.pending]
    if confirmed:
        return (_confirmed(context, table, confirmed),)
    if pending:
        doubt = "solid in the baseline, failing or unscored now, not settled yet"
        sentence = f"{context.evidence.name}: {doubt}: {named(pending)}"
        return (_finding(context, table, Verdict.INCONCLUSIVE, sentence=sentence, cases=tuple(pending)),)
    unconfirmable = [case.case_id for case, _ in _unconfirmable(context)]
    sentence = f"{context.evidence.name}: no solid case broke"
    if unconfirmable:
        sentence += f"; failing now, but the baseline has not ten trials: {named(unconfirmable)}"
    return (_finding(context, table, Verdict.PASS, sentence=sentence, cases=tuple(unconfirmable)),)


def to_confirm(context: SuiteContext) -> dict[str, int]:
    """Cases under suspicion, and how many passes in a row would clear each: the next batch of trials."""
    table = table_for(context)
    if table is None or not context.requirement.broken:
        return {}
    pending = [suspect for suspect in suspects(context, table) if suspect.pending]
    wanted = {
        suspect.case.case_id: min(
            suspect.left, suspect.limit + 1 - suspect.passes, context.room(suspect.case, table.trials)
        )
        for suspect in pending
    }
    return {case_id: trials for case_id, trials in wanted.items() if trials}


def suspects(context: SuiteContext, table: BrokenTable) -> Iterator[Suspect]:
    """Solid cases that a look found failing, by id."""
    screens = tuple((look, SCREEN.get(look, 0)) for look in context.looks)
    for now, before in context.both:
        limit = table.limit(before.passes, before.trials)
        if limit >= 0 and _screened(now.marks, limit, screens):
            first = now.scored[: table.trials]
            yield Suspect(case=now, limit=limit, passes=first.count(PASS), left=table.trials - len(first))


@lru_cache(maxsize=4096)
def _screened(marks: str, limit: int, screens: tuple[tuple[int, int], ...]) -> bool:
    """Whether some look saw so few passes; an unscored trial is none. Many cases have the same marks."""
    return any(marks.count(PASS, 0, look) <= min(most, limit) for look, most in screens)


def _unconfirmable(context: SuiteContext) -> Iterator[tuple[CaseEvidence, BaselineCase]]:
    for now, before in context.both:
        short = before.trials != BASELINE_TRIALS and before.solid
        if short and now.scored and PASS not in now.marks:
            yield now, before


def _confirmed(context: SuiteContext, table: BrokenTable, cases: list[CaseEvidence]) -> Finding:
    critical = any(context.critical(case) for case in cases)
    rollback = critical or context.policy.on_broken is OnBroken.ROLLBACK
    ids = [case.case_id for case in cases]
    many = "case" if len(ids) == 1 else "cases"
    sentence = (
        f"{context.evidence.name}: {len(ids)} {many} solid in the baseline (>= {SOLID} of 10) broke: {named(ids)}"
    )
    settle = "" if rollback else "mend these cases, or let someone with write permission accept the trade"
    return _finding(
        context,
        table,
        Verdict.FAIL,
        sentence=sentence,
        cases=tuple(ids),
        demands=Outcome.ROLLBACK if rollback else Outcome.HOLD,
        settle=settle,
    )


def _finding(
    context: SuiteContext,
    table: BrokenTable,
    verdict: Verdict,
    *,
    sentence: str,
    demands: Outcome | None = None,
    **rest: Unpack[Particulars],
) -> Finding:
    rest["figures"] = figures(
        confirmed=len(rest.get("cases", ())) if verdict is Verdict.FAIL else 0,
        testable=sum(table.limit(before.passes, before.trials) >= 0 for _, before in context.both),
        expected_false_alarms=table.expected_false_alarms,
        trials=table.trials,
    )
    return context.finding(Rule.BROKEN_CASE, verdict, sentence, demands=demands, **rest)
