"""GitHub's published description of its API: which operations there are, and what may be said to and by them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, FormatChecker

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
MULTI_SEGMENT = ("path", "ref", "branch", "basehead")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
SHOWN_END = 200
ERRORS = 400


@cache
def description() -> dict[str, Any]:
    """The cut as it is in the file; the head of a pull request has no repository once its fork is deleted."""
    cut: dict[str, Any] = json.loads((HERE / "openapi.json").read_text(encoding="utf-8"))
    for name in ("pull-request", "pull-request-simple"):
        head = cut["$defs"][name]["properties"]["head"]["properties"]
        # GitHub sends null there, and its description does not say so.
        head["repo"] = {"anyOf": [head["repo"], {"type": "null"}]}
    return cut


@dataclass(frozen=True)
class Operation:
    """One operation by its key, such as `GET /user`."""

    key: str

    @property
    def _described(self) -> dict[str, Any]:
        return description()["operations"][self.key]  # type: ignore[no-any-return]

    def response_schema(self, status: int) -> dict[str, Any] | None:
        """The schema of an answer; None for one without a body. Raises KeyError for a status GitHub does not name."""
        responses = self._described["responses"]
        if status >= ERRORS and responses.get(str(status)) is None:
            return {"$ref": "#/$defs/basic-error"}
        described = responses[str(status)]
        return described and described["schema"]

    def request_problems(self, path: Mapping[str, str], query: Mapping[str, list[str]], body: Any) -> list[str]:
        """What breaks the description in a request; parameters and top-level fields that it does not know do too."""
        known = {(given["in"], given["name"]): given for given in self._described["parameters"]}
        said = {("path", name): value for name, value in path.items()}
        said |= {("query", name): values[-1] for name, values in query.items()}
        problems = [f"{where} parameter {name} is not known" for where, name in said if (where, name) not in known]
        problems += [f"{where} parameter {name} is missing" for (where, name), given in known.items()
                     if given["required"] and (where, name) not in said]  # fmt: skip
        for key, text in said.items():
            if key in known:
                problems += _problems(known[key]["schema"], _parsed(known[key]["schema"], text), f"{key[1]}: ")
        return problems + self._body_problems(body)

    def _body_problems(self, body: Any) -> list[str]:
        described = self._described["body"]
        if described is None:
            return [] if body is None else ["a body is sent where none is described"]
        if body is None:
            return ["the body is missing"] if described["required"] else []
        schema = described["schema"]
        parts = (schema, *schema.get("anyOf", ()))
        known = {name for part in parts for name in part.get("properties", ())}
        strange = [name for name in body if known and name not in known] if isinstance(body, dict) else []
        return [f"field {name} is not known" for name in strange] + _problems(schema, body, "body ")

    def response_problems(self, status: int, body: Any) -> list[str]:
        """What breaks the description in an answer."""
        try:
            schema = self.response_schema(status)
        except KeyError:
            return [f"status {status} is not described"]
        if schema is None:
            return [] if body is None else [f"status {status} has no body"]
        return _problems(schema, body, "answer ")


@cache
def operations() -> tuple[tuple[str, re.Pattern[str], Operation], ...]:
    """Method, path and operation; the most literal path comes first."""
    keys = sorted(description()["operations"], key=lambda key: -len(re.sub(r"\{\w+\}", "", key)))
    return tuple((key.split()[0], _pattern(key.split()[1]), Operation(key)) for key in keys)


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that a request asks for, with its path parameters decoded."""
    for wanted, pattern, operation in operations():
        found = pattern.fullmatch(path) if wanted == method else None
        if found:
            return operation, {name: unquote(text) for name, text in found.groupdict().items()}
    return None


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    named = (f"(?P<{name}>{'.+' if name in MULTI_SEGMENT else '[^/]+'})" for name in parts[1::2])
    return re.compile("".join(re.escape(text) + next(named, "") for text in parts[::2]))


def _parsed(schema: dict[str, Any], text: str) -> Any:
    """A parameter's text as the type that is described; text that is none stays text and is refused."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch("-?[0-9]+", text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


@cache
def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    checker.checks("date-time")(lambda value: not isinstance(value, str) or bool(DATE_TIME.fullmatch(value)))
    checker.checks("uri")(lambda value: not isinstance(value, str) or bool(re.match(r"https?://\S+$", value)))
    return checker


@cache
def _validator(schema: str) -> Draft202012Validator:
    whole = {**json.loads(schema), "$defs": description()["$defs"]}
    return Draft202012Validator(whole, format_checker=_formats())


def _problems(schema: dict[str, Any], value: Any, where: str) -> list[str]:
    errors = _validator(json.dumps(schema, sort_keys=True)).iter_errors(value)
    return [f"{where}{error.json_path}: {_shortened(error.message)}" for error in errors]


def _shortened(words: str) -> str:
    """Keep both ends: the value comes first and may be long, what is wrong with it comes last."""
    return words if len(words) <= 2 * SHOWN_END else f"{words[:SHOWN_END]} ... {words[-SHOWN_END:]}"
