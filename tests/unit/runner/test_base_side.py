"""The base's version asked beside the candidate: in turn, within the budget, for its latency and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gate.core.evidence import Beside
from gate.core.model import (
    Answer,
    Call,
    Case,
    Exhibit,
    Missing,
    Score,
    Unanswered,
    Usage,
    WeightedScorer,
)
from gate.runner.asking import Asking
from gate.runner.beside import BaseSide
from gate.runner.budget import Budget, Ceilings
from gate.runner.journal import Journal
from gate.runner.order import case_order
from gate.runner.suite_run import SuiteRun
from tests.builders import identity, make_suite

IDS = tuple(f"c{number}" for number in range(6))


class Log:
    """In which order both sides were asked, with what."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.lock = threading.Lock()

    def write(self, side: str, call: Call) -> None:
        with self.lock:
            self.lines.append((side, call.case_id, call.prompt))

    def sides(self) -> list[tuple[str, str]]:
        return [(side, case_id) for side, case_id, _ in self.lines]


class Side:
    """One target that takes so many milliseconds; what is named in `gone` gets no answer."""

    def __init__(self, name: str, log: Log, *, ms: float | None, gone: tuple[str, ...] = ()) -> None:
        self.name, self.log, self.ms, self.gone = name, log, ms, gone

    def answer(self, call: Call) -> Answer | Unanswered:
        self.log.write(self.name, call)
        if call.case_id in self.gone:
            return Unanswered(reason=Missing.TIMED_OUT, detail="no answer within 1 s")
        return Answer(
            text=self.name,
            model="m",
            usage=Usage(input_tokens=9, output_tokens=1),
            usd=0.5,
            latency_ms=self.ms,
            modelled=self.name == "model",
        )


class Now:
    """1.0 for an answer of the candidate: a base's answer that was scored would be a failure."""

    def applies(self, case: Case) -> bool:
        return True

    def score(self, exhibit: Exhibit) -> Score:
        return Score(value=float(exhibit.answer.text == "now"), explanation="compared")


SUITE = make_suite(*IDS, scorers=(WeightedScorer(name="now", scorer=Now()),))


class Silent:
    def note(self, text: str) -> None:
        raise AssertionError(text)

    def begin(self, suite: str, *, target: str, total: int) -> None:
        self.total = total

    def step(self, reply: Answer | Unanswered, *, spent: float | None) -> None:
        pass

    def judged(self, trial: object) -> None:
        pass

    def end(self) -> None:
        pass


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "trials.jsonl")
    yield made
    made.close()


def make_run(
    journal: Journal, log: Log, base: BaseSide | None, *, now: Side | None = None, ceilings: Ceilings | None = None
) -> SuiteRun:
    asking = Asking(budget=Budget(ceilings or Ceilings(), lambda: 0.0))
    if base is not None:
        base.asking = asking
    return SuiteRun(
        suite=SUITE,
        identity=identity(),
        target=now or Side("now", log, ms=20.04),
        prompts={name: f"new {name}" for name in IDS},
        asking=asking,
        journal=journal,
        progress=Silent(),
        workers=1,
        seed=7,
        beside=base,
    )


def base_side(log: Log, *, ms: float | None = 10.06, name: str = "base", gone: tuple[str, ...] = ()) -> BaseSide:
    target = Side(name, log, ms=ms, gone=gone)
    return BaseSide(version="sha256:ba5e", target=target, prompts={name: f"old {name}" for name in IDS})


def test_run_passes__sides_take_turns_in_going_first(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log))
    run.run_passes(1)
    order = [case.id for case in case_order(SUITE, run.identity)]
    wanted = []
    for place, case_id in enumerate(order):
        sides = ("base", "now") if place % 2 else ("now", "base")
        wanted += [(side, case_id) for side in sides]
    assert log.sides() == wanted
    assert {prompt for side, case_id, prompt in log.lines if side == "base"} == {f"old {name}" for name in IDS}
    assert {prompt for side, case_id, prompt in log.lines if side == "now"} == {f"new {name}" for name in IDS}


def test_run_passes__only_the_first_pass_of_a_run_is_asked_beside(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log))
    run.run_passes(1)
    run.run_more({"c1": 2})
    run.run_passes(3)
    assert sum(side == "base" for side, _ in log.sides()) == len(IDS)
    assert {case.base_ms for case in run.evidence().cases} == {(10.1,)}


def test_run_passes__several_passes_at_once__the_first_of_them(journal: Journal) -> None:
    log = Log()
    make_run(journal, log, base_side(log)).run_passes(3)
    assert sorted(case_id for side, case_id in log.sides() if side == "base") == list(IDS)


def test_run_passes__after_an_earlier_run__the_first_pass_of_this_one(journal: Journal) -> None:
    first, log = Log(), Log()
    before = make_run(journal, first, base_side(first))
    before.run_passes(1)
    run = replace(make_run(journal, log, base_side(log, ms=30.0)), earlier=before.evidence())
    run.run_passes(2)
    case = run.evidence().cases[0]
    assert (case.marks, case.base_ms, case.beside_ms) == ("PP", (10.1, 30.0), (20.0, 20.0))
    assert run.evidence().beside == Beside(version="sha256:ba5e")


def test_run_passes__answers_of_the_base_are_paid_and_neither_scored_nor_kept(journal: Journal, tmp_path: Path) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log))
    run.run_passes(1)
    cases = run.evidence().cases
    assert {case.marks for case in cases} == {"P"}
    assert {(case.usd.n, case.tokens.n, case.latency_ms) for case in cases} == {(1, 1, (20.0,))}
    assert (run.asking.budget.calls, run.asking.budget.tokens, run.asking.budget.usd) == (12, 120, 6.0)
    lines = [json.loads(line) for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    assert [line["answer"]["text"] for line in lines] == ["now"] * 6


def test_run_passes__budget_of_calls_ends_both_sides(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log), ceilings=Ceilings(calls=5))
    run.run_passes(1)
    # Now and base, base and now, now: the budget leaves the third case without the base.
    assert [side for side, _ in log.sides()] == ["now", "base", "base", "now", "now"]
    assert run.stopped == "the budget of 5 calls is used up"
    assert sum(len(case.marks) for case in run.evidence().cases) == 3
    assert sum(len(case.base_ms) for case in run.evidence().cases) == 2


def test_run_passes__a_candidate_that_gives_no_answer_leaves_no_pair(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log), now=Side("now", log, ms=20.0, gone=IDS))
    run.run_passes(1)
    assert {case.base_ms for case in run.evidence().cases} == {()}
    assert sum(side == "base" for side, _ in log.sides()) == 3


@pytest.mark.parametrize(("now", "base"), [(None, 10.0), (20.0, None)])
def test_run_passes__a_side_that_was_not_timed_leaves_no_pair(
    journal: Journal, now: float | None, base: float | None
) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log, ms=base), now=Side("now", log, ms=now))
    run.run_passes(1)
    assert {(case.marks, case.beside_ms, case.base_ms) for case in run.evidence().cases} == {("P", (), ())}
    assert run.evidence().beside == Beside(version="sha256:ba5e")


def test_evidence__base_that_never_answered_says_why(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log, gone=IDS))
    run.run_passes(1)
    why = "it gave no answer (timed out: no answer within 1 s)"
    assert run.evidence().beside == Beside(version="sha256:ba5e", absent=why)
    assert {case.marks for case in run.evidence().cases} == {"P"}


def test_evidence__base_that_answered_some_cases_is_there(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log, gone=("c0", "c5")))
    run.run_passes(1)
    assert run.evidence().beside == Beside(version="sha256:ba5e")
    assert [len(case.base_ms) for case in run.evidence().cases] == [0, 1, 1, 1, 1, 0]


def test_evidence__modelled_base_says_so(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, base_side(log, name="model"))
    run.run_passes(1)
    assert run.evidence().beside == Beside(version="sha256:ba5e", modelled=True)
    assert not run.evidence().modelled


def test_evidence__base_that_cannot_be_asked_is_not(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, BaseSide(absent="the base has no gate.yaml yet"))
    run.run_passes(1)
    assert run.evidence().beside == Beside(absent="the base has no gate.yaml yet")
    assert {side for side, _ in log.sides()} == {"now"}


def test_evidence__without_a_base_nothing_is_said(journal: Journal) -> None:
    log = Log()
    run = make_run(journal, log, None)
    run.run_passes(1)
    assert run.evidence().beside is None
