"""One suite of one target being run: passes of all cases, and extra trials of some."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from gate.core.aggregate import judged, suite_evidence, unanswered
from gate.core.evidence import Identity, SuiteEvidence
from gate.core.model import (
    Answer,
    Call,
    Case,
    Exhibit,
    Missing,
    Score,
    ScorerResult,
    Suite,
    Target,
    Trial,
    Unanswered,
    Unscored,
    WeightedScorer,
)
from gate.runner.budget import Budget
from gate.runner.journal import Journal

_Asked: TypeAlias = "Future[Answer | Unanswered | None]"


class Progress(Protocol):
    """Told about each trial as it is answered."""

    def begin(self, label: str, total: int) -> None:
        """A batch of trials starts."""
        ...

    def step(self, *, answered: bool) -> None:
        """One more trial is done."""
        ...

    def end(self) -> None:
        """The batch is over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One planned trial."""

    case: Case
    index: int


@dataclass(slots=True, kw_only=True)
class SuiteRun:
    """What is needed to run trials of one suite, and the trials so far, by case id.

    `prompts` holds the rendered prompt by case id. `interrupted` is set when a person stopped the run (`hasty`: even
    while answers were scored), `stopped` says which budget ended it: what was answered is kept, nothing more is asked.
    """

    suite: Suite
    identity: Identity
    target: Target
    prompts: Mapping[str, str]
    budget: Budget
    journal: Journal
    progress: Progress
    workers: int
    seed: int
    passes: int = 0
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    interrupted: bool = False
    hasty: bool = False
    stopped: str = ""

    def run_passes(self, passes: int) -> None:
        """Bring every case to this number of trials; trials beyond, from confirmations, count and are not repeated."""
        self.passes = max(self.passes, passes)
        self._run(
            Wanted(case=case, index=index)
            for index in range(passes)
            for case in self.suite.cases
            if index >= len(self.trials.get(case.id, ()))
        )

    def run_more(self, more: Mapping[str, int]) -> None:
        """Run so many further trials of the named cases."""
        by_id = {case.id: case for case in self.suite.cases}
        self._run(
            Wanted(case=by_id[case_id], index=len(self.trials.get(case_id, ())) + extra)
            for case_id, count in sorted(more.items())
            for extra in range(count)
        )

    def evidence(self) -> SuiteEvidence:
        """Counts of all trials so far."""
        return suite_evidence(suite=self.suite, identity=self.identity, trials=self.trials, passes=self.passes)

    def _run(self, planned: Iterable[Wanted]) -> None:
        wanted = [] if self.interrupted else list(planned)
        if not wanted:
            return
        self.progress.begin(f"{self.identity.target} / {self.suite.name}", len(wanted))
        answers = self._answers(wanted)
        self.progress.end()
        if len(answers) < len(wanted) and not self.interrupted:
            self.stopped = self.budget.stopped()
        peers = {index: self._peers(index, answers) for index in {item.index for item in wanted}}
        for item in wanted:
            answer = answers.get((item.case.id, item.index))
            if answer is not None:
                self._keep(item, answer, peers[item.index])

    def _answers(self, wanted: Sequence[Wanted]) -> dict[tuple[str, int], Answer | Unanswered]:
        """Ask all; after an interruption or at the end of the budget, what was never asked is simply not there."""
        stop = threading.Event()
        futures: dict[_Asked, tuple[str, int]] = {}
        with ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="trial") as pool:
            try:
                for item in wanted:
                    futures[pool.submit(self._ask, item, stop)] = (item.case.id, item.index)
                for future in _completed(futures):
                    if (answer := future.result()) is not None:
                        self.progress.step(answered=isinstance(answer, Answer))
            except KeyboardInterrupt:
                self.interrupted = True
            finally:
                stop.set()
                pool.shutdown(cancel_futures=True)
        # The calls that were on their way when a person interrupted are paid for, too.
        found = {place: future.result() for future, place in futures.items() if not future.cancelled()}
        return {place: answer for place, answer in found.items() if answer is not None}

    def _ask(self, item: Wanted, stop: threading.Event) -> Answer | Unanswered | None:
        if stop.is_set() or not self.budget.take():
            return None
        call = Call(
            case_id=item.case.id,
            prompt=self.prompts.get(item.case.id, ""),
            variables=item.case.input,
            seed=trial_seed(self.seed, self.suite.name, item.case.id, item.index),
        )
        answer = self.target.answer(call)
        if isinstance(answer, Answer):
            self.budget.spend(answer)
        return answer

    def _keep(self, item: Wanted, answer: Answer | Unanswered, peers: Mapping[str, Answer]) -> None:
        if isinstance(answer, Unanswered):
            trial = unanswered(case=item.case, index=item.index, why=answer)
        else:
            results = self._scored(Exhibit(case=item.case, answer=answer, peers=peers))
            trial = judged(suite=self.suite, case=item.case, index=item.index, answer=answer, results=results)
        self.trials.setdefault(item.case.id, []).append(trial)
        place = {"target": self.identity.target, "suite": self.suite.name}
        self.journal.write(trial, place=place, prompt=self.prompts.get(item.case.id, ""))

    def _scored(self, exhibit: Exhibit) -> tuple[ScorerResult, ...]:
        """Results of the scorers; once a person has interrupted them, answers are kept without a score."""
        if not self.hasty:
            try:
                return score_answer(self.suite.scorers, exhibit)
            except KeyboardInterrupt:
                self.interrupted = self.hasty = True
        unscored = Unscored(reason=Missing.INTERRUPTED, detail="scoring was interrupted")
        names = [entry.name for entry in self.suite.scorers if entry.scorer.applies(exhibit.case)]
        return tuple(ScorerResult(scorer=name, result=unscored) for name in names)

    def _peers(self, index: int, answers: Mapping[tuple[str, int], Answer | Unanswered]) -> dict[str, Answer]:
        """Answers of the other cases in the same pass; in an extra trial, their last ones."""
        peers = {case_id: own[-1].answer for case_id, own in self.trials.items() if own and own[-1].answer}
        now = {case_id: answer for (case_id, at), answer in answers.items() if at == index}
        return {case_id: answer for case_id, answer in (peers | now).items() if isinstance(answer, Answer)}


def trial_seed(*parts: int | str) -> int:
    """A seed that depends on all parts, below 2**31 because endpoints take no more."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big") >> 1


def score_answer(scorers: Sequence[WeightedScorer], exhibit: Exhibit) -> tuple[ScorerResult, ...]:
    """Results of all scorers that apply; one that raises gives Unscored with the exception's words."""
    return tuple(
        ScorerResult(scorer=entry.name, result=_score(entry, exhibit))
        for entry in scorers
        if entry.scorer.applies(exhibit.case)
    )


def _score(entry: WeightedScorer, exhibit: Exhibit) -> Score | Unscored:
    try:
        return entry.scorer.score(exhibit)
    except Exception as error:  # noqa: BLE001 whatever a scorer does is missing evidence, with its words kept
        detail = f"scorer {entry.name} failed: {type(error).__name__}: {error}"[:300]
        return Unscored(reason=Missing.SCORER_FAILED, detail=detail)


def _completed(futures: Mapping[_Asked, object]) -> Iterator[_Asked]:
    """Futures as they finish, waking often enough to notice a person's Ctrl-C."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
        yield from done
