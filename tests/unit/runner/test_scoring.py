"""Scoring one answer: the order of rules and judges, and what a judge is not asked about."""

from __future__ import annotations

from dataclasses import dataclass, field

from gate.core.agreement import Calibration
from gate.core.judging import Label
from gate.core.model import Answer, Call, Exhibit, Missing, Score, Unanswered, Unscored, Usage, WeightedScorer
from gate.runner.asking import Asking
from gate.runner.budget import Budget, Ceilings
from gate.runner.calibration import measure_judge
from gate.runner.judge_calls import JudgeCalls
from gate.runner.scoring import score_answer
from tests.builders import make_case
from tests.unit.core.test_judging import Model, Rule

SHOWN = Exhibit(case=make_case("a"), answer=Answer(text="yes", model="m"))


@dataclass(frozen=True)
class Fixed(Rule):
    """A rule with one result."""

    result: Score | Unscored = field(default_factory=lambda: Score(value=1.0, explanation="rule"))

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        return self.result


@dataclass(frozen=True)
class Counting(Model):
    """A judge that counts how often it is asked."""

    asked: list[str] = field(default_factory=list)

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        self.asked.append(exhibit.case.id)
        return Score(value=0.8, explanation="judge")


def fixed(value: float) -> Fixed:
    return Fixed(result=Score(value=value, explanation="rule"))


def scored(*scorers: WeightedScorer) -> list[tuple[str, Score | Unscored]]:
    return [(result.scorer, result.result) for result in score_answer(scorers, SHOWN)]


def test_score_answer__judge_asked_where_nothing_is_settled() -> None:
    judge = Counting()
    found = scored(
        WeightedScorer(name="judge", scorer=judge),
        WeightedScorer(name="rule", scorer=fixed(0.0)),
        WeightedScorer(name="must", scorer=fixed(1.0), required=True),
    )
    assert [(name, result.value) for name, result in found if isinstance(result, Score)] == [
        ("judge", 0.8),
        ("rule", 0.0),
        ("must", 1.0),
    ]
    assert judge.asked == ["a"]


def test_score_answer__required_rule_failed__judge_not_asked() -> None:
    judge = Counting()
    found = scored(
        WeightedScorer(name="judge", scorer=judge), WeightedScorer(name="must", scorer=fixed(0.9), required=True)
    )
    assert found[0] == (
        "judge",
        Score(value=0.0, explanation="the judge was not asked: must, which is required, failed already"),
    )
    assert judge.asked == []


def test_score_answer__rule_unscored__judge_not_asked() -> None:
    judge, missing = Counting(), Unscored(reason=Missing.TIMED_OUT, detail="slow")
    found = scored(
        WeightedScorer(name="judge", scorer=judge), WeightedScorer(name="rule", scorer=Fixed(result=missing))
    )
    assert found == [("judge", missing), ("rule", missing)]
    assert judge.asked == []


def test_score_answer__judge_failed_as_required__next_one_not_asked() -> None:
    first, second = Counting(), Counting()
    scored(WeightedScorer(name="judge", scorer=first, required=True), WeightedScorer(name="judge-2", scorer=second))
    assert (first.asked, second.asked) == (["a"], [])


@dataclass
class Answering:
    """A judge's model."""

    replies: list[Answer | Unanswered]

    def answer(self, call: Call) -> Answer | Unanswered:
        return self.replies.pop(0)


CALL = Call(case_id="a", prompt="p", variables={}, seed=1)


def test_judge_calls__count_and_stay_inside_of_the_budget() -> None:
    budget = Budget(Ceilings(calls=2), lambda: 0.0)
    calls = JudgeCalls()
    usage = Usage(input_tokens=10, output_tokens=2)
    replies: list[Answer | Unanswered] = [
        Answer(text="x", model="j", usage=usage, usd=0.25),
        Unanswered(reason=Missing.TIMED_OUT, detail=""),
    ]
    ask = calls.ask_of(Asking(budget=budget), Answering(list(replies)))
    assert [ask(CALL), ask(CALL), ask(CALL)] == [*replies, None]
    assert (calls.calls, calls.tokens, calls.usd) == (2, 12, 0.25)
    assert (budget.calls, budget.tokens, budget.usd) == (2, 12, 0.25)


def test_judge_calls__closed__ask_nothing() -> None:
    budget, calls = Budget(Ceilings(), lambda: 0.0), JudgeCalls()
    ask = calls.ask_of(Asking(budget=budget), Answering([]))
    calls.closed = True
    assert (ask(CALL), budget.calls, calls.calls) == (None, 0, 0)
    assert calls.counted(None) is None


@dataclass(frozen=True)
class Opposed(Model):
    """A judge that passes what holds `good`, and cannot judge what holds `?`."""

    def passes(self, label: Label, case: object) -> bool | Unscored:
        if "?" in label.answer:
            return Unscored(reason=Missing.SCORER_FAILED, detail="")
        return "good" in label.answer


def test_measure_judge__counts() -> None:
    said = [("good", True)] * 3 + [("bad", True)] * 2 + [("good", False)] + [("bad", False)] * 4 + [("?", True)] * 5
    labels = tuple(Label(case_id="a", answer=answer, passed=passed) for answer, passed in said)
    found = measure_judge("judge", Opposed(labels=labels), {"a": make_case("a")}, workers=3)
    assert found == Calibration(scorer="judge", hits=3, misses=2, false_passes=1, rejections=4, unjudged=5)
