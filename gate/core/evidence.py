"""What a decision is made from: counts per case of the candidate and of the baseline, never means, never text.

Evidence is keyed by target, version, suite and scorer. A trial leaves one mark; a mark is one letter, so that a person
can read a case's history in the file: `PPFPU` is pass, pass, fail, pass, unscored, in the order the trials were asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gate.core.across import Across
from gate.core.agreement import Calibration
from gate.core.broken import BrokenTable, confirmation_for, table_of
from gate.core.codec import UNWRITTEN_DEFAULT
from gate.core.judging import Judging
from gate.core.model import Dimension, Kind, Metric, Scope, Severity
from gate.core.moments import NO_MOMENTS, Moments
from gate.core.prior import Tally, tallied

PASS, FAIL, UNSCORED = "P", "F", "U"
MARKS = frozenset((PASS, FAIL, UNSCORED))
ROUNDING = 1e-6  # a sum of many rounded values may be off by a few digits


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvidence:
    """All trials of one case of the candidate: one mark a trial, in order, and counted scores, costs and latencies.

    `latency_ms` has one value per answered trial that was timed, milliseconds; `missing` one reason per unscored trial.
    `values` has one value (0 to 1) per scored trial where the suite compares values, and is empty where it compares
    passes. `base_ms` are latencies of the base's version, asked beside the candidate, and `beside_ms` the candidate's
    in the same trials, in the same order: both answered, both timed, both in one run. `by_judge` is how many of the
    failing trials fail by a judge's word alone. `reused` says that the case is asked what the baseline was asked, so
    that the baseline's trials stand for its own; `request` is the digest of all that it is asked with. `edits` and
    `removed` are those of the case.
    """

    case_id: str
    digest: str
    marks: str
    score: Moments = NO_MOMENTS
    usd: Moments = NO_MOMENTS
    tokens: Moments = NO_MOMENTS
    latency_ms: tuple[float, ...] = ()
    missing: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    severity: Severity | None = None
    cluster: str | None = None
    critical: bool = False
    values: tuple[float, ...] = field(default=(), metadata=UNWRITTEN_DEFAULT)
    beside_ms: tuple[float, ...] = field(default=(), metadata=UNWRITTEN_DEFAULT)
    base_ms: tuple[float, ...] = field(default=(), metadata=UNWRITTEN_DEFAULT)
    by_judge: int = field(default=0, metadata=UNWRITTEN_DEFAULT)
    reused: bool = field(default=False, metadata=UNWRITTEN_DEFAULT)
    request: str = field(default="", metadata=UNWRITTEN_DEFAULT)
    edits: str = field(default="", metadata=UNWRITTEN_DEFAULT)
    removed: bool = field(default=False, metadata=UNWRITTEN_DEFAULT)

    def __post_init__(self) -> None:
        """Refuse marks that are not marks, unscored trials without a reason, and values that are not values."""
        if not set(self.marks) <= MARKS:
            message = f"case {self.case_id!r}: marks must be P, F or U"
            raise ValueError(message)
        if self.marks.count(UNSCORED) != len(self.missing):
            message = f"case {self.case_id!r}: {self.marks.count(UNSCORED)} unscored marks, {len(self.missing)} reasons"
            raise ValueError(message)
        if self.values and not (len(self.values) == len(self.scored) and all(0.0 <= one <= 1.0 for one in self.values)):
            message = f"case {self.case_id!r}: values must be numbers from 0 to 1, one for each scored mark"
            raise ValueError(message)
        if len(self.beside_ms) != len(self.base_ms):
            message = f"case {self.case_id!r}: {len(self.beside_ms)} latencies beside {len(self.base_ms)} of the base"
            raise ValueError(message)
        if not 0 <= self.by_judge <= self.failed:
            message = f"case {self.case_id!r}: {self.by_judge} of {self.failed} failures by a judge's word"
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
class Beside:
    """The base's version of a target, asked beside the candidate for its latency and for nothing else.

    `version` is the hash of what shapes its answers; where it could not be asked, `absent` says why.
    """

    version: str = ""
    absent: str = ""
    modelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteEvidence:
    """The candidate's evidence on one suite.

    `asked` is empty, or the order in which cases were asked in a first pass that was aborted as broken.
    `passes` is the number of trials planned for every case so far; marks beyond it are confirmation trials. `margin` is
    a share of 1. `modelled` says that latencies come from a model of a model and measure nothing. `metric` is what is
    compared with the baseline; for values every scored trial must have one. `beside` is None where the base's version
    was not to be asked, `judging` where no model judges. `prices` says where the dollars are known from: `gate.yaml`, a
    price list with its version, `unavailable`, or several of them; empty where nothing was to be paid for. `late` says
    why what was timed in a run is not among the latencies: the machine that timed it was too busy. `unasked` is the
    suite's.
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
    metric: Metric = field(default=Metric.PASS, metadata=UNWRITTEN_DEFAULT)
    beside: Beside | None = field(default=None, metadata=UNWRITTEN_DEFAULT)
    judging: Judging | None = field(default=None, metadata=UNWRITTEN_DEFAULT)
    prices: str = field(default="", metadata=UNWRITTEN_DEFAULT)
    late: str = field(default="", metadata=UNWRITTEN_DEFAULT)
    unasked: str = field(default="", metadata=UNWRITTEN_DEFAULT)

    def __post_init__(self) -> None:
        """Refuse to compare values that are not there: a pass would be counted in their place."""
        if self.metric is Metric.SCORE:
            bare = next((case for case in self.cases if len(case.values) != len(case.scored)), None)
            if bare is not None:
                message = f"case {bare.case_id!r}: the suite compares values, and {len(bare.scored)} trials have none"
                raise ValueError(message)

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.identity.suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the candidate showed; suites of several targets may stand side by side.

    `unchanged` names targets that were not run because they equal their baselines;
    `stopped` says why a run ended early; `as_of` is the date of the run (YYYY-MM-DD). `unverified` says why these
    counts cannot be believed, and is empty where they can: nothing is decided from them but HOLD. `across` is None
    where the run is not kept for later ones.
    """

    suites: tuple[SuiteEvidence, ...]
    unchanged: tuple[str, ...] = ()
    as_of: str = ""
    interrupted: bool = False
    stopped: str = ""
    unverified: str = field(default="", metadata=UNWRITTEN_DEFAULT)
    across: Across | None = field(default=None, metadata=UNWRITTEN_DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCase:
    """Counts of one case of the accepted version.

    `request` is the digest of all that the case was asked with; empty where that cannot be known.
    """

    case_id: str
    digest: str
    passes: int
    trials: int
    score: Moments = NO_MOMENTS
    usd: Moments = NO_MOMENTS
    tokens: Moments = NO_MOMENTS
    log_ms: Moments = NO_MOMENTS
    severity: Severity | None = None
    critical: bool = False
    request: str = field(default="", metadata=UNWRITTEN_DEFAULT)

    def __post_init__(self) -> None:
        """Refuse counts that no run can produce."""
        if not 0 <= self.passes <= self.trials:
            message = f"case {self.case_id!r}: {self.passes} passes of {self.trials} trials"
            raise ValueError(message)
        if not 0.0 <= self.score.squares <= self.score.sum + ROUNDING <= self.score.n + 2 * ROUNDING:
            message = f"case {self.case_id!r}: no {self.score.n} scores from 0 to 1 have this sum and sum of squares"
            raise ValueError(message)

    @property
    def solid(self) -> bool:
        """Whether no trial ever failed."""
        return self.trials > 0 and self.passes == self.trials

    def counted(self, metric: Metric) -> int:
        """Trials that can be compared: all of them, or those with a value."""
        return self.trials if metric is Metric.PASS else self.score.n

    def mean(self, metric: Metric) -> float:
        """Share of passes, or mean value; raises ZeroDivisionError where nothing was `counted`."""
        return self.passes / self.trials if metric is Metric.PASS else self.score.sum / self.score.n


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteBaseline:
    """The accepted version's counts on one suite, from fresh passes; `as_of` is its date (YYYY-MM-DD).

    `policy` is the digest of the policy it was accepted under, `tag` the name of a release that pinned it;
    `stale` says why it no longer speaks of the accepted version: its provider moved. `broken` are the critical values
    that were fixed with it, None where it was made without. Raises ValueError for critical values of another baseline.
    `calibration` has one entry for each judge with labels of people, measured when the baseline was made.
    `tally` says how many cases have which counts, `critical_values` are those that were fixed, or computed where none
    were. `prices` says where its dollars are known from, as in `SuiteEvidence`.
    """

    identity: Identity
    as_of: str
    cases: tuple[BaselineCase, ...]
    policy: str = ""
    tag: str = ""
    stale: str = ""
    broken: BrokenTable | None = field(default=None, metadata=UNWRITTEN_DEFAULT)
    calibration: tuple[Calibration, ...] = field(default=(), metadata=UNWRITTEN_DEFAULT)
    prices: str = field(default="", metadata=UNWRITTEN_DEFAULT)
    tally: Tally = field(init=False, repr=False, compare=False)
    critical_values: BrokenTable = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count equal cases, and refuse critical values that these cases cannot have."""
        counts = [(case.passes, case.trials) for case in self.cases]
        object.__setattr__(self, "tally", tallied(counts))
        object.__setattr__(self, "critical_values", self.broken or table_of(counts))
        table, cases = self.critical_values, len(self.cases)
        testable = any(table.limit(*counts) >= 0 for counts, _ in self.tally)
        most, alarms = confirmation_for(cases).alpha if testable else 0.0, table.expected_false_alarms
        if alarms > most:
            raise ValueError(f"broken: {alarms} false alarms expected of {cases} cases, at most {most} are allowed")


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
