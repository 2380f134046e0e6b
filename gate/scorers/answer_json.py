"""Read an answer as JSON, strictly; an answer that cannot be read is the candidate's failure, not an outage."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from gate.core.canonical import parse_json
from gate.core.model import Json
from gate.documents.json_values import fingerprint
from gate.scorers.explanation import escape, quote, show

# Far below any interpreter's recursion limit, so that the verdict does not depend on who calls or on the version.
DEPTH_LIMIT = 64
_FENCE = "```"
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["/]))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value of the answer."""

    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNumber:
    """A finite number of the answer, exactly as it was written."""

    value: Fraction
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why the answer has no such value, as a sentence."""

    reason: str


def read_json(text: str) -> Found | Unreadable:
    """Parse the whole text, or the inside of one ```` ```json ```` fence around it, with whitespace around allowed."""
    try:
        value = parse_json(_unfence(text.strip()))
    # Not NotJsonError alone: a number of more than 4,300 digits raises a bare ValueError.
    except (ValueError, RecursionError) as error:
        if isinstance(error.__cause__ or error, RecursionError):
            return _too_deep()
        return Unreadable(reason=f"the answer is not JSON: {escape(str(error))}")
    return _too_deep() if _is_too_deep(value) else Found(value=value)


def read_path(text: str, path: str) -> Found | Unreadable:
    """Find the value at a dotted path such as `a.b.0` in the JSON of an answer."""
    whole = read_json(text)
    if isinstance(whole, Unreadable):
        return whole
    value = whole.value
    for segment in path.split("."):
        if isinstance(value, dict) and segment in value:
            value = value[segment]
        elif isinstance(value, list) and _is_index(segment) and int(segment) < len(value):
            value = value[int(segment)]
        else:
            return Unreadable(reason=f"the answer has no value at {quote(path)}")
    return Found(value=value)


def read_number(text: str, path: str) -> FoundNumber | Unreadable:
    """Find the finite number at a dotted path; true and false are not numbers, nor is text with digits."""
    found = read_path(text, path)
    if isinstance(found, Unreadable):
        return found
    number = to_fraction(found.value)
    if number is None:
        return Unreadable(reason=f"the value at {quote(path)} is not a finite number: {show(found.value)}")
    return FoundNumber(value=number, shown=show(found.value))


def to_fraction(value: Json) -> Fraction | None:
    """Return the number as its shortest decimal form says it (0.1 is one tenth), or None if it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return Fraction(value)
    return Fraction(repr(value)) if math.isfinite(value) else None


def same_json(left: Json, right: Json) -> bool:
    """Say whether two JSON values are equal: 1 equals 1.0, true does not equal 1, the order of keys is free."""
    return fingerprint(left) == fingerprint(right)


def undo_escapes(text: str) -> str:
    """Undo JSON's escapes of quotes, slashes and code points anywhere in a text, such as JSON inside a JSON string."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)


def _unfence(text: str) -> str:
    head, line_end, rest = text.partition("\n")
    if line_end and head.rstrip().lower() == _FENCE + "json" and rest.endswith(_FENCE):
        return rest.removesuffix(_FENCE)
    return text


def _is_index(segment: str) -> bool:
    return segment.isascii() and segment.isdigit()


def _is_too_deep(value: Json) -> bool:
    level = [value]
    for _ in range(DEPTH_LIMIT + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: Json) -> Iterable[Json]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _too_deep() -> Unreadable:
    return Unreadable(reason=f"the answer is not JSON that can be read: nested deeper than {DEPTH_LIMIT} levels")
