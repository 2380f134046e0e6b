"""One suite of one target being run: passes of all cases, and extra trials of some."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from gate.core.aggregate import judged, mark, suite_evidence, unanswered
from gate.core.canonical import digest_text
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
from gate.core.rules.abort import Seen, Watch
from gate.core.window import join
from gate.runner.budget import Budget
from gate.runner.journal import Journal

WAKE_SECONDS = 0.5  # to notice a person's Ctrl-C

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

    `prompts` holds the rendered prompt by case id. `earlier` is what earlier runs of the same version showed: it
    counts, and is not asked again. `watch` may end a first pass that is broken; `asked` is then the order of its cases.
    `interrupted` is set when a person stopped the run (`hasty`: even while answers were scored), `stopped` says which
    budget ended it: what was answered is kept, nothing more is asked.
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
    earlier: SuiteEvidence | None = None
    watch: Watch | None = None
    passes: int = 0
    asked: tuple[str, ...] = ()
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    interrupted: bool = False
    hasty: bool = False
    stopped: str = ""

    def __post_init__(self) -> None:
        """Take the passes of earlier runs as made."""
        if self.earlier is not None:
            self.passes, self.asked = self.earlier.passes, self.earlier.asked

    def run_passes(self, passes: int) -> None:
        """Bring every case to this number of trials; trials beyond, from confirmations, count and are not repeated."""
        watch = self.watch if self.passes == 0 else None
        self.passes = max(self.passes, passes)
        done = {case.id: self._done(case.id) for case in self.suite.cases}
        order = case_order(self.suite, self.identity)
        self._run((Wanted(case=case, index=i) for i in range(passes) for case in order if i >= done[case.id]), watch)

    def run_more(self, more: Mapping[str, int]) -> None:
        """Run so many further trials of the named cases."""
        by_id = {case.id: case for case in self.suite.cases}
        self._run(
            Wanted(case=by_id[case_id], index=self._done(case_id) + extra)
            for case_id, count in sorted(more.items())
            for extra in range(count)
        )

    def evidence(self) -> SuiteEvidence:
        """Counts of all trials so far, those of earlier runs included."""
        own = suite_evidence(suite=self.suite, identity=self.identity, trials=self.trials, passes=self.passes)
        whole = own if self.earlier is None else join(self.earlier, own)
        return replace(whole, identity=self.identity, passes=self.passes, asked=self.asked)

    def _done(self, case_id: str) -> int:
        before = self.earlier.cases if self.earlier else ()
        marks = next((len(case.marks) for case in before if case.case_id == case_id), 0)
        return marks + len(self.trials.get(case_id, ()))

    def _run(self, planned: Iterable[Wanted], watch: Watch | None = None) -> None:
        """Ask all; score in the planned order as answers come in, so that the peers of a case are scored before it.

        Few calls are ahead of what is scored while a pass is watched, so that little is wasted when it is ended.
        After an interruption, at the end of the budget, or when the watch fires, what was never asked is not there.
        """
        wanted = [] if self.interrupted or self.asked else list(planned)
        if not wanted:
            return
        self.progress.begin(f"{self.identity.target} / {self.suite.name}", len(wanted))
        stop = threading.Event()
        asked: list[tuple[Wanted, _Asked]] = []
        kept = _Kept(run=self, watch=watch)
        with ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="trial") as pool:
            try:
                pending: set[_Asked] = set()
                while (len(asked) < len(wanted) or pending) and not (self.asked or self.interrupted):
                    ahead = len(asked) - kept.place if watch else len(pending)
                    for item in wanted[len(asked) : len(asked) + max(0, 2 * self.workers - ahead)]:
                        asked.append((item, pool.submit(self._ask, item, stop)))
                        pending.add(asked[-1][1])
                    done, pending = wait(pending, timeout=WAKE_SECONDS, return_when=FIRST_COMPLETED)
                    self._tell(done)
                    kept.take(asked)
            except KeyboardInterrupt:
                self.interrupted = True
            finally:
                stop.set()
                pool.shutdown(cancel_futures=True)
        # Calls that were on their way when the run was ended are paid for, too.
        kept.take([entry for entry in asked if not entry[1].cancelled()])
        self.progress.end()
        if kept.count < len(wanted) and not self.interrupted:
            self.stopped = "" if self.asked else self.budget.stopped()

    def _tell(self, done: Iterable[_Asked]) -> None:
        for future in done:
            if (answer := future.result()) is not None:
                self.progress.step(answered=isinstance(answer, Answer))

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

    def keep(self, item: Wanted, answer: Answer | Unanswered) -> Trial:
        """Score one answer, remember the trial, and write it to the journal."""
        if isinstance(answer, Unanswered):
            trial = unanswered(case=item.case, index=item.index, why=answer)
        else:
            results = self._scored(Exhibit(case=item.case, answer=answer, peers=self._peers(item)))
            trial = judged(suite=self.suite, case=item.case, index=item.index, answer=answer, results=results)
        self.trials.setdefault(item.case.id, []).append(trial)
        place = {"target": self.identity.target, "suite": self.suite.name}
        first = len(self.trials[item.case.id]) == 1
        self.journal.write(trial, place=place, prompt=self.prompts.get(item.case.id, "") if first else "")
        return trial

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

    def _peers(self, item: Wanted) -> dict[str, Answer]:
        """Answers of the case's peers in the same pass; where there is none yet, their last ones."""
        peers = {}
        for case_id in item.case.peers:
            own = self.trials.get(case_id, [])
            same = [trial for trial in own if trial.index == item.index] or own[-1:]
            if same and same[0].answer:
                peers[case_id] = same[0].answer
        return peers


@dataclass(slots=True, kw_only=True)
class _Kept:
    """How far the answers of one batch have been kept, in the planned order; watches a first pass for breakage."""

    run: SuiteRun
    watch: Watch | None
    place: int = 0
    count: int = 0
    seen: list[Seen] = field(default_factory=list)

    def take(self, asked: Sequence[tuple[Wanted, _Asked]]) -> None:
        """Keep every answer up to the first one that is still on its way."""
        while self.place < len(asked) and asked[self.place][1].done():
            item, future = asked[self.place]
            self.place += 1
            if not future.cancelled() and (answer := future.result()) is not None:
                self.count += 1
                self._see(item, self.run.keep(item, answer))

    def _see(self, item: Wanted, trial: Trial) -> None:
        if self.watch is None or self.run.asked:
            return
        self.seen.append(Seen(case_id=item.case.id, digest=item.case.digest, mark=mark(trial)))
        if self.watch.fires(self.seen) is not None:
            self.run.asked = tuple(case.case_id for case in self.seen)


def case_order(suite: Suite, identity: Identity) -> tuple[Case, ...]:
    """The order in which cases are asked: fixed by the hashes of version and suite, peers before who outranks them."""
    by_id = {case.id: case for case in suite.cases}
    placed: dict[str, Case] = {}

    def place(case: Case, waiting: frozenset[str]) -> None:
        for peer in case.peers:
            if peer in by_id and peer not in waiting:
                place(by_id[peer], waiting | {peer})
        placed.setdefault(case.id, case)

    for case in sorted(suite.cases, key=lambda one: digest_text(f"{identity.version}|{suite.digest}|{one.id}")):
        place(case, frozenset({case.id}))
    return tuple(placed.values())


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
