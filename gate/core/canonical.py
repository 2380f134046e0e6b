"""Canonical JSON and tagged digests: equal values give equal bytes on every machine."""

import hashlib
import json
import math
from typing import NoReturn

from gate.core.model import Json


class NotJsonError(ValueError):
    """The text is not JSON as lockgate accepts it (NaN, infinities and duplicate keys are refused)."""


def canonical_json(value: Json) -> str:
    """Render a value with sorted keys and no spaces; raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def readable_json(value: Json) -> str:
    """Render a value with sorted keys, two-space indent and a final line end; as deterministic as `canonical_json`."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


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
