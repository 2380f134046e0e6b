"""Short sentences about hostile text: bounded, with control characters escaped."""

import json

from gate.core.model import Json, Score

SENTENCE_LIMIT = 300
QUOTE_LIMIT = 80


def escape(text: str, *, limit: int = QUOTE_LIMIT, mark: str = "") -> str:
    r"""Return at most `limit` characters of `text`, escaped as `repr` does, with `...` where it was cut.

    Backslashes and the characters of `mark` get a backslash; everything that is not printable (control, zero-width,
    direction and surrogate characters) becomes `\x..` or `\u....`.
    """
    escaped = ""
    for character in text[: limit + 1]:
        piece = _escape_character(character, mark)
        if len(escaped) + len(piece) > limit:
            return escaped + "..."
        escaped += piece
    return escaped


def quote(text: str) -> str:
    """Return the escaped text in double quotes."""
    return f'"{escape(text, mark=chr(34))}"'


def show(value: Json) -> str:
    """Return a JSON value for a sentence: text quoted, everything else as JSON, both bounded."""
    if isinstance(value, str):
        return quote(value)
    return escape(json.dumps(value, ensure_ascii=False))


def kind_of(value: object) -> str:
    """Name the kind of a JSON value in plain words, with its article."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    names = {str: "text", list: "a list", dict: "a mapping", type(None): "nothing"}
    return names.get(type(value), f"a {type(value).__name__}")


def clip(sentence: str) -> str:
    """Cut a sentence to 300 characters, with `...` where it was cut."""
    return sentence if len(sentence) <= SENTENCE_LIMIT else sentence[: SENTENCE_LIMIT - 3] + "..."


def judged(value: float, sentence: str) -> Score:
    """Return a score with a clipped explanation; raises ValueError for a value outside 0..1."""
    return Score(value=value, explanation=clip(sentence))


def passed(sentence: str) -> Score:
    """Return the full score."""
    return judged(1.0, sentence)


def failed(sentence: str) -> Score:
    """Return a score of zero."""
    return judged(0.0, sentence)


def _escape_character(character: str, mark: str) -> str:
    if character == "\\" or character in mark:
        return "\\" + character
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
