"""What a decision is made from: counts per case of the candidate and of the baseline, never means, never text.

Evidence is keyed by target, version, suite and scorer. A trial leaves one mark; a mark is one letter, so that a person
can read a case's history in the file: `PPFPU` is pass, pass, fail, pass, unscored, in the order the trials were asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gate.core.model import Dimension, Kind, Scope, Severity

PASS, FAIL, UNSCORED = "P", "F", "U"
MARKS = frozenset((PASS, FAIL, UNSCORED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Count, sum and sum of squares: enough for every mean and variance that the decision needs."""

    n: int = 0
    sum: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean, or None where nothing was counted."""
        return self.sum / self.n if self.n else None


def moments(values: Iterable[float]) -> Moments:
    """Count values; sums are rounded to 1e-9 so that files stay readable."""
    kept = list(values)
    squares = math.fsum(value * value for value in kept)
    return Moments(n=len(kept), sum=round(math.fsum(kept), 9), squares=round(squares, 9))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvidence:
    """All trials of one case of the candidate: one mark a trial, in order, and counted scores, costs and latencies.

    `latency_ms` has one value per answered trial, milliseconds; `missing` one reason per unscored trial.
    """

    case_id: str
    digest: str
    marks: str
    score: Moments = Moments()
    usd: Moments = Moments()
    tokens: Moments = Moments()
    latency_ms: tuple[float, ...] = ()
    missing: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    severity: Severity | None = None
    cluster: str | None = None
    critical: bool = False

    def __post_init__(self) -> None:
        """Refuse marks that are not marks, and unscored trials without a reason."""
        if not set(self.marks) <= MARKS:
            message = f"case {self.case_id!r}: marks must be P, F or U"
            raise ValueError(message)
        if self.marks.count(UNSCORED) != len(self.missing):
            message = f"case {self.case_id!r}: {self.marks.count(UNSCORED)} unscored marks, {len(self.missing)} reasons"
            raise ValueError(message)

    def first(self, trials: int) -> str:
        """Scored marks among the first trials asked."""
        return self.marks[:trials].replace(UNSCORED, "")

    @property
    def scored(self) -> str:
        """All scored marks in order."""
        return self.marks.replace(UNSCORED, "")

    @property
    def failed(self) -> int:
        """Number of failing trials."""
        return self.marks.count(FAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who was measured, with what.

    `version` is the hash of what shapes the answers, `coverage` how much of it that hash covers; `family` is the same
    hash with whitespace and comments of the prompt left out. For a comparison the scorers must be equal.
    """

    target: str
    suite: str
    version: str
    coverage: str
    suite_digest: str
    scorer_digest: str
    model: str
    parameters: str
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteEvidence:
    """The candidate's evidence on one suite.

    `asked` is empty, or the order in which cases were asked in a first pass that was aborted as broken.
    `passes` is the number of trials planned for every case so far; marks beyond it are confirmation trials. `margin` is
    a share of 1. `modelled` says that latencies come from a model of a model and measure nothing.
    """

    identity: Identity
    kind: Kind
    dimension: Dimension
    scope: Scope
    margin: float | None
    passes: int
    cases: tuple[CaseEvidence, ...]
    modelled: bool = False
    asked: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.identity.suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the candidate showed; suites of several targets may stand side by side.

    `unchanged` names targets that were not run because they equal their baselines;
    `stopped` says why a run ended early; `as_of` is the date of the run (YYYY-MM-DD).
    """

    suites: tuple[SuiteEvidence, ...]
    unchanged: tuple[str, ...] = ()
    as_of: str = ""
    interrupted: bool = False
    stopped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCase:
    """Counts of one case of the accepted version."""

    case_id: str
    digest: str
    passes: int
    trials: int
    score: Moments = Moments()
    usd: Moments = Moments()
    tokens: Moments = Moments()
    log_ms: Moments = Moments()
    severity: Severity | None = None
    critical: bool = False

    def __post_init__(self) -> None:
        """Refuse counts that no run can produce."""
        if not 0 <= self.passes <= self.trials:
            message = f"case {self.case_id!r}: {self.passes} passes of {self.trials} trials"
            raise ValueError(message)

    @property
    def solid(self) -> bool:
        """Whether no trial ever failed."""
        return self.trials > 0 and self.passes == self.trials


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteBaseline:
    """The accepted version's counts on one suite, from fresh passes; `as_of` is its date (YYYY-MM-DD).

    `policy` is the digest of the policy it was accepted under, `tag` the name of a release that pinned it;
    `stale` says why it no longer speaks of the accepted version: its provider moved.
    """

    identity: Identity
    as_of: str
    cases: tuple[BaselineCase, ...]
    policy: str = ""
    tag: str = ""
    stale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """There is no baseline for this suite."""

    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrupt:
    """A baseline is there and cannot be believed; `reason` says why in a sentence."""

    place: str
    reason: str


BaselineState = SuiteBaseline | Absent | Corrupt


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What one suite's evidence is compared with: the baseline, and the pinned anchor if there is one.

    `adopted` is false for a suite that the base does not know yet: it is decided for show until its first baseline.
    """

    target: str
    suite: str
    baseline: BaselineState
    anchor: BaselineState | None = None
    adopted: bool = True
