"""Bringing baselines to the repository: what of a run may still be written at the head that a branch has now.

A run measured one commit. What stands on the branch by then may come from an older run (it is decided against and then
replaced), from a newer one, or from a person (both are kept).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gate.core.evidence import SuiteBaseline
from gate.errors import PublishError
from gate.forge.branch import Barred, Branch, Change, History, Kept, Landed, Writer, land, trailers
from gate.store.baselines import Readable, load_baseline

TITLE_LIMIT = 72
SHOWN_IDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One suite's new files: `place` is its baseline's path, `before` that file as it was at the measured commit.

    `line` says in words what is written.
    """

    name: str
    place: str
    files: Mapping[str, str]
    before: bytes | None
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a run wants to write.

    `again` decides anew against the baselines of another tree, and gives back what may be written then.
    """

    measured: str
    title: str
    units: tuple[Unit, ...]
    again: Callable[[Readable], Sequence[Unit]]


class _Standing(StrEnum):
    SAME = "is there already"
    FREE = "may be written"
    OLDER = "is from an older run"
    NEWER = "is from a newer run"
    HAND = "was changed by a person"


@dataclass(frozen=True, slots=True)
class HeadTree:
    """The files at a branch's head."""

    branch: Branch
    head: str

    def read(self, path: str) -> bytes | None:
        """Content of a file, or None where there is none."""
        found = self.branch.read(self.head, path)
        return found.content if found else None


@dataclass(frozen=True, slots=True)
class _Overlaid:
    """A tree with some files as they were: a suite that is left alone is not decided about anew."""

    tree: Readable
    files: Mapping[str, bytes | None]

    def read(self, path: str) -> bytes | None:
        return self.files[path] if path in self.files else self.tree.read(path)


def proposal(branch: Branch, bundle: Bundle) -> Callable[[str], Change | Kept]:
    """What of a bundle may be written at a head of the branch."""

    def propose(head: str) -> Change | Kept:
        history = branch.since(bundle.measured, head)
        if history is None:
            return Kept(reasons=(f"{branch.name} no longer holds the commit that was measured",))
        tree, units = HeadTree(branch, head), bundle.units
        standing = {
            unit.place: _standing(unit, tree.read(unit.place), history, measured=bundle.measured) for unit in units
        }
        wanted = (_Standing.FREE, _Standing.OLDER)
        if _Standing.OLDER in standing.values():
            kept = {unit.place: unit.before for unit in units if standing[unit.place] not in wanted}
            units = tuple(bundle.again(_Overlaid(tree, kept)))
        return change_of(bundle, [unit for unit in units if standing.get(unit.place) in wanted], tree) or Kept(
            reasons=tuple(f"{unit.name}: the baseline {standing[unit.place]}" for unit in bundle.units)
        )

    return propose


def _standing(unit: Unit, now: bytes | None, history: History, *, measured: str) -> _Standing:
    if now == unit.files[unit.place].encode():
        return _Standing.SAME
    if now == unit.before:
        return _Standing.FREE
    wrote = [past for past in history.baselines if unit.place in past.paths]
    if not wrote:
        return _Standing.HAND
    newer = wrote[-1].measured == measured or wrote[-1].measured in history.commits
    return _Standing.NEWER if newer else _Standing.OLDER


def change_of(bundle: Bundle, units: Sequence[Unit], tree: Readable) -> Change | None:
    """One commit of all files that differ from the tree's; None where none does."""
    files = {path: text for unit in units for path, text in unit.files.items() if tree.read(path) != text.encode()}
    if not files:
        return None
    lines = [line for unit in units for line in (unit.line, *removed_cases(unit, tree))]
    body = "\n".join((*lines, "", trailers(bundle.measured)))
    return Change(files=dict(sorted(files.items())), title=bundle.title[:TITLE_LIMIT], body=body)


def removed_cases(unit: Unit, tree: Readable) -> tuple[str, ...]:
    """A line that names every case of the standing baseline which the new one no longer has."""
    before, now = load_baseline(tree, unit.place), load_baseline(_Texts(unit.files), unit.place)
    if not isinstance(before, SuiteBaseline) or not isinstance(now, SuiteBaseline):
        return ()
    gone = sorted({case.case_id for case in before.cases} - {case.case_id for case in now.cases})
    if not gone:
        return ()
    more = f" and {len(gone) - SHOWN_IDS} more" if len(gone) > SHOWN_IDS else ""
    shown = ", ".join("".join(char for char in one if char.isprintable()) for one in gone[:SHOWN_IDS])
    return (f"{unit.name}: {len(gone)} cases are no longer in the suite: {shown}{more}",)


@dataclass(frozen=True, slots=True)
class _Texts:
    files: Mapping[str, str]

    def read(self, path: str) -> bytes | None:
        text = self.files.get(path)
        return None if text is None else text.encode()


def land_bundle(branch: Branch, writers: Sequence[Writer], bundle: Bundle) -> Landed | Kept | Barred:
    """Commit a bundle to the branch itself; raises PublishError."""
    return land(branch, writers, proposal(branch, bundle))


def land_beside(main: Branch, side: Branch, writers: Sequence[Writer], *, bundle: Bundle) -> Landed | Kept | Barred:
    """Commit to another branch what may be written to the main one, starting it there; raises PublishError.

    What the other branch has already is not written again, and says so as its own head.
    """
    head = main.head()
    if head is None:
        raise PublishError(f"there is no branch {main.name}")
    change = proposal(main, bundle)(head)
    if isinstance(change, Kept):
        return change
    refused = _started(side, head)
    return refused or land(side, writers, lambda at: _left(side, at, change))


def _left(side: Branch, head: str, change: Change) -> Change | Kept:
    tree = HeadTree(side, head)
    files = {path: text for path, text in change.files.items() if tree.read(path) != text.encode()}
    if not files:
        return Kept(reasons=(f"{side.name} holds it already",))
    return Change(files=files, title=change.title, body=change.body)


def _started(side: Branch, commit: str) -> Barred | None:
    """Create the branch at a commit unless it is there; what forbids it, if anything."""
    return None if side.head() is not None else side.create(commit)
