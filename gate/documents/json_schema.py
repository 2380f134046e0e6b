"""JSON Schema (Draft 2020-12) without network, for schemas and values that are both hostile.

References must stay inside the schema, nothing is fetched, `format` is not checked, and patterns have a time limit.
"""

from collections.abc import Iterator
from typing import Any

import regex
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from gate.core.model import Json
from gate.documents.json_values import fingerprint
from gate.documents.wording import quoted

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PATTERN_SECONDS = 0.5


def load_validator(schema: Json) -> Validator:
    """Check a schema and make it ready to use; raises ValueError or SchemaError for one that cannot be used."""
    if not isinstance(schema, dict) or schema.get("$schema", DIALECT) != DIALECT:
        raise ValueError(f"the schema must be a mapping, and its $schema {DIALECT} or left out")
    try:
        Draft202012Validator.check_schema(schema)
        _check_references(schema)
    except RecursionError as error:
        raise ValueError("the schema is nested too deeply") from error
    return _validator_class()(schema, registry=Registry())


def find_breach(validator: Validator, value: Json) -> ValidationError | None:
    """Find where a value breaks the schema, None where it follows it.

    Raises TimeoutError for a pattern that takes too long, OverflowError for a number that is too large to be checked,
    and ValueError for a schema that refers to itself without end.
    """
    instance: Any = value
    try:
        found: ValidationError | None = best_match(validator.iter_errors(instance))
    except RecursionError as trouble:
        # The depth of the value is bounded far below this, so it is not the candidate's doing.
        raise ValueError("the schema refers to itself without end") from trouble
    return found


def _check_references(schema: dict[str, Json]) -> None:
    root = DRAFT202012.create_resource(schema)
    waiting = [(root, Registry().resolver_with_root(root))]
    while waiting:
        resource, resolver = waiting.pop()
        for reference in _references(resource.contents):
            try:
                resolver.lookup(reference)
            except Unresolvable as error:
                raise ValueError(f"the reference {quoted(reference)} leads out of the schema or nowhere") from error
        waiting.extend((part, resolver.in_subresource(part)) for part in resource.subresources())


def _references(schema: object) -> list[str]:
    return [schema[key] for key in ("$ref", "$dynamicRef") if key in schema] if isinstance(schema, dict) else []


def _validator_class() -> type[Validator]:
    extend: Any = validators.extend
    keywords = {"pattern": _match_pattern, "uniqueItems": _refuse_repeats}
    extended: type[Validator] = extend(Draft202012Validator, keywords)
    return extended


def _match_pattern(
    _validator: Validator, pattern: str, instance: object, *_schema: object
) -> Iterator[ValidationError]:
    # jsonschema's own has no time limit, and the value is hostile.
    if isinstance(instance, str) and not regex.search(pattern, instance, timeout=_PATTERN_SECONDS):
        yield ValidationError(f"{quoted(instance)} does not match the pattern")


def _refuse_repeats(
    _validator: Validator, wanted: object, instance: object, *_schema: object
) -> Iterator[ValidationError]:
    # jsonschema's own compares each item with each: minutes for a hostile list.
    if wanted and isinstance(instance, list) and len({fingerprint(item) for item in instance}) < len(instance):
        yield ValidationError("an item is there twice")


def describe(error: ValidationError | SchemaError, limit: int) -> str:
    """Say where and what, without the value where that would take more characters than the limit; not escaped."""
    sentence = f"{error.json_path}: {error.message}"
    return sentence if len(sentence) <= limit else f"{error.json_path}: '{error.validator}' does not hold"
