"""A suite's cases as the change has them, and beside them those that it edits or removes, as the base has them.

The base's version keeps its id, because the baseline knows it by that. The new version of an edited case gets an id
that nobody can write in cases.jsonl.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gate.core.canonical import digest
from gate.core.model import Case, Json, Suite
from gate.documents.tree import Tree
from gate.errors import SuiteError
from gate.suites.cases import described, load_cases

EDITED = "+edited"


def new_id(case_id: str) -> str:
    """The id of a case's new version, where its old one is asked beside it."""
    return case_id + EDITED


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseVersions:
    """The base's versions of cases that a change edits or removes, by id; `added` are ids that the base does not have.

    A renamed case is neither edited nor removed.
    """

    edited: Mapping[str, Case] = field(default_factory=dict)
    removed: Mapping[str, Case] = field(default_factory=dict)
    added: frozenset[str] = frozenset()

    @property
    def cases(self) -> tuple[Case, ...]:
        """All of them."""
        return (*self.edited.values(), *self.removed.values())


def load_base_versions(suite: Suite, base: Tree) -> BaseVersions:
    """Compare a suite's cases with the base's; nothing differs where the base has no readable ones."""
    try:
        before = {case.id: case for case in load_cases(base, suite.path)}
    except SuiteError:
        return BaseVersions()
    now = {case.id: case for case in suite.cases}
    renamed = _renamed(before, now)
    judged = {
        case.id: replace(_outranking(case, renamed), place=f"{case.place} of the base")
        for case in sorted(before.values(), key=lambda one: one.id)
        if case.id not in renamed and any(entry.scorer.applies(case) for entry in suite.scorers)
    }
    return BaseVersions(
        edited={name: case for name, case in judged.items() if name in now and now[name].digest != case.digest},
        removed={name: replace(case, removed=True) for name, case in judged.items() if name not in now},
        added=frozenset(now.keys() - before.keys()),
    )


def _renamed(before: Mapping[str, Case], now: Mapping[str, Case]) -> dict[str, str]:
    """New ids by old ones: the old is gone, and one new id has its content."""
    waiting: dict[str, list[str]] = {}
    for case_id in sorted(now.keys() - before.keys(), reverse=True):
        waiting.setdefault(now[case_id].digest, []).append(case_id)
    gone = sorted(before.keys() - now.keys())
    return {case_id: same.pop() for case_id in gone if (same := waiting.get(before[case_id].digest))}


def with_base_versions(suite: Suite, base: BaseVersions) -> Suite:
    """The suite with the base's versions beside its own: an edited case is then there twice.

    The digest covers both. New versions and added cases outrank the new versions of their peers, all others the base's.
    """
    ids = {case_id: new_id(case_id) for case_id in base.edited}
    own = [_own(case, base, ids) for case in suite.cases]
    every: list[Json] = [described(case) for case in base.cases]
    return replace(suite, cases=(*own, *base.cases), digest=digest([suite.digest, every]))


def _own(case: Case, base: BaseVersions, ids: Mapping[str, str]) -> Case:
    if case.id in base.added:
        return _outranking(case, ids)
    return replace(_outranking(case, ids), id=ids[case.id], edits=case.id) if case.id in ids else case


def _outranking(case: Case, ids: Mapping[str, str]) -> Case:
    """The case with its peers under other ids; its digest stays that of what was written."""
    if not any(peer in ids for peer in case.peers):
        return case
    peers: list[Json] = [ids.get(peer, peer) for peer in case.peers]
    return replace(case, expected={**case.expected, "outranks": peers})
