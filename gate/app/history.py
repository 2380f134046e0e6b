"""What a run takes from the evidence chain, and what it says of it in its own evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate.core.across import Across
from gate.core.chain import Entry, of_versions
from gate.core.evidence import Evidence, SuiteEvidence
from gate.core.window import earlier, in_window, join, key
from gate.errors import PublishError

if TYPE_CHECKING:
    from gate.app.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A verified chain as one run sees it: `across` is the run itself, `read` gives the counts of an entry.

    `read` raises PublishError where they cannot be had, and RecordError where they are not those of the entry.
    """

    across: Across
    entries: tuple[Entry, ...]
    read: Callable[[Entry], Evidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Entries of the versions under decision with their counts; `lost` names those that could not be read."""

    across: Across
    pairs: tuple[tuple[Entry, Evidence], ...]
    lost: tuple[str, ...]

    def window(self, as_of: str) -> tuple[Evidence, ...]:
        """The counts as far as they lie in the window, oldest first."""
        return in_window([evidence for _, evidence in self.pairs], as_of=as_of)

    def joined(self, evidence: Evidence) -> Evidence:
        """A run that asked without looking at earlier ones, with all that they showed."""
        window = self.window(evidence.as_of)
        suites = tuple(_joined(suite, earlier(suite.identity, window)) for suite in evidence.suites)
        return self.told(replace(evidence, suites=suites))

    def told(self, evidence: Evidence) -> Evidence:
        """The run's evidence with where it stands: entries of the window count that hold a suite of it."""
        keys = {key(suite.identity) for suite in evidence.suites}
        counted = [
            entry.digest
            for entry, kept in self.pairs
            if in_window([kept], as_of=evidence.as_of) and keys & {key(one.identity) for one in kept.suites}
        ]
        missing = (*self.across.missing, *self.lost)
        return replace(evidence, across=replace(self.across, counted=tuple(counted), missing=missing))


def kept_evidence(history: History | None, project: Project, *, as_of: str) -> Earlier | None:
    """The chain's entries that speak of a project's versions; None where nothing is kept. Raises RecordError."""
    if history is None:
        return None
    versions = {
        (suite.identity.target, suite.identity.family or suite.identity.version)
        for plan in project.targets
        for suite in plan.suites
    }
    entries = of_versions(history.entries, versions=versions, workflow=history.across.workflow, as_of=as_of)
    pairs, lost = _read(history, entries)
    return Earlier(across=history.across, pairs=pairs, lost=lost)


def _joined(own: SuiteEvidence, before: SuiteEvidence | None) -> SuiteEvidence:
    if before is None:
        return own
    whole = join(before, own)
    if own.judging is None or whole.judging is None:
        return whole
    # What judges took is told of this run alone, as where it counts while it asks.
    spent = own.judging
    return replace(whole, judging=replace(whole.judging, calls=spent.calls, tokens=spent.tokens, usd=spent.usd))


def _read(history: History, entries: Sequence[Entry]) -> tuple[tuple[tuple[Entry, Evidence], ...], tuple[str, ...]]:
    pairs, lost = [], []
    for entry in entries:
        try:
            pairs.append((entry, history.read(entry)))
        except PublishError as error:
            lost.append(f"run {entry.run} attempt {entry.attempt}: {error}")
    return tuple(pairs), tuple(lost)
