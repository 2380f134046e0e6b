"""What stays in memory of a trial."""

from dataclasses import replace

from gate.core.judging import Opinion
from gate.core.model import Answer, Json, Missing, Score, ScorerResult, ToolCall, Trial, Unscored
from gate.runner.remembered import remembered

ARGUMENTS: dict[str, Json] = {"a": 1}
ANSWER = Answer(
    text="a long text", model="m", tool_calls=(ToolCall(name="t", arguments=ARGUMENTS),), usd=0.5, latency_ms=7.0
)
PASSED = Trial(
    case_id="c",
    index=0,
    answer=ANSWER,
    scores=(ScorerResult(scorer="exact", result=Score(value=1.0, explanation="equal")),),
    value=1.0,
    passed=True,
)
FAILED = replace(PASSED, index=1, value=0.0, passed=False)
SILENT = Trial(
    case_id="c", index=2, answer=None, scores=(), value=None, passed=False, missing=Missing.TIMED_OUT, detail="late"
)


def test_remembered__the_first_of_each_kind_is_kept_whole() -> None:
    assert remembered(FAILED, ()) is FAILED
    assert remembered(PASSED, (FAILED,)) is PASSED
    assert remembered(FAILED, (PASSED, PASSED)) is FAILED
    assert remembered(PASSED, (SILENT,)) is PASSED


def test_remembered__another_one_keeps_what_is_counted() -> None:
    bare = remembered(replace(PASSED, index=1), (PASSED,))
    assert bare.answer == replace(ANSWER, text="", tool_calls=())
    assert bare.scores == (ScorerResult(scorer="exact", result=Score(value=1.0, explanation="")),)
    assert (bare.index, bare.value, bare.passed) == (1, 1.0, True)


def test_remembered__opinions_are_counted_without_their_words() -> None:
    said = Opinion(value=1.0, explanation="because", replies=("long",), agreed=True, first=1)
    trial = replace(PASSED, scores=(ScorerResult(scorer="judge", result=said),))
    bare = remembered(trial, (PASSED,))
    assert bare.scores[0].result == Opinion(value=1.0, explanation="", agreed=True, first=1)


def test_remembered__why_there_is_no_score_is_kept() -> None:
    why = Unscored(reason=Missing.SCORER_FAILED, detail="it raised")
    trial = replace(PASSED, scores=(ScorerResult(scorer="own", result=why),), value=None, passed=False)
    assert remembered(trial, (trial,)).scores[0].result is why
    assert remembered(SILENT, (SILENT,)) is SILENT
