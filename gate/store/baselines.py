"""Baselines as committed files: a header and one line per case, so that a review can read the diff.

The file carries the SHA-256 of its own content. A file that is absent, cut off, of another schema or edited by
hand is a state that the decision is told about, never an empty baseline.
"""

from __future__ import annotations

from typing import Protocol

from gate.core.canonical import canonical_json, digest, parse_json
from gate.core.codec import DecodeError, decode, encode
from gate.core.evidence import Absent, BaselineState, Corrupt, SuiteBaseline
from gate.core.model import Json

SCHEMA = "lockgate.baseline/1"
FOLDER = "baselines"


class Readable(Protocol):
    """Where baselines are read from: a folder or a git ref."""

    def read(self, path: str) -> bytes | None:
        """Content of a file, or None where there is none."""
        ...


def baseline_path(target: str, suite: str) -> str:
    """Where the baseline of a suite lies."""
    return f"{FOLDER}/{target}/{suite}.json"


def anchor_path(target: str, suite: str) -> str:
    """Where the pinned anchor of a suite lies."""
    return f"{FOLDER}/{target}/anchors/{suite}.json"


def answers_path(target: str, suite: str) -> str:
    """Where one typical answer per case of the baseline lies, for people to compare with."""
    return f"{FOLDER}/{target}/answers/{suite}.json"


def references_path(target: str, suite: str) -> str:
    """Where the baseline's answers lie that a judge compares others with, whole, by case id."""
    return f"{FOLDER}/{target}/references/{suite}.json"


def render_baseline(baseline: SuiteBaseline) -> str:
    """The file's text: sorted keys, one line per case, its own digest last in the header."""
    plain = encode(baseline)
    if not isinstance(plain, dict):
        message = "a baseline is an object"
        raise TypeError(message)
    body: dict[str, Json] = plain | {"schema": SCHEMA}
    sealed = body | {"sha256": digest(body)}
    cases = plain["cases"]
    lines = [canonical_json(case) for case in cases] if isinstance(cases, list) else []
    head = [
        f"{canonical_json(key)}: {canonical_json(value)}" for key, value in sorted(sealed.items()) if key != "cases"
    ]
    return "{\n" + ",\n".join(head) + ',\n"cases": [\n' + ",\n".join(lines) + "\n]\n}\n"


def load_baseline(tree: Readable, path: str) -> BaselineState:
    """Read a baseline; never raises: what is wrong with it is said in the result."""
    content = tree.read(path)
    if content is None:
        return Absent(place=path)
    try:
        return _sound(parse_json(content.decode("utf-8")), path)
    except (ValueError, RecursionError) as error:
        return Corrupt(place=path, reason=f"{path} is not readable JSON, perhaps cut off: {error}")


def _sound(plain: Json, path: str) -> SuiteBaseline | Corrupt:
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        found = plain.get("schema") if isinstance(plain, dict) else None
        return Corrupt(place=path, reason=f"{path} has schema {found!r}, this lockgate reads {SCHEMA!r}")
    seal = plain.pop("sha256", None)
    if seal != digest(plain):
        return Corrupt(place=path, reason=f"{path} was edited by hand: its content does not match its sha256")
    del plain["schema"]
    try:
        return decode(SuiteBaseline, plain)
    except DecodeError as error:
        return Corrupt(place=path, reason=f"{path}: {error}")
