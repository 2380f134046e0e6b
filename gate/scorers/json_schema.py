"""JSON Schema (Draft 2020-12), without network."""

from dataclasses import dataclass
from typing import Self

from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator

from gate.core.canonical import parse_json
from gate.core.model import Case, Exhibit, Json, Missing, Score, Unscored
from gate.documents.json_schema import describe, find_breach, load_validator
from gate.scorers.answer_json import Unreadable, read_json
from gate.scorers.explanation import QUOTE_LIMIT, escape, failed, passed, quote
from gate.scorers.options import Options


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
        try:
            return cls(validator=load_validator(_load_schema(options)))
        except SchemaError as error:
            raise ValueError(f"the schema cannot be used: {_describe(error)}") from error

    def applies(self, case: Case) -> bool:  # noqa: ARG002 - the schema is the suite's, not the case's
        """Say yes: every answer must follow the schema."""
        return True

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Validate the answer; raises ValueError for a schema that refers to itself without end."""
        answer = read_json(exhibit.answer.text)
        if isinstance(answer, Unreadable):
            return failed(answer.reason)
        try:
            error = find_breach(self.validator, answer.value)
        except TimeoutError:
            return Unscored(reason=Missing.TIMED_OUT, detail="a pattern of the schema took too long")
        except OverflowError:
            return failed("the answer holds a number that is too large to be checked against the schema")
        if error is None:
            return passed("the answer follows the schema")
        return failed(f"the answer breaks the schema at {_describe(error)}")


def _load_schema(options: Options) -> Json:
    if options.exactly_one("file", "schema") == "schema":
        return options.values["schema"]
    text = options.file("file")
    try:
        return parse_json(text)
    except ValueError as error:
        raise ValueError(f"file {quote(options.text('file'))} is not JSON: {error}") from error


def _describe(error: ValidationError | SchemaError) -> str:
    return escape(describe(error, QUOTE_LIMIT))
