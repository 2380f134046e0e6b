"""What stays in memory of a trial: its text is in the journal, and a run of many passes must not grow with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from sys import intern

from gate.core.judging import Opinion
from gate.core.model import Answer, Score, ScorerResult, Trial, Usage


def remembered(trial: Trial, before: Sequence[Trial]) -> Trial:
    """The trial, without its words unless it is the first one of its case, or the first to pass or to fail."""
    if trial.answer is None or not before:
        return trial
    if all((one.value is None, one.passed) != (trial.value is None, trial.passed) for one in before):
        return trial
    return replace(trial, answer=_bare(trial.answer), scores=_without_words(trial.scores))


def _bare(answer: Answer) -> Answer:
    return replace(
        answer,
        text="",
        tool_calls=(),
        model=intern(answer.model),
        fingerprint=intern(answer.fingerprint),
        finish_reason=intern(answer.finish_reason),
        usage=_shared(answer.usage),
    )


@lru_cache(maxsize=1024)
def _shared(usage: Usage | None) -> Usage | None:
    """One object for all equal ones: counts of tokens repeat."""
    return usage


@lru_cache(maxsize=1024)
def _without_words(scores: tuple[ScorerResult, ...]) -> tuple[ScorerResult, ...]:
    return tuple(map(_wordless, scores))


def _wordless(result: ScorerResult) -> ScorerResult:
    own = result.result
    if isinstance(own, Opinion):
        return ScorerResult(scorer=result.scorer, result=replace(own, explanation="", replies=()))
    if isinstance(own, Score):
        return ScorerResult(scorer=result.scorer, result=Score(value=own.value, explanation=""))
    return result
