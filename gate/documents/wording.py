"""How messages show words that came from a file: bounded, escaped, and with the near word that was probably meant."""

import difflib
import re
from collections.abc import Iterable

SHOWN_CHARACTERS = 60
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,59}")


def quoted(value: object) -> str:
    """Show a value from a file on one line of at most 60 characters, with what does not print escaped."""
    match value:
        case str():
            return f'"{_escaped(value)}"'
        case bool() | None:
            return str(value).lower().replace("none", "null")
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return _escaped(str(value))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean "x"?)` for the nearest known word, or nothing where none is near."""
    near = difflib.get_close_matches(word[:SHOWN_CHARACTERS], sorted(known), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""


def key_path(path: Iterable[str | int]) -> str:
    """Show where a value sits in a document, as in `suites[0].margin`; empty for the whole document."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _PLAIN_KEY.fullmatch(part) else quoted(part))
    return text


def _escaped(text: str) -> str:
    cut = text[:SHOWN_CHARACTERS] + ("..." if len(text) > SHOWN_CHARACTERS else "")
    return "".join(c if c.isprintable() and c not in '"\\' else c.encode("unicode_escape").decode() for c in cut)
