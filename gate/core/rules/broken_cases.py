"""Broken cases: a case that was solid in the baseline and now fails, confirmed by curtailed extra trials.

The critical values were fixed with the baseline (`gate.core.broken`) and depend on it only. Whichever look raised the
suspicion, the statistic is the passes among the first trials that the table names, so looks add no error. An unscored
trial of a solid case raises the suspicion too, because it may have been a failure; it never confirms one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Unpack

from gate.core.broken import SCREEN, SOLID, BrokenTable
from gate.core.evidence import PASS, CaseEvidence
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
from gate.core.flaky import flaky_counts
from gate.core.model import Metric
from gate.core.policy import OnBroken
from gate.core.rules.context import Particulars, Settling, SuiteContext, named
from gate.core.statistics import compare, settled


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
    """The critical values of this suite, as its baseline fixed them; None without a baseline."""
    return context.baseline.critical_values if context.baseline else None


def known_flaky(context: SuiteContext) -> int:
    """How many of the compared cases neither pass nor fail reliably, by the baseline's counts."""
    known = flaky_counts(context.baseline.tally) if context.baseline else frozenset()
    return sum(cases for seen, cases in context.tally if seen in known)


def check_broken(context: SuiteContext) -> tuple[Finding, ...]:
    """One finding: cases that are confirmed broken, or those that further trials decide about, or that none broke."""
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
        particulars = Settling(settle=f"run again: up to {table.trials} trials of each decide", act=Act.RERUN)
        return (_finding(context, table, Verdict.INCONCLUSIVE, sentence=sentence, cases=tuple(pending), **particulars),)
    return (_finding(context, table, Verdict.PASS, sentence=f"{context.evidence.name}: no solid case broke"),)


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
    limits = table.limits
    for now, before in context.both:
        limit = -1 if now.case_id in context.reused else limits.get((before.passes, before.trials), -1)
        if limit >= 0 and _screened(now.marks, limit, screens):
            first = now.scored[: table.trials]
            yield Suspect(case=now, limit=limit, passes=first.count(PASS), left=table.trials - len(first))


@lru_cache(maxsize=4096)
def _screened(marks: str, limit: int, screens: tuple[tuple[int, int], ...]) -> bool:
    """Whether some look saw so few passes; an unscored trial is none. Many cases have the same marks."""
    return any(marks.count(PASS, 0, look) <= min(most, limit) for look, most in screens)


def _confirmed(context: SuiteContext, table: BrokenTable, cases: list[CaseEvidence]) -> Finding:
    critical = any(context.critical(case) for case in cases)
    lost = _lost_alone(context, cases)
    rollback = critical or lost > 0.0 or context.policy.on_broken is OnBroken.ROLLBACK
    ids = [case.case_id for case in cases]
    many = "case" if len(ids) == 1 else "cases"
    sentence = (
        f"{context.evidence.name}: {len(ids)} {many} solid in the baseline (>= {SOLID} of 10) broke: {named(ids)}"
    )
    if lost:
        sentence += f"; alone they lose {lost * 100:.1f} points, and nothing makes up for it"
    accept = "mend these cases, or let someone with write permission accept the trade"
    particulars = Settling() if rollback else Settling(settle=accept, act=Act.APPROVE)
    return _finding(
        context,
        table,
        Verdict.FAIL,
        sentence=sentence,
        cases=tuple(ids),
        demands=Outcome.ROLLBACK if rollback else Outcome.HOLD,
        **particulars,
    )


def _lost_alone(context: SuiteContext, cases: Sequence[CaseEvidence]) -> float:
    """What confirmed cases take from the mean where that is the margin and the whole suite's estimate agrees, else 0.

    Each of them is shown by itself, so that several say more than the bound of the mean, which knows nothing of cases.
    """
    decisive = context.requirement.regression and not context.member and context.evidence.metric is Metric.PASS
    if not decisive or settled(compare(context.pairs(context.evidence.passes)).estimate) > -context.margin:
        return 0.0
    before = {now.case_id: known.passes / known.trials for now, known in context.both}
    gone = math.fsum(before[case.case_id] - case.scored.count(PASS) / len(case.scored) for case in cases)
    lost = settled(gone / len(context.both))
    return lost if lost >= context.margin else 0.0


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
        testable=sum(cases for seen, cases in context.tally if table.limit(*seen) >= 0),
        expected_false_alarms=table.expected_false_alarms,
        trials=table.trials,
        flaky=known_flaky(context),
    )
    return context.finding(Rule.BROKEN_CASE, verdict, sentence, demands=demands, **rest)
