"""The answers of one batch of trials, kept in the planned order as they come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gate.core.aggregate import mark, value_of
from gate.core.model import Answer, Missing, Trial, Unanswered
from gate.core.rules.abort import Seen, Watch
from gate.runner.order import Wanted
from gate.runner.progress import Progress
from gate.runner.scoring import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a thread brought back; `results` is None where the answer is still to be scored."""

    answer: Answer | Unanswered
    results: Results | None = None


class Keeper(Protocol):
    """The run that answers are kept in; `asked` is the order of a first pass that was ended as broken."""

    progress: Progress
    asked: tuple[str, ...]

    def keep(self, item: Wanted, returned: Returned) -> Trial:
        """Score one answer that is not scored yet, and remember its trial."""
        ...


@dataclass(slots=True, kw_only=True)
class Kept:
    """How far the answers of one batch have been kept, in the planned order; watches a first pass for breakage.

    `unjudged` says that no judge could be asked about some of them.
    """

    run: Keeper
    watch: Watch | None
    wanted: Sequence[Wanted]
    results: dict[int, Returned | None]
    place: int = 0
    count: int = 0
    unjudged: bool = False
    here: set[int] = field(default_factory=set)
    seen: list[Seen] = field(default_factory=list)

    def take(self) -> None:
        """Keep every answer up to the first one that is still on its way."""
        while self.place in self.here:
            self.here.remove(self.place)
            self.place += 1
            self._keep(self.place - 1)

    def take_rest(self) -> None:
        """Keep what came after it, too: calls that were on their way when the run was ended are paid for."""
        for place in sorted(self.results):
            self._keep(place)

    def _keep(self, place: int) -> None:
        item, returned = self.wanted[place], self.results[place]
        if returned is not None:
            trial = self.run.keep(item, returned)
            self.count += 1
            self.run.progress.judged(trial)
            self.unjudged |= trial.answer is not None and trial.missing is Missing.INTERRUPTED
            self._see(item, trial)
        # Only now: an interruption may come at any place, and what is still here is kept after it.
        del self.results[place]

    def _see(self, item: Wanted, trial: Trial) -> None:
        if self.watch is None or self.run.asked:
            return
        seen = Seen(case_id=item.case.id, digest=item.case.digest, mark=mark(trial), value=value_of(trial))
        self.seen.append(seen)
        if self.watch.fires(self.seen) is not None:
            self.run.asked = tuple(case.case_id for case in self.seen)
