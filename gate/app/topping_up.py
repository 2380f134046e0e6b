"""Topping up: a baseline with fewer trials than it should have gets the missing ones, and keeps its date.

Counts are added, never replaced, and the critical values of broken cases are computed again. The date stays that of the
oldest passes in it, so that a baseline does not grow young by a few trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gate.core.aggregate import baseline_from, suite_evidence
from gate.core.broken import table_of
from gate.core.evidence import BaselineCase, SuiteBaseline
from gate.core.model import Suite, Trial


def missing_trials(baseline: SuiteBaseline, wanted: int) -> dict[str, int]:
    """How many trials each case lacks, by case id; cases that lack none are left out."""
    return {case.case_id: wanted - case.trials for case in baseline.cases if case.trials < wanted}


def topped_up(baseline: SuiteBaseline, trials: Mapping[str, Sequence[Trial]], *, suite: Suite) -> SuiteBaseline:
    """The baseline with further trials of the same version counted in; unscored ones do not count."""
    most = max((len(own) for own in trials.values()), default=0)
    evidence = suite_evidence(suite=suite, identity=baseline.identity, trials=trials, passes=most)
    more = {case.case_id: case for case in baseline_from(evidence, as_of=baseline.as_of, policy="").cases}
    cases = tuple(_joined(case, more.get(case.case_id)) for case in baseline.cases)
    return replace(baseline, cases=cases, broken=table_of((case.passes, case.trials) for case in cases))


def _joined(case: BaselineCase, more: BaselineCase | None) -> BaselineCase:
    if more is None or more.digest != case.digest or not more.trials:
        return case
    return replace(
        case,
        passes=case.passes + more.passes,
        trials=case.trials + more.trials,
        score=case.score + more.score,
        usd=case.usd + more.usd,
        tokens=case.tokens + more.tokens,
        log_ms=case.log_ms + more.log_ms,
    )
