"""What a judge's word does to trials, to a suite's evidence, and to margins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from gate.core.aggregate import fails_by_judge, judged, suite_evidence
from gate.core.agreement import Calibration
from gate.core.evidence import CaseEvidence
from gate.core.judging import Desk, Judge, Judging, Label, Opinion, join_judging, judging_of, margin_factor, untrusted
from gate.core.model import (
    Answer,
    Case,
    Exhibit,
    Json,
    Missing,
    Score,
    ScorerResult,
    Suite,
    Unscored,
    WeightedScorer,
)
from gate.core.window import join
from tests.builders import DIGEST, identity, make_case_evidence, make_suite, make_suite_evidence

ANSWER = Answer(text="yes", model="m")
GOOD = Calibration(scorer="judge", hits=46, misses=4, false_passes=15, rejections=85)


@dataclass(frozen=True)
class Rule:
    """A scorer without a model."""

    only: str = ""

    def applies(self, case: Case) -> bool:
        return not self.only or case.id == self.only

    def score(self, exhibit: Exhibit) -> Score:
        raise NotImplementedError


@dataclass(frozen=True)
class Model(Rule):
    """A judge."""

    model: Mapping[str, Json] = field(default_factory=dict)
    protocol: str = "p"
    calls: int = 3
    compares: bool = False
    labels: tuple[Label, ...] = ()

    def bound(self, desk: Desk) -> Model:
        return self

    def passes(self, label: Label, case: Case) -> bool | Unscored:
        return label.passed


def suite_of(*scorers: WeightedScorer, ids: tuple[str, ...] = ("a", "b")) -> Suite:
    return make_suite(*ids, scorers=scorers)


def rule(**changes: object) -> WeightedScorer:
    return replace(WeightedScorer(name="rule", scorer=Rule()), **changes)  # type: ignore[arg-type]


def model(**changes: object) -> WeightedScorer:
    return replace(WeightedScorer(name="judge", scorer=Model()), **changes)  # type: ignore[arg-type]


def test_judge__is_told_from_other_scorers() -> None:
    assert isinstance(Model(), Judge)
    assert not isinstance(Rule(), Judge)


@pytest.mark.parametrize(
    ("scorers", "decisive"),
    [
        ((model(),), True),
        ((rule(weight=2.0), model()), True),
        ((rule(weight=3.0), model()), False),
        ((rule(weight=9.0), model(required=True)), True),
        ((rule(scorer=Rule(only="a"), weight=9.0), model()), True),
        ((rule(), model(scorer=Model(only="c"))), False),
    ],
)
def test_judging_of__decisive_where_rules_alone_cannot_pass(
    scorers: tuple[WeightedScorer, ...], *, decisive: bool
) -> None:
    assert judging_of(suite_of(*scorers), ()) == Judging(scorers=("judge",), decisive=decisive)


def test_judging_of__none_without_a_judge() -> None:
    assert judging_of(suite_of(rule()), ()) is None


def test_judging_of__counts_pairs() -> None:
    opinions = [
        Opinion(value=1.0, explanation="", agreed=True, first=1),
        Opinion(value=0.5, explanation="", agreed=False, first=2),
        Opinion(value=0.5, explanation=""),
    ]
    found = judging_of(suite_of(model()), opinions)
    assert found == Judging(scorers=("judge",), decisive=True, pairs=2, agreeing=1, first=3)
    assert found.consistency == 0.5
    assert Judging(scorers=("judge",), decisive=True).consistency is None


@pytest.mark.parametrize(
    ("by_rule", "by_judge", "alone"),
    [(1.0, 0.0, True), (0.0, 0.0, False), (1.0, 1.0, False), (0.5, 0.0, True), (0.3, 0.5, False)],
)
def test_fails_by_judge__where_full_scores_from_it_would_pass(by_rule: float, by_judge: float, *, alone: bool) -> None:
    suite = suite_of(rule(), model())
    results = (
        ScorerResult(scorer="rule", result=Score(value=by_rule, explanation="")),
        ScorerResult(scorer="judge", result=Opinion(value=by_judge, explanation="")),
    )
    trial = judged(suite=suite, case=suite.cases[0], index=0, answer=ANSWER, results=results)
    assert fails_by_judge(suite, trial) is alone


def test_fails_by_judge__never_where_unscored() -> None:
    suite = suite_of(model())
    missing = ScorerResult(scorer="judge", result=Unscored(reason=Missing.SCORER_FAILED, detail=""))
    trial = judged(suite=suite, case=suite.cases[0], index=0, answer=ANSWER, results=(missing,))
    assert not fails_by_judge(suite, trial)


def test_suite_evidence__says_what_judges_did() -> None:
    suite = suite_of(rule(weight=3.0), model(required=True), ids=("a",))
    results = (
        ScorerResult(scorer="rule", result=Score(value=1.0, explanation="")),
        ScorerResult(scorer="judge", result=Opinion(value=0.0, explanation="", agreed=True)),
    )
    trial = judged(suite=suite, case=suite.cases[0], index=0, answer=ANSWER, results=results)
    found = suite_evidence(suite=suite, identity=identity(), trials={"a": [trial, trial]}, passes=2)
    assert (found.cases[0].marks, found.cases[0].by_judge) == ("FF", 2)
    assert found.judging == Judging(scorers=("judge",), decisive=True, pairs=2, agreeing=2)


def test_case_evidence__refuses_more_judged_failures_than_failures() -> None:
    with pytest.raises(ValueError, match="case 'a': 2 of 1 failures by a judge's word"):
        CaseEvidence(case_id="a", digest=DIGEST, marks="PF", by_judge=2)


def test_join__adds_up_judges() -> None:
    first = make_suite_evidence(
        [make_case_evidence("a", "FP", by_judge=1)],
        judging=Judging(scorers=("judge",), decisive=False, pairs=2, agreeing=1, first=1, calls=4, tokens=9, usd=0.1),
    )
    second = make_suite_evidence(
        [make_case_evidence("a", "F", by_judge=1)],
        judging=Judging(scorers=("judge",), decisive=True, pairs=1, agreeing=1, first=0, calls=2, tokens=3),
    )
    joined = join(first, second)
    assert joined.cases[0].by_judge == 2
    assert joined.judging == Judging(
        scorers=("judge",), decisive=True, pairs=3, agreeing=2, first=1, calls=6, tokens=12, usd=0.1
    )


def test_join_judging__one_side_or_none() -> None:
    one = Judging(scorers=("judge",), decisive=True)
    assert (join_judging(one, None), join_judging(None, one), join_judging(None, None)) == (one, one, None)
    assert join_judging(one, one) == one


def test_margin_factor__of_the_least_exact_judge() -> None:
    decisive = Judging(scorers=("judge", "judge-2"), decisive=True)
    exact = replace(GOOD, scorer="judge-2", false_passes=5, rejections=95)
    assert margin_factor(decisive, (GOOD, exact)) == 0.77
    assert margin_factor(decisive, (GOOD,)) == 1.0
    assert margin_factor(replace(decisive, decisive=False), (GOOD, exact)) == 1.0
    assert margin_factor(None, (GOOD,)) == 1.0


def test_untrusted__names_them() -> None:
    both = Judging(scorers=("judge", "judge-2"), decisive=True)
    assert untrusted(both, (GOOD, Calibration(scorer="judge-2"))) == ("judge-2",)
