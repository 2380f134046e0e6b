"""One simulated pull request through the real decision: real looks, real confirmation trials, no re-implementation.

The loop is that of `gate.app.running.gather`, with trials that are drawn instead of asked for; a broken first pass is
aborted by the real rule as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from benchmarks.decision.shapes import Rates, Shape
from gate.core.decision import decide, next_steps
from gate.core.evidence import (
    PASS,
    UNSCORED,
    BaselineCase,
    CaseEvidence,
    Evidence,
    Identity,
    Reference,
    SuiteBaseline,
    SuiteEvidence,
)
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension, Kind, Missing, Scope
from gate.core.moments import NO_MOMENTS, Moments
from gate.core.policy import OnBroken, Policy, Requirement
from gate.core.rules.abort import BETS, CHECK_EVERY, THRESHOLD, Seen, Watch

AS_OF = "2026-01-01"
BASELINE_TRIALS = 10
MOST_TRIALS = 16
TARGET = "simulated"
QUALITY = "quality"


def quality_policy(on_broken: OnBroken) -> Policy:
    """The quality dimension alone: regression and broken cases, no floor."""
    requirement = Requirement(regression=True, broken=True)
    return Policy(requirements=((Dimension.TASK_SUCCESS, requirement),), on_broken=on_broken)


@lru_cache
def identity(suite: str) -> Identity:
    """What both sides share."""
    return Identity(
        target=TARGET,
        suite=suite,
        version="sha256:simulated",
        coverage="complete",
        suite_digest="sha256:suite",
        scorer_digest="sha256:scorer",
        model="simulated",
        parameters="",
    )


def case_id(index: int) -> str:
    """Id of a case; the number can be read back from its end."""
    return f"case-{index:04d}"


def digest(index: int) -> str:
    """Digest of a case."""
    return f"sha256:{index}"


@lru_cache(maxsize=200_000)
def case_evidence(index: int, marks: str, cluster: str | None, *, usd: Moments = NO_MOMENTS) -> CaseEvidence:
    """A case with these marks; many pull requests show the same, so that it is built once."""
    return CaseEvidence(
        case_id=case_id(index),
        digest=digest(index),
        marks=marks,
        missing=(Missing.TIMED_OUT,) * marks.count(UNSCORED),
        cluster=cluster,
        usd=usd,
    )


@lru_cache(maxsize=50_000)
def baseline_case(index: int, passes: int, usd: Moments = NO_MOMENTS) -> BaselineCase:
    """A case of the baseline with ten trials."""
    return BaselineCase(case_id=case_id(index), digest=digest(index), passes=passes, trials=BASELINE_TRIALS, usd=usd)


def draw_marks(rng: Generator, rates: Rates, trials: int = MOST_TRIALS) -> list[str]:
    """As many marks per case as any run may ask for, in order."""
    passed = rng.random((len(rates), trials)) < rates[:, None]
    letters = np.where(passed, b"P", b"F").astype("S1")
    return [row.decode() for row in letters.view(f"S{trials}").ravel().tolist()]


def reference(passes: Sequence[int], *, suite: str = QUALITY, costs: Sequence[Moments] | None = None) -> Reference:
    """What a suite is compared with: its passes out of ten per case."""
    spent = costs or (NO_MOMENTS,) * len(passes)
    cases = tuple(baseline_case(index, number, spent[index]) for index, number in enumerate(passes))
    baseline = SuiteBaseline(identity=identity(suite), as_of=AS_OF, cases=cases)
    return Reference(target=TARGET, suite=suite, baseline=baseline)


def passes_in(marks: Sequence[str]) -> list[int]:
    """Passes per case."""
    return [row.count(PASS) for row in marks]


@dataclass(slots=True, kw_only=True)
class Trials:
    """The trials of one suite of one pull request: what would be answered, and how much of it was asked for."""

    marks: Sequence[str]
    shape: Shape
    margin: float | None
    suite: str = QUALITY
    dimension: Dimension = Dimension.TASK_SUCCESS
    costs: Sequence[Moments] | None = None
    passes: int = 0
    asked: list[int] = field(default_factory=list)
    ended: tuple[int, ...] = ()

    def start(self, watch: Watch | None) -> None:
        """Run the first pass case by case, in an order that is fixed before, until it is done or aborted."""
        order = case_order(len(self.marks))
        self.ended = order[: aborted_after([self.marks[index][0] for index in order], order, watch)] if watch else ()
        self.passes = 1
        self.asked = [int(not self.ended or index in self.ended) for index in range(len(self.marks))]

    def take(self, passes: int, confirm: Mapping[str, int]) -> None:
        """Ask for confirmation trials, then bring every case to so many trials."""
        asked = self.asked or [0] * len(self.marks)
        for case_id, extra in confirm.items():
            asked[int(case_id[-4:])] += extra
        self.passes = max(self.passes, passes)
        self.asked = [max(trials, passes) for trials in asked]

    def evidence(self) -> SuiteEvidence:
        """What was answered so far."""
        spent = self.costs or (NO_MOMENTS,) * len(self.marks)
        cases = [
            case_evidence(index, marks[:asked], self.shape.cluster_of(index), usd=spent[index])
            for index, (marks, asked) in enumerate(zip(self.marks, self.asked, strict=True))
        ]
        return SuiteEvidence(
            identity=identity(self.suite),
            kind=Kind.GOLDEN,
            dimension=self.dimension,
            scope=Scope.POPULATION,
            margin=self.margin,
            passes=self.passes,
            cases=tuple(cases),
            asked=tuple(case_id(index) for index in self.ended),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one pull request ended."""

    decision: Decision
    calls: int

    @property
    def outcome(self) -> Outcome:
        """PROMOTE, HOLD or ROLLBACK."""
        return self.decision.outcome

    def finding(self, rule: Rule) -> Finding | None:
        """The finding of a rule on the quality suite, if there is one."""
        found = (one for one in self.decision.findings if one.rule is rule and one.suite == QUALITY)
        return next(found, None)

    @property
    def shown_worse(self) -> bool:
        """Whether the suite's mean was shown worse, by an abort or by a look."""
        found = (self.finding(Rule.ABORT), self.finding(Rule.REGRESSION))
        return any(one is not None and one.verdict is Verdict.FAIL for one in found)

    @property
    def confirmed(self) -> frozenset[int]:
        """Cases named as broken."""
        found = self.finding(Rule.BROKEN_CASE)
        if found is None or found.verdict is not Verdict.FAIL:
            return frozenset()
        return frozenset(int(case_id[-4:]) for case_id in found.cases)


@lru_cache
def case_order(cases: int) -> tuple[int, ...]:
    """An order of the cases that does not depend on what they show."""
    return tuple(np.random.default_rng(cases).permutation(cases).tolist())


def aborted_after(firsts: Sequence[str], order: Sequence[int], watch: Watch) -> int:
    """After how many cases of the first pass the real rule aborts it; 0 where it never does.

    The e-values of all prefixes are looked at at once, and the rule is asked only where one comes near its threshold.
    """
    seen = [
        Seen(case_id=case_id(index), digest=digest(index), mark=mark) for index, mark in zip(order, firsts, strict=True)
    ]
    before = [watch.known[case.case_id].passes / BASELINE_TRIALS for case in seen]
    near = _e_values(firsts, before, watch.margin) > 0.9 * THRESHOLD
    checks = [count for count in range(CHECK_EVERY, len(seen) + 1, CHECK_EVERY) if near[count - 1]]
    return next((count for count in checks if watch.fires(seen[:count]) is not None), 0)


def _e_values(firsts: Sequence[str], before: Sequence[float], margin: float) -> Rates:
    """About the e-value after every case."""
    changes = np.array([(mark == PASS) - rate for mark, rate in zip(firsts, before, strict=True)])
    bets = np.array(BETS)[:, None]
    logs = np.log1p(-bets * (changes + margin) / (1 + margin)) * np.array([mark != UNSCORED for mark in firsts])
    return np.asarray(np.exp(np.minimum(np.cumsum(logs, axis=1), 700.0)).mean(axis=0))


def watch_for(one: Trials, reference: Reference, policy: Policy) -> Watch | None:
    """What may end the first pass of a suite, as `gate.app.running` builds it."""
    requirement, baseline = policy.requirement(one.dimension), reference.baseline
    if not (requirement.blocking and requirement.regression and isinstance(baseline, SuiteBaseline)):
        return None
    margins = (margin for margin in (one.margin, requirement.margin, policy.margin) if margin is not None)
    return Watch(
        known={case.case_id: case for case in baseline.cases}, margin=next(margins), scored_share=policy.scored_share
    )


def run(trials: Sequence[Trials], references: Sequence[Reference], policy: Policy) -> Result:
    """Passes and confirmation trials until the decision asks for nothing more, then the decision."""
    by_name = {one.suite: one for one in trials}
    for one, known in zip(trials, references, strict=True):
        one.start(watch_for(one, known, policy))
    evidence = Evidence(suites=tuple(one.evidence() for one in trials))
    while steps := next_steps(policy=policy, evidence=evidence, references=references, as_of=AS_OF):
        for step in steps:
            by_name[step.suite].take(step.passes, step.confirm)
        evidence = Evidence(suites=tuple(one.evidence() for one in trials))
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    return Result(decision=decision, calls=sum(sum(one.asked) for one in trials))
