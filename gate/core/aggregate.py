"""From scores to trials to counts: how one trial's value comes about, and what a suite's trials leave as evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gate.core.evidence import (
    FAIL,
    PASS,
    UNSCORED,
    BaselineCase,
    CaseEvidence,
    Identity,
    Moments,
    SuiteBaseline,
    SuiteEvidence,
    moments,
)
from gate.core.model import Answer, Case, Missing, ScorerResult, Suite, Trial, Unanswered, Unscored


def judged(*, suite: Suite, case: Case, index: int, answer: Answer, results: Sequence[ScorerResult]) -> Trial:
    """One trial from the results of all scorers that apply: one unscored result leaves the whole trial unscored."""
    value, missing = _weighted(suite, results)
    return Trial(
        case_id=case.id,
        index=index,
        answer=answer,
        scores=tuple(results),
        value=value,
        passed=value is not None and value >= suite.pass_mark - 1e-9,
        missing=missing.reason if missing else None,
        detail=missing.detail if missing else "",
    )


def unanswered(*, case: Case, index: int, why: Unanswered) -> Trial:
    """One trial without an answer."""
    return Trial(
        case_id=case.id,
        index=index,
        answer=None,
        scores=(),
        value=None,
        passed=False,
        missing=why.reason,
        detail=why.detail,
    )


def _weighted(suite: Suite, results: Sequence[ScorerResult]) -> tuple[float | None, Unscored | None]:
    """Weighted mean of the values, 0 when a required scorer fell short; None and why when any is unscored."""
    entries = {entry.name: entry for entry in suite.scorers}
    total, parts, failed = [], [], False
    for result in results:
        if isinstance(result.result, Unscored):
            return None, result.result
        entry = entries[result.scorer]
        failed |= entry.required and result.result.value < 1.0
        total.append(entry.weight)
        parts.append(entry.weight * result.result.value)
    if not total:
        return None, Unscored(reason=Missing.SCORER_FAILED, detail="no scorer applies")
    return (0.0 if failed else math.fsum(parts) / math.fsum(total)), None


def mark(trial: Trial) -> str:
    """The letter that a trial leaves in the evidence."""
    if trial.value is None:
        return UNSCORED
    return PASS if trial.passed else FAIL


def case_evidence(case: Case, trials: Sequence[Trial]) -> CaseEvidence:
    """Counts of one case from its trials, in the order of their index."""
    ordered = sorted(trials, key=lambda trial: trial.index)
    answers = [trial.answer for trial in ordered if trial.answer]
    return CaseEvidence(
        case_id=case.id,
        digest=case.digest,
        marks="".join(mark(trial) for trial in ordered),
        score=moments(trial.value for trial in ordered if trial.value is not None),
        usd=moments(answer.usd for answer in answers if answer.usd is not None),
        tokens=moments(a.usage.input_tokens + a.usage.output_tokens for a in answers if a.usage is not None),
        latency_ms=tuple(round(a.latency_ms, 1) for a in answers if a.latency_ms is not None),
        missing=tuple(str(trial.missing) for trial in ordered if trial.value is None),
        tags=tuple(sorted(case.tags.items())),
        severity=case.severity,
        cluster=case.cluster,
        critical=case.critical,
    )


def suite_evidence(
    *, suite: Suite, identity: Identity, trials: Mapping[str, Sequence[Trial]], passes: int
) -> SuiteEvidence:
    """Evidence of one suite; `trials` by case id, `passes` the number planned for every case."""
    modelled = any(trial.answer.modelled for own in trials.values() for trial in own if trial.answer)
    return SuiteEvidence(
        identity=identity,
        kind=suite.kind,
        dimension=suite.dimension,
        scope=suite.scope,
        margin=suite.margin,
        passes=passes,
        cases=tuple(
            case_evidence(case, trials.get(case.id, ())) for case in sorted(suite.cases, key=lambda case: case.id)
        ),
        modelled=modelled,
    )


def baseline_from(evidence: SuiteEvidence, *, as_of: str, policy: str, tag: str = "") -> SuiteBaseline:
    """The baseline that this evidence makes: counts of scored trials per case."""
    return SuiteBaseline(
        identity=evidence.identity,
        as_of=as_of,
        policy=policy,
        tag=tag,
        cases=tuple(_baseline_case(case) for case in evidence.cases),
    )


def _baseline_case(case: CaseEvidence) -> BaselineCase:
    return BaselineCase(
        case_id=case.case_id,
        digest=case.digest,
        passes=case.marks.count(PASS),
        trials=len(case.scored),
        score=case.score,
        usd=case.usd,
        tokens=case.tokens,
        log_ms=_log_moments(case.latency_ms),
        severity=case.severity,
        critical=case.critical,
    )


def _log_moments(latencies: Sequence[float]) -> Moments:
    return moments(math.log(value) for value in latencies if value > 0)
