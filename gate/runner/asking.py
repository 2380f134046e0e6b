"""The one place where a target is asked: an answer that is there already is taken, and a new one is kept at once."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from gate.core.model import Answer, Call, Missing, Target, Unanswered
from gate.core.question import Origin, Question, Request, Role, question_of
from gate.runner.answers import AnswerJournal
from gate.runner.budget import Budget

Reply: TypeAlias = "Answer | Unanswered | None"

NOT_ASKED = Unanswered(
    reason=Missing.NOT_RECORDED, detail="there is no recorded answer, and this run asks no model", attempts=0
)
UNNAMED = Request(digest="", replayable=False)


class AnswerStore(Protocol):
    """Answers of other runs by question; safe to use from several threads."""

    def find(self, question: Question) -> Answer | None:
        """The answer, marked as replayed; raises RecordError for one that is not what its name says."""
        ...

    def put(self, question: Question, answer: Answer) -> None:
        """Keep an answer, where this store takes it."""
        ...


class Tally:
    """Counts where answers came from that were not asked for; safe to share between threads."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, origin: str) -> None:
        """Count one answer."""
        with self._lock:
            self._counts[origin] += 1

    def counts(self) -> tuple[tuple[Origin, int], ...]:
        """The counts that are not zero."""
        with self._lock:
            return tuple((origin, self._counts[origin]) for origin in Origin if self._counts[origin])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What surrounds every call to one target with the cases of one suite.

    Answers are looked for in the journal, then in `stores` in order. `asks` is false where no model may be asked.
    """

    budget: Budget
    journal: AnswerJournal | None = None
    request: Request = UNNAMED
    role: Role = Role.TARGET
    target: str = ""
    suite: str = ""
    stores: tuple[AnswerStore, ...] = ()
    asks: bool = True
    tally: Tally = field(default_factory=Tally)

    def ask(self, target: Target, call: Call) -> Reply:
        """Answer one call and count what it cost; None where no further call may be made."""
        question = question_of(call, self.request, kind=self.role, target=self.target, suite=self.suite)
        key = question.key if self.journal is not None else ""
        found = self._journaled(question, key) or self._stored(question)
        if found is not None:
            return found
        if not self.asks:
            return NOT_ASKED
        if self.failed or not self.budget.take():
            return None
        answer = target.answer(call)
        self.budget.settle(answer)
        if isinstance(answer, Answer):
            if self.journal is not None:
                self.journal.put(key, answer)
            self._store(question, answer)
        return answer

    @property
    def failed(self) -> str:
        """Why answers cannot be kept any more, or an empty text."""
        return self.journal.failed if self.journal is not None else ""

    def stopped(self) -> str:
        """Why no further call may be made, or an empty text."""
        return self.failed or self.budget.stopped()

    def replays(self, call: Call) -> bool:
        """Whether an answer of another run will be taken for this call; it has no latency to compare."""
        question = question_of(call, self.request, kind=self.role, target=self.target, suite=self.suite)
        kept = self.journal is not None and self.journal.holds(question.key)
        return not kept and any(store.find(question) is not None for store in self.stores)

    def _journaled(self, question: Question, key: str) -> Answer | None:
        """An answer that an earlier process of this run paid for: its cost is in the budget from the start."""
        answer = self.journal.take(key) if self.journal is not None else None
        if answer is not None:
            self.tally.count(Origin.JOURNAL)
            self._store(question, answer)
        return answer

    def _stored(self, question: Question) -> Answer | None:
        for store in self.stores:
            answer = store.find(question)
            if answer is not None:
                self.tally.count(answer.replayed)
                self._store(question, answer, found=store)
                return answer
        return None

    def _store(self, question: Question, answer: Answer, *, found: AnswerStore | None = None) -> None:
        for store in self.stores:
            if store is not found:
                store.put(question, answer)
