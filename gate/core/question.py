"""A question to a target under a name that its content gives it, so that an answer is paid for once.

The name covers all that shapes an answer, and whose draw it is: equal questions of two cases, and the trials of one
case, are draws of their own. Keys, headers, time limits, retries and concurrency are not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gate.core.canonical import digest
from gate.core.codec import encode
from gate.core.model import Answer, Call, Json

VERSION = 1
CUT_OFF, FILTERED = "length", "content_filter"


class Role(StrEnum):
    """Who is asked: the candidate, the base's version beside it, or a judge."""

    TARGET = "target"
    BASE = "base"
    JUDGE = "judge"


class Origin(StrEnum):
    """Where an answer comes from that was not asked for in this process."""

    JOURNAL = "journal"
    RECORDING = "recording"
    CACHE = "cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What of a target shapes every answer: a digest of model and parameters, or of a program's version.

    `seeded` says that the call's seed and id reach it. `replayable` is false where the digest does not cover all that
    shapes answers: such a target is asked afresh in every run.
    """

    digest: str
    seeded: bool = False
    replayable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, and whose draw it is; `seed` is None where the target does not see it."""

    kind: Role
    request: str
    target: str
    suite: str
    case_id: str
    prompt: str
    variables: Mapping[str, Json]
    index: int
    seed: int | None

    def plain(self) -> dict[str, Json]:
        """The whole question as JSON; its canonical form has the SHA-256 `key`."""
        own = encode(self)
        return {"v": VERSION} | (own if isinstance(own, dict) else {})

    @property
    def key(self) -> str:
        """The name of the question: `sha256:` and 64 hexadecimal digits."""
        return digest(self.plain())


def question_of(call: Call, request: Request, *, kind: Role, target: str, suite: str) -> Question:
    """The question that a call puts to a target."""
    return Question(
        kind=kind,
        request=request.digest,
        target=target,
        suite=suite,
        case_id=call.case_id,
        prompt=call.prompt,
        variables=call.variables,
        index=call.index,
        seed=call.seed if request.seeded else None,
    )


def is_whole(answer: Answer) -> bool:
    """Say whether an answer may be stored for other runs: not where it was cut off or stopped by a filter."""
    return answer.finish_reason not in {CUT_OFF, FILTERED}


def replay_of(answer: Answer, origin: str) -> Answer:
    """The answer as another run may use it: it takes no time and costs nothing there, so it measures neither."""
    return replace(answer, latency_ms=None, first_token_ms=None, usd=None, attempts=1, replayed=origin)
