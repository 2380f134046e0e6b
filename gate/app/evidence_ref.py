"""The ref that evidence is kept on: a chain of entries and, beside it, the counts of the newest one.

Counts of older entries lie in the history and are read by git's ids of them, so that what is fetched stays small.
"""

from __future__ import annotations

import hashlib

from gate.core.canonical import digest_text
from gate.core.chain import BrokenChainError, Entry, read_chain
from gate.core.evidence import Evidence
from gate.errors import RecordError
from gate.forge.branch import Branch
from gate.forge.pulls import Repository
from gate.forge.repository_data import fetch_object
from gate.store.records import parse_evidence

CHAIN, COUNTS = "chain.jsonl", "counts.json"
BROKEN_HINT = (
    "somebody changed refs/gate/evidence by hand: set it back to a commit whose chain is whole, or delete the ref to"
    " start anew"
)


def evidence_branch(repository: Repository) -> Branch:
    """The ref refs/gate/evidence."""
    return Branch(api=repository.api, repository=repository.name, name="evidence", space="gate")


def load_chain(branch: Branch, head: str) -> tuple[Entry, ...]:
    """Read and verify the chain at a commit; raises RecordError that names the entry which breaks it."""
    stored = branch.read(head, CHAIN)
    if stored is None:
        raise RecordError(f"{branch.ref}: {CHAIN} is missing", hint=BROKEN_HINT)
    try:
        return read_chain(stored.content.decode("utf-8"))
    except UnicodeDecodeError:
        raise RecordError(f"{branch.ref}: {CHAIN} is not UTF-8 text", hint=BROKEN_HINT) from None
    except BrokenChainError as error:
        raise RecordError(f"{branch.ref}: {error}", hint=BROKEN_HINT) from error


def load_counts(repository: Repository, entry: Entry) -> Evidence:
    """What an entry counts; raises PublishError where it cannot be had, RecordError for anything else than that."""
    place = f"{evidence_branch(repository).ref}: entry {entry.number}"
    text = fetch_object(repository, entry.blob).decode("utf-8", "replace")
    if digest_text(text) != entry.counts:
        raise RecordError(f"{place}: its counts are not those that it names", hint=BROKEN_HINT)
    return parse_evidence(text, place)


def blob_id(text: str) -> str:
    """The id that git gives a file."""
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
