"""One answer of a past run with the whole question that it belongs to, the same in the cache and in recordings.

What is read is believed only where the question in it is the one that is asked, by its SHA-256.
"""

from __future__ import annotations

from gate.core.canonical import NotJsonError, digest, parse_json
from gate.core.codec import DecodeError, decode, encode
from gate.core.model import Answer, Json
from gate.core.question import Origin, Question, replay_of
from gate.errors import RecordError

SCHEMA = "lockgate.recording/1"


def answer_record(question: Question, answer: Answer) -> dict[str, Json]:
    """The record of an answer, without what measured it."""
    return {
        "schema": SCHEMA,
        "key": question.key,
        "question": question.plain(),
        "answer": encode(replay_of(answer, "")),
    }


def parse_answer(text: str, place: str, *, question: Question, origin: Origin) -> Answer:
    """Read the answer to a question; raises RecordError naming the place for a record of anything else."""
    hint = "remove it: the model is then asked again"
    try:
        plain = parse_json(text)
    except NotJsonError as error:
        raise RecordError(f"{place}: not JSON: {error}", hint=hint) from error
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        raise RecordError(f"{place}: not a record of schema {SCHEMA!r}", hint=hint)
    if plain.get("key") != question.key or digest(plain.get("question")) != question.key:
        raise RecordError(f"{place}: the answer in it belongs to another question", hint=hint)
    try:
        return replay_of(decode(Answer, plain.get("answer")), origin)
    except DecodeError as error:
        raise RecordError(f"{place}: {error}", hint=hint) from error
