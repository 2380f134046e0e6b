"""The chain of evidence: one line for each attempt of a run that left a record, each with the digest of the one before.

A line is canonical JSON and holds counts' digests, never text of a model, so that the whole chain stays small: the
counts themselves lie beside it, one file an entry. Whoever changes, drops or reorders a line breaks a digest after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gate.core.canonical import NotJsonError, canonical_json, digest_text, parse_json
from gate.core.codec import DecodeError, decode, encode
from gate.core.dates import day_number
from gate.core.window import WINDOW_DAYS

# GitHub's words for an attempt that started none of its jobs.
NEVER_RAN = frozenset(("action_required", "skipped", "stale", "startup_failure"))


class BrokenChainError(ValueError):
    """The chain is not one; the message starts with the number of the entry that breaks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One attempt of a run: `number` counts from 1, `previous` is the digest of the entry before, empty for the first.

    `run` and `attempt` are GitHub's numbers, `started` is when that attempt did (as in 2026-11-20T12:00:00Z), `head`
    the commit, `workflow` the path of the workflow file. `decision` is the digest of what was decided on the day
    `as_of`, with its `outcome`; all are empty where nothing was asked. `versions` are targets with version families.
    `counts` is the digest of what this attempt alone showed, and `blob` git's id of that file; both are empty where it
    showed nothing of its own.
    """

    number: int
    previous: str
    run: int
    attempt: int
    started: str
    head: str
    workflow: str
    decision: str = ""
    outcome: str = ""
    as_of: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    counts: str = ""
    blob: str = ""

    @property
    def line(self) -> str:
        """The entry as it stands in the file, without the line end."""
        return canonical_json(encode(self))

    @property
    def digest(self) -> str:
        """What the next entry names."""
        return digest_text(self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a run as GitHub lists it; `conclusion` is empty until it ends. Times are as in an entry."""

    run: int
    attempt: int
    started: str
    ended: str
    conclusion: str

    @property
    def name(self) -> str:
        """The attempt in words."""
        return f"run {self.run} attempt {self.attempt} ({self.conclusion})"


def read_chain(text: str) -> tuple[Entry, ...]:
    """Read and verify a chain, oldest entry first; raises BrokenChainError for the first entry which breaks it."""
    *lines, rest = text.split("\n")
    if rest:
        raise BrokenChainError(f"entry {len(lines) + 1}: the line is cut off")
    entries: list[Entry] = []
    seen: set[tuple[int, int]] = set()
    previous = ""
    for number, line in enumerate(lines, 1):
        entry = _entry(number, line)
        if (entry.number, entry.previous) != (number, previous):
            raise BrokenChainError(f"entry {number}: it does not follow the entry before it")
        if (entry.run, entry.attempt) in seen:
            raise BrokenChainError(f"entry {number}: attempt {entry.attempt} of run {entry.run} is there twice")
        seen.add((entry.run, entry.attempt))
        entries.append(entry)
        previous = digest_text(line)
    return tuple(entries)


def _entry(number: int, line: str) -> Entry:
    try:
        entry = decode(Entry, parse_json(line))
    except (NotJsonError, DecodeError) as error:
        raise BrokenChainError(f"entry {number}: {error}") from error
    if entry.line != line:
        raise BrokenChainError(f"entry {number}: not written as lockgate writes it")
    return entry


def of_versions(
    entries: Iterable[Entry], *, versions: Iterable[tuple[str, str]], workflow: str, as_of: str
) -> tuple[Entry, ...]:
    """Entries of the same workflow that hold counts of one of these versions and are not too old, in order."""
    wanted = set(versions)
    return tuple(
        entry
        for entry in entries
        if entry.counts
        and entry.workflow == workflow
        and not wanted.isdisjoint(entry.versions)
        and _counts_still(entry.as_of, as_of)
    )


def without_entry(
    attempts: Iterable[Attempt], entries: Sequence[Entry], *, own: tuple[int, int], as_of: str
) -> tuple[Attempt, ...]:
    """Attempts which have ended and may have asked something, and are not in the chain; the own one is left out.

    So are those from before the chain began, and those whose evidence would be too old to count at the date `as_of`.
    """
    if not entries:
        return ()
    known, began = {(entry.run, entry.attempt) for entry in entries}, min(entry.started for entry in entries)
    return tuple(
        one
        for one in attempts
        if one.conclusion not in NEVER_RAN | {""}
        and (one.run, one.attempt) not in known | {own}
        and one.started >= began
        and _counts_still(one.started, as_of)
    )


def _counts_still(started: str, as_of: str) -> bool:
    try:
        return day_number(as_of) - day_number(started[:10]) <= WINDOW_DAYS
    except ValueError:
        # When it was is not known, so it is not excused.
        return True
