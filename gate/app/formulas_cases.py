"""The arithmetic of broken cases, suspects and known flaky cases: critical values, chances and expected rates."""

from __future__ import annotations

from collections.abc import Iterator

from gate.app.need import Arithmetic, Need
from gate.core.broken import BrokenTable
from gate.core.evidence import PASS, BaselineCase, CaseEvidence, SuiteBaseline
from gate.core.finding import Finding, Verdict
from gate.core.flaky import FLAKY_ABOVE, FLAKY_BELOW, chance_unchanged, expected_rate
from gate.core.rules.context import SuiteContext
from gate.core.rules.flaky_cases import FALSE_SUSPECTS, FLAKY, SUSPECTS

MOST_CASES_SHOWN = 5


def of_broken(finding: Finding, context: SuiteContext) -> Arithmetic:
    """Counts and critical values of a finding about broken cases; of a named case what its baseline leads to expect."""
    if context.baseline is None:
        return Arithmetic()
    if finding.subject:
        return Arithmetic(lines=tuple(_beside(finding, context, context.baseline)))
    table = context.baseline.critical_values
    return Arithmetic(
        lines=(*_critical(context.baseline, table), *(_now(table, *both) for both in _named(finding, context))),
        passes=(Need(text="every solid case cleared", met=finding.verdict is Verdict.PASS),),
        fails=(Need(text="a case whose passes + trials left <= critical", met=finding.verdict is Verdict.FAIL),),
    )


def _named(finding: Finding, context: SuiteContext) -> list[tuple[CaseEvidence, BaselineCase]]:
    """The first cases of a finding, in its order."""
    known = {now.case_id: (now, before) for now, before in context.both}
    return [known[case_id] for case_id in finding.cases[:MOST_CASES_SHOWN] if case_id in known]


def _critical(baseline: SuiteBaseline, table: BrokenTable) -> Iterator[str]:
    limits = sorted(((passes, most) for passes, most in table.critical if most >= 0), reverse=True)
    told = ", ".join(f"{passes}/10 before: at most {most}" for passes, most in limits) or "none is testable"
    fixed = f"fixed with the baseline of {baseline.as_of}" if baseline.broken else "computed from the baseline's counts"
    yield f"critical passes of the first {table.trials} trials, {fixed}: {told}"
    yield f"expected false alarms of the whole suite = {table.expected_false_alarms:.6f}"


def _now(table: BrokenTable, now: CaseEvidence, before: BaselineCase) -> str:
    first, most = now.scored[: table.trials], table.limit(before.passes, before.trials)
    return (
        f"{now.case_id}: {before.passes}/{before.trials} before, {first.count(PASS)} of {len(first)} now, "
        f"{table.trials - len(first)} left, critical {most if most >= 0 else 'none'}"
    )


def _beside(finding: Finding, context: SuiteContext, baseline: SuiteBaseline) -> Iterator[str]:
    """Rates or chances of the named cases under the prior of the whole baseline."""
    if finding.subject == FLAKY:
        yield f"known flaky: an expected pass rate between {FLAKY_ABOVE:g} and {FLAKY_BELOW:g}, by all baseline counts"
    if finding.subject == SUSPECTS:
        cases = len(context.both)
        yield f"suspect: chance that an unchanged case passes so seldom x {cases} cases <= {FALSE_SUSPECTS:g}"
    for now, before in _named(finding, context):
        seen, passed = (before.passes, before.trials), now.marks.count(PASS)
        rate = expected_rate(baseline.tally, seen)
        chance = chance_unchanged(baseline.tally, seen, (passed, len(now.scored)))
        told = f"{before.passes}/{before.trials} before, {passed} of {len(now.scored)} now"
        yield f"{now.case_id}: {told}, expected rate {rate:g}, chance {chance:g}"
