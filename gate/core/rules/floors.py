"""Floors: is the candidate good enough by itself, whatever the baseline was (Maiorano, arXiv:2603.15676; R4-R5).

PASS: lower bound at or above the floor. FAIL: upper bound below the rollback line (0.70 of the floor). The unit is the
case: exact binomial after one pass, augmented t on case means otherwise. `point` profiles compare the estimate.
INCONCLUSIVE where unscored trials could turn the verdict.
"""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from dataclasses import replace

from gate.core.evidence import FAIL, PASS, UNSCORED
from gate.core.finding import Act, Finding, Rule, Verdict, count, figures
from gate.core.rules.completeness import RUN_AGAIN, depends_on_missing
from gate.core.rules.context import Particulars, SuiteContext, percent
from gate.core.rules.edited_cases import FIRST
from gate.core.rules.pairing import filled
from gate.core.statistics import ONE_SIDED_95, augmented, exact_lower, exact_upper, settled


def check_floor(context: SuiteContext) -> tuple[Finding, ...]:
    """One finding where the dimension has a floor and anything was scored."""
    floor = context.requirement.floor
    means = [] if floor is None else _case_means(context, UNSCORED)
    if floor is None or not means:
        return ()
    verdict = _verdict(context, means)
    gaps = context.gaps()
    if gaps and verdict is not Verdict.INCONCLUSIVE:
        worst = _verdict(context, _case_means(context, FAIL if verdict is Verdict.PASS else PASS))
        if worst is not verdict:
            open_again = _finding(context, Verdict.INCONCLUSIVE, means, floor=floor)
            return (replace(open_again, settle=RUN_AGAIN, act=Act.RERUN), depends_on_missing(context, gaps))
    return (_finding(context, verdict, means, floor=floor), *_lifted(context, verdict))


def _lifted(context: SuiteContext, verdict: Verdict) -> tuple[Finding, ...]:
    """A changed version that is above its floor only with cases that it brings: easy ones lift any average."""
    before, known = context.baseline, frozenset(now.case_id for now, _ in context.both)
    brought = [case.case_id for case in context.evidence.cases if case.case_id not in known]
    if verdict is not Verdict.PASS or before is None or not brought:
        return ()
    means = _case_means(context, UNSCORED, known)
    changed = before.identity.version != context.evidence.identity.version
    if not changed or not means or _verdict(context, means) is Verdict.PASS:
        return ()
    estimate = percent(settled(math.fsum(means) / len(means)))
    name = f"{context.evidence.name}: {context.evidence.dimension}"
    cases = count(len(brought), "case")
    sentence = f"{name} is above its floor only with {cases} without a baseline; the others are at {estimate}"
    particulars = Particulars(settle=FIRST, act=Act.BASELINE)
    return (context.finding(Rule.COMPARABILITY, Verdict.INCONCLUSIVE, sentence, **particulars),)


def _verdict(context: SuiteContext, means: list[float]) -> Verdict:
    requirement = context.requirement
    estimate = settled(math.fsum(means) / len(means))
    lower, upper = _bounds(means, exact=context.evidence.passes == 1)
    low, high = (estimate, estimate) if requirement.point else (lower, upper)
    if requirement.floor is not None and low >= requirement.floor:
        return Verdict.PASS
    failed = requirement.rollback_below is not None and high < requirement.rollback_below
    return Verdict.FAIL if failed else Verdict.INCONCLUSIVE


def _finding(context: SuiteContext, verdict: Verdict, means: list[float], *, floor: float) -> Finding:
    estimate = settled(math.fsum(means) / len(means))
    lower, upper = _bounds(means, exact=context.evidence.passes == 1)
    name = f"{context.evidence.name}: {context.evidence.dimension} {percent(estimate)}"
    sentence = f"{name}, between {percent(lower)} and {percent(upper)}; the floor is {percent(floor)}"
    numbers = figures(estimate=estimate, lower=lower, upper=upper, floor=floor, cases=len(means))
    found = context.finding(Rule.FLOOR, verdict, sentence, figures=numbers)
    return _settled_by(context, found, short=estimate < floor) if verdict is Verdict.INCONCLUSIVE else found


def _settled_by(context: SuiteContext, finding: Finding, *, short: bool) -> Finding:
    """What would settle an open floor: passes that are left, a better candidate where it falls short, else cases."""
    passes, last = context.evidence.passes, max(context.policy.looks, default=0)
    if passes < last:
        return replace(finding, settle=f"run up to {last} passes (now {passes})", act=Act.PASSES)
    name, floor = context.evidence.name, percent(context.requirement.floor or 0.0)
    settle = f"raise {name} above {floor} with room to spare, or add cases"
    return replace(finding, settle=settle, act=Act.MEND if short else Act.CASES)


def _case_means(context: SuiteContext, fill: str, only: AbstractSet[str] | None = None) -> list[float]:
    cases = (case for case in context.evidence.cases if only is None or case.case_id in only)
    marks = (filled(case, context.planned(case), fill) for case in cases)
    return sorted(kept.count(PASS) / len(kept) for kept in marks if kept)


def _bounds(means: list[float], *, exact: bool) -> tuple[float, float]:
    if exact:
        passed = round(sum(means))
        return settled(exact_lower(passed, len(means))), settled(exact_upper(passed, len(means)))
    mean, error = augmented(means, low=0.0, high=1.0)
    return settled(max(0.0, mean - ONE_SIDED_95 * error)), settled(min(1.0, mean + ONE_SIDED_95 * error))
