"""Results of rules and of the whole decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gate.core.codec import UNWRITTEN_DEFAULT
from gate.core.model import Dimension

CORE_VERSION = "1"


class Verdict(StrEnum):
    """Result of one rule."""

    PASS = "PASS"  # noqa: S105 a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Outcome(StrEnum):
    """PROMOTE: shown not worse. HOLD: not shown either way. ROLLBACK: harm shown."""

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"
    ROLLBACK = "ROLLBACK"

    @property
    def weight(self) -> int:
        """Order of severity: the worst demanded outcome decides."""
        return (Outcome.PROMOTE, Outcome.HOLD, Outcome.ROLLBACK).index(self)


class Rule(StrEnum):
    """Stable names of the rules; each has a section in docs/reference/rules.md."""

    UNCHANGED = "unchanged"
    EVIDENCE_MISSING = "evidence missing"
    COMPARABILITY = "comparability"
    COMPLETENESS = "completeness"
    ABORT = "abort"
    VETO = "veto"
    JUDGE = "judge"
    FLOOR = "floor"
    REGRESSION = "regression"
    K_OF_M = "k-of-m"
    SLICE = "slice"
    BROKEN_CASE = "broken-case"
    COST = "cost"
    LATENCY = "latency"
    ANCHOR = "anchor"


class Act(StrEnum):
    """What a person does to settle an open point, the cheapest first: the order of the members is the order of cost.

    RERUN: run again. PASSES: run more passes. APPROVE: accept it, or waive it. BASELINE: promote or restore a baseline
    or an anchor. MEND: change the candidate, or what it runs on. CASES: write cases or a suite.
    """

    RERUN = "run again"
    PASSES = "more passes"
    APPROVE = "approve"
    BASELINE = "baseline"
    MEND = "mend"
    CASES = "cases"

    @property
    def cost(self) -> int:
        """Rank among the acts; 0 is the cheapest."""
        return tuple(Act).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Result of one rule on one subject.

    `demands` is the outcome that this finding asks for; a finding that is not `blocking` is shown and asks for nothing.
    `figures` are named numbers rounded to 1e-6; `settle` says what would turn an INCONCLUSIVE into something else,
    and `act` what kind of act that is.
    """

    rule: Rule
    verdict: Verdict
    demands: Outcome
    sentence: str
    target: str = ""
    suite: str = ""
    subject: str = ""
    dimension: Dimension | None = None
    blocking: bool = True
    figures: tuple[tuple[str, float], ...] = ()
    cases: tuple[str, ...] = ()
    settle: str = ""
    act: Act | None = field(default=None, metadata=UNWRITTEN_DEFAULT)

    def figure(self, name: str) -> float | None:
        """One of the figures by name."""
        return dict(self.figures).get(name)


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural where it needs one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def figures(**values: float | None) -> tuple[tuple[str, float], ...]:
    """Round named numbers for a finding; those that are not there are left out."""
    return tuple((name, round(value, 6) + 0.0) for name, value in sorted(values.items()) if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided and why; `as_of` is the date it was decided for, an input like any other.

    `settle` is the one cheapest thing that would settle a HOLD; empty for the other outcomes.
    """

    outcome: Outcome
    reason: str
    as_of: str
    findings: tuple[Finding, ...]
    settle: str = ""
    core_version: str = CORE_VERSION
