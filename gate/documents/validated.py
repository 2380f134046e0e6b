"""Documents against models: every problem at once, one line each, with its place and the key that was meant."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from gate.documents.wording import key_path, quoted, suggestion
from gate.documents.yaml_source import YamlDocument
from gate.errors import ConfigurationError

PROBLEM_LIMIT = 20
HINT = "correct the places named above"

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_WANTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "finite_number": "a finite number",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: the path of the value (or of the key, when `at_key`) and a sentence."""

    path: Path
    message: str
    at_key: bool = False

    def text(self) -> str:
        """Render `key.path: message`; the path of a problem with a key is that of the mapping around it."""
        where = key_path(self.path[:-1] if self.at_key else self.path)
        return f"{where}: {self.message}" if where else self.message


def validate_document(document: YamlDocument, model: type[M]) -> M:
    """Return the document as an instance of a model; raises one ConfigurationError that lists every problem."""
    try:
        return model.model_validate_json(json.dumps(document.data, allow_nan=False))
    except ValidationError as error:
        raise document_error(document, problems_of(error, model)) from error


def document_error(document: YamlDocument, problems: Iterable[Problem]) -> ConfigurationError:
    """Make one error of problems: a `file:line:column: key.path: message` line each, in file order, at most 20."""
    placed = sorted((_place(document, problem), problem.text()) for problem in problems)
    lines = [f"{document.name}:{line}:{column}: {text}" for (line, column), text in placed]
    return ConfigurationError("\n".join(bounded(lines)), hint=HINT)


def bounded(lines: Sequence[str]) -> list[str]:
    """Keep the first 20 lines and say how many more there are."""
    more = len(lines) - PROBLEM_LIMIT
    return [*lines[:PROBLEM_LIMIT], *([f"... and {more} more"] if more > 0 else [])]


def problems_of(error: ValidationError, model: type[BaseModel]) -> tuple[Problem, ...]:
    """Translate pydantic's errors into problems in lockgate's words."""
    details = error.errors(include_url=False)
    above = {detail["loc"][:length] for detail in details for length in range(len(detail["loc"]))}
    # A collection whose items are refused counts as too short as well; that says nothing new.
    return tuple(_problem(each, model) for each in details if each["type"] != "too_short" or each["loc"] not in above)


def _place(document: YamlDocument, problem: Problem) -> tuple[int, int]:
    return document.key_position(problem.path) if problem.at_key else document.position(problem.path)


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        word = str(path[-1])
        message = f"unknown key {quoted(word)}{suggestion(word, _known_keys(model, path[:-1]))}"
        return Problem(path=path, message=message, at_key=True)
    if detail["type"] == "missing":
        return Problem(path=path[:-1], message=f"the key {quoted(str(path[-1]))} is missing")
    if path and path[-1] == "[key]":
        return Problem(path=path[:-1], message=_message(detail), at_key=True)
    return Problem(path=path, message=_message(detail))


def _message(detail: ErrorDetails) -> str:
    given = detail["input"]
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    if detail["type"] == "too_short" and not given:
        return "must not be empty"
    if detail["type"] in _WANTED:
        return f"must be {_WANTED[detail['type']]}, not {quoted(given)}"
    text = re.sub(r"^\w+ should", "must", detail["msg"])
    known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    return f"{text}, not {quoted(given)}{suggestion(given, known) if isinstance(given, str) else ''}"


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    shape: object = model.model_fields["root"].annotation if issubclass(model, RootModel) else model
    for part in path:
        shape = _below(shape, part)
    fields = shape.model_fields if _is_model(shape) else {}
    return [info.alias or name for name, info in fields.items()]


def _below(shape: object, part: str | int) -> object:
    if _is_model(shape):
        named = {info.alias or name: info.annotation for name, info in shape.model_fields.items()}
        return _without_none(named.get(str(part)))
    arguments = get_args(shape)
    return _without_none(arguments[0 if isinstance(part, int) else -1]) if arguments else None


def _is_model(shape: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _without_none(shape: object) -> object:
    if get_origin(shape) is None or type(None) not in get_args(shape):
        return shape
    return next(argument for argument in get_args(shape) if argument is not type(None))
