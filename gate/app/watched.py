"""Critical values of broken cases in words: which cases are watched one by one, and how few passes confirm a break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gate.core.evidence import BaselineCase, SuiteBaseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Solid cases that are watched one by one: how many, and by baseline passes how few of `trials` confirm a break.

    `fixed` is the date of the baseline that the critical values were fixed with; empty where that baseline has none and
    they are computed from its counts.
    """

    testable: int
    trials: int
    critical: Mapping[int, int]
    expected_false_alarms: float
    fixed: str = ""


def watched_cases(baseline: SuiteBaseline, cases: Iterable[BaselineCase]) -> Watched:
    """The critical values that a decision against this baseline uses; `cases` are those of it that are compared."""
    table = baseline.critical_values
    return Watched(
        testable=sum(table.limit(case.passes, case.trials) >= 0 for case in cases),
        trials=table.trials,
        critical={passes: most for passes, most in table.critical if most >= 0},
        expected_false_alarms=table.expected_false_alarms,
        fixed=baseline.as_of if baseline.broken else "",
    )


def render_watched(watched: Watched) -> Iterator[str]:
    """One line for the number of cases, one for the critical values."""
    yield f"{watched.testable:,} solid cases are watched one by one"
    if watched.critical:
        before = sorted(watched.critical.items(), reverse=True)
        limits = ", ".join(f"{passes}/10 before and at most {most} of {watched.trials} now" for passes, most in before)
        fixed = f"; fixed with the baseline of {watched.fixed}" if watched.fixed else ""
        yield f"confirmed broken: {limits} ({watched.expected_false_alarms:.4f} false alarms expected{fixed})"
