"""The judge that compares two answers: both orders, ties, order bias, and answers that are not there."""

from __future__ import annotations

import re

import pytest

from gate.core.judging import Label, Opinion
from gate.core.model import Missing, Unanswered
from tests.unit.scorers.exhibits import case, exhibit, judge, unscored
from tests.unit.scorers.judging import better, bound, make_judge


@pytest.mark.parametrize(
    ("leading", "trailing", "value", "agreed", "first", "told"),
    [
        ("first", "second", 1.0, True, 1, "better than the baseline's answer"),
        ("second", "first", 0.0, True, 1, "worse than the baseline's answer"),
        ("tie", "tie", 0.5, True, 0, "a tie"),
        ("first", "first", 0.5, False, 2, "a tie, because the judge says something else in the other order"),
        ("second", "second", 0.5, False, 0, "a tie, because the judge says something else in the other order"),
        ("tie", "second", 0.5, False, 0, "a tie, because the judge says something else in the other order"),
    ],
)
def test_score__both_orders(*, leading: str, trailing: str, value: float, agreed: bool, first: int, told: str) -> None:
    made, ask = bound(make_judge("prefer"), better(leading), better(trailing), en_0001="old")
    result = made.score(exhibit("new"))
    assert isinstance(result, Opinion)
    assert (result.value, result.agreed, result.first) == (value, agreed, first)
    assert result.explanation == f'{told} ({leading}, then {trailing}): "clearer"'
    assert len(ask.calls) == 2


def test_score__each_answer_stands_first_once() -> None:
    made, ask = bound(make_judge("prefer"), better("tie"), en_0001="old words")
    made.score(exhibit("new words"))
    order = [re.findall(r"(old|new) words", call.prompt) for call in ask.calls]
    assert order == [["new", "old"], ["old", "new"]]


def test_score__equal_answers__tie_without_asking() -> None:
    made, ask = bound(make_judge("prefer"), better("first"), en_0001="same")
    result = made.score(exhibit("same"))
    assert (result, ask.calls) == (
        Opinion(value=0.5, explanation="the answer is the baseline's own, word for word"),
        [],
    )


def test_score__no_reference__unscored_and_says_how_to_get_it() -> None:
    made, ask = bound(make_judge("prefer"), better("first"), en_0002="old")
    result = unscored(made, exhibit("new"))
    assert result.reason is Missing.SCORER_FAILED
    assert "run `gate promote` for this suite on the default branch" in result.detail
    assert ask.calls == []
    assert "run `gate promote`" in unscored(make_judge("prefer"), exhibit("new")).detail


@pytest.mark.parametrize("place", [0, 1])
def test_score__outage_in_either_order__unscored(place: int) -> None:
    replies: list[str | Unanswered] = [better("first"), better("second")]
    replies[place] = Unanswered(reason=Missing.TIMED_OUT, detail="no answer within 5 s")
    made, _ = bound(make_judge("prefer"), *replies, en_0001="old")
    assert unscored(made, exhibit("new")).detail == "the judge gave no answer: timed out: no answer within 5 s"


def test_score__malformed__unscored() -> None:
    made, ask = bound(make_judge("prefer"), better("both"), en_0001="old")
    detail = unscored(made, exhibit("new")).detail
    assert detail.endswith('its better is "both", which is none of first, second and tie')
    assert len(ask.calls) == 2


def test_score__overlong__not_judged() -> None:
    made, ask = bound(make_judge("prefer"), better("tie"), en_0001="x" * 100_001)
    assert unscored(made, exhibit("new")).reason is Missing.TOO_LARGE
    assert ask.calls == []


def test_score__explanation_is_safe() -> None:
    made, _ = bound(make_judge("prefer"), '{"reasoning": "\\u001b[2J", "better": "tie"}', en_0001="old")
    assert judge(made, exhibit("new")) == (0.5, r'a tie (tie, then tie): "\x1b[2J"')


def test_passes__labels_with_their_own_reference() -> None:
    label = Label(case_id="en-0001", answer="new", passed=True, reference="other")
    made, ask = bound(make_judge("prefer"), better("first"), better("second"))
    assert made.passes(label, case()) is True
    assert "other" in ask.calls[0].prompt
    worse, _ = bound(make_judge("prefer"), better("second"), better("first"))
    assert worse.passes(label, case()) is False


def test_from_options__labels_need_a_reference() -> None:
    line = '{"case": "a", "answer": "b", "passed": true}\n'
    with pytest.raises(ValueError, match="the keys answer, case, passed, reference"):
        make_judge("prefer", {"l.jsonl": line}, calibration="l.jsonl")
    more = '{"case": "a", "answer": "b", "reference": "c", "passed": true}\n'
    assert make_judge("prefer", {"l.jsonl": more}, calibration="l.jsonl").labels == (
        Label(case_id="a", answer="b", passed=True, reference="c"),
    )


def test_judges__share_one_wording() -> None:
    both = make_judge(), make_judge("prefer")
    assert both[0].protocol == both[1].protocol
    assert [one.compares for one in both] == [False, True]
