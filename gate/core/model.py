"""The words of lockgate as types: cases, suites, answers, scores, and the protocols that the outer layers implement.

One term has one meaning (docs/reference/glossary.md). "Unscored" is a type and never a number, so that an outage can
be mistaken neither for a failure nor for a pass.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
# Equal to the mark of `gate.core.codec`, which needs this module.
_UNWRITTEN_DEFAULT: Mapping[str, bool] = {"unwritten_default": True}


class Kind(StrEnum):
    """What a suite is for."""

    GOLDEN = "golden"
    ADVERSARIAL = "adversarial"
    SCENARIO = "scenario"


class Dimension(StrEnum):
    """A declared axis of the decision."""

    TASK_SUCCESS = "task_success"
    SAFETY = "safety"
    OVER_REFUSAL = "over_refusal"
    EVIDENCE_COVERAGE = "evidence_coverage"
    CONTEXT_PRESERVATION = "context_preservation"
    LIVENESS = "liveness"
    LATENCY = "latency"
    COST = "cost"


class Severity(StrEnum):
    """How bad one failure of a case is; P0 is never releasable."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Scope(StrEnum):
    """What a PASS claims: inputs like these, or exactly these cases."""

    POPULATION = "population"
    SET = "set"


class Metric(StrEnum):
    """What a comparison counts for a trial: whether it passed (0 or 1), or its value (0 to 1)."""

    PASS = "pass"  # noqa: S105 a trial that passes, not a password
    SCORE = "score"


class Missing(StrEnum):
    """Why a planned trial has no score. None of these is a pass, and none is a failure of the candidate."""

    TIMED_OUT = "timed out"
    REFUSED = "connection refused"
    UNREACHABLE = "endpoint not reached"
    BROKEN_OFF = "connection broke off"
    RATE_LIMITED = "rate limit of the endpoint"
    OVERLOADED = "endpoint overloaded"
    PROVIDER_DOWN = "provider down, not asked again"
    KEY_REFUSED = "key not accepted by the endpoint"
    HTTP_ERROR = "error status from the endpoint"
    MALFORMED = "unreadable answer"
    TOO_LARGE = "answer over the size limit"
    DIED = "worker ended without an answer"
    NOT_ALLOWED = "host not listed under credentials"
    SCORER_FAILED = "scorer failed"
    PEER_MISSING = "the case to compare with has no answer"
    INTERRUPTED = "interrupted"
    NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input with what is expected of its answer.

    `digest` is the SHA-256 of input and expected (tagged `sha256:`); `place` is `file:line` for messages. `edits` is
    the id of the case whose new version this is, where the base's version is asked beside it; `removed` says that only
    the base still has this case.
    """

    id: str
    input: Mapping[str, Json]
    expected: Mapping[str, Json]
    tags: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None
    cluster: str | None = None
    critical: bool = False
    digest: str
    place: str
    edits: str = ""
    removed: bool = False

    @property
    def peers(self) -> tuple[str, ...]:
        """Ids of the cases that this one must outrank; they are answered before it."""
        named = self.expected.get("outranks")
        return tuple(str(name) for name in named) if isinstance(named, list) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the target reported them; `cached_input_tokens` are those of the input that came from a cache.

    `cache_write_tokens` are those of the input that were written to one, `cache_write_1h_tokens` those of them that are
    kept for an hour. Records leave both out at 0.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    cache_write_tokens: int = field(default=0, metadata=_UNWRITTEN_DEFAULT)
    cache_write_1h_tokens: int = field(default=0, metadata=_UNWRITTEN_DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool that the target asked for."""

    name: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a target returned for one call.

    `latency_ms` is milliseconds on the wall, or a model of them when `modelled` is true (then it never counts as a
    measurement); `usd` is None where no price is known, never 0. `attempts` are the requests that were sent: after more
    than one there is no latency, because waiting for another attempt is not the model's. `model` is the one that was
    reported, and `asked` the one that was asked for where they differ. `finish_reason` is `stop`, `length`,
    `tool_calls`, `content_filter` or the target's own word. `breaks_schema` says where the text breaks the schema that
    it was asked to follow. `replayed` is empty, or says where an answer of an earlier run was taken from (`cache` or
    `recording`): it counts neither for latency nor for cost.
    """

    text: str
    model: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    usd: float | None = None
    latency_ms: float | None = None
    modelled: bool = False
    finish_reason: str = ""
    fingerprint: str = ""
    first_token_ms: float | None = None
    attempts: int = 1
    asked: str = ""
    breaks_schema: str = ""
    replayed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A call that brought no answer: missing evidence, with the reason, a sentence for people, and requests sent."""

    reason: Missing
    detail: str
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One question to a target: the rendered prompt, the case's variables, and a seed for targets that take one.

    `index` numbers the draws of a case from 0.
    """

    case_id: str
    prompt: str
    variables: Mapping[str, Json]
    seed: int
    index: int = 0


class Target(Protocol):
    """What is evaluated. Never raises for what an endpoint or a program does: that is `Unanswered`."""

    def answer(self, call: Call) -> Answer | Unanswered:
        """Answer one call; safe to use from several threads."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A scorer's judgement of one trial: a finite value in 0..1 and why.

    Raises ValueError for NaN, infinities and anything outside 0..1.
    """

    value: float
    explanation: str

    def __post_init__(self) -> None:
        """Refuse what is not a score."""
        if not math.isfinite(self.value) or not 0.0 <= self.value <= 1.0:
            message = f"a score must be a number from 0 to 1, not {self.value!r}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """No judgement could be had, and why."""

    reason: Missing
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """What a scorer sees: the case, the answer, and by case id the answers of its peers in the same pass."""

    case: Case
    answer: Answer
    peers: Mapping[str, Answer] = field(default_factory=dict)


class Scorer(Protocol):
    """Judges one trial."""

    def applies(self, case: Case) -> bool:
        """Say whether the case expects anything that this scorer judges."""
        ...

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Judge one answer; only called when `applies`. May raise: the runner turns that into Unscored."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedScorer:
    """A scorer as a suite uses it: a failed `required` one (below 1.0) makes the whole trial 0."""

    name: str
    scorer: Scorer
    weight: float = 1.0
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named group of cases with its scorers.

    `digest` covers the cases, `scorer_digest` the scorers, weights, pass mark and metric. `margin` is a share of 1
    (0.05 is 5 points) or None for the policy's. A trial passes when its weighted score reaches `pass_mark` (0.7: R14).
    `metric` is what is compared with the baseline. `unasked` says why cases that a change edits or removes are not
    asked as the base has them, and is empty where they are.
    """

    name: str
    path: str
    kind: Kind
    dimension: Dimension
    scope: Scope
    margin: float | None
    pass_mark: float
    scorers: tuple[WeightedScorer, ...]
    cases: tuple[Case, ...]
    digest: str
    scorer_digest: str
    metric: Metric = Metric.PASS
    unasked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerResult:
    """One scorer's result on one trial."""

    scorer: str
    result: Score | Unscored


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One execution of one case: the answer (or why there is none), its scores, and the weighted value.

    `value` is None exactly when the trial is unscored, and `missing` then says why.
    """

    case_id: str
    index: int
    answer: Answer | None
    scores: tuple[ScorerResult, ...]
    value: float | None
    passed: bool
    missing: Missing | None = None
    detail: str = ""
