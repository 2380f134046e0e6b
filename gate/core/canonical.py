"""Canonical JSON and tagged digests: equal values give equal bytes on every machine."""

import hashlib
import json
import math
from functools import cache
from json.encoder import encode_basestring
from typing import NoReturn

from gate.core.model import Json

_INDENT = "  "
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_CANONICAL = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


class NotJsonError(ValueError):
    """The text is not JSON as lockgate accepts it (NaN, infinities and duplicate keys are refused)."""


def canonical_json(value: Json) -> str:
    """Render a value with sorted keys and no spaces; raises ValueError for NaN and infinities."""
    return _CANONICAL.encode(value)


def readable_json(value: Json) -> str:
    """Render a value with sorted keys, two-space indent and a final line end; as deterministic as `canonical_json`."""
    return _readable(value, "\n") + "\n"


def _readable(value: Json, line: str) -> str:
    """What `json.dumps` makes of it with an indent, which it does without its fast encoder."""
    if not (isinstance(value, dict | list) and value):
        return _scalar(value)
    inner, parts = line + _INDENT, value.values() if isinstance(value, dict) else value
    if not any(part and isinstance(part, dict | list) for part in parts):
        flat = _flat(inner).encode(value)
        return f"{flat[0]}{inner}{flat[1:-1]}{line}{flat[-1]}"
    if isinstance(value, dict):
        items = [f"{encode_basestring(key)}: {_readable(value[key], inner)}" for key in sorted(value)]
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}"
    return f"[{inner}{f',{inner}'.join([_readable(item, inner) for item in value])}{line}]"


@cache
def _flat(line: str) -> json.JSONEncoder:
    """The fast encoder, each item on a line of its own: for what holds nothing that is nested."""
    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(f",{line}", ": "))


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    return _ENCODER.encode(value)


def digest(value: Json) -> str:
    """Return `sha256:` and the hex SHA-256 of the canonical JSON."""
    return digest_text(canonical_json(value))


def digest_text(text: str) -> str:
    """Return `sha256:` and the hex SHA-256 of the text in UTF-8 (lone surrogates included)."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parse_json(text: str) -> Json:
    """Parse JSON strictly; raises NotJsonError for NaN, infinities, duplicate keys, or malformed text."""
    try:
        value: Json = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_refuse_duplicates
        )
    except NotJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error)) from error
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        message = f"{text[:20]} is too large for a number"
        raise NotJsonError(message)
    return value


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not a JSON number"
    raise NotJsonError(message)


def _refuse_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for key, value in pairs:
        if key in result:
            message = f"key {key!r} is given twice"
            raise NotJsonError(message)
        result[key] = value
    return result
