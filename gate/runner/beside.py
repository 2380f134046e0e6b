"""The base's version of a target, asked beside the candidate in the same run, only to see how long it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gate.core.evidence import Beside, SuiteEvidence
from gate.core.model import Answer, Call, Target
from gate.runner.asking import Asking, Reply

SHOWN = 300


@dataclass(slots=True, kw_only=True)
class BaseSide:
    """The base's version on one suite, and by case id the latencies (candidate, base) of trials that both answered.

    `target` and `asking` are None where that version cannot be asked; `absent` says why, or why it gave no answer at
    all. Its answers are paid for, and not scored. `prompts` holds its rendered prompt by case id.
    """

    version: str = ""
    target: Target | None = None
    asking: Asking | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""
    modelled: bool = False
    begun: bool = False
    answered: int = 0
    pairs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self) -> bool:
        """Say whether the pass that starts now is the one to ask beside: the first of this run."""
        first, self.begun = not self.begun, True
        return first and self.target is not None

    def ask(self, call: Call, candidate: Callable[[Call], Reply], *, base_first: bool) -> Reply:
        """Ask both sides, one right after the other, and return the candidate's answer.

        A candidate that was asked first and gave no answer leaves nothing to compare: the base is not asked then.
        """
        own = replace(call, prompt=self.prompts.get(call.case_id, ""))
        base = self._base(own) if base_first else None
        answer = candidate(call)
        if not base_first and isinstance(answer, Answer):
            base = self._base(own)
        if isinstance(answer, Answer) and isinstance(base, Answer):
            self._keep(call.case_id, answer.latency_ms, base.latency_ms)
        return answer

    def _base(self, call: Call) -> Reply:
        answer = self.asking.ask(self.target, call) if self.target is not None and self.asking is not None else None
        with self.lock:
            if isinstance(answer, Answer):
                self.answered += 1
                self.absent = ""
                self.modelled |= answer.modelled
            elif answer is not None and not self.answered:
                self.absent = f"it gave no answer ({answer.reason}: {answer.detail})"[:SHOWN]
        return answer

    def _keep(self, case_id: str, now: float | None, base: float | None) -> None:
        if now is not None and base is not None:
            with self.lock:
                self.pairs.setdefault(case_id, []).append((round(now, 1), round(base, 1)))

    def evidence(self, suite: SuiteEvidence) -> SuiteEvidence:
        """The suite's evidence with the latencies of both sides."""
        cases = tuple(
            replace(
                case,
                beside_ms=tuple(now for now, _ in self.pairs.get(case.case_id, ())),
                base_ms=tuple(base for _, base in self.pairs.get(case.case_id, ())),
            )
            for case in suite.cases
        )
        beside = Beside(version=self.version, absent=self.absent, modelled=self.modelled)
        return replace(suite, cases=cases, beside=beside)
