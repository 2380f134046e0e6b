"""Judges: scorers whose word is a model's opinion, what they need to ask, and how far a suite rests on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Protocol, TypeAlias, TypeGuard, runtime_checkable

from gate.core.agreement import Calibration
from gate.core.model import Answer, Call, Case, Json, Score, Scorer, Suite, Unanswered, Unscored

Ask: TypeAlias = "Callable[[Call], Answer | Unanswered | None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion(Score):
    """A score by a model's word; `replies` are its own words, bounded.

    `agreed` is None unless two answers were compared in both orders; `first` is then how often the one that stood first
    was preferred, 0 to 2.
    """

    replies: tuple[str, ...] = ()
    agreed: bool | None = None
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What people say of one answer to a case; `reference` is the answer that it was compared with, if any."""

    case_id: str
    answer: str
    passed: bool
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a judge is given to work with.

    `ask` returns None where no further call may be made. `references` are answers of the baseline by case id.
    """

    ask: Ask
    pass_mark: float
    references: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Judge(Scorer, Protocol):
    """A scorer that asks a model: it scores once it is `bound` to a desk.

    `model` are its settings as written, `protocol` digests the wording that it asks with, `calls` is how many calls one
    judgement takes where nothing goes wrong, and `compares` says whether it needs an answer of the baseline.
    """

    @property
    def model(self) -> Mapping[str, Json]: ...  # noqa: D102 the class says it

    @property
    def protocol(self) -> str: ...  # noqa: D102

    @property
    def calls(self) -> int: ...  # noqa: D102

    @property
    def compares(self) -> bool: ...  # noqa: D102

    @property
    def labels(self) -> tuple[Label, ...]: ...  # noqa: D102

    def bound(self, desk: Desk) -> Judge:
        """The same judge, ready to ask."""
        ...

    def passes(self, label: Label, case: Case) -> bool | Unscored:
        """Whether the judge passes a labelled answer to this case."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How far a suite rests on judges.

    `decisive` says that a trial can pass by their word only. Of `pairs` that were compared in both orders, the orders
    agreed on `agreeing`; `first` counts how often the answer that stood first was preferred, of twice as many. `calls`,
    `tokens` and `usd` (None where no price is known) are what asking them took in the run.
    """

    scorers: tuple[str, ...]
    decisive: bool
    pairs: int = 0
    agreeing: int = 0
    first: int = 0
    calls: int = 0
    tokens: int = 0
    usd: float | None = None

    @property
    def consistency(self) -> float | None:
        """Share of compared pairs on which both orders agree; None where nothing was compared."""
        return self.agreeing / self.pairs if self.pairs else None


def is_judge(scorer: Scorer) -> TypeGuard[Judge]:
    """Whether a scorer is a judge; `isinstance` takes as long as judging an answer by a rule."""
    return hasattr(scorer, "protocol") and isinstance(scorer, Judge)


def judging_of(suite: Suite, opinions: Iterable[Opinion]) -> Judging | None:
    """How far a suite rests on judges, with the opinions so far; None for a suite without any."""
    judges = tuple(entry.name for entry in suite.scorers if is_judge(entry.scorer))
    if not judges:
        return None
    compared = [opinion for opinion in opinions if opinion.agreed is not None]
    return Judging(
        scorers=judges,
        decisive=any(_needs_judge(suite, case) for case in suite.cases),
        pairs=len(compared),
        agreeing=sum(opinion.agreed is True for opinion in compared),
        first=sum(opinion.first for opinion in compared),
    )


def join_judging(first: Judging | None, second: Judging | None) -> Judging | None:
    """The facts of two runs of one suite, or of two parts of a run, together."""
    if first is None or second is None:
        return second or first
    known = [usd for usd in (first.usd, second.usd) if usd is not None]
    return Judging(
        scorers=second.scorers,
        decisive=first.decisive or second.decisive,
        pairs=first.pairs + second.pairs,
        agreeing=first.agreeing + second.agreeing,
        first=first.first + second.first,
        calls=first.calls + second.calls,
        tokens=first.tokens + second.tokens,
        usd=fsum(known) if known else None,
    )


def _needs_judge(suite: Suite, case: Case) -> bool:
    """Whether this case misses the pass mark with full scores by rules and none by judges."""
    used = [entry for entry in suite.scorers if entry.scorer.applies(case)]
    judges = [entry for entry in used if is_judge(entry.scorer)]
    if not judges or any(entry.required for entry in judges):
        return bool(judges)
    by_rules = fsum(entry.weight for entry in used) - fsum(entry.weight for entry in judges)
    return by_rules / fsum(entry.weight for entry in used) < suite.pass_mark - 1e-9


def untrusted(judging: Judging, calibrations: Iterable[Calibration]) -> tuple[str, ...]:
    """Judges of a suite whose agreement with people is not shown."""
    trusted = {one.scorer for one in calibrations if one.trusted}
    return tuple(name for name in judging.scorers if name not in trusted)


def margin_factor(judging: Judging | None, calibrations: Iterable[Calibration]) -> float:
    """What the least exact judge leaves of a true difference; 1 where no judge decides, or one is not calibrated."""
    known = {one.scorer: one for one in calibrations}
    if judging is None or not judging.decisive or untrusted(judging, known.values()):
        return 1.0
    return min(known[name].factor or 1.0 for name in judging.scorers)
