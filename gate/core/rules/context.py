"""The facts about one suite that several rules need, gathered once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

from gate.core.evidence import (
    UNSCORED,
    Absent,
    BaselineCase,
    CaseEvidence,
    Corrupt,
    Reference,
    SuiteBaseline,
    SuiteEvidence,
)
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict
from gate.core.judging import margin_factor
from gate.core.model import Dimension, Severity
from gate.core.policy import LatencyRule, Policy, Requirement
from gate.core.prior import Tally, tallied
from gate.core.reuse import reused_cases
from gate.core.rules.pairing import Both, counts, known_cases, pair_cases, pairs_at, same_pair
from gate.core.statistics import Pair, settled

DEFAULT_DEMANDS = {
    Verdict.PASS: Outcome.PROMOTE,
    Verdict.INCONCLUSIVE: Outcome.HOLD,
    Verdict.FAIL: Outcome.ROLLBACK,
}


class Settling(TypedDict, total=False):
    """How a finding is settled, by the names of Finding."""

    settle: str
    act: Act


class Particulars(Settling, total=False):
    """What a rule may add to a finding about a suite, by the names of Finding."""

    subject: str
    blocking: bool
    figures: tuple[tuple[str, float], ...]
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteContext:
    """One suite's evidence beside what it is compared with.

    `rivals` is the number of blocking suites that can call for ROLLBACK by their rate: they share the error budget.
    `known` are the baseline's cases by the ids that they have now, `both` the cases that are the same on both sides,
    sorted by id, `tally` how many of them have which counts in the baseline, `reused` those that the baseline's trials
    stand for; `requirement` is what the policy asks of the suite's dimension, `trials` how many were planned and how
    many of those are scored.
    """

    evidence: SuiteEvidence
    reference: Reference
    policy: Policy
    as_of: str
    rivals: int = 1
    known: Mapping[str, BaselineCase] = field(init=False, repr=False, compare=False)
    both: tuple[Both, ...] = field(init=False, repr=False, compare=False)
    tally: Tally = field(init=False, repr=False, compare=False)
    requirement: Requirement = field(init=False, repr=False, compare=False)
    reused: frozenset[str] = field(init=False, repr=False, compare=False)
    trials: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Pair the two sides once, because most rules ask for it."""
        known = known_cases(self.evidence.cases, self.baseline.cases if self.baseline else ())
        both = pair_cases(self.evidence.cases, known, self.evidence.metric)
        object.__setattr__(self, "known", known)
        object.__setattr__(self, "both", both)
        object.__setattr__(self, "tally", tallied([(before.passes, before.trials) for _, before in both]))
        object.__setattr__(self, "requirement", self.policy.requirement(self.evidence.dimension))
        reused = reused_cases(both, self.evidence.identity, self.baseline, as_of=self.as_of)
        object.__setattr__(self, "reused", reused)
        object.__setattr__(self, "trials", self._count_trials())

    def _count_trials(self) -> tuple[int, int]:
        cases, passes = self.evidence.cases, self.evidence.passes
        if not self.reused:
            return len(cases) * passes, sum([counts(case.marks, passes, UNSCORED)[1] for case in cases])
        wanted = [(case.marks, self.planned(case)) for case in cases]
        return sum(trials for _, trials in wanted), sum(counts(marks, trials, UNSCORED)[1] for marks, trials in wanted)

    @property
    def blocking(self) -> bool:
        """Whether this suite's findings count: a suite without history is decided for show."""
        return self.requirement.blocking and self.reference.adopted

    @property
    def member(self) -> bool:
        """Whether this suite's dimension is compared together with others (k of m), and not by itself."""
        return self.policy.at_least is not None and self.evidence.dimension in self.policy.at_least.of

    @property
    def baseline(self) -> SuiteBaseline | None:
        """The baseline if it is there and sound."""
        state = self.reference.baseline
        return None if isinstance(state, Absent | Corrupt) else state

    @property
    def margin(self) -> float:
        """The margin that applies, as judges see it: what people mean by it, times what the judges leave of it."""
        calibration = self.baseline.calibration if self.baseline else ()
        factor = margin_factor(self.evidence.judging, calibration)
        return self.stated_margin if factor == 1.0 else settled(self.stated_margin * factor)

    @property
    def stated_margin(self) -> float:
        """The margin as it is written: the suite's, else the profile's, else the policy's."""
        for margin in (self.evidence.margin, self.requirement.margin):
            if margin is not None:
                return margin
        return self.policy.margin

    def pairs(self, passes: int, fill: str = UNSCORED, *, both: Iterable[Both] | None = None) -> tuple[Pair, ...]:
        """What the suite compares at this number of passes, for all common cases or for these ones."""
        every, metric = self.both if both is None else both, self.evidence.metric
        if not self.reused:
            return pairs_at(every, passes, fill, metric=metric)
        paired = []
        for now, before in every:
            if now.case_id in self.reused:
                paired.append(same_pair(now, before, metric))
            else:
                paired += pairs_at([(now, before)], passes, fill, metric=metric)
        return tuple(paired)

    def fresh_pairs(self, fill: str = UNSCORED, *, both: Iterable[Both]) -> tuple[Pair, ...]:
        """The same from all planned trials, for a comparison with anything but the baseline: no other one stands in."""
        metric = self.evidence.metric
        return tuple(
            pair for now, before in both for pair in pairs_at([(now, before)], self.planned(now), fill, metric=metric)
        )

    @property
    def costs(self) -> tuple[Both, ...]:
        """The cases on both sides with what they cost; one that is asked the same costs the same."""
        return tuple(
            (replace(now, usd=before.usd, tokens=before.tokens) if now.case_id in self.reused else now, before)
            for now, before in self.both
        )

    @property
    def fresh(self) -> bool:
        """Whether any rule about this suite needs new answers: a floor, vetoes, a latency that counts, or an anchor."""
        latency = dict(self.policy.requirements).get(Dimension.LATENCY)
        timed = latency is not None and (latency.blocking or self.policy.latency is LatencyRule.CONCURRENT)
        anchored = not isinstance(self.reference.anchor, Absent | None)
        return self.requirement.floor is not None or self.requirement.vetoes or timed or anchored

    @property
    def fresh_passes(self) -> int:
        """How many passes reused cases are part of in any case: those of the first look, or none."""
        return next(iter(self.policy.looks), 0) if self.fresh else 0

    def planned(self, case: CaseEvidence) -> int:
        """How many of a case's trials were planned: all passes, and of a reused case those that it was part of."""
        passes = self.evidence.passes
        return min(passes, max(self.fresh_passes, len(case.marks))) if case.case_id in self.reused else passes

    @property
    def reuse(self) -> str:
        """How many cases were not asked again, in words; empty for none."""
        if not self.reused:
            return ""
        how = "asked only for rules that need new answers" if self.fresh else "not asked again"
        return f"{len(self.reused)} of {len(self.evidence.cases)} cases unchanged, {how}"

    @property
    def looks(self) -> tuple[int, ...]:
        """The looks that the passes made so far have reached."""
        return tuple(look for look in self.policy.looks if look <= self.evidence.passes)

    def gaps(self) -> tuple[str, ...]:
        """Cases with an unscored or never-run trial among those that were planned."""
        planned = ((case, self.planned(case)) for case in self.evidence.cases)
        return tuple(case.case_id for case, trials in planned if counts(case.marks, trials, UNSCORED)[1] < trials)

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
