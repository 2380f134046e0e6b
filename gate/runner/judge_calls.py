"""Calls to judges: part of the run's budget, journal and cache, and counted once more by themselves."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from gate.core.judging import Ask, Judging
from gate.core.model import Answer, Call, Target, Unanswered
from gate.runner.asking import Asking, Reply


@dataclass(slots=True, kw_only=True)
class JudgeCalls:
    """What the judges of one suite used in this process; once `closed`, nothing more is asked.

    `usd` is None until a price is known. Answers that were there already are not counted. Safe in several threads.
    """

    calls: int = 0
    tokens: int = 0
    usd: float | None = None
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ask_of(self, asking: Asking, target: Target) -> Ask:
        """How a judge asks this model."""
        counted = _Counted(target=target, calls=self)

        def ask(call: Call) -> Reply:
            return None if self.closed else asking.ask(counted, call)

        return ask

    def counted(self, judging: Judging | None) -> Judging | None:
        """The facts about a suite's judges, with what they took in this process and not in earlier ones."""
        if judging is None:
            return None
        usd = None if self.usd is None else round(self.usd, 9)
        return replace(judging, calls=self.calls, tokens=self.tokens, usd=usd)

    def count(self, answer: Answer | Unanswered) -> None:
        """Count one call and what it took."""
        usage = answer.usage if isinstance(answer, Answer) else None
        usd = answer.usd if isinstance(answer, Answer) else None
        with self.lock:
            self.calls += 1
            self.tokens += usage.input_tokens + usage.output_tokens if usage else 0
            self.usd = self.usd if usd is None else (self.usd or 0.0) + usd


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A judge's model that counts how often it is really asked."""

    target: Target
    calls: JudgeCalls

    def answer(self, call: Call) -> Answer | Unanswered:
        answer = self.target.answer(call)
        self.calls.count(answer)
        return answer
