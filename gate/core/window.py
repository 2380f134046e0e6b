"""The window: evidence of earlier runs of the same version counts, so that a re-run adds and never replaces.

Evidence is keyed by target, version family, suite and scorers; versions that differ only in whitespace, comments or
line ends are one family. Trials are joined in the order of their runs, so that a look that was spent stays spent: a
later run starts where the earlier one ended. Evidence older than 14 days is left out, because providers move.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gate.core.dates import day_number
from gate.core.evidence import Beside, CaseEvidence, Evidence, Identity, SuiteEvidence
from gate.core.judging import join_judging

WINDOW_DAYS = 14
BETWEEN = ", "


def key(identity: Identity) -> tuple[str, ...]:
    """What must be equal for two pieces of evidence to speak of the same thing."""
    return (
        identity.target,
        identity.family or identity.version,
        identity.suite,
        identity.suite_digest,
        identity.scorer_digest,
        identity.model,
        identity.parameters,
    )


def in_window(evidences: Iterable[Evidence], *, as_of: str) -> tuple[Evidence, ...]:
    """Evidence of the last 14 days, oldest first; what carries no date, or a later one, is left out."""
    dated = [(_age(evidence.as_of, as_of), number, evidence) for number, evidence in enumerate(evidences)]
    kept = [(age, number, evidence) for age, number, evidence in dated if age is not None and 0 <= age <= WINDOW_DAYS]
    return tuple(evidence for _, _, evidence in sorted(kept, key=lambda entry: (-entry[0], entry[1])))


def _age(then: str, now: str) -> int | None:
    try:
        return day_number(now) - day_number(then)
    except ValueError:
        return None


def earlier(identity: Identity, evidences: Sequence[Evidence]) -> SuiteEvidence | None:
    """All that earlier runs showed of this version on this suite, joined; None where there is nothing.

    An aborted pass is taken as it is: a version that was shown broken stays so.
    """
    suites = [suite for evidence in evidences for suite in evidence.suites if key(suite.identity) == key(identity)]
    joined: SuiteEvidence | None = None
    for suite in suites:
        joined = suite if joined is None else join(joined, suite)
    return None if joined is None else replace(joined, identity=identity)


def join(first: SuiteEvidence, second: SuiteEvidence) -> SuiteEvidence:
    """Two runs of one version as one: passes add up, every trial counts once, in order.

    Latencies of the base's version count only as long as the base has that version.
    """
    if second.beside is not None and (first.beside is None or first.beside.version != second.beside.version):
        first = replace(first, cases=tuple(replace(case, beside_ms=(), base_ms=()) for case in first.cases))
    later = {case.case_id: case for case in second.cases}
    cases = [join_cases(case, later.pop(case.case_id)) if case.case_id in later else case for case in first.cases]
    return replace(
        first,
        passes=first.passes + second.passes,
        cases=tuple(sorted([*cases, *later.values()], key=lambda case: case.case_id)),
        modelled=first.modelled or second.modelled,
        asked=first.asked or second.asked,
        beside=_beside(first.beside, second.beside),
        judging=join_judging(first.judging, second.judging),
        prices=join_prices(first.prices, second.prices),
        late=second.late or first.late,
    )


def join_prices(*sources: str) -> str:
    """Where the dollars of several runs are known from, each source once."""
    every = (source for one in sources for source in one.split(BETWEEN) if source)
    return BETWEEN.join(sorted(set(every)))


def _beside(first: Beside | None, second: Beside | None) -> Beside | None:
    if first is None or second is None or first.version != second.version:
        return second or first
    return replace(second, modelled=first.modelled or second.modelled)


def join_cases(first: CaseEvidence, second: CaseEvidence) -> CaseEvidence:
    """Trials of one case from two runs; where the case was edited in between, only the later ones count."""
    if first.digest != second.digest:
        return second
    return replace(
        second,
        reused=first.reused and second.reused and first.request == second.request,
        marks=first.marks + second.marks,
        score=first.score + second.score,
        usd=first.usd + second.usd,
        tokens=first.tokens + second.tokens,
        latency_ms=first.latency_ms + second.latency_ms,
        beside_ms=first.beside_ms + second.beside_ms,
        base_ms=first.base_ms + second.base_ms,
        missing=first.missing + second.missing,
        values=first.values + second.values,
        by_judge=first.by_judge + second.by_judge,
    )
