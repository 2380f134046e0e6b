"""Fill an answer up to what GitHub's description requires, so that a handler only says what it knows.

A required field that nobody gave is null where it may be, else empty; a field that the description does not know raises
UnknownFieldError, so that the stand-in cannot drift away from it.
"""

from __future__ import annotations

from typing import Any

from tests.rigs.github_hub.contract import description

BLANK_TIME = "2026-11-20T12:00:00Z"
BLANK_URL = "http://127.0.0.1/blank"
BLANKS: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}


class UnknownFieldError(AssertionError):
    """A handler answers a field that GitHub does not."""


def complete(schema: dict[str, Any], value: Any, where: str = "$") -> Any:
    """Return a value with everything in it that the schema requires."""
    found = _chosen(schema, value)
    if isinstance(value, list) and "items" in found:
        return [complete(found["items"], item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict) and "properties" in found:
        return _completed(found, value, where)
    return value


def _completed(schema: dict[str, Any], value: dict[str, Any], where: str) -> dict[str, Any]:
    known = schema["properties"]
    strange = value.keys() - known.keys()
    if strange and not schema.get("additionalProperties"):
        raise UnknownFieldError(f"{where}: GitHub's description has no {', '.join(sorted(strange))}")
    required = {name: _blank(known[name]) for name in schema.get("required", ()) if name not in value}
    return required | {name: complete(known.get(name, {}), item, f"{where}.{name}") for name, item in value.items()}


def _chosen(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """Follow references, merge what must hold together, and choose the alternative that the value is of."""
    while "$ref" in schema:
        schema = description()["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "allOf" in schema:
        schema = _merged(schema, value)
    if "anyOf" in schema and "properties" not in schema:
        fitting = (part for part in (_chosen(part, value) for part in schema["anyOf"]) if _fits(part, value))
        return next(fitting, {})
    return schema


def _merged(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    parts = [_chosen(part, value) for part in schema["allOf"]]
    properties = {name: item for part in parts for name, item in part.get("properties", {}).items()}
    required = [name for part in parts for name in part.get("required", ())]
    kind = next((part["type"] for part in parts if "type" in part), "object")
    merged = {"type": kind, "properties": properties, "required": required}
    return merged if properties else {"type": kind, **parts[0]}


def _fits(schema: dict[str, Any], value: Any) -> bool:
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return "object" in kinds and all(
            name in known and item in known[name].get("enum", (item,)) for name, item in value.items()
        )
    names = {list: "array", str: "string", bool: "boolean", int: "integer", type(None): "null"}
    return names.get(type(value), "number") in kinds


def _blank(schema: dict[str, Any]) -> Any:
    if "anyOf" in schema:
        parts = [_chosen(part, None) for part in schema["anyOf"]]
        return None if any("null" in part.get("type", ()) for part in parts) else _blank(parts[0])
    schema = _chosen(schema, {})
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return complete({"properties": {}, **schema}, {})
    if schema.get("format") in ("uri", "date-time"):
        return BLANK_URL if schema["format"] == "uri" else BLANK_TIME
    return [] if kind == "array" else BLANKS[kind]
