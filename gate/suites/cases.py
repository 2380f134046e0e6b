"""cases.jsonl: one case a line, every problem of the file in one error."""

import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import cast

from pydantic import ValidationError

from gate.core.canonical import NotJsonError, digest, parse_json
from gate.core.model import Case, Json, Severity
from gate.documents.tree import Tree
from gate.documents.validated import PROBLEM_LIMIT, problems_of
from gate.documents.wording import quoted, suggestion
from gate.errors import SuiteError
from gate.suites.schema import CaseLine

NAME = "cases.jsonl"
LINE_LIMIT = 2**20
DEPTH_LIMIT = 64
_BOM = b"\xef\xbb\xbf"
_HALF = re.compile("[\ud800-\udfff]")


class _LineError(Exception):
    """A line cannot be read as JSON at all; the message says why."""


def load_cases(tree: Tree, folder: str) -> tuple[Case, ...]:
    """Load a suite folder's cases in file order.

    Raises SuiteError for a missing file, for a file without cases, and for every problem of the first 20 together.
    """
    path = f"{folder}/{NAME}"
    raw = tree.read(path)
    if raw is None:
        raise SuiteError(f"{path}:1: the file does not exist in {tree.name}", hint="write one JSON case a line")
    cases: list[Case] = []
    refuse(_read_into(cases, raw, path))
    if not cases:
        raise SuiteError(f"{path}:1: the suite has no cases", hint="write one JSON case a line")
    refuse(_unknown_peers(cases))
    return tuple(cases)


def described(case: Case) -> Json:
    """All of a case that a verdict depends on."""
    return [case.id, case.digest, dict(case.tags), case.severity, case.cluster, case.critical]


def refuse(problems: Iterable[str]) -> None:
    """Raise one SuiteError of the first 20 problems, or do nothing where there are none."""
    lines: list[str] = []
    for problem in problems:
        if len(lines) == PROBLEM_LIMIT:
            lines.append(f"... stopped after {PROBLEM_LIMIT} problems")
            break
        lines.append(problem)
    if lines:
        raise SuiteError("\n".join(lines), hint="correct these lines")


def _read_into(cases: list[Case], raw: bytes, path: str) -> Iterator[str]:
    first_lines: dict[str, int] = {}
    if raw.startswith(_BOM):
        yield f"{path}:1: the file starts with a byte order mark; save it as UTF-8 without one"
    for number, line in enumerate(io.BytesIO(raw.removeprefix(_BOM).rstrip(b" \t\r\n")), 1):
        place = f"{path}:{number}"
        case = _read_line(line.rstrip(b"\r\n"), place)
        if not isinstance(case, Case):
            yield from case
        elif case.id in first_lines:
            yield f'{place}: case "{case.id}": the id is already used in line {first_lines[case.id]}'
        else:
            first_lines[case.id] = number
            cases.append(case)


def _read_line(raw: bytes, place: str) -> Case | tuple[str, ...]:
    try:
        data = _json_object(raw)
    except _LineError as error:
        return (f"{place}: {error}",)
    named = f"{place}: case {quoted(data['id'])}" if isinstance(data.get("id"), str) else place
    flaw = _flaw(data)
    if flaw:
        return (f"{named}: {flaw}",)
    try:
        line = CaseLine.model_validate(data)
    except ValidationError as error:
        return tuple(f"{named}: {problem.text()}" for problem in problems_of(error, CaseLine))
    return _case(line, place)


def _case(line: CaseLine, place: str) -> Case:
    content = cast("dict[str, dict[str, Json]]", {"input": dict(line.input), "expected": dict(line.expected)})
    return Case(
        id=line.id,
        input=content["input"],
        expected=content["expected"],
        tags=line.tags,
        severity=Severity(line.severity) if line.severity else None,
        cluster=line.cluster,
        critical=line.critical,
        digest=digest(cast("Json", content)),
        place=place,
    )


def _json_object(raw: bytes) -> dict[str, Json]:
    if len(raw) > LINE_LIMIT:
        raise _LineError(f"the line has {len(raw)} bytes; at most {LINE_LIMIT} are read")
    if not raw.strip():
        raise _LineError("the line is blank")
    try:
        value = parse_json(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _LineError(f"byte {raw[error.start]:#x} at offset {error.start} of the line is not UTF-8") from error
    except NotJsonError as error:
        raise _LineError(_syntax_problem(error)) from error
    if not isinstance(value, dict):
        raise _LineError(f"a case is a JSON object, not {quoted(value)}")
    return value


def _syntax_problem(error: NotJsonError) -> str:
    cause = error.__cause__
    if isinstance(cause, json.JSONDecodeError):
        return f"not JSON: {cause.msg} at column {cause.colno}"
    if isinstance(cause, RecursionError):
        return "nested too deep"
    # Python refuses integers of thousands of digits with advice for programmers.
    return "a number has too many digits" if cause else quoted(str(error))[1:-1]


def _flaw(value: Json, depth: int = 1) -> str | None:
    if depth > DEPTH_LIMIT:
        return f"nested more than {DEPTH_LIMIT} levels deep"
    if isinstance(value, str):
        return None if value.isascii() or not _HALF.search(value) else "a text holds half of a surrogate pair"
    below = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next((flaw for part in below if (flaw := _flaw(part, depth + 1))), None)


def _unknown_peers(cases: list[Case]) -> Iterator[str]:
    ids = {case.id for case in cases}
    for case in cases:
        peers = case.expected.get("outranks", [])
        for message in _peer_problems(case.id, peers, ids):
            yield f'{case.place}: case "{case.id}": expected.outranks: {message}'


def _peer_problems(own: str, peers: Json, ids: set[str]) -> Iterator[str]:
    if not isinstance(peers, list):
        yield f"must be a list of case ids, not {quoted(peers)}"
        return
    for peer in peers:
        if not isinstance(peer, str):
            yield f"must be a list of case ids, and holds {quoted(peer)}"
        elif peer == own:
            yield "a case cannot outrank itself"
        elif peer not in ids:
            yield f"there is no case {quoted(peer)}{suggestion(peer, ids)}"
