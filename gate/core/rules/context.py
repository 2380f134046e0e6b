"""The facts about one suite that several rules need, gathered once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import TypedDict, Unpack

from gate.core.evidence import (
    PASS,
    UNSCORED,
    Absent,
    BaselineCase,
    CaseEvidence,
    Corrupt,
    Reference,
    SuiteBaseline,
    SuiteEvidence,
)
from gate.core.finding import Finding, Outcome, Rule, Verdict
from gate.core.model import Severity
from gate.core.policy import Policy, Requirement
from gate.core.statistics import Pair

DEFAULT_DEMANDS = {
    Verdict.PASS: Outcome.PROMOTE,
    Verdict.INCONCLUSIVE: Outcome.HOLD,
    Verdict.FAIL: Outcome.ROLLBACK,
}


Both = tuple[CaseEvidence, BaselineCase]


class Particulars(TypedDict, total=False):
    """What a rule may add to a finding about a suite, by the names of Finding."""

    subject: str
    blocking: bool
    figures: tuple[tuple[str, float], ...]
    cases: tuple[str, ...]
    settle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteContext:
    """One suite's evidence beside what it is compared with.

    `rivals` is the number of blocking suites that can call for ROLLBACK by their rate: they share the error budget.
    `known` are the baseline's cases by the ids that they have now, `both` the cases that are the same on both sides,
    sorted by id.
    """

    evidence: SuiteEvidence
    reference: Reference
    policy: Policy
    as_of: str
    rivals: int = 1
    known: Mapping[str, BaselineCase] = field(init=False, repr=False, compare=False)
    both: tuple[Both, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Pair the two sides once, because most rules ask for it."""
        known = known_cases(self.evidence.cases, self.baseline.cases if self.baseline else ())
        object.__setattr__(self, "known", known)
        object.__setattr__(self, "both", pair_cases(self.evidence.cases, known))

    @property
    def requirement(self) -> Requirement:
        """What the policy asks of this suite's dimension."""
        return self.policy.requirement(self.evidence.dimension)

    @property
    def blocking(self) -> bool:
        """Whether this suite's findings count: a suite without history is decided for show."""
        return self.requirement.blocking and self.reference.adopted

    @property
    def baseline(self) -> SuiteBaseline | None:
        """The baseline if it is there and sound."""
        state = self.reference.baseline
        return None if isinstance(state, Absent | Corrupt) else state

    @property
    def margin(self) -> float:
        """The margin that applies: the suite's, else the profile's, else the policy's."""
        for margin in (self.evidence.margin, self.requirement.margin):
            if margin is not None:
                return margin
        return self.policy.margin

    @property
    def looks(self) -> tuple[int, ...]:
        """The looks that the passes made so far have reached."""
        return tuple(look for look in self.policy.looks if look <= self.evidence.passes)

    def gaps(self, passes: int) -> tuple[str, ...]:
        """Cases with an unscored or never-run trial among their first ones."""
        return tuple(case.case_id for case in self.evidence.cases if counts(case.marks, passes, UNSCORED)[1] < passes)

    def room(self, case: CaseEvidence, extra: int) -> int:
        """How many trials may still be asked of a case beyond its passes: an outage must not be asked for ever."""
        return max(0, self.evidence.passes + extra - len(case.marks))

    def severity(self, case: CaseEvidence) -> Severity | None:
        """How bad a failure of this case is: the stricter of both sides, so that a change cannot play it down."""
        before = self.known.get(case.case_id)
        stated = [severity for severity in (case.severity, before.severity if before else None) if severity]
        return min(stated, default=None)

    def critical(self, case: CaseEvidence) -> bool:
        """Whether either side calls this case critical."""
        before = self.known.get(case.case_id)
        return case.critical or (before is not None and before.critical)

    def finding(
        self,
        rule: Rule,
        verdict: Verdict,
        sentence: str,
        *,
        demands: Outcome | None = None,
        **rest: Unpack[Particulars],
    ) -> Finding:
        """A finding about this suite; what it demands follows from the verdict unless said."""
        particulars: Particulars = {"blocking": self.blocking, **rest}
        return Finding(
            rule=rule,
            verdict=verdict,
            sentence=sentence,
            demands=demands or DEFAULT_DEMANDS[verdict],
            target=self.evidence.identity.target,
            suite=self.evidence.name,
            dimension=self.evidence.dimension,
            **particulars,
        )


def known_cases(cases: Iterable[CaseEvidence], before: Iterable[BaselineCase]) -> dict[str, BaselineCase]:
    """The baseline's cases by id, a renamed one by its old and its new id: a new name must not hide a failure.

    A case is renamed where its old id is gone and one new id has its content; no two new ids share an old one.
    """
    known = {case.case_id: case for case in before}
    new = [case for case in cases if case.case_id not in known]
    if not new:
        return known
    gone = known.keys() - {case.case_id for case in cases}
    waiting: dict[str, list[BaselineCase]] = {}
    for case_id in sorted(gone, reverse=True):
        waiting.setdefault(known[case_id].digest, []).append(known[case_id])
    for case in sorted(new, key=attrgetter("case_id")):
        if same := waiting.get(case.digest):
            known[case.case_id] = same.pop()
    return known


def pair_cases(cases: Iterable[CaseEvidence], known: Mapping[str, BaselineCase]) -> tuple[Both, ...]:
    """Cases that are the same on both sides, with trials in the baseline; sorted by id."""
    ordered = sorted(cases, key=attrgetter("case_id"))
    return tuple(
        (case, before)
        for case in ordered
        if (before := known.get(case.case_id)) and before.trials and before.digest == case.digest
    )


def pairs_at(both: Iterable[Both], passes: int, fill: str = UNSCORED) -> tuple[Pair, ...]:
    """Counts from the first trials of each case; unscored ones are left out, or filled with PASS or FAIL."""
    return tuple(
        [
            Pair(now.case_id, before.passes, before.trials, *counted, now.cluster)
            for now, before in both
            if (counted := counts(now.marks, passes, fill))[1]
        ]
    )


@lru_cache(maxsize=4096)
def counts(marks: str, passes: int, fill: str) -> tuple[int, int]:
    """Passes and length of the `filled` marks; many cases have the same marks, so answers are kept."""
    asked = marks[:passes]
    passed, scored = asked.count(PASS), len(asked) - asked.count(UNSCORED)
    if fill == UNSCORED:
        return passed, scored
    return passed + (passes - scored if fill == PASS else 0), passes


def filled(case: CaseEvidence, passes: int, fill: str) -> str:
    """Scored marks of the first trials, with unscored and never-run ones replaced by `fill` (left out for U)."""
    if fill == UNSCORED:
        return case.marks[:passes].replace(UNSCORED, "")
    return case.marks[:passes].ljust(passes, UNSCORED).replace(UNSCORED, fill)


def points(share: float) -> str:
    """A share of 1 as points, with a sign."""
    return f"{share * 100:+.1f}"


def percent(share: float) -> str:
    """A share of 1 as a percentage."""
    return f"{share * 100:.1f} %"


def named(ids: Iterable[str], most: int = 5) -> str:
    """A few ids for a sentence, and how many more there are."""
    every = list(ids)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
