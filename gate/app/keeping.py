"""Keeping evidence: the default branch's job verifies the record of a finished run and puts it on the chain.

The record is hostile until the API says the same of its run, its decision comes out again, and its counts begin with
those that it says it took from the chain. A fork's record is never kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gate.app.evidence_ref import CHAIN, COUNTS, blob_id, evidence_branch, load_chain, load_counts
from gate.app.forks import require_plausible
from gate.app.recorded import Recorded, read_recorded
from gate.core.across import Across
from gate.core.canonical import digest_text
from gate.core.chain import Entry
from gate.core.evidence import Evidence
from gate.core.fresh import own_evidence
from gate.core.window import in_window
from gate.errors import GateError, MismatchError, RecordError
from gate.forge.artifacts import HOSTILE_HINT, UNDECIDED, Archive, artifact_name, fetch_artifact, find_artifacts
from gate.forge.attempts import CHANGES, Ran, fetch_attempt
from gate.forge.branch import Barred, Change, Kept, Landed, Propose, land
from gate.forge.event import FinishedRun
from gate.forge.pulls import Repository
from gate.forge.writers import GitPush
from gate.store.records import parse_evidence, parse_undecided, render_evidence

PLACE = "artifact: evidence.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRecord:
    """A run that left nothing to keep, and what that means."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What a run left: where it says it stands, and its decision where it made one."""

    across: Across
    recorded: Recorded | None = None


def keep_evidence(
    repository: Repository, origin: FinishedRun, *, head: str, server_url: str
) -> Landed | Kept | Barred | NoRecord:
    """Put the evidence of a finished run on the chain; raises GateError for a record that is not to be believed."""
    if origin.is_fork:
        return NoRecord(reason="the run of a fork: its evidence is never kept")
    ran = fetch_attempt(repository, origin.id, origin.attempt)
    _require_run(ran, origin, head=head, repository=repository.name)
    name = artifact_name(origin.attempt)
    if not find_artifacts(repository, origin.id, name):
        return NoRecord(reason=f"{ran.attempt.name} left no artifact {name}; later runs of its commit will name it")
    record = _read(fetch_artifact(repository, origin.id, name))
    branch = evidence_branch(repository)
    tip = branch.head()
    own = _own(repository, record, ran, entries=load_chain(branch, tip) if tip else ())
    # Only git can write to a ref that is no branch.
    return land(branch, (GitPush(server_url=server_url),), _proposal(repository, record, ran, own=own), may_begin=True)


def _require_run(ran: Ran, origin: FinishedRun, *, head: str, repository: str) -> None:
    """Hold the event against the API: what it says may be old, and this decides what is believed."""
    told = (origin.id, origin.attempt, head, origin.event, repository)
    found = (ran.attempt.run, ran.attempt.attempt, ran.head, ran.event, ran.repository)
    if told != found or ran.event not in CHANGES or not ran.attempt.conclusion:
        message = f"run {origin.id} attempt {origin.attempt} is not what the event says of it"
        raise MismatchError(message, hint="nothing was kept; run this job again")


def _read(archive: Archive) -> _Record:
    """Read and recompute a record; raises GateError."""
    if archive.holds(UNDECIDED) and not archive.holds("decision.json"):
        return _Record(across=parse_undecided(archive.read(UNDECIDED), f"artifact: {UNDECIDED}"))
    require_plausible(parse_evidence(archive.read("evidence.json"), PLACE))
    try:
        recorded = read_recorded(archive.read)
    except GateError:
        raise
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise RecordError("artifact: no run writes such a record", hint=HOSTILE_HINT) from error
    across = recorded.evidence.across
    if across is None or recorded.evidence.unverified:
        raise RecordError(f"{PLACE}: it does not say which run it is of", hint=HOSTILE_HINT)
    return _Record(across=across, recorded=recorded)


def _own(repository: Repository, record: _Record, ran: Ran, *, entries: Sequence[Entry]) -> Evidence | None:
    """What the attempt itself showed; None where it asked nothing. Raises GateError for a record of another one."""
    across, known = record.across, {entry.digest: entry for entry in entries}
    _require_same(across, ran)
    if across.attempt != ran.attempt.attempt:
        _require_repeated(record, ran, entries)
        return None
    if record.recorded is None:
        return None
    unknown = [digest for digest in across.counted if digest not in known]
    if unknown or len(set(across.counted)) != len(across.counted):
        raise MismatchError(f"{PLACE}: it counts what is not on the chain", hint=HOSTILE_HINT)
    counted = sorted((known[digest] for digest in across.counted), key=lambda entry: entry.number)
    evidence = record.recorded.evidence
    _require_day(evidence, ran)
    earlier = in_window([load_counts(repository, entry) for entry in counted], as_of=evidence.as_of)
    try:
        return own_evidence(evidence, earlier)
    except ValueError as error:
        raise MismatchError(f"{PLACE}: {error}", hint=HOSTILE_HINT) from error


def _require_same(across: Across, ran: Ran) -> None:
    pairs = (
        ("run", across.run, ran.attempt.run),
        ("head", across.head, ran.head),
        ("workflow", across.workflow, ran.workflow),
    )
    for name, told, found in pairs:
        if told != found:
            raise MismatchError(
                f"artifact: it is of {name} {str(told)[:80]!r}, and this is {found!r}", hint=HOSTILE_HINT
            )


def _require_day(evidence: Evidence, ran: Ran) -> None:
    """The date says how long the counts count, so it must be one of the run's own."""
    if not ran.attempt.started[:10] <= evidence.as_of <= ran.attempt.ended[:10]:
        message = f"{PLACE}: it is dated {evidence.as_of[:20]!r}, and the run started {ran.attempt.started[:20]}"
        raise MismatchError(message, hint=HOSTILE_HINT)


def _require_repeated(record: _Record, ran: Ran, entries: Sequence[Entry]) -> None:
    """A released HOLD is the record of an earlier attempt once more; anything else is another attempt's."""
    decision = record.recorded.digest if record.recorded else ""
    same = [entry for entry in entries if (entry.run, entry.attempt) == (ran.attempt.run, record.across.attempt)]
    if not decision or not same or same[0].decision != decision:
        message = f"artifact: it is of attempt {record.across.attempt}, and this is attempt {ran.attempt.attempt}"
        raise MismatchError(message, hint=HOSTILE_HINT)


def _proposal(repository: Repository, record: _Record, ran: Ran, *, own: Evidence | None) -> Propose:
    """What to add to the chain as it is found."""
    branch, counts = evidence_branch(repository), render_evidence(own) if own is not None and own.suites else ""

    def propose(head: str) -> Change | Kept:
        entries = load_chain(branch, head) if head else ()
        if any((entry.run, entry.attempt) == (ran.attempt.run, ran.attempt.attempt) for entry in entries):
            return Kept(reasons=(f"{ran.attempt.name} is on the chain already",))
        entry = _entry(record, ran, own=own, after=entries, counts=counts)
        text = "".join(f"{one.line}\n" for one in (*entries, entry))
        return Change(
            files={CHAIN: text} | ({COUNTS: counts} if counts else {}),
            title=f"Keep the evidence of run {entry.run} attempt {entry.attempt}",
            body=f"Entry {entry.number}: {entry.digest}",
        )

    return propose


def _entry(record: _Record, ran: Ran, *, own: Evidence | None, after: Sequence[Entry], counts: str) -> Entry:
    recorded = record.recorded
    identities = [suite.identity for suite in own.suites] if own is not None else []
    return Entry(
        number=len(after) + 1,
        previous=after[-1].digest if after else "",
        run=ran.attempt.run,
        attempt=ran.attempt.attempt,
        started=ran.attempt.started,
        head=ran.head,
        workflow=ran.workflow,
        decision=recorded.digest if recorded else "",
        outcome=recorded.decision.outcome.value if recorded else "",
        as_of=recorded.evidence.as_of if recorded else "",
        versions=tuple(sorted({(one.target, one.family or one.version) for one in identities})),
        counts=digest_text(counts) if counts else "",
        blob=blob_id(counts) if counts else "",
    )
