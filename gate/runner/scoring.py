"""Scoring one answer: rules first, judges only where their word can still matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.core.judging import is_judge
from gate.core.model import Exhibit, Missing, Score, ScorerResult, Unscored, WeightedScorer

Results = tuple[ScorerResult, ...]


def score_answer(scorers: Sequence[WeightedScorer], exhibit: Exhibit) -> Results:
    """Results of all scorers that apply, in their order; one that raises gives Unscored with the exception's words.

    Judges come last, and are not asked where the trial is unscored or 0 whatever they say. Safe in several threads.
    """
    used = [entry for entry in scorers if entry.scorer.applies(exhibit.case)]
    done: dict[str, Score | Unscored] = {}
    for entry in sorted(used, key=lambda one: is_judge(one.scorer)):
        settled = _settled(used, done) if is_judge(entry.scorer) else None
        done[entry.name] = settled or _score(entry, exhibit)
    return tuple(ScorerResult(scorer=entry.name, result=done[entry.name]) for entry in used)


def _settled(used: Sequence[WeightedScorer], done: Mapping[str, Score | Unscored]) -> Score | Unscored | None:
    """What stands in place of a judge's word that would change nothing; None where it may."""
    missing = next((result for result in done.values() if isinstance(result, Unscored)), None)
    if missing is not None:
        return missing
    failed = next((entry.name for entry in used if entry.required and _short(done.get(entry.name))), None)
    if failed is None:
        return None
    return Score(value=0.0, explanation=f"the judge was not asked: {failed}, which is required, failed already")


def _short(result: Score | Unscored | None) -> bool:
    return isinstance(result, Score) and result.value < 1.0


def _score(entry: WeightedScorer, exhibit: Exhibit) -> Score | Unscored:
    try:
        return entry.scorer.score(exhibit)
    except Exception as error:  # noqa: BLE001 whatever a scorer does is missing evidence, with its words kept
        detail = f"scorer {entry.name} failed: {type(error).__name__}: {error}"[:300]
        return Unscored(reason=Missing.SCORER_FAILED, detail=detail)
