"""One simulated pull request through the real decision: real looks, real confirmation trials, no re-implementation.

The loop is that of `gate.app.running.gather`, with trials that are drawn instead of asked for.
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
    Moments,
    Reference,
    SuiteBaseline,
    SuiteEvidence,
)
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension, Kind, Missing, Scope
from gate.core.policy import OnBroken, Policy, Requirement

AS_OF = "2026-01-01"
BASELINE_TRIALS = 10
MOST_TRIALS = 16
TARGET = "simulated"
QUALITY = "quality"
NOTHING = Moments()


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


@lru_cache(maxsize=200_000)
def case_evidence(index: int, marks: str, cluster: str | None, usd: Moments = NOTHING) -> CaseEvidence:
    """A case with these marks; many pull requests show the same, so that it is built once."""
    return CaseEvidence(
        case_id=f"case-{index:04d}",
        digest=f"sha256:{index}",
        marks=marks,
        missing=(Missing.TIMED_OUT,) * marks.count(UNSCORED),
        cluster=cluster,
        usd=usd,
    )


@lru_cache(maxsize=50_000)
def baseline_case(index: int, passes: int, usd: Moments = NOTHING) -> BaselineCase:
    """A case of the baseline with ten trials."""
    return BaselineCase(
        case_id=f"case-{index:04d}", digest=f"sha256:{index}", passes=passes, trials=BASELINE_TRIALS, usd=usd
    )


def draw_marks(rng: Generator, rates: Rates, trials: int = MOST_TRIALS) -> list[str]:
    """As many marks per case as any run may ask for, in order."""
    passed = rng.random((len(rates), trials)) < rates[:, None]
    letters = np.where(passed, b"P", b"F").astype("S1")
    return [row.decode() for row in letters.view(f"S{trials}").ravel().tolist()]


def reference(passes: Sequence[int], *, suite: str = QUALITY, costs: Sequence[Moments] | None = None) -> Reference:
    """What a suite is compared with: its passes out of ten per case."""
    spent = costs or (NOTHING,) * len(passes)
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

    def take(self, passes: int, confirm: Mapping[str, int]) -> None:
        """Ask for confirmation trials, then bring every case to so many trials."""
        asked = self.asked or [0] * len(self.marks)
        for case_id, extra in confirm.items():
            asked[int(case_id[-4:])] += extra
        self.passes = max(self.passes, passes)
        self.asked = [max(trials, passes) for trials in asked]

    def evidence(self) -> SuiteEvidence:
        """What was answered so far."""
        spent = self.costs or (NOTHING,) * len(self.marks)
        cases = [
            case_evidence(index, marks[:asked], self.shape.cluster_of(index), spent[index])
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
        """Whether the suite's mean was shown worse."""
        found = self.finding(Rule.REGRESSION)
        return found is not None and found.verdict is Verdict.FAIL

    @property
    def confirmed(self) -> frozenset[int]:
        """Cases named as broken."""
        found = self.finding(Rule.BROKEN_CASE)
        if found is None or found.verdict is not Verdict.FAIL:
            return frozenset()
        return frozenset(int(case_id[-4:]) for case_id in found.cases)


def run(trials: Sequence[Trials], references: Sequence[Reference], policy: Policy) -> Result:
    """Passes and confirmation trials until the decision asks for nothing more, then the decision."""
    by_name = {one.suite: one for one in trials}
    for one in trials:
        one.take(policy.looks[0], {})
    evidence = Evidence(suites=tuple(one.evidence() for one in trials))
    while steps := next_steps(policy=policy, evidence=evidence, references=references, as_of=AS_OF):
        for step in steps:
            by_name[step.suite].take(step.passes, step.confirm)
        evidence = Evidence(suites=tuple(one.evidence() for one in trials))
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    return Result(decision=decision, calls=sum(sum(one.asked) for one in trials))
