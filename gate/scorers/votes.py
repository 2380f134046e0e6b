"""One question to a judge and its answer in the form that was asked for, with one repeat for another form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gate.core.judging import Desk
from gate.core.model import Call, Json, Missing, Unanswered, Unscored
from gate.scorers.answer_json import Unreadable, read_json
from gate.scorers.explanation import QUOTE_LIMIT, clip, escape, kind_of, show
from gate.scorers.judge_prompt import AGAIN, vote_seed
from gate.scorers.options import Options

ATTEMPTS = 2
REPLY_LIMIT = 4_000
NOT_BOUND = "the judge was given no model to ask"

Check: TypeAlias = "Callable[[Json], str]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What a judge said: its choice, its reasoning, and its reply as it came, bounded."""

    choice: Json
    reasoning: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The reply that is asked for: an object with `reasoning` and one `key`; `check` says what is wrong with a value.

    It returns an empty text for a value that can be used.
    """

    key: str
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One question: whose case, the prompt, and which of its votes, from 0."""

    case_id: str
    prompt: str
    number: int = 0


def read_model(options: Options) -> Mapping[str, Json]:
    """The judge's model as it is written; the suite loader checks its keys. Raises ValueError."""
    model = options.values.get("model")
    if not isinstance(model, dict):
        raise options.wrong("model", "a mapping, as in gate.yaml", model)
    if "response_schema" in model:
        raise ValueError("response_schema does not belong to a judge: its form is fixed, and checked here")
    return model


def cast(desk: Desk | None, ballot: Ballot, form: Form) -> Vote | Unscored:
    """Ask for one vote; a reply of another form is asked for once more, and then it is missing."""
    if desk is None:
        return _missing(NOT_BOUND)
    trouble = ""
    for attempt in range(ATTEMPTS):
        prompt = ballot.prompt + (AGAIN if attempt else "")
        seed = vote_seed(ballot.prompt, str(ballot.number), str(attempt))
        index = ballot.number * ATTEMPTS + attempt
        reply = desk.ask(Call(case_id=ballot.case_id, prompt=prompt, variables={}, seed=seed, index=index))
        if reply is None:
            return Unscored(reason=Missing.INTERRUPTED, detail="the run was ended before the judge was asked")
        if isinstance(reply, Unanswered):
            return _missing(f"the judge gave no answer: {reply.reason}: {escape(reply.detail, limit=200)}")
        read = read_vote(reply.text, form)
        if isinstance(read, Vote):
            return read
        trouble = read
    return _missing(f"the judge gave no usable answer in {ATTEMPTS} attempts: {trouble}")


def read_vote(text: str, form: Form) -> Vote | str:
    """Read a reply, or say in a sentence what is wrong with it."""
    found = read_json(text)
    if isinstance(found, Unreadable):
        return found.reason
    value = found.value
    if not isinstance(value, dict) or value.keys() != {"reasoning", form.key}:
        return f"it is not an object with reasoning and {form.key} only"
    reasoning, choice = value["reasoning"], value[form.key]
    if not isinstance(reasoning, str):
        return f"its reasoning is {kind_of(reasoning)}"
    trouble = form.check(choice)
    return (
        f"its {form.key} is {show(choice)}, {trouble}"
        if trouble
        else Vote(choice=choice, reasoning=reasoning, reply=text[:REPLY_LIMIT])
    )


def reasons(vote: Vote) -> str:
    """What a judge says for itself, safe to show."""
    return f'"{escape(vote.reasoning, limit=2 * QUOTE_LIMIT, mark=chr(34))}"'


def too_long(limit: int) -> Unscored:
    """An answer that no judge is asked about."""
    return Unscored(reason=Missing.TOO_LARGE, detail=f"the answer has over {limit:,} characters and is not judged")


def _missing(detail: str) -> Unscored:
    return Unscored(reason=Missing.SCORER_FAILED, detail=clip(detail))
