"""From what a script says to what is answered: forced tools, JSON answers and the limit on length."""

import json
from typing import Any

from tests.rigs.model_server.asking import Answer, Ask, Stop, pieces
from tests.rigs.model_server.script import Said, ToolUse

_DEEPEST = 12


def compose(ask: Ask, said: str | Said, *, key: str, fingerprint: str) -> Answer:
    """Make an answer: scripted calls as they are, else the forced tool, else text, as JSON if that was asked for."""
    spoken = Said(text=said) if isinstance(said, str) else said
    text, calls = spoken.text, spoken.calls
    if ask.forced is not None and not calls:
        arguments = json.loads(_as_json(text, ask.forced.schema or {"type": "object"}))
        text, calls = "", (ToolUse(name=ask.forced.name, arguments=arguments),)
    elif ask.schema is not None and not calls:
        text = _as_json(text, ask.schema)
    stop = Stop.TOOL if calls else Stop.END
    if ask.max_tokens is not None and len(found := pieces(text)) > ask.max_tokens:
        text, stop = "".join(found[: ask.max_tokens]), Stop.LENGTH
    return Answer(
        key=key,
        model=ask.model,
        fingerprint=fingerprint,
        text=text,
        calls=calls,
        prompt_words=ask.words,
        stop=stop,
    )


def _as_json(text: str, schema: Any) -> str:
    """Keep a text that is a JSON object or array, whether or not it fits the schema: a script may want it wrong."""
    try:
        if isinstance(json.loads(text), dict | list):
            return text
    except (ValueError, RecursionError):
        pass
    return json.dumps(instance(schema, text))


def instance(schema: Any, text: str) -> Any:
    """Make a small instance of a JSON Schema, with the text wherever a string may stand."""
    return _instance(schema, text, (schema, _DEEPEST))


def _instance(schema: Any, text: str, place: tuple[Any, int]) -> Any:
    root, depth = place
    if not isinstance(schema, dict) or not depth:
        return text
    if "$ref" in schema:
        return _instance(_referenced(root, str(schema["$ref"])), text, (root, depth - 1))
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _instance(schema[key][0], text, (root, depth - 1))
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return text if text in schema["enum"] else schema["enum"][0]
    return _of_type(schema, text, (root, depth - 1))


def _of_type(schema: dict[str, Any], text: str, place: tuple[Any, int]) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _instance(value, text, place) for name, value in schema.get("properties", {}).items()}
    if kind == "array":
        return [_instance(schema.get("items", {}), text, place) for _ in range(schema.get("minItems", 1))]
    numbers = {"integer": schema.get("minimum", 0), "number": schema.get("minimum", 0.0)}
    return (numbers | {"boolean": True, "null": None}).get(kind, text)


def _referenced(root: Any, reference: str) -> Any:
    found = root
    for name in reference.removeprefix("#").split("/")[1:]:
        found = found.get(name) if isinstance(found, dict) else None
    return found
