"""Decisions from files, without a model call: decide on given inputs, and replay a recorded decision byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gate.core.canonical import digest_text
from gate.core.decision import decide
from gate.core.evidence import Evidence
from gate.core.finding import CORE_VERSION, Decision
from gate.errors import MismatchError, RecordError
from gate.store.records import (
    parse_decision,
    parse_evidence,
    parse_policy,
    parse_references,
    render_decision,
)

LARGEST_INPUT = 512 * 2**20
NO_RECORD = "name the file that `gate check --out` wrote"
TWICE = "nothing can be decided from evidence that says two things; keep one of them"
CHANGED = "the file was changed after the decision; restore it from the artifact of the run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Where the three inputs of a decision lie."""

    policy: Path
    references: Path
    evidence: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A decision that was recomputed and matches; `exact` is false where another core version wrote it."""

    decision: Decision
    digest: str
    exact: bool


def decide_files(inputs: Inputs, *, as_of: str) -> tuple[Decision, str]:
    """Decide on files; returns the decision and its document.

    Raises RecordError for files that are not what they say.
    """
    texts = {name: (str(path), read_text(path)) for name, path in _paths(inputs).items()}
    decision = decide_texts(texts, as_of)
    return decision, render_decision(decision, texts)


def replay(path: Path) -> Replay:
    """Recompute `decision.json` from the inputs beside it; raises MismatchError for whatever was changed since.

    A file that cannot be read any more was changed like one with another number in it. Raises RecordError where there
    is no decision at all.
    """
    if not path.is_file():
        raise RecordError(f"{path}: no such file", hint=NO_RECORD)
    try:
        return _replay(path)
    except RecordError as error:
        raise MismatchError(str(error), hint=error.hint or CHANGED) from error


def _replay(path: Path) -> Replay:
    text = read_text(path)
    recorded, named = parse_decision(text, str(path))
    paths = input_paths(path, {name: place for name, (place, _) in named.items()})
    texts = {name: (place, _verified(paths[name], sha)) for name, (place, sha) in named.items()}
    decision = decide_texts(texts, recorded.as_of)
    exact = recorded.core_version == CORE_VERSION
    again = render_decision(decision, texts)
    if exact and again != text:
        raise MismatchError(f"{path}: recomputing gives other bytes", hint=_difference(text, again))
    if not exact and (decision.outcome, decision.findings) != (recorded.outcome, recorded.findings):
        message = (
            f"{path}: core version {recorded.core_version} decided {recorded.outcome}, this one {decision.outcome}"
        )
        raise MismatchError(message, hint="replay with the lockgate version that wrote it")
    return Replay(decision=decision, digest=digest_text(text), exact=exact)


def read_text(path: Path) -> str:
    """Text of an input file; raises RecordError where it is absent, unreadable, too large, or not UTF-8."""
    try:
        # A pipe would never end, and a device neither.
        if path.exists() and not path.is_file():
            raise RecordError(f"{path}: not a regular file", hint=NO_RECORD)
        if path.stat().st_size > LARGEST_INPUT:
            raise RecordError(f"{path}: larger than {LARGEST_INPUT} bytes")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}", hint=NO_RECORD) from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: not UTF-8 text") from error


def _paths(inputs: Inputs) -> dict[str, Path]:
    return {"policy": inputs.policy, "references": inputs.references, "evidence": inputs.evidence}


def input_paths(decision: Path, places: Mapping[str, str]) -> dict[str, Path]:
    """Where the inputs of a recorded decision lie; raises RecordError for a missing one, or one outside its folder."""
    missing = {"policy", "references", "evidence"} - places.keys()
    if missing:
        raise RecordError(f"{decision}: input {min(missing)!r} is missing")
    paths = {name: decision.parent / place for name, place in places.items()}
    for name, path in paths.items():
        if not path.resolve().is_relative_to(decision.parent.resolve()):
            raise RecordError(f"{decision}: input {places[name]!r} lies outside of the folder")
    return paths


def _verified(path: Path, sha: str) -> str:
    text = read_text(path)
    found = digest_text(text).removeprefix("sha256:")
    if found != sha:
        raise MismatchError(
            f"{path}: SHA-256 is {found[:12]}..., the decision was made from {sha[:12]}...",
            hint=CHANGED,
        )
    return text


def decide_texts(texts: Mapping[str, tuple[str, str]], as_of: str) -> Decision:
    """Decide on the texts of the three inputs, each with its place by name; raises RecordError."""
    policy = parse_policy(texts["policy"][1], texts["policy"][0])
    evidence = parse_evidence(texts["evidence"][1], texts["evidence"][0])
    require_distinct(evidence, texts["evidence"][0])
    references = parse_references(texts["references"][1], texts["references"][0])
    return decide(policy=policy, evidence=evidence, references=references, as_of=as_of)


def require_distinct(evidence: Evidence, place: str) -> None:
    """Refuse evidence that says two things about one suite or one case; raises RecordError that names it."""
    suites = Counter((suite.identity.target, suite.name) for suite in evidence.suites)
    for (target, name), times in sorted(suites.items()):
        if times > 1:
            raise RecordError(f"{place}: suite {name!r} of target {target!r} is given {times} times", hint=TWICE)
    for suite in evidence.suites:
        for case_id, times in sorted(Counter(case.case_id for case in suite.cases).items()):
            if times > 1:
                raise RecordError(f"{place}: suite {suite.name!r} has case {case_id!r} {times} times", hint=TWICE)


def _difference(recorded: str, again: str) -> str:
    lines = zip(recorded.splitlines(), again.splitlines(), strict=False)
    for number, (old, new) in enumerate(lines, 1):
        if old != new:
            return f"line {number}: recorded {old.strip()[:80]!r}, recomputed {new.strip()[:80]!r}"
    return "one of the two is longer"
