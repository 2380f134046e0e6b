"""What one run showed by itself: its evidence without that of the earlier runs which it counted.

It is what the window joins again for the next run, so that every trial counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from gate.core.evidence import UNSCORED, Beside, CaseEvidence, Evidence, SuiteEvidence
from gate.core.judging import Judging
from gate.core.moments import DIGITS, Moments
from gate.core.window import earlier

T = TypeVar("T", str, tuple[str, ...], tuple[float, ...])


def own_evidence(evidence: Evidence, counted: Sequence[Evidence]) -> Evidence:
    """The scored trials of a run alone; `counted` is what it took from earlier runs, in the order of the window.

    Suites without a scored trial are left out. Raises ValueError where the evidence does not hold what it counted.
    """
    suites = (_own_suite(suite, earlier(suite.identity, counted)) for suite in evidence.suites)
    return replace(evidence, suites=tuple(suite for suite in suites if suite is not None), across=None)


def _own_suite(whole: SuiteEvidence, before: SuiteEvidence | None) -> SuiteEvidence | None:
    own = whole if before is None else _without(whole, before)
    if not any(case.scored for case in own.cases):
        return None
    # An outage says nothing about the version: those trials are asked again. An aborted pass is taken as it is.
    return own if own.asked else replace(own, cases=tuple(_scored(case) for case in own.cases))


def _scored(case: CaseEvidence) -> CaseEvidence:
    return replace(case, marks=case.marks.replace(UNSCORED, ""), missing=()) if case.missing else case


def _without(whole: SuiteEvidence, before: SuiteEvidence) -> SuiteEvidence:
    own = {case.case_id: case for case in whole.cases}
    lost = next((case.case_id for case in before.cases if case.case_id not in own), None)
    if lost is not None or whole.passes < before.passes:
        raise ValueError(f"suite {whole.name!r} holds less than what it counted: {lost or 'passes'}")
    beside = _same_side(whole.beside, before.beside)
    for case in before.cases:
        own[case.case_id] = _less(own[case.case_id], case, beside=beside)
    return replace(
        whole,
        passes=whole.passes - before.passes,
        cases=tuple(own[case.case_id] for case in whole.cases),
        asked=() if before.asked else whole.asked,
        judging=_less_judging(whole.judging, before.judging),
    )


def _same_side(whole: Beside | None, before: Beside | None) -> bool:
    """Whether latencies of the base's version were joined; those of another one were left out."""
    return whole is not None and before is not None and whole.version == before.version


def _less(whole: CaseEvidence, before: CaseEvidence, *, beside: bool) -> CaseEvidence:
    if whole.digest != before.digest:
        # The case was edited in between, and only the later trials were counted.
        return whole
    marks = _after(whole.marks, before.marks, whole.case_id)
    missing = _after(whole.missing, before.missing, whole.case_id)
    return replace(
        whole,
        marks=marks,
        missing=missing,
        score=_difference(whole.score, before.score),
        usd=_difference(whole.usd, before.usd),
        tokens=_difference(whole.tokens, before.tokens),
        latency_ms=_after(whole.latency_ms, before.latency_ms, whole.case_id),
        beside_ms=_after(whole.beside_ms, before.beside_ms if beside else (), whole.case_id),
        base_ms=_after(whole.base_ms, before.base_ms if beside else (), whole.case_id),
        values=_after(whole.values, before.values, whole.case_id),
        by_judge=whole.by_judge - before.by_judge,
    )


def _after(whole: T, before: T, case_id: str) -> T:
    if whole[: len(before)] != before:
        raise ValueError(f"case {case_id!r} does not begin with the trials that it counted")
    return whole[len(before) :]


def _difference(whole: Moments, before: Moments) -> Moments:
    if whole.n < before.n:
        raise ValueError(f"{whole.n} values hold less than the {before.n} that were counted")
    return Moments(
        n=whole.n - before.n,
        sum=round(whole.sum - before.sum, DIGITS) + 0.0,
        squares=round(whole.squares - before.squares, DIGITS) + 0.0,
    )


def _less_judging(whole: Judging | None, before: Judging | None) -> Judging | None:
    """What judges said in this run; their calls are those of this run already."""
    if whole is None or before is None:
        return whole
    pairs, agreeing = whole.pairs - before.pairs, whole.agreeing - before.agreeing
    return replace(whole, pairs=pairs, agreeing=agreeing, first=whole.first - before.first)
