"""The record of a release: who let a HOLD pass, for which commit and which decision, when and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gate.core.canonical import NotJsonError, parse_json, readable_json
from gate.core.codec import DecodeError, decode, encode
from gate.errors import RecordError

SCHEMA = "lockgate.release/1"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAME = "release.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release. `pull` is 0 and `comment` None where no pull request of GitHub's is meant.

    `head` is a commit and empty outside of a repository, `decision` a digest, `at` a date or time as it was written.
    """

    pull: int
    head: str
    decision: str
    by: str
    at: str
    reason: str
    comment: int | None = None


def render_release(release: Release) -> str:
    """The record as JSON."""
    plain = encode(release)
    return readable_json(plain | {"schema": SCHEMA} if isinstance(plain, dict) else plain)


def parse_release(text: str, place: str) -> Release:
    """Read a record back; raises RecordError that says what is wrong with it."""
    try:
        plain = parse_json(text)
        schema = plain.pop("schema", None) if isinstance(plain, dict) else None
        if schema != SCHEMA:
            raise RecordError(f"{place}: this is not a release of lockgate", hint="`gate approve` writes one")
        release = decode(Release, plain)
    except (NotJsonError, DecodeError) as error:
        raise RecordError(f"{place}: {error}", hint="`gate approve` writes it again") from error
    if DIGEST.fullmatch(release.decision) is None or not release.by.strip() or not release.reason.strip():
        raise RecordError(f"{place}: it needs a decision, a name and a reason", hint="`gate approve` writes it again")
    return release
