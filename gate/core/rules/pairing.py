"""Cases on both sides: which are the same, and what of them is compared at a number of passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import fsum
from operator import attrgetter

from gate.core.evidence import PASS, UNSCORED, BaselineCase, CaseEvidence
from gate.core.model import Metric
from gate.core.statistics import Pair

Both = tuple[CaseEvidence, BaselineCase]


def known_cases(cases: Iterable[CaseEvidence], before: Iterable[BaselineCase]) -> dict[str, BaselineCase]:
    """The baseline's cases by id, a renamed one by its old and its new id: a new name must not hide a failure.

    A case is renamed where its old id is gone and one new id has its content; no two new ids share an old one. The new
    version of an edited case is known as that case.
    """
    known = {case.case_id: case for case in before}
    new = [case for case in cases if case.case_id not in known]
    if not new:
        return known
    gone = known.keys() - {case.case_id for case in cases}
    _know_renamed(known, [case for case in new if not case.edits], gone)
    return known | {case.case_id: known[case.edits] for case in new if case.edits in known}


def _know_renamed(known: dict[str, BaselineCase], new: Iterable[CaseEvidence], gone: Iterable[str]) -> None:
    waiting: dict[str, list[BaselineCase]] = {}
    for case_id in sorted(gone, reverse=True):
        waiting.setdefault(known[case_id].digest, []).append(known[case_id])
    for case in sorted(new, key=attrgetter("case_id")):
        if same := waiting.get(case.digest):
            known[case.case_id] = same.pop()


def pair_cases(
    cases: Iterable[CaseEvidence], known: Mapping[str, BaselineCase], metric: Metric = Metric.PASS
) -> tuple[Both, ...]:
    """Cases that are the same on both sides, with something to compare in the baseline; sorted by id."""
    ordered = sorted(cases, key=attrgetter("case_id"))
    same = [
        (case, before)
        for case in ordered
        if (before := known.get(case.case_id)) and before.trials and before.digest == case.digest
    ]
    return tuple(same if metric is Metric.PASS else [sides for sides in same if sides[1].score.n])


def pairs_at(
    both: Iterable[Both], passes: int, fill: str = UNSCORED, *, metric: Metric = Metric.PASS
) -> tuple[Pair, ...]:
    """Counts from the first trials of each case; unscored ones are left out, or filled with PASS or FAIL.

    With the metric `score` sums of values stand in place of passes; a filled trial is then worth 1 or 0.
    """
    if metric is Metric.SCORE:
        return _value_pairs(both, passes, fill)
    return tuple(
        [
            Pair(now.case_id, before.passes, before.trials, *counted, None, now.cluster)
            for now, before in both
            if (counted := counts(now.marks, passes, fill))[1]
        ]
    )


def same_pair(now: CaseEvidence, before: BaselineCase, metric: Metric = Metric.PASS) -> Pair:
    """A case that the baseline's trials stand for on both sides."""
    if metric is Metric.PASS:
        counted = (before.passes, before.trials)
        return Pair(now.case_id, *counted, *counted, None, now.cluster, same=True)
    old = before.score
    return Pair(now.case_id, old.sum, old.n, old.sum, old.n, (old.squares, old.squares), now.cluster, same=True)


def _value_pairs(both: Iterable[Both], passes: int, fill: str) -> tuple[Pair, ...]:
    made = []
    for now, before in both:
        total, k, squares = value_sums(now.marks, now.values, passes, fill=fill)
        if k:
            old = before.score
            made.append(Pair(now.case_id, old.sum, old.n, total, k, (old.squares, squares), now.cluster))
    return tuple(made)


@lru_cache(maxsize=4096)
def value_sums(marks: str, values: tuple[float, ...], passes: int, *, fill: str) -> tuple[float, int, float]:
    """Sum, number, and sum of squares of the first trials' values, as `counts` for passes."""
    _, scored = counts(marks, passes, UNSCORED)
    _, k = counts(marks, passes, fill)
    ones = k - scored if fill == PASS else 0
    kept = values[:scored]
    return fsum(kept) + ones, k, fsum([value * value for value in kept]) + ones


@lru_cache(maxsize=4096)
def counts(marks: str, passes: int, fill: str) -> tuple[int, int]:
    """Passes and length of the `filled` marks; many cases have the same marks, so answers are kept."""
    asked = marks[:passes]
    passed, scored = asked.count(PASS), len(asked) - asked.count(UNSCORED)
    if fill == UNSCORED:
        return passed, scored
    return passed + (passes - scored if fill == PASS else 0), passes


def filled(case: CaseEvidence, passes: int, fill: str) -> str:
    """Scored marks of the first trials, with unscored and never-run ones replaced by `fill` (left out for U)."""
    if fill == UNSCORED:
        return case.marks[:passes].replace(UNSCORED, "")
    return case.marks[:passes].ljust(passes, UNSCORED).replace(UNSCORED, fill)
