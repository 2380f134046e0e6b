"""Where an answer is looked for before a target is asked, and who keeps it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Missing, Unanswered, Usage
from gate.core.question import Origin, Question, Request, replay_of
from gate.runner.answers import AnswerJournal, Header, read_journal
from gate.runner.asking import NOT_ASKED, Asking, Tally
from gate.runner.budget import Budget, Ceilings

CALL = Call(case_id="a", prompt="Say a", variables={}, seed=1)
FRESH = Answer(text="fresh", model="m", usage=Usage(input_tokens=3, output_tokens=1), usd=0.5, latency_ms=9.0)


@dataclass
class Store:
    """Finds what it holds, and remembers what it was given."""

    origin: Origin
    held: Answer | None = None
    given: list[str] = field(default_factory=list)

    def find(self, question: Question) -> Answer | None:
        return None if self.held is None else replay_of(self.held, self.origin)

    def put(self, question: Question, answer: Answer) -> None:
        self.given.append(answer.text)


@dataclass
class Target:
    reply: Answer | Unanswered = FRESH
    calls: int = 0

    def answer(self, call: Call) -> Answer | Unanswered:
        self.calls += 1
        return self.reply


def open_journal(tmp_path: Path, *, resume: bool) -> closing[AnswerJournal]:
    header = Header(purpose="check", as_of="2026-11-21")
    return closing(AnswerJournal(tmp_path / "answers.jsonl", header, resume=resume))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[AnswerJournal]:
    with open_journal(tmp_path, resume=False) as made:
        yield made


def make(journal: AnswerJournal, *stores: Store, **changes: object) -> Asking:
    fields = {"budget": Budget(Ceilings(), lambda: 0.0), "journal": journal, "request": Request(digest="sha256:1")}
    return Asking(**(fields | {"stores": stores, "tally": Tally()} | changes))  # type: ignore[arg-type]


def test_ask__a_new_answer_is_counted_journaled_and_stored(journal: AnswerJournal, tmp_path: Path) -> None:
    recorded, cache = Store(Origin.RECORDING), Store(Origin.CACHE)
    asking = make(journal, recorded, cache)
    assert asking.ask(Target(), CALL) == FRESH
    assert (asking.budget.calls, asking.budget.tokens, asking.budget.usd) == (1, 4, 0.5)
    assert next(iter(read_journal(tmp_path / "answers.jsonl").answers.values()))[0] == FRESH
    assert (recorded.given, cache.given, asking.tally.counts()) == (["fresh"], ["fresh"], ())


def test_ask__nothing_is_kept_of_no_answer(journal: AnswerJournal, tmp_path: Path) -> None:
    cache = Store(Origin.CACHE)
    why = Unanswered(reason=Missing.TIMED_OUT, detail="1 s")
    asking = make(journal, cache)
    assert asking.ask(Target(why), CALL) is why
    assert (asking.budget.calls, cache.given, read_journal(tmp_path / "answers.jsonl").answers) == (1, [], {})


def test_ask__journal_then_recordings_then_cache_then_the_target(journal: AnswerJournal, tmp_path: Path) -> None:
    recorded = Store(Origin.RECORDING, Answer(text="recorded", model="m", usd=1.0, latency_ms=1.0))
    cache = Store(Origin.CACHE, Answer(text="cached", model="m"))
    make(journal).ask(Target(), CALL)
    journal.close()
    with open_journal(tmp_path, resume=True) as resumed:
        target, asking = Target(), make(resumed, recorded, cache)
        assert not asking.replays(CALL)
        replies = []
        for _ in range(3):
            replies.append(asking.ask(target, CALL))
            recorded.held = None if len(replies) == 2 else recorded.held
        assert replies[0] == FRESH
        assert replies[1] == Answer(text="recorded", model="m", replayed="recording")
        assert replies[2] == Answer(text="cached", model="m", replayed="cache")
        assert asking.replays(CALL)
        cache.held = None
        assert asking.ask(target, CALL) == FRESH
        assert (target.calls, asking.budget.calls, asking.budget.usd) == (1, 1, 0.5)
        assert asking.tally.counts() == ((Origin.JOURNAL, 1), (Origin.RECORDING, 1), (Origin.CACHE, 1))
        # A store is given what it did not hold itself.
        assert recorded.given == ["fresh", "cached", "fresh"]
        assert cache.given == ["fresh", "recorded", "fresh"]
    # The fixture closes it once more otherwise.
    journal.close = lambda: None  # type: ignore[method-assign]


def test_ask__asks_nobody_where_no_model_may_be_asked(journal: AnswerJournal) -> None:
    target, asking = Target(), make(journal, asks=False)
    assert asking.ask(target, CALL) is NOT_ASKED
    assert (NOT_ASKED.reason, NOT_ASKED.attempts, target.calls, asking.budget.calls) == ("not recorded", 0, 0, 0)


def test_ask__no_call_at_the_end_of_the_budget_but_what_is_stored(journal: AnswerJournal) -> None:
    cache = Store(Origin.CACHE)
    asking = make(journal, cache, budget=Budget(Ceilings(usd=0.5), lambda: 0.0))
    assert asking.ask(Target(), CALL) == FRESH
    assert asking.ask(Target(), CALL) is None
    assert asking.stopped() == "the budget of 0.5 dollars is used up"
    cache.held = FRESH
    assert asking.ask(Target(), CALL) == replay_of(FRESH, "cache")


def test_ask__no_call_once_the_journal_failed(journal: AnswerJournal) -> None:
    journal.failed = "answers.jsonl cannot be written: No space left on device"
    target, asking = Target(), make(journal)
    assert asking.ask(target, CALL) is None
    assert (target.calls, asking.stopped()) == (0, journal.failed)
