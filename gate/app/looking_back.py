"""The gate's job before it decides: what earlier runs left, and which of them left nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from gate.app.announcing import Step
from gate.app.evidence_ref import evidence_branch, load_chain, load_counts
from gate.app.history import History
from gate.app.out_folder import give_to_owner
from gate.app.request import CheckRequest
from gate.app.trees import base_tree
from gate.app.trusted import repository_of
from gate.core.across import Across
from gate.core.chain import Attempt, Entry, without_entry
from gate.errors import ConfigurationError, PublishError
from gate.forge.artifacts import UNDECIDED
from gate.forge.attempts import fetch_attempts, may_have_asked
from gate.forge.event import Activity, Command
from gate.forge.pulls import Repository
from gate.forge.settings import ActionSettings
from gate.runner.answers import left_behind
from gate.store.outputs import write_files
from gate.store.records import render_undecided

DECIDING = (Command.CHECK, Command.MERGE, Command.VERIFY)
# The workflow that keeps evidence starts when a run has ended, and takes a minute.
RECENT = timedelta(minutes=10)
ROUNDS, PAUSE_S = 12, 10.0
WORKFLOWS = ".github/workflows"


def own_place(settings: ActionSettings, activity: Activity) -> Across | None:
    """Which run this is; None where its evidence is not kept: a fork's, or one that is not about a change."""
    changes = activity.merge_checkout or settings.event_name == "merge_group"
    undivided = activity.command in DECIDING and settings.shard is None
    if not changes or activity.is_fork or not undivided or not settings.workflow:
        return None
    return Across(run=settings.run_id, attempt=settings.run_attempt, head=activity.head, workflow=settings.workflow)


def keeps_evidence(root: Path, base: str | None) -> bool:
    """Whether the base has a workflow that keeps evidence; without one nothing was kept, and nothing is missed."""
    try:
        tree = base_tree(root, base)
    except ConfigurationError:
        # The check itself says what is wrong with the base.
        return False
    names = [path for path in tree.list(WORKFLOWS) if path.endswith((".yml", ".yaml"))]
    return any(Command.KEEP_EVIDENCE.encode() in (tree.read(path) or b"") for path in names)


def look_back(step: Step, settings: ActionSettings, activity: Activity, *, request: CheckRequest) -> History | None:
    """Read the chain, and wait for entries that are on their way; what cannot be read is missing evidence.

    None where this run is not kept for later ones. Raises RecordError for a chain that is broken.
    """
    own = own_place(settings, activity)
    if own is None or not keeps_evidence(request.root, request.base):
        return None
    repository = repository_of(step, settings)
    # Shards ask in jobs of their own.
    search = Search(repository=repository, own=own, job="" if settings.parts else settings.job, as_of=request.as_of)
    try:
        entries, lost = search.look()
    except PublishError as error:
        hint = f" ({' '.join(error.hint.split())})" if error.hint else ""
        entries, lost = (), (f"earlier runs could not be looked for: {error}{hint}",)
    return History(across=replace(own, missing=lost), entries=entries, read=partial(load_counts, repository))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The look for what earlier runs left; `job` is the job that asks, empty for any."""

    repository: Repository
    own: Across
    job: str
    as_of: str

    def look(self) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
        """The chain, and the names of the runs that are not on it."""
        entries = _chain(self.repository)
        if not entries:
            return (), ()
        lost = self._lost(entries)
        for _ in range(ROUNDS):
            if not any(_is_recent(one) for one in lost):
                break
            self.repository.api.sleep(PAUSE_S)
            entries = _chain(self.repository)
            lost = self._without(lost, entries)
        return entries, tuple(one.name for one in lost)

    def _lost(self, entries: Sequence[Entry]) -> tuple[Attempt, ...]:
        known = frozenset((entry.run, entry.attempt) for entry in entries) | {(self.own.run, self.own.attempt)}
        attempts = fetch_attempts(self.repository, head=self.own.head, workflow=self.own.workflow, known=known)
        open_ones = self._without(attempts, entries)
        return tuple(one for one in open_ones if may_have_asked(self.repository, one, self.job))

    def _without(self, attempts: Sequence[Attempt], entries: Sequence[Entry]) -> tuple[Attempt, ...]:
        return without_entry(attempts, entries, own=(self.own.run, self.own.attempt), as_of=self.as_of)


def _chain(repository: Repository) -> tuple[Entry, ...]:
    branch = evidence_branch(repository)
    head = branch.head()
    return () if head is None else load_chain(branch, head)


def _is_recent(attempt: Attempt) -> bool:
    try:
        ended = datetime.fromisoformat(attempt.ended)
    except ValueError:
        return False
    return ended.tzinfo is not None and datetime.now(UTC) - ended < RECENT


@contextmanager
def leaving_word(out: Path, settings: ActionSettings, activity: Activity) -> Iterator[None]:
    """Leave word of a run that ends without having asked anything, so that it is not taken for a lost one.

    A merge cannot know that: its shards asked. What the run wrote is the workspace owner's in the end.
    """
    own = None if activity.command is Command.MERGE else own_place(settings, activity)
    try:
        yield
    finally:
        if own is not None and not _asked(out):
            write_files(out, {UNDECIDED: render_undecided(own)})
        give_to_owner(out, settings.workspace)


def _asked(out: Path) -> bool:
    """Whether a folder holds a decision, or anything that was asked for one."""
    trials = any(path.stat().st_size for path in out.glob("trials*.jsonl"))
    return trials or (out / "decision.json").exists() or any(left_behind(path) for path in out.glob("answers*.jsonl"))
