"""One suite of one target being run: passes of all cases, and extra trials of some."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from gate.core.aggregate import judged, suite_evidence, unanswered
from gate.core.evidence import Identity, SuiteEvidence
from gate.core.model import (
    Answer,
    Call,
    Exhibit,
    Missing,
    ScorerResult,
    Suite,
    Target,
    Trial,
    Unanswered,
    Unscored,
)
from gate.core.rules.abort import Watch
from gate.core.window import join
from gate.runner.asking import Asking
from gate.runner.beside import BaseSide
from gate.runner.client_lag import ClientLag
from gate.runner.dollars import price_sources
from gate.runner.journal import Journal
from gate.runner.judge_calls import JudgeCalls
from gate.runner.kept import Kept, Returned
from gate.runner.order import Wanted, case_order, slow_first, trial_seed
from gate.runner.progress import Progress
from gate.runner.remembered import remembered
from gate.runner.scoring import Results, score_answer
from gate.runner.threads import Threads
from gate.worker.ending import allow_workers, end_workers

WAKE_SECONDS = 0.5  # to notice a person's Ctrl-C


@dataclass(slots=True, kw_only=True)
class SuiteRun:
    """What is needed to run trials of one suite, and the trials so far, by case id.

    `prompts` holds the rendered prompt by case id. `earlier` is what earlier runs of the same version showed: it
    counts, and is not asked again. `watch` may end a first pass that is broken; `asked` is then the order of its cases.
    `beside` is the base's version, to be asked in turn with the candidate in the run's first pass. `judge_calls` is
    None where no model judges. `scored` gives the results that came with an answer, if any did.
    `reused` holds by id the request digests of cases that the baseline's trials stand for; they are part of the first
    `fresh` passes only, and of those that are asked for as a whole.
    `expected_ms` is how long answers took before, by case id: later passes begin with the slow ones. `lag` is None
    where nothing is decided from latencies; `price_source` says of a model where its price is known from.
    `peers` are ids of cases whose answers others are judged beside: `trials` keep the words of all of theirs.
    `interrupted` is set when a person stopped the run (`hasty`: even while answers were scored), `stopped` says which
    budget, or which full disk, ended it: what was answered is kept, nothing more is asked.
    """

    suite: Suite
    identity: Identity
    target: Target
    prompts: Mapping[str, str]
    asking: Asking
    journal: Journal
    progress: Progress
    workers: int
    seed: int
    earlier: SuiteEvidence | None = None
    watch: Watch | None = None
    beside: BaseSide | None = None
    judge_calls: JudgeCalls | None = None
    scored: Callable[[Answer], Results | None] | None = None
    reused: Mapping[str, str] = field(default_factory=dict)
    fresh: int = 0
    expected_ms: Mapping[str, float] = field(default_factory=dict)
    lag: ClientLag | None = None
    price_source: Callable[[str], str] | None = None
    passes: int = 0
    asked: tuple[str, ...] = ()
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    peers: frozenset[str] = field(init=False)
    interrupted: bool = False
    hasty: bool = False
    stopped: str = ""

    def __post_init__(self) -> None:
        """Take the passes of earlier runs as made."""
        self.peers = frozenset(peer for case in self.suite.cases for peer in case.peers)
        if self.earlier is not None:
            self.passes, self.asked = self.earlier.passes, self.earlier.asked

    def run_passes(self, passes: int, *, whole: bool = False) -> None:
        """Bring every case to this number of trials; trials beyond, from confirmations, count and are not repeated.

        Reused cases are left out of passes after the `fresh` ones, unless the pass is `whole`.
        """
        watch = self.watch if self.passes == 0 else None
        self.passes = max(self.passes, passes)
        before = self._before()
        done = {case.id: before.get(case.id, 0) + len(self.trials.get(case.id, ())) for case in self.suite.cases}
        order = list(enumerate(case_order(self.suite, self.identity)))
        first = min(done.values(), default=0) if self.beside is not None and self.beside.begin() else None
        # The watch needs a random order, and so does the pass that two versions share.
        later = order if watch else slow_first(order, self.expected_ms)
        # Which side goes first alternates from case to case, so that drift and warm caches favour neither.
        planned = (
            Wanted(case=case, index=i, base_first=place % 2 == 1 if i == first else None)
            for i in range(passes)
            for place, case in (order if i in (0, first) else later)
            if i >= done[case.id] and (whole or i < self.fresh or case.id not in self.reused)
        )
        self._run(planned, watch)

    def run_more(self, more: Mapping[str, int]) -> None:
        """Run so many further trials of the named cases."""
        by_id, before = {case.id: case for case in self.suite.cases}, self._before()
        self._run(
            Wanted(case=by_id[case_id], index=before.get(case_id, 0) + len(self.trials.get(case_id, ())) + extra)
            for case_id, count in sorted(more.items())
            for extra in range(count)
        )

    def evidence(self) -> SuiteEvidence:
        """Counts of all trials so far, those of earlier runs included."""
        own = suite_evidence(suite=self.suite, identity=self.identity, trials=self.trials, passes=self.passes)
        own = own if self.price_source is None else replace(own, prices=price_sources(self.trials, self.price_source))
        own = own if self.beside is None else self.beside.evidence(own)
        own = own if self.lag is None else self.lag.evidence(own)
        whole = own if self.earlier is None else join(self.earlier, own)
        if self.judge_calls is not None:
            whole = replace(whole, judging=self.judge_calls.counted(whole.judging))
        cases = tuple(
            replace(case, reused=case.case_id in self.reused, request=self.reused.get(case.case_id, ""))
            if case.reused or case.request or case.case_id in self.reused
            else case
            for case in whole.cases
        )
        return replace(whole, identity=self.identity, passes=self.passes, asked=self.asked, cases=cases)

    def _before(self) -> dict[str, int]:
        """Trials of earlier runs by case id."""
        return {case.case_id: len(case.marks) for case in self.earlier.cases} if self.earlier else {}

    def _run(self, planned: Iterable[Wanted], watch: Watch | None = None) -> None:
        """Ask all; keep in the planned order as answers come in, so that the peers of a case are there before it.

        An answer that needs no other one is scored in the thread that got it.
        Few calls are ahead of what is scored while a pass is watched, so that little is wasted when it is ended.
        After an interruption, at the end of the budget, or when the watch fires, what was never asked is not there.
        """
        wanted = [] if self.interrupted or self.asked else list(planned)
        if not wanted:
            return
        stop = threading.Event()
        threads = Threads(partial(self._ask, stop=stop), self.workers)
        kept = Kept(run=self, watch=watch, wanted=wanted, results=threads.results)
        self.progress.begin(self.suite.name, target=self.identity.target, total=len(wanted))
        try:
            try:
                with self.lag.watched() if self.lag else nullcontext():
                    self._ask_all(threads, kept)
            except KeyboardInterrupt:
                self.interrupted = True
                end_workers()
            finally:
                stop.set()
                if self.judge_calls and (self.interrupted or self.asked):
                    self.judge_calls.closed = True
                threads.close()
            kept.take_rest()
        finally:
            self.progress.end()
            # What this process does next is another matter: an end is the end of this run.
            allow_workers()
        if (kept.count < len(wanted) or kept.unjudged) and not self.interrupted:
            self.stopped = "" if self.asked else self._failed() or self.asking.stopped()

    def _ask_all(self, threads: Threads[Wanted, Returned | None], kept: Kept) -> None:
        given, total = 0, len(kept.wanted)
        while kept.place < total and not (self.asked or self.interrupted):
            ahead = given - kept.place - (0 if kept.watch else len(threads.results))
            upto = min(total, given + max(0, 2 * self.workers - ahead))
            for place in range(given, upto):
                threads.give(place, kept.wanted[place])
            given = upto
            for place in threads.wait(WAKE_SECONDS):
                kept.here.add(place)
                if (returned := threads.results[place]) is not None:
                    self.progress.step(returned.answer, spent=self.asking.budget.usd)
            kept.take()

    def _ask(self, item: Wanted, stop: threading.Event) -> Returned | None:
        answer = None if stop.is_set() else self._answer_of(item, stop)
        if not isinstance(answer, Answer) or item.case.peers or stop.is_set():
            return None if answer is None else Returned(answer=answer)
        # An interruption belongs to the main thread, which meets it again there.
        with suppress(KeyboardInterrupt):
            results = self.scored(answer) if self.scored is not None else None
            own = results or score_answer(self.suite.scorers, Exhibit(case=item.case, answer=answer))
            return Returned(answer=answer, results=own)
        return Returned(answer=answer)

    def _answer_of(self, item: Wanted, stop: threading.Event) -> Answer | Unanswered | None:
        call = Call(
            case_id=item.case.id,
            prompt=self.prompts.get(item.case.id, ""),
            variables=item.case.input,
            seed=trial_seed(self.seed, self.suite.name, item.case.id, item.index),
            index=item.index,
        )
        # Beside an answer that has no latency of its own, the base's would say nothing.
        if self.beside is None or item.base_first is None or self.asking.replays(call):
            return self._answer(call, stop)
        candidate = partial(self._answer, stop=stop)
        return self.beside.ask(call, candidate, base_first=item.base_first)

    def _answer(self, call: Call, stop: threading.Event) -> Answer | Unanswered | None:
        return None if stop.is_set() else self.asking.ask(self.target, call)

    def _failed(self) -> str:
        """Why trials cannot be kept any more, or an empty text: nothing more is then paid for."""
        return self.asking.failed or self.journal.failed

    def keep(self, item: Wanted, returned: Returned) -> Trial:
        """Score one answer that is not scored yet, write the trial to the journal, and remember it; only once."""
        own = self.trials.setdefault(item.case.id, [])
        if own and own[-1].index == item.index:
            return own[-1]
        answer, results = returned.answer, returned.results
        if isinstance(answer, Unanswered):
            trial = unanswered(case=item.case, index=item.index, why=answer)
        else:
            if results is None:
                results = self._scored(Exhibit(case=item.case, answer=answer, peers=self._peers(item)))
            trial = judged(suite=self.suite, case=item.case, index=item.index, answer=answer, results=results)
        place = {"target": self.identity.target, "suite": self.suite.name}
        self.journal.write(trial, place=place, prompt="" if own else self.prompts.get(item.case.id, ""))
        own.append(trial if item.case.id in self.peers else remembered(trial, own))
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
