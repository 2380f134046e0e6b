"""The facts about one suite that several rules need, gathered once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gate.core.evidence import (
    FAIL,
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
from gate.core.policy import Policy, Requirement
from gate.core.statistics import Pair

DEFAULT_DEMANDS = {
    Verdict.PASS: Outcome.PROMOTE,
    Verdict.INCONCLUSIVE: Outcome.HOLD,
    Verdict.FAIL: Outcome.ROLLBACK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteContext:
    """One suite's evidence beside what it is compared with.

    `rivals` is the number of blocking suites that can call for ROLLBACK by their rate: they share the error budget.
    """

    evidence: SuiteEvidence
    reference: Reference
    policy: Policy
    as_of: str
    rivals: int = 1

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
        return tuple(case.case_id for case in self.evidence.cases if len(case.first(passes)) < passes)

    def room(self, case: CaseEvidence, extra: int) -> int:
        """How many trials may still be asked of a case beyond its passes: an outage must not be asked for ever."""
        return max(0, self.evidence.passes + extra - len(case.marks))

    def paired(self, baseline: SuiteBaseline | None = None) -> tuple[tuple[CaseEvidence, BaselineCase], ...]:
        """Cases that are the same on both sides, with trials in the baseline; sorted by id."""
        other = baseline or self.baseline
        known = {case.case_id: case for case in other.cases} if other else {}
        both = [(case, known[case.case_id]) for case in self.evidence.cases if case.case_id in known]
        return tuple(
            sorted(
                ((now, before) for now, before in both if now.digest == before.digest and before.trials),
                key=lambda both_sides: both_sides[0].case_id,
            )
        )

    def finding(
        self, rule: Rule, verdict: Verdict, sentence: str, *, demands: Outcome | None = None, **rest: object
    ) -> Finding:
        """A finding about this suite; what it demands follows from the verdict unless said."""
        fields: dict[str, object] = {
            "target": self.evidence.identity.target,
            "suite": self.evidence.name,
            "dimension": self.evidence.dimension,
            "blocking": self.blocking,
        }
        return Finding(
            rule=rule,
            verdict=verdict,
            sentence=sentence,
            demands=demands or DEFAULT_DEMANDS[verdict],
            **(fields | rest),  # type: ignore[arg-type]
        )


def pairs_at(
    paired: Iterable[tuple[CaseEvidence, BaselineCase]], passes: int, fill: str = UNSCORED
) -> tuple[Pair, ...]:
    """Counts from the first trials of each case; unscored ones are left out, or filled with PASS or FAIL."""
    marks: Callable[[CaseEvidence], str] = lambda case: filled(case, passes, fill)  # noqa: E731 a name for a partial
    return tuple(
        Pair(
            case_id=now.case_id,
            x=before.passes,
            kb=before.trials,
            y=marks(now).count(PASS),
            k=len(marks(now)),
            cluster=now.cluster,
        )
        for now, before in paired
        if marks(now)
    )


def filled(case: CaseEvidence, passes: int, fill: str) -> str:
    """Scored marks of the first trials, with unscored and never-run ones replaced by `fill` (left out for U)."""
    marks = case.marks[:passes].ljust(passes, UNSCORED)
    return marks.replace(UNSCORED, fill if fill in (PASS, FAIL) else "")


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
