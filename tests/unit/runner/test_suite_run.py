"""Passes, confirmation trials, budget, interruption and scoring of one suite, with targets and scorers made here."""

from __future__ import annotations

import _thread
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gate.core.canonical import canonical_json
from gate.core.codec import encode
from gate.core.model import (
    Answer,
    Call,
    Case,
    Exhibit,
    Missing,
    Score,
    Suite,
    Trial,
    Unanswered,
    Unscored,
    Usage,
    WeightedScorer,
)
from gate.core.rules.abort import Watch
from gate.runner.asking import Asking
from gate.runner.budget import Budget, Ceilings
from gate.runner.client_lag import ClientLag
from gate.runner.journal import Journal
from gate.runner.judge_calls import JudgeCalls
from gate.runner.order import case_order, trial_seed
from gate.runner.scoring import score_answer
from gate.runner.suite_run import SuiteRun
from gate.worker.ending import workers_are_ended
from tests.builders import identity, make_baseline_case, make_suite


class Target:
    """Answers with the call's prompt; `script` maps a case id to something else, used up from the front."""

    def __init__(self, **script: list[Answer | Unanswered]) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.lock = threading.Lock()

    def answer(self, call: Call) -> Answer | Unanswered:
        with self.lock:
            self.calls.append(call)
            own = self.script.get(call.case_id.replace("-", "_"))
            return (
                own.pop(0)
                if own
                else Answer(text=call.prompt, model="m", usage=Usage(input_tokens=10, output_tokens=1))
            )


@dataclass(frozen=True)
class Equal:
    """1.0 for an answer that is the case's id."""

    only: str = ""

    def applies(self, case: Case) -> bool:
        return not self.only or case.id == self.only

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        return Score(value=float(exhibit.answer.text == exhibit.case.id), explanation="compared")


@dataclass
class Watching:
    """Remembers what it was shown."""

    seen: list[Mapping[str, Answer]] = field(default_factory=list)

    def applies(self, case: Case) -> bool:
        return True

    def score(self, exhibit: Exhibit) -> Score:
        self.seen.append(exhibit.peers)
        return Score(value=1.0, explanation="watched")


class Broken:
    def applies(self, case: Case) -> bool:
        return True

    def score(self, exhibit: Exhibit) -> Score:
        raise KeyError("x" * 1000)


class Progress:
    def __init__(self) -> None:
        self.lines: list[object] = []
        self.judged_trials: list[tuple[str, bool]] = []

    def note(self, text: str) -> None:
        raise AssertionError(text)

    def begin(self, suite: str, *, target: str, total: int) -> None:
        self.lines.append((f"{target} / {suite}", total))

    def step(self, reply: Answer | Unanswered, *, spent: float | None) -> None:
        self.lines.append(isinstance(reply, Answer))

    def judged(self, trial: Trial) -> None:
        self.judged_trials.append((trial.case_id, trial.passed))

    def end(self) -> None:
        self.lines.append("end")


def suite_of(*scorers: object, ids: tuple[str, ...] = ("a", "b", "c")) -> Suite:
    used = [WeightedScorer(name=f"s{n}", scorer=scorer) for n, scorer in enumerate(scorers or (Equal(),))]  # type: ignore[arg-type]
    return make_suite(*ids, scorers=tuple(used))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "out" / "trials.jsonl")
    yield made
    made.close()


@pytest.fixture
def lines(tmp_path: Path, journal: Journal) -> object:
    return lambda: [json.loads(line) for line in (tmp_path / "out" / "trials.jsonl").read_text().splitlines()]


def make_run(
    journal: Journal, suite: Suite | None = None, *, budget: Budget | None = None, **changes: object
) -> SuiteRun:
    suite = suite or suite_of()
    fields: dict[str, object] = {
        "suite": suite,
        "identity": identity(),
        "target": Target(),
        "prompts": {case.id: case.id for case in suite.cases},
        "asking": Asking(budget=budget or Budget(Ceilings(), lambda: 0.0)),
        "journal": journal,
        "progress": Progress(),
        "workers": 2,
        "seed": 7,
    }
    return SuiteRun(**(fields | changes))  # type: ignore[arg-type]


def marks(run: SuiteRun) -> dict[str, str]:
    return {case.case_id: case.marks for case in run.evidence().cases}


def test_run_passes__every_case_once_a_pass(journal: Journal) -> None:
    run = make_run(journal)
    run.run_passes(2)
    assert marks(run) == {"a": "PP", "b": "PP", "c": "PP"}
    assert run.evidence().passes == 2
    assert {trial.index for trial in run.trials["a"]} == {0, 1}


def test_run_passes__brings_to_a_number_and_does_not_repeat(journal: Journal) -> None:
    run = make_run(journal)
    run.run_passes(1)
    run.run_passes(3)
    run.run_passes(2)
    assert len(run.target.calls) == 9  # type: ignore[attr-defined]
    assert run.passes == 3


IDS = tuple(f"c{number}" for number in range(8))
SLOW = {**dict.fromkeys(IDS, 100.0), "c3": 900.0, "c5": 400.0}


def asked(run: SuiteRun) -> list[str]:
    return [call.case_id for call in run.target.calls]  # type: ignore[attr-defined]


def test_run_passes__later_passes_begin_with_slow_cases_and_show_the_same(journal: Journal) -> None:
    plain, ordered = (make_run(journal, suite_of(ids=IDS), workers=1, expected_ms=ms) for ms in ({}, SLOW))
    for run in (plain, ordered):
        run.run_passes(1)
        run.run_passes(3)
    first = [case.id for case in case_order(plain.suite, plain.identity)]
    assert asked(plain) == first * 3
    later = ["c3", "c5", *(name for name in first if name not in ("c3", "c5"))]
    assert asked(ordered) == first + later * 2
    assert ordered.evidence() == plain.evidence()
    assert canonical_json(encode(ordered.evidence())) == canonical_json(encode(plain.evidence()))


def test_run_passes__what_is_watched_keeps_its_random_order(journal: Journal) -> None:
    watch = Watch(known={}, margin=0.05)
    run = make_run(journal, suite_of(ids=IDS), workers=1, expected_ms=SLOW, watch=watch)
    run.run_passes(2)
    assert asked(run) == [case.id for case in case_order(run.suite, run.identity)] * 2


def test_evidence__says_where_the_prices_of_answers_that_were_paid_for_are_known_from(journal: Journal) -> None:
    usage = Usage(input_tokens=1, output_tokens=1)
    answers = [
        Answer(text="a", model="m-2", usage=usage),
        Answer(text="a", model="m-1", usage=usage),
        Answer(text="a", model="modelled", usage=usage, modelled=True),
        Answer(text="a", model="kept", usage=usage, replayed="cache"),
        Answer(text="a", model="free"),
    ]
    run = make_run(journal, suite_of(ids=("a",)), target=Target(a=answers), price_source=lambda model: f"list {model}")
    assert run.evidence().prices == ""
    run.run_passes(5)
    assert run.evidence().prices == "list m-1, list m-2"


def test_evidence__of_a_late_client_leaves_out_only_its_own_latencies(journal: Journal) -> None:
    answers = [Answer(text="a", model="m", latency_ms=5.0) for _ in range(2)]
    first = make_run(journal, suite_of(ids=("a",)), target=Target(a=answers))
    first.run_passes(1)
    lag = ClientLag(lags_ms=[100.0] * 200)
    run = make_run(journal, first.suite, target=first.target, earlier=first.evidence(), lag=lag)
    run.run_passes(2)
    assert run.evidence().cases[0].latency_ms == (5.0,)
    assert run.evidence().late.startswith("the client was late")
    assert marks(run) == {"a": "PP"}


def test_run_more__extra_trials_count_for_later_passes(journal: Journal) -> None:
    run = make_run(journal)
    run.run_passes(1)
    run.run_more({"b": 2})
    assert marks(run) == {"a": "P", "b": "PPP", "c": "P"}
    assert run.evidence().passes == 1
    run.run_passes(2)
    assert marks(run) == {"a": "PP", "b": "PPP", "c": "PP"}
    assert sorted(trial.index for trial in run.trials["b"]) == [0, 1, 2]


def test_run_more__nothing_asks_nothing(journal: Journal) -> None:
    run = make_run(journal)
    run.run_more({})
    assert (run.target.calls, run.progress.lines) == ([], [])  # type: ignore[attr-defined]


def test_run_passes__seeds_differ_by_case_and_pass_and_repeat_with_the_run(journal: Journal) -> None:
    seeds = []
    for seed in (7, 7, 8):
        run = make_run(journal, seed=seed)
        run.run_passes(2)
        seeds.append(sorted(call.seed for call in run.target.calls))  # type: ignore[attr-defined]
    assert seeds[0] == seeds[1] != seeds[2]
    assert len(set(seeds[0])) == 6
    assert all(0 <= seed < 2**31 for seed in seeds[0])
    assert trial_seed(1, "s", "a", 0) == trial_seed(1, "s", "a", 0) != trial_seed(1, "sa", "", 0)


def test_run_passes__an_unanswered_call_is_unscored_with_its_reason(journal: Journal) -> None:
    why = Unanswered(reason=Missing.TIMED_OUT, detail="no answer within 1 s")
    run = make_run(journal, target=Target(b=[why]))
    run.run_passes(2)
    case = run.evidence().cases[1]
    assert (case.marks, case.missing) == ("UP", ("timed out",))
    assert run.progress.lines.count(False) == 1  # type: ignore[attr-defined]
    assert not run.stopped


def test_run_passes__a_scorer_that_raises_leaves_the_trial_unscored(journal: Journal, lines: object) -> None:
    run = make_run(journal, suite_of(Equal(), Broken()))
    run.run_passes(1)
    assert marks(run) == {"a": "U", "b": "U", "c": "U"}
    first = lines()[0]  # type: ignore[operator]
    assert first["missing"] == "scorer failed"
    assert first["detail"].startswith("scorer s1 failed: KeyError: 'xxx")
    assert len(first["detail"]) == 300
    assert first["answer"]["text"] == first["case_id"]


def test_score_answer__only_scorers_that_apply() -> None:
    suite = suite_of(Equal(), Equal(only="b"))
    answer = Answer(text="b", model="m")
    results = {
        case.id: [result.scorer for result in score_answer(suite.scorers, Exhibit(case=case, answer=answer))]
        for case in suite.cases
    }
    assert results == {"a": ["s0"], "b": ["s0", "s1"], "c": ["s0"]}


def test_run_passes__scorers_see_the_answers_of_the_same_pass(journal: Journal) -> None:
    watching = Watching()
    texts = {"a": [Answer(text=f"a{n}", model="m") for n in range(2)]}
    suite = suite_of(watching, ids=("a", "b"))
    ranked = (suite.cases[0], replace(suite.cases[1], expected={"outranks": ["a"]}))
    run = make_run(journal, replace(suite, cases=ranked), target=Target(**texts), workers=1)
    run.run_passes(2)
    assert [dict(peers) for peers in watching.seen].count({}) == 2
    assert [peers["a"].text for peers in watching.seen if peers] == ["a0", "a1"]
    watching.seen.clear()
    run.run_more({"b": 1})
    assert [peers["a"].text for peers in watching.seen] == ["a1"]


def test_run_passes__budget_of_calls_stops_and_says_so(journal: Journal) -> None:
    budget = Budget(Ceilings(calls=4), lambda: 0.0)
    run = make_run(journal, budget=budget, workers=1)
    run.run_passes(3)
    assert (run.stopped, budget.calls) == ("the budget of 4 calls is used up", 4)
    assert sum(len(text) for text in marks(run).values()) == 4
    assert run.evidence().passes == 3


def test_run_passes__a_budget_that_is_just_enough_is_no_stop(journal: Journal) -> None:
    run = make_run(journal, budget=Budget(Ceilings(calls=3), lambda: 0.0))
    run.run_passes(1)
    assert (run.stopped, marks(run)) == ("", {"a": "P", "b": "P", "c": "P"})


def test_run_passes__tokens_and_dollars_are_counted(journal: Journal) -> None:
    priced = [Answer(text="a", model="m", usd=0.25)]
    budget = Budget(Ceilings(), lambda: 0.0)
    make_run(journal, budget=budget, target=Target(a=priced)).run_passes(1)
    assert (budget.calls, budget.tokens, budget.usd) == (3, 22, 0.25)


class Interrupting(Target):
    """Presses Ctrl-C at the third call, and answers it and those beside it nevertheless."""

    def answer(self, call: Call) -> Answer | Unanswered:
        answer = super().answer(call)
        if len(self.calls) == 3:
            _thread.interrupt_main()
            threading.Event().wait(0.2)
        return answer


def test_run_passes__interrupted_keeps_what_was_answered(journal: Journal, lines: object) -> None:
    run = make_run(journal, suite_of(ids=tuple(f"c{n:02d}" for n in range(40))), target=Interrupting(), workers=1)
    run.run_passes(1)
    asked = len(run.target.calls)  # type: ignore[attr-defined]
    assert run.interrupted
    assert not workers_are_ended()
    assert 3 <= asked < 40
    assert sum(len(text) for text in marks(run).values()) == asked == len(lines())  # type: ignore[operator]
    assert not run.stopped
    # Whatever is asked for later is planned and never sent.
    run.run_passes(2)
    assert (len(run.target.calls), run.evidence().passes) == (asked, 2)  # type: ignore[attr-defined]


class Impatient(Equal):
    """Ctrl-C arrives while the second answer is judged."""

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        if exhibit.case.id == "b":
            raise KeyboardInterrupt
        return super().score(exhibit)


def test_run_passes__interrupted_while_scoring_keeps_every_answer(journal: Journal, lines: object) -> None:
    suite = suite_of(Impatient())
    run = make_run(journal, suite, workers=3)
    run.run_passes(1)
    order = [case.id for case in case_order(suite, run.identity)]
    judged = order[: order.index("b")]
    assert run.interrupted
    assert {case_id: marks(run)[case_id] for case_id in [*judged, "b"]} == dict.fromkeys(judged, "P") | {"b": "U"}
    # Those behind it were scored in their own threads, or not at all.
    assert {marks(run)[case_id] for case_id in order[order.index("b") + 1 :]} <= {"P", "U", ""}
    kept = [(line["answer"]["text"], line["missing"]) for line in lines()]  # type: ignore[operator]
    assert kept[: len(judged) + 1] == [(case_id, None) for case_id in judged] + [("b", "interrupted")]


class Buggy(Target):
    def answer(self, call: Call) -> Answer | Unanswered:
        super().answer(call)
        raise ZeroDivisionError


def test_run_passes__a_bug_of_ours_stops_the_asking(journal: Journal) -> None:
    run = make_run(journal, suite_of(ids=tuple(f"c{n:03d}" for n in range(400))), target=Buggy(), workers=1)
    with pytest.raises(ZeroDivisionError):
        run.run_passes(1)
    assert len(run.target.calls) < 400  # type: ignore[attr-defined]


def test_run_passes__progress_is_told(journal: Journal) -> None:
    run = make_run(journal)
    run.run_passes(1)
    assert run.progress.lines == [("sales-email-intent / intent", 3), True, True, True, "end"]  # type: ignore[attr-defined]


def test_case_order__fixed_by_the_hashes_and_peers_first(journal: Journal) -> None:
    suite = suite_of(ids=tuple(f"c{number:02}" for number in range(30)))
    ranked = tuple(
        replace(case, expected={"outranks": [f"c{(number + 7) % 30:02}"]}) if number % 5 == 0 else case
        for number, case in enumerate(suite.cases)
    )
    suite = replace(suite, cases=ranked)
    order = [case.id for case in case_order(suite, identity())]
    assert sorted(order) == [case.id for case in suite.cases]
    assert order == [case.id for case in case_order(replace(suite, cases=ranked[::-1]), identity())]
    assert order != [case.id for case in case_order(suite, identity(version="sha256:other"))]
    assert all(order.index(peer) < order.index(case.id) for case in ranked for peer in case.peers)


def test_case_order__two_that_outrank_each_other_end(journal: Journal) -> None:
    suite = suite_of(ids=("a", "b"))
    both = tuple(replace(case, expected={"outranks": ["a", "b"]}) for case in suite.cases)
    assert sorted(case.id for case in case_order(replace(suite, cases=both), identity())) == ["a", "b"]


def broken_run(journal: Journal, answer: str, **changes: object) -> SuiteRun:
    ids = tuple(f"c{number:03}" for number in range(200))
    suite = suite_of(ids=ids)
    known = {case_id: make_baseline_case(case_id) for case_id in ids}
    wrong = {case_id: [Answer(text=answer, model="m")] for case_id in ids} if answer else {}
    watch = Watch(known=known, margin=0.03)
    return make_run(journal, suite, target=Target(**wrong), workers=4, watch=watch, **changes)


def test_run_passes__a_broken_first_pass_is_aborted_and_said_so(journal: Journal) -> None:
    run = broken_run(journal, "wrong")
    run.run_passes(1)
    evidence = run.evidence()
    assert len(evidence.asked) == 20
    assert 20 <= len(run.target.calls) <= 20 + 3 * 4  # type: ignore[attr-defined]
    assert list(evidence.asked) == [case.id for case in case_order(run.suite, run.identity)][:20]
    run.run_passes(2)
    assert run.evidence().passes == 2
    assert len(run.target.calls) <= 20 + 3 * 4  # type: ignore[attr-defined]


def test_run_passes__a_sound_first_pass_is_not_aborted(journal: Journal) -> None:
    run = broken_run(journal, "")
    run.run_passes(1)
    assert run.evidence().asked == ()
    assert len(run.target.calls) == 200  # type: ignore[attr-defined]


def test_earlier__counts_and_is_not_asked_again(journal: Journal) -> None:
    first = make_run(journal)
    first.run_passes(2)
    again = make_run(journal, earlier=replace(first.evidence(), identity=identity(version="sha256:before")))
    again.run_passes(2)
    assert again.target.calls == []  # type: ignore[attr-defined]
    assert again.evidence() == first.evidence()
    again.run_passes(3)
    again.run_more({"a": 2})
    assert marks(again) == {"a": "PPPPP", "b": "PPP", "c": "PPP"}
    assert {call.case_id: call.seed for call in again.target.calls}["b"] == trial_seed(7, "intent", "b", 2)  # type: ignore[attr-defined]


def test_earlier__an_aborted_pass_is_not_taken_up_again(journal: Journal) -> None:
    first = broken_run(journal, "wrong")
    first.run_passes(1)
    again = broken_run(journal, "", earlier=first.evidence())
    again.run_passes(1)
    assert again.target.calls == []  # type: ignore[attr-defined]
    assert again.evidence().asked == first.evidence().asked


def test_run_passes__interrupted_while_scoring_asks_nothing_more(journal: Journal) -> None:
    suite = suite_of(Impatient(), ids=("b", *(f"c{n:03d}" for n in range(400))))
    run = make_run(journal, suite, workers=1)
    run.run_passes(5)
    place = [case.id for case in case_order(suite, run.identity)].index("b")
    assert run.interrupted
    # A few calls behind the one that was judged may be on their way.
    assert place < len(run.target.calls) < place + 400  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Together(Equal):
    """Ends only while another answer is scored at the same time."""

    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=20))

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        self.barrier.wait()
        return super().score(exhibit)


def test_run_passes__answers_without_peers_are_scored_side_by_side(journal: Journal) -> None:
    run = make_run(journal, suite_of(Together(), ids=("a", "b", "c", "d")), workers=2)
    run.run_passes(1)
    assert marks(run) == dict.fromkeys("abcd", "P")


def test_run_passes__interrupted__judges_are_not_asked_any_more(journal: Journal) -> None:
    suite = suite_of(ids=tuple(f"c{n:02d}" for n in range(40)))
    run = make_run(journal, suite, target=Interrupting(), workers=1, judge_calls=JudgeCalls())
    run.run_passes(1)
    assert (run.interrupted, run.judge_calls.closed) == (True, True)  # type: ignore[union-attr]


def test_run_passes__whole_pass__judges_stay_open(journal: Journal) -> None:
    run = make_run(journal, judge_calls=JudgeCalls())
    run.run_passes(1)
    assert not run.judge_calls.closed  # type: ignore[union-attr]
