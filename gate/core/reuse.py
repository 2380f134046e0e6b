"""Reuse: a case that is asked exactly what the baseline was asked has the baseline's chances, and needs no new trial.

A statement about the difference only: it is 0, without noise, as long as the provider did not move. So the baseline
must be recent, judged by the same scorers, and of a target whose version covers all that shapes its answers. Evidence
claims reuse case by case; what its baseline does not bear out counts as a case that was never run.
"""

from __future__ import annotations

from collections.abc import Iterable

from gate.core.dates import day_number
from gate.core.evidence import BaselineCase, CaseEvidence, Identity, SuiteBaseline
from gate.core.window import WINDOW_DAYS

COMPLETE = "complete"


def reused_cases(
    both: Iterable[tuple[CaseEvidence, BaselineCase]], identity: Identity, baseline: SuiteBaseline | None, *, as_of: str
) -> frozenset[str]:
    """Ids of the cases that claim reuse and may: equal content on both sides is given, equal requests are asked for."""
    claimed = [(now, before) for now, before in both if now.reused]
    if not claimed or baseline is None or not may_reuse(identity, baseline, as_of=as_of):
        return frozenset()
    return frozenset(now.case_id for now, before in claimed if now.request and now.request == before.request)


def may_reuse(identity: Identity, baseline: SuiteBaseline, *, as_of: str) -> bool:
    """Whether a baseline can stand for new trials at this date: the same scorers, complete hashes, and not too old."""
    same = identity.scorer_digest == baseline.identity.scorer_digest
    complete = identity.coverage == baseline.identity.coverage == COMPLETE
    return same and complete and not baseline.stale and _is_recent(baseline.as_of, as_of)


def _is_recent(then: str, now: str) -> bool:
    try:
        return 0 <= day_number(now) - day_number(then) <= WINDOW_DAYS
    except ValueError:
        return False
