"""The JSON Schema that answers were asked to follow, checked here again: not every provider keeps what it promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from jsonschema.protocols import Validator

from gate.core.canonical import NotJsonError, parse_json
from gate.core.model import Json
from gate.documents.json_schema import describe, find_breach, load_validator

_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSchema:
    """A schema that is ready to use."""

    validator: Validator

    @classmethod
    def load(cls, schema: Mapping[str, Json]) -> Self:
        """Check the schema; raises ValueError or SchemaError for one that cannot be used."""
        return cls(validator=load_validator(dict(schema)))

    def breach(self, text: str) -> str:
        """Where the text breaks the schema, as a sentence that may quote it; empty where it follows it."""
        try:
            error = find_breach(self.validator, parse_json(text))
        except NotJsonError:
            return "the answer is not JSON"
        except TimeoutError:
            return "a pattern of the schema took too long"
        except (OverflowError, ValueError):
            return "the answer cannot be checked against the schema"
        return "" if error is None else describe(error, _SHOWN)[:_SHOWN]
