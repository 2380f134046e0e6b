"""Custom scorers: a Python function of the repository, in a process of its own."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gate.core.model import Answer, Case, Exhibit, Json, Missing, Score, Unscored
from gate.documents.wording import quoted
from gate.scorers.explanation import SENTENCE_LIMIT, clip, escape, judged, kind_of
from gate.scorers.options import Options
from gate.worker.function import call_function
from gate.worker.run import WorkerFailure

_CALL = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCall:
    """The number that a Python function of the repository returns, run in a child process without keys.

    The function takes one mapping, `case` (`id`, `input`, `expected`, `tags`) and `answer` (`text`, `tool_calls`), and
    returns a number from 0 to 1 or `{"value": number, "explanation": text}`; anything else leaves the trial unscored.

    - `call`: the function, as `module:function`, importable from the working folder
    - `timeout` (default `10`): seconds, at most 600
    """

    call: str
    timeout: float
    cwd: Path

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("call", "timeout")
        call = options.text("call")
        if not _CALL.fullmatch(call):
            raise ValueError(f'"call" must look like module:function, not {quoted(call)}')
        timeout = options.seconds("timeout", default=10, maximum=600)
        return cls(call=call, timeout=timeout, cwd=Path(getattr(options.tree, "root", None) or "."))

    def applies(self, case: Case) -> bool:  # noqa: ARG002 - only the function knows
        """Say yes: the function judges every case."""
        return True

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Run the function; whatever is not a score is unscored, with the reason."""
        document: Json = {"case": _describe_case(exhibit.case), "answer": _describe_answer(exhibit.answer)}
        reply = call_function(self.call, document, cwd=self.cwd, timeout_s=self.timeout)
        if isinstance(reply, WorkerFailure) and reply.reason is Missing.INTERRUPTED:
            return Unscored(reason=Missing.INTERRUPTED, detail="scoring was interrupted")
        if isinstance(reply, WorkerFailure):
            return _unscored(f"{self.call}: {reply.reason}: {escape(reply.detail, limit=SENTENCE_LIMIT)}")
        return _read_result(self.call, reply.value)


def _describe_case(case: Case) -> Json:
    return {"id": case.id, "input": dict(case.input), "expected": dict(case.expected), "tags": dict(case.tags)}


def _describe_answer(answer: Answer) -> Json:
    calls: list[Json] = [{"name": call.name, "arguments": dict(call.arguments)} for call in answer.tool_calls]
    return {"text": answer.text, "tool_calls": calls}


def _read_result(call: str, result: Json) -> Score | Unscored:
    value = result.get("value") if isinstance(result, dict) else result
    explanation = result.get("explanation", "") if isinstance(result, dict) else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _unscored(f"{call} must return a number from 0 to 1, not {kind_of(value)}")
    if not 0 <= value <= 1:
        return _unscored(f"{call} must return a number from 0 to 1, not {escape(str(value), limit=20)}")
    if not isinstance(explanation, str):
        return _unscored(f"{call} must explain itself with text, not {kind_of(explanation)}")
    return judged(float(value), escape(explanation, limit=SENTENCE_LIMIT - 3) or f"{call} returned {value:g}")


def _unscored(detail: str) -> Unscored:
    return Unscored(reason=Missing.SCORER_FAILED, detail=clip(detail))
