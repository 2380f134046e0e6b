"""The two rows that latency can have: a budget, and the base's version asked side by side."""

from __future__ import annotations

import pytest

from gate.core.finding import Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Dimension
from gate.report.rows import metric_rows

FIGURES = {
    "ratio": 1.234,
    "lower": 1.1,
    "upper": 1.36,
    "limit": 1.1,
    "p50": 400.0,
    "p95": 1900.0,
    "base_p50": 300.0,
    "base_p95": 950.0,
}


def beside(verdict: Verdict, **numbers: float) -> Finding:
    return Finding(
        rule=Rule.LATENCY,
        verdict=verdict,
        demands=Outcome.HOLD,
        sentence="",
        target="mail",
        subject="against the base",
        dimension=Dimension.LATENCY,
        figures=figures(**numbers),
    )


@pytest.mark.parametrize(
    ("verdict", "word"),
    [(Verdict.PASS, "not slower"), (Verdict.FAIL, "slower"), (Verdict.INCONCLUSIVE, "not shown")],
)
def test_metric_rows__latency_against_the_base(verdict: Verdict, word: str) -> None:
    (row,) = metric_rows([beside(verdict, **FIGURES)], targets=1)
    assert (row.label, row.word) == ("latency p95 against the base", word)
    assert (row.before, row.now, row.change) == ("950 ms", "1.9 s", "×1.23 [×1.10, ×1.36]")


def test_metric_rows__too_few_pairs__percentiles_without_a_ratio() -> None:
    (row,) = metric_rows([beside(Verdict.INCONCLUSIVE, p95=20.0, base_p95=10.0)], targets=1)
    assert (row.before, row.now, row.change) == ("10 ms", "20 ms", "–")


def test_metric_rows__nothing_measured__no_row() -> None:
    assert metric_rows([beside(Verdict.INCONCLUSIVE)], targets=1) == ()
