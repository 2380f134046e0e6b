"""Early abort: a broken prompt shows after a few dozen cases, and the rest of the pass need not be paid for.

A betting e-process over the cases in an order fixed before the run (Waudby-Smith and Ramdas 2024): under the hypothesis
that the mean change is -margin or better, the wealth of a bettor against it reaches 200 with a chance of at most
1/200, whenever one looks. The wealth here is the mean of five fixed bets. Checked every ten cases, on one trial a
case; never while more than 5 % of the trials so far are unscored. Its error is counted in the stated rates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gate.core.evidence import PASS, UNSCORED, BaselineCase, CaseEvidence
from gate.core.finding import Act, Finding, Rule, Verdict, figures
from gate.core.model import Metric
from gate.core.rules.context import SuiteContext, named, points

BETS = (0.1, 0.2, 0.4, 0.6, 0.8)
THRESHOLD = 200.0
CHECK_EVERY = 10
MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One case of the pass so far: its first mark, what it was asked with, and its value where values are compared."""

    case_id: str
    digest: str
    mark: str
    value: float | None = None

    def result(self, metric: Metric) -> float:
        """What the trial counts: 1 or 0 for passes, its value otherwise. Raises ValueError where that is missing."""
        if metric is Metric.PASS:
            return float(self.mark == PASS)
        if self.value is None:
            message = f"case {self.case_id!r}: no value to compare"
            raise ValueError(message)
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Watches a first pass.

    `known` are the baseline's cases by id, `margin` is a share of 1 (more where only a part of the suite can have
    changed), `metric` what is compared. `reused` are cases that cannot have changed and say nothing.
    """

    known: Mapping[str, BaselineCase]
    margin: float
    scored_share: float = 0.95
    metric: Metric = Metric.PASS
    reused: frozenset[str] = frozenset()

    def fires(self, seen: Sequence[Seen]) -> float | None:
        """The e-value if the pass may be aborted after these cases, else None."""
        if not seen or len(seen) % CHECK_EVERY:
            return None
        scored = [case for case in seen if case.mark != UNSCORED]
        if len(scored) < self.scored_share * len(seen):
            return None
        changes = [case.result(self.metric) - before.mean(self.metric) for case, before in self.compared(scored)]
        value = e_value(changes, self.margin)
        return value if value >= THRESHOLD else None

    def compared(self, seen: Iterable[Seen]) -> list[tuple[Seen, BaselineCase]]:
        """Scored cases that are the same in the baseline and were tried there."""
        pairs = ((case, self.known.get(case.case_id)) for case in seen if case.mark != UNSCORED)
        return [
            (case, before)
            for case, before in pairs
            if before is not None
            and before.counted(self.metric)
            and before.digest == case.digest
            and case.case_id not in self.reused
        ]


def e_value(differences: Iterable[float], margin: float) -> float:
    """Evidence against "the mean change is -margin or better": mean wealth of five fixed bets on a larger loss."""
    changes = list(differences)
    logs = [math.fsum(math.log1p(-bet * (change + margin) / (1 + margin)) for change in changes) for bet in BETS]
    return math.fsum(math.exp(min(log, 700.0)) for log in logs) / len(BETS)


def check_abort(context: SuiteContext) -> tuple[Finding, ...]:
    """One finding for a first pass that was stopped early: harm where the e-value says so, else nothing is known."""
    asked = context.evidence.asked
    if not asked:
        return ()
    cases = {case.case_id: case for case in context.evidence.cases}
    seen = [_first_of(cases[one]) for one in asked if one in cases]
    watch = watch_for(context)
    value = watch.fires(seen) if all(case.mark for case in seen) else None
    if value is None:
        sentence = f"{context.evidence.name}: the first pass was stopped early without cause"
        return (context.finding(Rule.ABORT, Verdict.INCONCLUSIVE, sentence, settle="run it again", act=Act.RERUN),)
    return (_broken(context, watch.compared(seen), asked=len(seen), value=value),)


def watch_for(context: SuiteContext) -> Watch:
    """What watches a first pass of this suite.

    Where a case cannot have changed, the others must lose so much more until the whole suite has lost the margin.
    """
    changed = len(context.both) - len(context.reused)
    return Watch(
        known=context.known,
        margin=context.margin * len(context.both) / changed if changed else context.margin,
        scored_share=context.policy.scored_share,
        metric=context.evidence.metric,
        reused=context.reused,
    )


def _first_of(case: CaseEvidence) -> Seen:
    mark = case.marks[:1]
    value = case.values[0] if case.values and mark != UNSCORED else None
    return Seen(case_id=case.case_id, digest=case.digest, mark=mark, value=value)


def _broken(
    context: SuiteContext, compared: Sequence[tuple[Seen, BaselineCase]], *, asked: int, value: float
) -> Finding:
    metric = context.evidence.metric
    now = math.fsum(case.result(metric) for case, _ in compared) / len(compared)
    was = math.fsum(before.mean(metric) for _, before in compared) / len(compared)
    failing = tuple(case.case_id for case, before in compared if case.mark != PASS and before.solid)
    sentence = (
        f"{context.evidence.name}: broken, stopped after {asked} cases: {was * 100:.1f} -> {now * 100:.1f} "
        f"({points(now - was)} points, e-value {value:.3g}){': ' + named(failing) if failing else ''}"
    )
    numbers = figures(e_value=min(value, 1e12), estimate=now - was, before=was, now=now, cases=asked)
    return context.finding(Rule.ABORT, Verdict.FAIL, sentence, figures=numbers, cases=failing[:MOST_NAMED])
