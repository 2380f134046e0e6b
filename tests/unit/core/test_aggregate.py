"""From scores to trials to counts."""

from dataclasses import replace

import pytest

from gate.core.aggregate import baseline_from, case_evidence, judged, mark, suite_evidence, unanswered
from gate.core.broken import table_of
from gate.core.canonical import canonical_json
from gate.core.codec import encode
from gate.core.model import (
    Answer,
    Case,
    Exhibit,
    Missing,
    Score,
    ScorerResult,
    Severity,
    Trial,
    Unanswered,
    Unscored,
    Usage,
    WeightedScorer,
)
from gate.core.moments import moments
from tests.builders import identity, make_case, make_suite, make_suite_evidence


class Always:
    """A scorer that is never asked here."""

    def applies(self, case: Case) -> bool:
        """Judge every case."""
        return bool(case)

    def score(self, exhibit: Exhibit) -> Score:
        """Give full marks."""
        return Score(value=float(bool(exhibit)), explanation="")


SUITE = make_suite(
    "b",
    "a",
    scorers=(
        WeightedScorer(name="intent", scorer=Always(), weight=3.0),
        WeightedScorer(name="urgency", scorer=Always()),
        WeightedScorer(name="schema", scorer=Always(), required=True),
    ),
)
ANSWER = Answer(text="{}", model="m", usage=Usage(input_tokens=9, output_tokens=1), usd=0.25, latency_ms=12.34)


def trial(index: int = 0, answer: Answer = ANSWER, /, **values: float | None) -> Trial:
    results = [
        ScorerResult(
            scorer=name,
            result=Unscored(reason=Missing.SCORER_FAILED, detail="boom")
            if value is None
            else Score(value=value, explanation=""),
        )
        for name, value in values.items()
    ]
    return judged(suite=SUITE, case=make_case("a"), index=index, answer=answer, results=results)


@pytest.mark.parametrize(
    ("values", "value", "letter"),
    [
        ({"intent": 1.0, "urgency": 0.0}, 0.75, "P"),
        ({"intent": 0.9, "urgency": 0.1}, 0.7, "P"),
        ({"intent": 0.6, "urgency": 0.9}, 0.675, "F"),
        ({"intent": 1.0, "schema": 1.0}, 1.0, "P"),
        ({"intent": 1.0, "schema": 0.99}, 0.0, "F"),
        ({"intent": 1.0, "urgency": None}, None, "U"),
        ({"schema": 0.0, "urgency": None}, None, "U"),
        ({}, None, "U"),
    ],
)
def test_judged__weights_and_required(values: dict[str, float | None], value: float | None, letter: str) -> None:
    made = trial(**values)
    assert made.value == (None if value is None else pytest.approx(value))
    assert (mark(made), made.passed) == (letter, letter == "P")


def test_judged__unscored__says_why() -> None:
    assert (trial(urgency=None).missing, trial(urgency=None).detail) == (Missing.SCORER_FAILED, "boom")
    assert trial().detail == "no scorer applies"
    assert trial(intent=1.0).missing is None


def gone(index: int) -> Trial:
    return unanswered(case=make_case("a"), index=index, why=Unanswered(reason=Missing.REFUSED, detail="refused"))


def test_case_evidence__in_the_order_of_the_trials() -> None:
    free = replace(ANSWER, usage=None, usd=None, latency_ms=None)
    case = make_case("a", tags={"z": "1", "language": "es"}, severity=Severity.P1, cluster="doc", critical=True)
    made = case_evidence(case, [trial(2, free, intent=0.0), gone(1), trial(0, intent=1.0), trial(3, intent=None)])
    assert (made.marks, made.missing) == ("PUFU", ("connection refused", "scorer failed"))
    assert made.score == moments([1.0, 0.0])
    assert (made.usd, made.tokens, made.latency_ms) == (moments([0.25] * 2), moments([10.0] * 2), (12.3, 12.3))
    assert made.tags == (("language", "es"), ("z", "1"))
    assert (made.severity, made.cluster, made.critical) == (Severity.P1, "doc", True)


@pytest.mark.parametrize("modelled", [True, False])
def test_suite_evidence__cases_by_id(*, modelled: bool) -> None:
    trials = {"a": [trial(0, replace(ANSWER, modelled=modelled), intent=1.0), gone(1)]}
    made = suite_evidence(suite=SUITE, identity=identity(), trials=trials, passes=2)
    assert [(case.case_id, case.marks) for case in made.cases] == [("a", "PU"), ("b", "")]
    assert (made.modelled, made.passes, made.name) == (modelled, 2, "intent")


def test_baseline_from__counts_scored_trials_only() -> None:
    trials = {"a": [trial(0, intent=1.0), gone(1), trial(2, replace(ANSWER, latency_ms=0.0), intent=0.0)]}
    evidence = suite_evidence(suite=SUITE, identity=identity(), trials=trials, passes=3)
    base = baseline_from(evidence, as_of="2026-11-21", policy="sha256:p", tag="v1")
    first, second = base.cases
    assert (first.passes, first.trials, first.log_ms.n) == (1, 2, 1)
    assert (second.passes, second.trials) == (0, 0)
    assert (base.as_of, base.policy, base.tag) == ("2026-11-21", "sha256:p", "v1")


def test_baseline_from__says_where_its_dollars_are_known_from() -> None:
    made = baseline_from(make_suite_evidence(prices="gate.yaml"), as_of="2026-11-21", policy="sha256:p")
    assert made.prices == "gate.yaml"
    assert '"prices"' not in canonical_json(encode(replace(made, prices="")))


def test_baseline_from__fixes_the_critical_values_of_its_own_counts() -> None:
    base = baseline_from(
        make_suite_evidence("a*60: PPPPPPPPPP  b*40: PPPPPPPPPF"), as_of="2026-11-21", policy="sha256:p"
    )
    assert base.broken == table_of([(10, 10)] * 60 + [(9, 10)] * 40)
    assert base.critical_values is base.broken
    short = baseline_from(make_suite_evidence("a*100: PPP"), as_of="2026-11-21", policy="sha256:p")
    assert short.broken == table_of([(3, 3)] * 100)
    assert short.broken.expected_false_alarms == 0.0
