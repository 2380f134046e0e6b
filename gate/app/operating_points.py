"""How often the decision is wrong on one suite, and how many calls it takes: a seeded simulation before the first call.

Candidates are drawn from what the baseline's counts say about each case, and are put through the decision's own loop
(`next_steps`, `decide`, the watch over a first pass). Only this suite is judged, trials are independent, and every call
is answered: outages and caching providers are not in these figures. Where a suite compares values, those are drawn
apart from the passes, which floors, vetoes and broken cases judge.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate

from gate.app.drawn_values import DrawnValues, Spread, draw_version, spreads_of
from gate.app.project import SuitePlan
from gate.app.reuse import Reuse, claimed
from gate.core.decision import decide, next_steps
from gate.core.evidence import FAIL, PASS, BaselineCase, CaseEvidence, Evidence, Reference, SuiteBaseline, SuiteEvidence
from gate.core.finding import Decision, Outcome
from gate.core.model import Metric
from gate.core.policy import Policy, SliceRule
from gate.core.prior import GRID, fitted_weights, posterior_weights, tallied
from gate.core.rules.abort import BETS, CHECK_EVERY, THRESHOLD, Seen, Watch
from gate.core.statistics import exact_upper

MOST_DRAWS = 200
FEWEST_DRAWS = 40
TRIALS_PER_SCENARIO = 40_000
OTHER_SHARE = 5
BROKEN_RATE = 0.05
# With fewer failures no bet can have reached the threshold, and the watch need not be asked.
FEWEST_FAILURES = math.ceil(math.log(THRESHOLD) / math.log1p(max(BETS)))
NO_DATE = "0001-01-01"
NOTHING_REUSED = Reuse()


class Scenario(StrEnum):
    """What the drawn candidates are like."""

    NO_OP = "no change"
    BORDERLINE = "worse by exactly the margin"
    BROKEN = "half of the cases broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """What became of the draws of one scenario: outcomes with their reasons, and the mean number of calls."""

    scenario: Scenario
    draws: int
    outcomes: Mapping[tuple[Outcome, str], int]
    calls: float

    def count(self, outcome: Outcome) -> int:
        """Draws with this outcome."""
        return sum(times for (found, _), times in self.outcomes.items() if found is outcome)

    def share(self, outcome: Outcome) -> float:
        """Share of the draws with this outcome."""
        return self.count(outcome) / self.draws

    def at_most(self, outcome: Outcome) -> float:
        """Upper 95 % bound of that share: no draw of 200 does not mean never."""
        return exact_upper(self.count(outcome), self.draws)

    def reasons(self, outcome: Outcome) -> tuple[str, ...]:
        """Rules behind an outcome, the most frequent first."""
        own = [(-times, reason) for (found, reason), times in self.outcomes.items() if found is outcome]
        return tuple(reason for _, reason in sorted(own))


def operating_points(
    entry: SuitePlan, policy: Policy, *, margin: float, reuse: Reuse = NOTHING_REUSED
) -> tuple[OperatingPoint, ...]:
    """One point a scenario; empty without a sound baseline to draw from. The same inputs give the same draws.

    Reused cases are as they were in every scenario.
    """
    baseline = entry.reference.baseline
    if not isinstance(baseline, SuiteBaseline) or not policy.looks:
        return ()
    if not any(case.counted(entry.suite.metric) for case in baseline.cases):
        return ()
    arena = _arena(entry, policy, baseline, margin=margin, reuse=reuse)
    draws = max(FEWEST_DRAWS, min(MOST_DRAWS, TRIALS_PER_SCENARIO // max(len(entry.suite.cases), 1)))
    others = max(FEWEST_DRAWS, draws // OTHER_SHARE)
    return tuple(arena.play(one, draws if one is Scenario.NO_OP else others) for one in Scenario)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arena:
    """One suite with its policy, and for each case the cumulative chances of its rates and the spread of its values.

    `spreads` has those of the suite's cases, in order, and `every` all of the baseline; both are empty for passes.
    """

    deck: _Deck
    reference: Reference
    policy: Policy
    margin: float
    chances: tuple[tuple[float, ...], ...]
    watch: Watch | None
    spreads: tuple[Spread | None, ...] = ()
    every: tuple[Spread, ...] = ()
    fresh: int = 0
    as_of: str = NO_DATE

    def play(self, scenario: Scenario, draws: int) -> OperatingPoint:
        """Draw so many candidates and decide on each."""
        own = self.deck.blank.identity
        source = random.Random(f"{own.version}|{own.suite_digest}|{scenario}")  # noqa: S311 a simulation, not a secret
        outcomes: Counter[tuple[Outcome, str]] = Counter()
        calls = 0
        for _ in range(draws):
            candidate = self._candidate(scenario, source)
            decision = self._decided(candidate)
            outcomes[decision.outcome, decision.reason] += 1
            calls += candidate.calls
        return OperatingPoint(scenario=scenario, draws=draws, outcomes=dict(outcomes), calls=calls / draws)

    def _candidate(self, scenario: Scenario, source: random.Random) -> _Candidate:
        rates = [source.choices(GRID, cum_weights=chances)[0] for chances in self.chances]
        values = draw_version(source, self.spreads, self.every) if self.every else None
        return _Candidate(
            deck=self.deck,
            rates=[rate * left for rate, left in zip(rates, self._left(scenario, rates), strict=True)],
            chance=source.random,
            passes=self.policy.looks[0],
            drawn=replace(values, left=self._left(scenario, values.means)) if values else None,
            fresh=self.fresh,
        )

    def _left(self, scenario: Scenario, means: Sequence[float]) -> tuple[float, ...]:
        """What the scenario leaves of each case's mean."""
        reused = [case.reused for case in self.deck.blank.cases]
        if scenario is Scenario.BORDERLINE:
            changed = sum(mean for mean, same in zip(means, reused, strict=True) if not same)
            left = 1.0 - min(1.0, self.margin * len(means) / (changed or 1.0))
            return tuple(1.0 if same else left for same in reused)
        broken = BROKEN_RATE if scenario is Scenario.BROKEN else 1.0
        return tuple(broken if place % 2 and not same else 1.0 for place, same in enumerate(reused))

    def _decided(self, candidate: _Candidate) -> Decision:
        """The loop of a run: a watched first pass, then whatever the decision asks for."""
        candidate.first_pass(self.watch)
        references = (self.reference,)
        while True:
            evidence = Evidence(suites=(candidate.evidence(),))
            steps = next_steps(policy=self.policy, evidence=evidence, references=references, as_of=self.as_of)
            if not steps:
                return decide(policy=self.policy, evidence=evidence, references=references, as_of=self.as_of)
            for step in steps:
                candidate.take(step.passes, step.confirm, whole=step.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deck:
    """The suite without trials, and cases with marks that were made before: most draws look alike."""

    blank: SuiteEvidence
    made: dict[tuple[int, str], CaseEvidence] = field(default_factory=dict)

    def case(self, place: int, marks: str) -> CaseEvidence:
        """One case with these marks."""
        known = self.made.get((place, marks))
        if known is None:
            known = self.made[place, marks] = replace(self.blank.cases[place], marks=marks)
        return known

    def valued(self, place: int, marks: str, values: tuple[float, ...]) -> CaseEvidence:
        """One case with these marks and values, of which hardly two are alike."""
        return replace(self.blank.cases[place], marks=marks, values=values)


@dataclass(slots=True, kw_only=True)
class _Candidate:
    """One drawn version: the rate of each case, and marks and (where they are `drawn`) values of the trials so far."""

    deck: _Deck
    rates: Sequence[float]
    chance: Callable[[], float]
    passes: int
    drawn: DrawnValues | None = None
    marks: list[str] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)
    asked: tuple[str, ...] = ()
    fresh: int = 0

    @property
    def calls(self) -> int:
        """Trials asked so far."""
        return sum(map(len, self.marks))

    def first_pass(self, watch: Watch | None) -> None:
        """The passes up to the first look; a watch may end the first one, and then most cases have no mark."""
        self.marks = [""] * len(self.rates)
        self.values = [()] * len(self.rates)
        for place, case in enumerate(self.deck.blank.cases):
            self._ask(place, min(self.fresh, self.passes) if case.reused else self.passes)
        if watch is None:
            return
        order = sorted((place for place, marks in enumerate(self.marks) if marks), key=lambda _: self.chance())
        seen: list[Seen] = []
        failures = 0
        for place in order:
            case, value = self.deck.blank.cases[place], next(iter(self.values[place]), None)
            seen.append(Seen(case_id=case.case_id, digest=case.digest, mark=self.marks[place][0], value=value))
            failures += seen[-1].result(watch.metric) < 1.0
            due = len(seen) % CHECK_EVERY == 0 and failures >= FEWEST_FAILURES
            if due and watch.fires(seen) is not None:
                self._abort(order[: len(seen)])
                return

    def _abort(self, kept: Sequence[int]) -> None:
        asked = set(kept)
        self.asked = tuple(self.deck.blank.cases[place].case_id for place in kept)
        self.passes = 1
        self.marks = [marks[:1] if place in asked else "" for place, marks in enumerate(self.marks)]
        self.values = [values[: len(marks)] for marks, values in zip(self.marks, self.values, strict=True)]

    def take(self, passes: int, confirm: Mapping[str, int], *, whole: bool = False) -> None:
        """Further trials: confirmations first, then what is missing up to this number of passes."""
        self.passes = max(self.passes, passes)
        for place, case in enumerate(self.deck.blank.cases):
            done = len(self.marks[place])
            wanted = max(done + confirm.get(case.case_id, 0), 0 if case.reused and not whole else self.passes)
            self._ask(place, wanted - done)

    def evidence(self) -> SuiteEvidence:
        """The trials as a run would hand them to the decision."""
        both = enumerate(zip(self.marks, self.values, strict=True))
        if self.drawn is None:
            cases = tuple(self.deck.case(place, marks) for place, (marks, _) in both)
        else:
            cases = tuple(self.deck.valued(place, marks, values) for place, (marks, values) in both)
        return replace(self.deck.blank, cases=cases, passes=self.passes, asked=self.asked)

    def _ask(self, place: int, trials: int) -> None:
        self.marks[place] += "".join(self._trial(self.rates[place]) for _ in range(trials))
        if self.drawn is not None:
            self.values[place] += tuple(self.drawn.value(place) for _ in range(trials))

    def _trial(self, rate: float) -> str:
        return PASS if self.chance() < rate else FAIL


def _arena(entry: SuitePlan, policy: Policy, baseline: SuiteBaseline, *, margin: float, reuse: Reuse) -> _Arena:
    known = {case.case_id: case for case in baseline.cases}
    requirement = policy.requirement(entry.suite.dimension)
    # A version that changes nothing is the baseline's own.
    blank = replace(claimed(entry, reuse.requests), identity=baseline.identity)
    watched = requirement.blocking and requirement.regression and not baseline.stale
    changed = len(blank.cases) - len(reuse.requests)
    watch = Watch(
        known=known,
        margin=margin * len(blank.cases) / changed if changed else margin,
        scored_share=policy.scored_share,
        metric=blank.metric,
        reused=frozenset(reuse.requests),
    )
    spreads = spreads_of(baseline.cases) if blank.metric is Metric.SCORE else {}
    return _Arena(
        deck=_Deck(blank=blank),
        reference=replace(entry.reference, anchor=None, adopted=True),
        policy=replace(
            policy,
            requirements=((entry.suite.dimension, requirement),),
            slices=tuple(one for one in policy.slices if one[1] is SliceRule.BLOCK),
            at_least=None,
            waivers=(),
        ),
        margin=margin,
        chances=_chances(baseline, [known.get(case.case_id) for case in blank.cases]),
        watch=watch if watched else None,
        spreads=tuple(spreads.get(case.case_id) for case in blank.cases),
        every=tuple(spreads.values()),
        fresh=reuse.fresh,
        as_of=baseline.as_of if reuse.requests else NO_DATE,
    )


def _chances(baseline: SuiteBaseline, cases: Sequence[BaselineCase | None]) -> tuple[tuple[float, ...], ...]:
    """For each case, cumulative chances of the rates of GRID; a case without history is like any of the suite."""
    weights = fitted_weights(tallied((case.passes, case.trials) for case in baseline.cases))
    counts = [(case.passes, case.trials) if case else (0, 0) for case in cases]
    known = {count: tuple(accumulate(posterior_weights(weights, *count))) for count in sorted(set(counts))}
    return tuple(known[count] for count in counts)
