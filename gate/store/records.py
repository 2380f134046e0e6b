"""The record of a decision: what stands in `decision.json`, `inputs/` and `evidence.json`, and how it is read back.

Everything is canonical JSON (sorted keys), so that equal values are equal bytes and a replay can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from gate.core.across import Across
from gate.core.canonical import NotJsonError, digest, digest_text, parse_json, readable_json
from gate.core.codec import DecodeError, decode, encode, encode_lazily, encode_tagged
from gate.core.evidence import Absent, BaselineState, Evidence, Reference, SuiteBaseline
from gate.core.finding import Decision
from gate.core.model import Json
from gate.core.policy import Policy
from gate.errors import RecordError

SCHEMAS = {
    "decision": "lockgate.decision/1",
    "evidence": "lockgate.evidence/1",
    "part": "lockgate.part/1",
    "policy": "lockgate.policy/1",
    "references": "lockgate.references/1",
    "undecided": "lockgate.undecided/1",
}

CASES = "cases"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """All references of a run, as one file."""

    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a shard was to run of one suite: case ids in order."""

    target: str
    suite: str
    case_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One shard's share of a run, to be merged with the others; digests of suites and scorers stand in its evidence.

    `shard` of `shards` counts from 1. `lockgate` and `core` are the versions that made it; `head` and `base` are
    commits, empty where there are none; `policy` is a digest. `trials` is the SHA-256 of the file with the full text.
    """

    shard: int
    shards: int
    lockgate: str
    core: str
    head: str
    base: str
    policy: str
    passes: int
    seed: int
    planned: tuple[Planned, ...]
    evidence: Evidence
    calls: int
    tokens: int
    usd: float | None
    trials: str


def render_policy(policy: Policy) -> str:
    """The policy as it was used."""
    return _document("policy", encode(policy))


def render_evidence(evidence: Evidence) -> str:
    """The candidate's counts."""
    plain = encode(replace(evidence, suites=()))
    suites: list[Json] = [encode_lazily(suite, CASES) for suite in evidence.suites]
    return _document("evidence", plain | {"suites": suites} if isinstance(plain, dict) else plain)


def render_references(references: Sequence[Reference]) -> str:
    """Baselines and anchors as they were used, absent and corrupt ones included."""
    plain: list[Json] = []
    for reference in references:
        # Both are encoded below, and a baseline may be large.
        own = encode(replace(reference, baseline=Absent(place=""), anchor=None))
        if isinstance(own, dict):
            own["baseline"] = _baseline(reference.baseline)
            own["anchor"] = None if reference.anchor is None else _baseline(reference.anchor)
        plain.append(own)
    return _document("references", {"references": plain})


def _baseline(state: BaselineState) -> Json:
    if isinstance(state, SuiteBaseline):
        return encode_lazily(state, CASES) | {"type": SuiteBaseline.__name__}
    return encode_tagged(state)


def render_decision(decision: Decision, inputs: Mapping[str, tuple[str, str]]) -> str:
    """The decision with path and digest of each input; `inputs` maps a name to (path, text)."""
    plain = encode(decision)
    named: dict[str, Json] = {
        name: {"path": path, "sha256": digest_text(text).removeprefix("sha256:")}
        for name, (path, text) in inputs.items()
    }
    return _document("decision", plain | {"inputs": named} if isinstance(plain, dict) else plain)


def render_part(part: Part) -> str:
    """A shard's part, with the digest of its own content, so that a damaged one is noticed."""
    plain = encode(part)
    return _document("part", plain | {"sha256": digest(plain)} if isinstance(plain, dict) else plain)


def render_undecided(across: Across) -> str:
    """Which run it was that asked nothing."""
    return _document("undecided", encode(across))


def parse_undecided(text: str, place: str) -> Across:
    """Read back which run asked nothing; raises RecordError."""
    return _parse(Across, "undecided", text, place=place)


def parse_policy(text: str, place: str) -> Policy:
    """Read a policy back; raises RecordError naming the file and what is wrong with it."""
    return _parse(Policy, "policy", text, place=place)


def parse_evidence(text: str, place: str) -> Evidence:
    """Read evidence back; raises RecordError."""
    return _parse(Evidence, "evidence", text, place=place)


def parse_references(text: str, place: str) -> tuple[Reference, ...]:
    """Read references back; raises RecordError."""
    return _parse(References, "references", text, place=place).references


def parse_decision(text: str, place: str) -> tuple[Decision, dict[str, tuple[str, str]]]:
    """Read a decision back, with (path, hex SHA-256) of each input; raises RecordError."""
    plain = _plain("decision", text, place)
    inputs = plain.pop("inputs", None)
    if not isinstance(inputs, dict):
        raise RecordError(f"{place}: key 'inputs' is missing", hint="this is not a decision of lockgate")
    named = {}
    for name, entry in inputs.items():
        path, sha = (entry.get("path"), entry.get("sha256")) if isinstance(entry, dict) else (None, None)
        if not isinstance(path, str) or not isinstance(sha, str):
            raise RecordError(f"{place}: input {name!r} needs a path and a sha256")
        named[name] = (path, sha)
    decision = _decoded(Decision, plain, place)
    if not _is_date(decision.as_of):
        raise RecordError(f"{place}: as_of is not a date as YYYY-MM-DD")
    return decision, named


def parse_part(text: str, place: str) -> Part:
    """Read a shard's part back; raises RecordError, also where its content does not match its digest."""
    plain = _plain("part", text, place)
    if plain.pop("sha256", None) != digest(plain):
        raise RecordError(f"{place}: its content does not match its sha256", hint="take it from the shard's job again")
    return _decoded(Part, plain, place)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _document(name: str, body: Json) -> str:
    if not isinstance(body, dict):
        message = "a document is an object"
        raise TypeError(message)
    return readable_json(body | {"schema": SCHEMAS[name]})


def _parse(kind: type[T], name: str, text: str, *, place: str) -> T:
    return _decoded(kind, _plain(name, text, place), place)


def _plain(name: str, text: str, place: str) -> dict[str, Json]:
    try:
        plain = parse_json(text)
    except NotJsonError as error:
        raise RecordError(f"{place}: not JSON: {error}", hint="the file may be cut off; restore it") from error
    if not isinstance(plain, dict):
        raise RecordError(f"{place}: an object was expected")
    schema = plain.pop("schema", None)
    if schema != SCHEMAS[name]:
        raise RecordError(
            f"{place}: schema {schema!r}, this lockgate reads {SCHEMAS[name]!r}",
            hint="use the lockgate version that wrote the file",
        )
    return plain


def _decoded(kind: type[T], plain: Json, place: str) -> T:
    try:
        return decode(kind, plain)
    except DecodeError as error:
        raise RecordError(f"{place}: {error}") from error
