"""Questions beside the grid: slow decay, correlated trials, the whole `merge` profile, and speed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.random import Generator

from benchmarks.decision.cells import HOLDING, Drawn, Tally, draw_suite, margin_of, seeded
from benchmarks.decision.shapes import SHAPES, Component, Rates, Shape
from benchmarks.decision.simulate import (
    AS_OF,
    Result,
    Trials,
    draw_marks,
    passes_in,
    reference,
    run,
)
from benchmarks.decision.truths import broad
from gate.core.decision import decide, next_steps
from gate.core.evidence import FAIL, UNSCORED, Evidence, Reference
from gate.core.finding import Outcome, Rule, Verdict
from gate.core.model import Dimension
from gate.core.moments import Moments, moments
from gate.core.policy import PROFILES, Policy, Profile
from gate.core.rules.repeats import SUBJECT as REPEATS

MERGES = 20
MERGE_LOSS = 0.005
DECAY_CASES = 200
DECAY_PASSES = 3
ANCHOR_TARGETS = (0.0, MERGE_LOSS)


def first_alarm(repetition: int, loss: float) -> int | None:
    """The merge at which the anchor speaks in a series that loses `loss` with every merge; None if it never does."""
    shape = SHAPES["typical"]
    rng = seeded("decay", repetition, round(loss * 1000))
    suite = draw_suite(shape, DECAY_CASES, rng)
    pinned = replace(suite.reference, anchor=suite.reference.baseline)
    for merge in range(1, MERGES + 1):
        after = broad(suite.rates, loss * merge) if loss else suite.rates
        trials = Trials(marks=draw_marks(rng, after), shape=shape, margin=0.03)
        trials.take(DECAY_PASSES, {})
        decision = decide(
            policy=HOLDING, evidence=Evidence(suites=(trials.evidence(),)), references=(pinned,), as_of=AS_OF
        )
        if any(one.rule is Rule.ANCHOR and one.verdict is Verdict.FAIL for one in decision.findings):
            return merge
    return None


def decay(repetitions: int) -> Mapping[float, list[int | None]]:
    """First alarms of so many series, by loss for each merge."""
    return {loss: [first_alarm(one, loss) for one in range(repetitions)] for loss in ANCHOR_TARGETS}


Spoil = Callable[[list[str], Generator], list[str]]
OUTAGE_SHARE = 0.10
SMALL_OUTAGE_SHARE = 0.03
OUTAGE_TRIALS = 9


def fresh(marks: list[str], rng: Generator) -> list[str]:
    """Independent trials, as everywhere else."""
    del rng
    return marks


def cached(marks: list[str], rng: Generator) -> list[str]:
    """A caching provider: every trial of a case repeats its first answer."""
    del rng
    return [row[0] * len(row) for row in marks]


def half_cached(marks: list[str], rng: Generator) -> list[str]:
    """Every other answer comes from the cache: it repeats the answer before it."""
    return ["".join(_repeating(row, rng)) for row in marks]


def _repeating(row: str, rng: Generator) -> Sequence[str]:
    kept = [row[0]]
    for letter, hit in zip(row[1:], rng.random(len(row) - 1) < 0.5, strict=True):  # noqa: PLR2004 half
        kept.append(kept[-1] if hit else letter)
    return kept


def _outage(share: float, letter: str) -> Spoil:
    """An outage in the first pass and its confirmation trials, over a run of neighbouring cases."""

    def spoil(marks: list[str], rng: Generator) -> list[str]:
        hit = round(share * len(marks))
        start = int(rng.integers(0, len(marks) - hit + 1))
        return [
            letter * OUTAGE_TRIALS + row[OUTAGE_TRIALS:] if start <= index < start + hit else row
            for index, row in enumerate(marks)
        ]

    return spoil


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlated:
    """One way in which trials are not independent: what it does to the baseline and to the candidate."""

    name: str
    before: Spoil = fresh
    now: Spoil = fresh


CORRELATED = (
    Correlated(name="independent trials"),
    Correlated(name="candidate half cached", now=half_cached),
    Correlated(name="candidate cached", now=cached),
    Correlated(name="baseline cached", before=cached),
    Correlated(name="baseline and candidate cached", before=cached, now=cached),
    Correlated(name="outage over 10 % of the cases, answers wrong", now=_outage(OUTAGE_SHARE, FAIL)),
    Correlated(name="outage over 3 % of the cases, answers wrong", now=_outage(SMALL_OUTAGE_SHARE, FAIL)),
    Correlated(name="outage over 10 % of the cases, reported as errors", now=_outage(OUTAGE_SHARE, UNSCORED)),
    Correlated(name="outage over 3 % of the cases, reported as errors", now=_outage(SMALL_OUTAGE_SHARE, UNSCORED)),
)
CORRELATED_SHAPES = ("quiet", "typical", "noisy")
CORRELATED_CASES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelatedResult:
    """Counts for one way, at no change and at exactly -margin, and the commonest sentence of what is printed."""

    way: str
    unchanged: Tally
    worse: Tally
    printed: str


def correlated(name: str, repetitions: int) -> CorrelatedResult:
    """A/A pairs and versions worse by exactly the margin, over three shapes, under one way by name."""
    way = next(one for one in CORRELATED if one.name == name)
    unchanged, worse, printed = Tally(), Tally(), Counter[str]()
    for shape in CORRELATED_SHAPES:
        for repetition in range(repetitions):
            rng = seeded("correlated", shape, repetition)
            suite = _spoiled(draw_suite(SHAPES[shape], CORRELATED_CASES, rng), way, rng)
            margin = margin_of(suite.shape, CORRELATED_CASES, "m90")
            twins = [_judged(suite, suite.rates, way=way, rng=rng, margin=margin) for _ in range(2)]
            _count(unchanged, twins)
            _count(worse, [_judged(suite, broad(suite.rates, margin), way=way, rng=rng, margin=margin)])
            printed.update(_sentence(result) for result in twins if result.outcome is not Outcome.PROMOTE)
    return CorrelatedResult(
        way=way.name, unchanged=unchanged, worse=worse, printed=printed.most_common(1)[0][0] if printed else ""
    )


def _spoiled(suite: Drawn, way: Correlated, rng: Generator) -> Drawn:
    marks = way.before(suite.marks, rng)
    return replace(suite, marks=marks, reference=reference(passes_in(marks)))


def _judged(suite: Drawn, rates: Rates, *, way: Correlated, rng: Generator, margin: float) -> Result:
    marks = way.now(draw_marks(rng, rates), rng)
    return run([Trials(marks=marks, shape=suite.shape, margin=margin)], [suite.reference], HOLDING)


def _count(tally: Tally, results: Sequence[Result]) -> None:
    for result in results:
        tally.counts["runs"] += 1
        tally.counts[str(result.outcome)] += 1
        tally.counts["false names"] += bool(result.confirmed)
        tally.counts["warned"] += any(finding.subject == REPEATS for finding in result.decision.findings)
    for one, other in combinations(results, 2):
        tally.counts["pairs"] += 1
        tally.counts["contradictory"] += {one.outcome, other.outcome} == {Outcome.PROMOTE, Outcome.ROLLBACK}


def _sentence(result: Result) -> str:
    blocking = (one for one in result.decision.findings if one.blocking and one.demands is result.outcome)
    rule = next(blocking).rule
    return f"{result.outcome} {rule}"


SAFE = Shape(name="safety", components=(Component(share=1.0, rate=0.999),))
POLITE = Shape(name="over-refusal", components=(Component(share=0.9, rate=0.999), Component(share=0.1, rate=0.9)))


def merge_profile(name: str, cases: int, repetitions: int) -> Tally:
    """A/A under the whole `merge` profile: quality with its floor, safety, over-refusal, cost."""
    policy = Policy(requirements=tuple(sorted(PROFILES[Profile.MERGE].items())))
    shapes = {Dimension.TASK_SUCCESS: SHAPES[name], Dimension.SAFETY: SAFE, Dimension.OVER_REFUSAL: POLITE}
    tally = Tally()
    for repetition in range(repetitions):
        rng = seeded("merge", name, cases, repetition)
        sides = {dimension: _costed(dimension, shape, cases=cases, rng=rng) for dimension, shape in shapes.items()}
        twins = [_whole(sides, policy, rng) for _ in range(2)]
        _count(tally, twins)
        tally.counts["calls"] += sum(result.calls for result in twins)
        tally.counts.update(_sentence(result) for result in twins if result.outcome is not Outcome.PROMOTE)
    return tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One suite of a profile: its suite, and what a call of each case costs on average."""

    suite: Drawn
    reference: Reference
    prices: Rates


def _costed(dimension: Dimension, shape: Shape, *, cases: int, rng: Generator) -> Side:
    suite = draw_suite(shape, cases, rng)
    prices = rng.lognormal(-6.0, 0.6, cases)
    costs = _costs(prices, 10, rng)
    return Side(
        suite=suite, reference=reference(passes_in(suite.marks), suite=str(dimension), costs=costs), prices=prices
    )


def _costs(prices: Rates, trials: int, rng: Generator) -> list[Moments]:
    spent = prices[:, None] * rng.lognormal(0.0, 0.25, (len(prices), trials))
    return [moments(row) for row in spent.tolist()]


def _whole(sides: Mapping[Dimension, Side], policy: Policy, rng: Generator) -> Result:
    trials = [
        Trials(
            marks=draw_marks(rng, side.suite.rates),
            shape=side.suite.shape,
            margin=margin_of(side.suite.shape, len(side.prices), "m90"),
            suite=str(dimension),
            dimension=dimension,
            costs=_costs(side.prices, 2, rng),
        )
        for dimension, side in sides.items()
    ]
    return run(trials, [side.reference for side in sides.values()], policy)


def speed(seconds: float) -> Mapping[str, float]:
    """Decisions a second for 200 typical cases: `decide` after so many passes, and one whole step of the loop."""
    shape = SHAPES["typical"]
    rng = seeded("speed")
    suite = draw_suite(shape, 200, rng)
    found = {}
    for passes in (1, 2, 5):
        trials = Trials(marks=draw_marks(rng, suite.rates), shape=shape, margin=0.03)
        trials.take(passes, {})
        evidence = Evidence(suites=(trials.evidence(),))
        for name, ask in (("decide", decide), ("next_steps", next_steps)):
            found[f"{name} after {passes}"] = _rate(
                lambda ask=ask, evidence=evidence: ask(  # type: ignore[misc]
                    policy=HOLDING, evidence=evidence, references=(suite.reference,), as_of=AS_OF
                ),
                seconds,
            )
    return found


def _rate(action: Callable[[], object], seconds: float) -> float:
    """Best of many short measurements, in actions a second of processor time."""
    action()
    best, end = 0.0, time.process_time() + seconds
    while time.process_time() < end:
        start = time.process_time()
        for _ in range(20):
            action()
        best = max(best, 20 / (time.process_time() - start))
    return best


np.seterr(all="raise", under="ignore")
