"""From scores to trials to counts: how one trial's value comes about, and what a suite's trials leave as evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gate.core.broken import table_of
from gate.core.evidence import FAIL, PASS, UNSCORED, BaselineCase, CaseEvidence, Identity, SuiteBaseline, SuiteEvidence
from gate.core.judging import Opinion, judging_of
from gate.core.model import Answer, Case, Metric, Missing, Score, ScorerResult, Suite, Trial, Unanswered, Unscored
from gate.core.moments import DIGITS, Moments, moments


def judged(*, suite: Suite, case: Case, index: int, answer: Answer, results: Sequence[ScorerResult]) -> Trial:
    """One trial from the results of all scorers that apply: one unscored result leaves the whole trial unscored."""
    value, missing = _weighted(suite, results)
    return Trial(
        case_id=case.id,
        index=index,
        answer=answer,
        scores=tuple(results),
        value=value,
        passed=_passes(suite, value),
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


def _passes(suite: Suite, value: float | None) -> bool:
    return value is not None and value >= suite.pass_mark - 1e-9


def fails_by_judge(suite: Suite, trial: Trial) -> bool:
    """Whether a trial fails by a judge's word alone: it would pass with full scores from every judge."""
    if trial.value is None or trial.passed:
        return False
    full = Score(value=1.0, explanation="")
    best = [replace(one, result=full) if isinstance(one.result, Opinion) else one for one in trial.scores]
    return _passes(suite, _weighted(suite, best)[0])


def mark(trial: Trial) -> str:
    """The letter that a trial leaves in the evidence."""
    if trial.value is None:
        return UNSCORED
    return PASS if trial.passed else FAIL


def value_of(trial: Trial) -> float | None:
    """The value that a trial leaves in the evidence of a suite that compares values; None for an unscored one."""
    return None if trial.value is None else round(trial.value, DIGITS)


def case_evidence(case: Case, trials: Sequence[Trial], metric: Metric = Metric.PASS) -> CaseEvidence:
    """Counts of one case from its trials, in the order of their index; single values only where they are compared."""
    ordered = sorted(trials, key=lambda trial: trial.index)
    answers = [trial.answer for trial in ordered if trial.answer]
    values = [value for trial in ordered if (value := value_of(trial)) is not None]
    # What was taken from an earlier run was paid for there.
    used = [answer.usage for answer in answers if answer.usage is not None and not answer.replayed]
    return CaseEvidence(
        case_id=case.id,
        digest=case.digest,
        marks="".join(mark(trial) for trial in ordered),
        score=moments(trial.value for trial in ordered if trial.value is not None),
        usd=moments(answer.usd for answer in answers if answer.usd is not None),
        tokens=moments(usage.input_tokens + usage.output_tokens for usage in used),
        latency_ms=tuple(round(a.latency_ms, 1) for a in answers if a.latency_ms is not None),
        missing=tuple(str(trial.missing) for trial in ordered if trial.value is None),
        tags=tuple(sorted(case.tags.items())),
        severity=case.severity,
        cluster=case.cluster,
        critical=case.critical,
        values=tuple(values) if metric is Metric.SCORE else (),
        edits=case.edits,
        removed=case.removed,
    )


def suite_evidence(
    *, suite: Suite, identity: Identity, trials: Mapping[str, Sequence[Trial]], passes: int
) -> SuiteEvidence:
    """Evidence of one suite; `trials` by case id, `passes` the number planned for every case."""
    every = [trial for own in trials.values() for trial in own]
    modelled = any(trial.answer.modelled for trial in every if trial.answer)
    opinions = [result.result for trial in every for result in trial.scores if isinstance(result.result, Opinion)]
    return SuiteEvidence(
        identity=identity,
        kind=suite.kind,
        dimension=suite.dimension,
        scope=suite.scope,
        margin=suite.margin,
        passes=passes,
        cases=tuple(
            _suite_case(suite, case, trials.get(case.id, ())) for case in sorted(suite.cases, key=lambda case: case.id)
        ),
        modelled=modelled,
        metric=suite.metric,
        judging=judging_of(suite, opinions),
        unasked=suite.unasked,
    )


def _suite_case(suite: Suite, case: Case, trials: Sequence[Trial]) -> CaseEvidence:
    made = case_evidence(case, trials, suite.metric)
    by_judge = sum(fails_by_judge(suite, trial) for trial in trials)
    return replace(made, by_judge=by_judge) if by_judge else made


def baseline_from(evidence: SuiteEvidence, *, as_of: str, policy: str, tag: str = "") -> SuiteBaseline:
    """The baseline that this evidence makes: counts of scored trials per case, and the critical values they give."""
    cases = tuple(_baseline_case(case) for case in evidence.cases)
    return SuiteBaseline(
        identity=evidence.identity,
        as_of=as_of,
        policy=policy,
        tag=tag,
        cases=cases,
        broken=table_of((case.passes, case.trials) for case in cases),
        prices=evidence.prices,
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
