"""JSON Schema (Draft 2020-12), without network."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import regex
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from gate.core.canonical import parse_json
from gate.core.model import Case, Exhibit, Json, Missing, Score, Unscored
from gate.scorers.answer_json import Unreadable, fingerprint, read_json
from gate.scorers.explanation import QUOTE_LIMIT, escape, failed, passed, quote
from gate.scorers.options import Options

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PATTERN_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchema:
    """The answer is JSON that a JSON Schema (Draft 2020-12) accepts.

    References must stay inside the schema, nothing is fetched; `format` is not checked.

    - exactly one of `file`: the schema's path in the suite folder, or `schema`: the schema itself
    """

    validator: Validator

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read and check the schema; raises ValueError."""
        options.allow("file", "schema")
        schema = _check_schema(_load_schema(options))
        return cls(validator=_validator_class()(schema, registry=Registry()))

    def applies(self, case: Case) -> bool:  # noqa: ARG002 - the schema is the suite's, not the case's
        """Say yes: every answer must follow the schema."""
        return True

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Validate the answer; raises ValueError for a schema that refers to itself without end."""
        answer = read_json(exhibit.answer.text)
        if isinstance(answer, Unreadable):
            return failed(answer.reason)
        try:
            error = self._first_error(answer.value)
        except TimeoutError:
            return Unscored(reason=Missing.TIMED_OUT, detail="a pattern of the schema took too long")
        except OverflowError:
            return failed("the answer holds a number that is too large to be checked against the schema")
        if error is None:
            return passed("the answer follows the schema")
        return failed(f"the answer breaks the schema at {_describe(error)}")

    def _first_error(self, value: Json) -> ValidationError | None:
        instance: Any = value
        try:
            found: ValidationError | None = best_match(self.validator.iter_errors(instance))
        except RecursionError as trouble:
            # The depth of the answer is bounded far below this, so it is not the candidate's doing.
            raise ValueError("the schema refers to itself without end") from trouble
        return found


def _load_schema(options: Options) -> Json:
    if options.exactly_one("file", "schema") == "schema":
        return options.values["schema"]
    text = options.file("file")
    try:
        return parse_json(text)
    except ValueError as error:
        raise ValueError(f"file {quote(options.text('file'))} is not JSON: {error}") from error


def _check_schema(schema: Json) -> dict[str, Json]:
    if not isinstance(schema, dict) or schema.get("$schema", _DIALECT) != _DIALECT:
        raise ValueError(f"the schema must be a mapping, and its $schema {_DIALECT} or left out")
    try:
        Draft202012Validator.check_schema(schema)
        _check_references(schema)
    except SchemaError as error:
        raise ValueError(f"the schema cannot be used: {_describe(error)}") from error
    except RecursionError as error:
        raise ValueError("the schema is nested too deeply") from error
    return schema


def _check_references(schema: dict[str, Json]) -> None:
    root = DRAFT202012.create_resource(schema)
    waiting = [(root, Registry().resolver_with_root(root))]
    while waiting:
        resource, resolver = waiting.pop()
        for reference in _references(resource.contents):
            try:
                resolver.lookup(reference)
            except Unresolvable as error:
                raise ValueError(f"the reference {quote(reference)} leads out of the schema or nowhere") from error
        waiting.extend((part, resolver.in_subresource(part)) for part in resource.subresources())


def _references(schema: object) -> list[str]:
    return [schema[key] for key in ("$ref", "$dynamicRef") if key in schema] if isinstance(schema, dict) else []


def _validator_class() -> type[Validator]:
    extend: Any = validators.extend
    keywords = {"pattern": _match_pattern, "uniqueItems": _refuse_repeats}
    extended: type[Validator] = extend(Draft202012Validator, keywords)
    return extended


def _match_pattern(_validator: Validator, pattern: str, instance: object, _schema: object) -> Iterator[ValidationError]:
    # jsonschema's own has no time limit, and the answer is hostile.
    if isinstance(instance, str) and not regex.search(pattern, instance, timeout=_PATTERN_SECONDS):
        yield ValidationError(f"{quote(instance)} does not match the pattern")


def _refuse_repeats(
    _validator: Validator, wanted: object, instance: object, _schema: object
) -> Iterator[ValidationError]:
    # jsonschema's own compares each item with each: minutes for a hostile list.
    if wanted and isinstance(instance, list) and len({fingerprint(item) for item in instance}) < len(instance):
        yield ValidationError("an item is there twice")


def _describe(error: ValidationError | SchemaError) -> str:
    sentence = f"{error.json_path}: {error.message}"
    if len(sentence) > QUOTE_LIMIT:
        sentence = f"{error.json_path}: '{error.validator}' does not hold"
    return escape(sentence)
