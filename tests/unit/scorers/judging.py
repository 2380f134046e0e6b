"""Judges for tests: built from as few words as possible, and asked by a script of replies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.core.judging import Desk, Judge
from gate.core.model import Answer, Call, Json, Unanswered
from tests.unit.scorers.exhibits import make

RUBRIC = "1. Read the answer.\n2. Score it: 5 good, 1 bad.\n"
FOLDER = "golden_sets/intent"
MODEL: dict[str, Json] = {
    "provider": "openai",
    "name": "judge-1",
    "base_url": "http://127.0.0.1:9/v1",
    "temperature": 0.5,
    "max_output_tokens": 200,
}
OPTIONS: dict[str, Json] = {"rubric": "rubric.md", "question": "Is it polite?", "model": MODEL}


def make_judge(name: str = "judge", files: Mapping[str, str] | None = None, /, **options: Json) -> Judge:
    """A judge of the suite in golden_sets/intent, not bound yet."""
    written = {f"{FOLDER}/rubric.md": RUBRIC, **{f"{FOLDER}/{path}": text for path, text in (files or {}).items()}}
    made = make(name, written, **{**OPTIONS, **options})
    assert isinstance(made, Judge)
    return made


def scored(score: Json, reasoning: str = "it thanks") -> str:
    """A reply with a score."""
    return json.dumps({"reasoning": reasoning, "score": score})


def better(choice: str) -> str:
    """A reply to a comparison."""
    return json.dumps({"reasoning": "clearer", "better": choice})


@dataclass
class Scripted:
    """Replies in turn, the last one for ever; remembers the calls."""

    replies: list[str | Unanswered | None]
    calls: list[Call] = field(default_factory=list)

    def __call__(self, call: Call) -> Answer | Unanswered | None:
        self.calls.append(call)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return Answer(text=reply, model="judge-1") if isinstance(reply, str) else reply


def bound(
    judge: Judge, *replies: str | Unanswered | None, mark: float = 0.7, **references: str
) -> tuple[Judge, Scripted]:
    """The judge with these replies, and what was asked."""
    ask = Scripted(list(replies))
    kept = {name.replace("_", "-"): text for name, text in references.items()}
    return judge.bound(Desk(ask=ask, pass_mark=mark, references=kept)), ask
