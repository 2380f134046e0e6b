"""Equality of JSON values."""

from collections.abc import Hashable

from gate.core.model import Json


def fingerprint(value: Json) -> Hashable:
    """Return a value that can be hashed, and is equal for equal JSON values only."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, dict):
        return ("dict", frozenset((key, fingerprint(part)) for key, part in value.items()))
    return ("list", tuple(map(fingerprint, value))) if isinstance(value, list) else value
