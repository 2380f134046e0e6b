"""Latency against the base's version, asked side by side: by hand, against scipy, and every way not to know it."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from scipy import stats

from gate.app.formulas import arithmetic_of
from gate.core.codec import decode, encode
from gate.core.evidence import Beside, CaseEvidence, SuiteEvidence
from gate.core.finding import Act, Finding, Outcome, Verdict
from gate.core.model import Dimension
from gate.core.policy import LatencyRule, Policy, Requirement
from gate.core.rules.beside import SUBJECT, paired_log_ratio
from gate.core.rules.budgets import check_latency
from gate.core.rules.context import SuiteContext
from tests.builders import make_case_evidence, make_policy, make_reference, make_suite_evidence

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
BASE = Beside(version="sha256:ba5e")
CONCURRENT = make_policy(
    requirements=((Dimension.LATENCY, Requirement()),),
    latency=LatencyRule.CONCURRENT,
)


def timed(name: str, now: float, base: float) -> CaseEvidence:
    return make_case_evidence(name, "P", latency_ms=(now,), beside_ms=(now,), base_ms=(base,))


def context(
    pairs: list[tuple[float, float]],
    *,
    untimed: int = 0,
    policy: Policy = CONCURRENT,
    adopted: bool = True,
    **suite: object,
) -> SuiteContext:
    cases = [timed(f"c{number:04d}", *pair) for number, pair in enumerate(pairs)]
    cases += [make_case_evidence(f"u{number:04d}", "P", latency_ms=(9.0,)) for number in range(untimed)]
    evidence = make_suite_evidence(cases, **({"beside": BASE} | suite))
    return SuiteContext(evidence=evidence, reference=make_reference(adopted=adopted), policy=policy, as_of="2026-11-21")


def found(own: SuiteContext) -> Finding:
    (finding,) = check_latency(own.policy, [own])
    return finding


def spread(ratio: float, cases: int, width: float) -> list[tuple[float, float]]:
    """Pairs whose ratios lie at equal distance above and below, so that their logarithms have this mean and sd."""
    pairs = []
    for number in range(cases):
        base = 100.0 + 13.0 * (number // 2)
        pairs.append((base * ratio * math.exp(width if number % 2 else -width), base))
    return pairs


# --- the formula


def test_paired_log_ratio__by_hand() -> None:
    """Logarithms 0.0 and 0.2, fifteen times each: mean 0.1, deviation 0.1, variance 30 x 0.01 / 29."""
    pairs = [(100.0, 100.0), (100.0 * math.exp(0.2), 100.0)] * 15
    ratio = paired_log_ratio(pairs)
    error = math.sqrt(0.3 / 29 / 30)
    assert ratio.value == pytest.approx(0.1)
    assert ratio.error == pytest.approx(error)
    assert error == pytest.approx(0.018570, abs=1e-6)
    assert ratio.t == pytest.approx(2.0341, abs=1e-4)
    assert (ratio.lower, ratio.upper) == (pytest.approx(0.062227, abs=2e-6), pytest.approx(0.137773, abs=2e-6))


@pytest.mark.parametrize("cases", [2, 3, 30, 31, 200])
def test_paired_log_ratio__like_scipy(cases: int) -> None:
    rng = random.Random(cases)
    pairs = [(rng.lognormvariate(5.0, 0.6), rng.lognormvariate(5.0, 0.6)) for _ in range(cases)]
    test = stats.ttest_1samp([math.log(now / base) for now, base in pairs], 0.0)
    level = 2 * stats.norm.cdf(1.95) - 1
    interval = test.confidence_interval(level)
    ratio = paired_log_ratio(pairs)
    assert ratio.lower == pytest.approx(float(interval.low), abs=2e-6)
    assert ratio.upper == pytest.approx(float(interval.high), abs=2e-6)
    assert ratio.value / ratio.error == pytest.approx(float(test.statistic))


def test_paired_log_ratio__one_pair__says_so() -> None:
    with pytest.raises(ValueError, match="one pair has no spread"):
        paired_log_ratio([(1.0, 2.0)])


# --- the verdict


@pytest.mark.parametrize(
    ("ratio", "cases", "width", "wanted"),
    [
        (1.00, 30, 0.10, PASS),
        (1.00, 30, 0.40, OPEN),
        (1.00, 400, 0.40, PASS),
        (1.09, 400, 0.10, OPEN),
        (1.09, 4000, 0.10, PASS),
        (1.12, 400, 0.10, FAIL),
        (1.12, 30, 0.40, OPEN),
        (2.00, 30, 0.40, FAIL),
        (0.50, 30, 0.40, PASS),
        (1.10, 30, 0.00, PASS),
        (1.11, 30, 0.00, FAIL),
    ],
)
def test_concurrent__three_ways(ratio: float, cases: int, width: float, wanted: Verdict) -> None:
    finding = found(context(spread(ratio, cases, width)))
    assert finding.verdict is wanted
    assert finding.demands is (Outcome.PROMOTE if wanted is PASS else Outcome.HOLD)
    assert finding.figure("ratio") == pytest.approx(ratio)
    assert (finding.figure("limit"), finding.figure("cases"), finding.subject) == (1.1, cases, SUBJECT)
    assert finding.blocking
    assert bool(finding.settle) is (wanted is not PASS)


def test_concurrent__sentence_and_percentiles_of_both_sides() -> None:
    finding = found(context([(200.0 + n, 100.0 + n) for n in range(100)]))
    assert [finding.figure(name) for name in ("p50", "p95", "p99")] == [249.0, 294.0, 298.0]
    assert [finding.figure(f"base_{name}") for name in ("p50", "p95", "p99")] == [149.0, 194.0, 198.0]
    assert finding.sentence == (
        "sales-email-intent: latency 1.69 of the base's, asked side by side (at most 1.72; the limit is 1.1); "
        "p50, p95, p99: 249, 294, 298 ms, of the base 149, 194, 198 ms"
    )
    assert finding.act is Act.APPROVE


def test_concurrent__one_latency_a_case__the_median_of_its_trials_on_each_side() -> None:
    own = context([])
    cases = tuple(
        make_case_evidence(
            f"c{n:02d}", "PPP", latency_ms=(1.0, 1.0, 1.0), beside_ms=(10.0, 12.0, 900.0), base_ms=(90.0, 12.0, 3.0)
        )
        for n in range(30)
    )
    finding = found(replace(own, evidence=replace(own.evidence, cases=cases)))
    assert (finding.figure("ratio"), finding.figure("p50"), finding.figure("base_p50")) == (1.0, 12.0, 12.0)


def test_concurrent__latencies_of_other_trials_do_not_count() -> None:
    """A later pass, or an earlier run, was not asked beside the base."""
    own = context([(100.0, 100.0)] * 40)
    slow = tuple(replace(case, latency_ms=(*case.latency_ms, 9e6, 9e6)) for case in own.evidence.cases)
    assert found(replace(own, evidence=replace(own.evidence, cases=slow))).figure("ratio") == 1.0


def test_concurrent__suites_of_one_target_together_and_targets_apart() -> None:
    first, second = context(spread(1.0, 20, 0.1)), context(spread(1.0, 20, 0.1), suite="other")
    other = context(spread(2.0, 40, 0.1), target="other-target")
    findings = check_latency(CONCURRENT, [first, second, other])
    assert [(f.target, f.verdict, f.figure("cases")) for f in findings] == [
        ("other-target", FAIL, 40),
        ("sales-email-intent", PASS, 40),
    ]


# --- not known


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (
            context([(300.0, 100.0)] * 29),
            "29 cases were timed on both sides, and 30 are needed",
        ),
        (
            context([(300.0, 100.0)] * 94, untimed=6),
            "only 94 of 100 cases were timed on both sides",
        ),
        (
            context([(300.0, 100.0)] * 40, beside=None),
            "the base's version was not asked in this run",
        ),
        (
            context([(300.0, 100.0)] * 40, beside=Beside(absent="the base has no gate.yaml yet")),
            "the base's version could not be asked: the base has no gate.yaml yet",
        ),
        (
            context([(0.0, 100.0)] * 40),
            "0 cases were timed on both sides, and 30 are needed",
        ),
        (context([]), "0 cases were timed on both sides, and 30 are needed"),
    ],
)
def test_concurrent__not_known__holds_with_the_reason(own: SuiteContext, why: str) -> None:
    finding = found(own)
    assert (finding.verdict, finding.demands, finding.blocking) == (OPEN, Outcome.HOLD, True)
    assert finding.sentence == f"sales-email-intent: latency against the base is not known, because {why}"
    assert finding.figure("ratio") is None
    assert finding.act is Act.RERUN


def test_concurrent__ninety_five_of_a_hundred_are_enough() -> None:
    assert found(context([(100.0, 100.0)] * 95, untimed=5)).verdict is PASS


@pytest.mark.parametrize(
    ("now", "base", "note"),
    [
        (True, True, "modelled on both sides, not measured"),
        (True, False, "modelled on one side, not measured"),
        (False, True, "modelled on one side, not measured"),
    ],
)
@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_concurrent__modelled__never_decides(*, now: bool, base: bool, note: str, ratio: float) -> None:
    own = context(spread(ratio, 60, 0.05), modelled=now, beside=replace(BASE, modelled=base))
    finding = found(own)
    assert (finding.verdict, finding.demands, finding.act) == (OPEN, Outcome.HOLD, Act.MEND)
    assert note in finding.sentence


def test_concurrent__only_for_show__does_not_block() -> None:
    assert not found(context(spread(2.0, 40, 0.1), adopted=False)).blocking
    shown = replace(CONCURRENT, requirements=((Dimension.LATENCY, Requirement(blocking=False)),))
    assert not found(context(spread(2.0, 40, 0.1), policy=shown)).blocking


def test_concurrent__numbers_beyond_any_clock__are_still_numbers() -> None:
    """Evidence of an earlier run is a file that anybody may have written."""
    pairs = [(1e300, 1e-300), (1e-300, 1e300)] * 20
    finding = found(context(pairs))
    assert finding.verdict is OPEN
    assert all(math.isfinite(value) for _, value in finding.figures)
    endless = tuple(
        replace(case, base_ms=(1.7e308,) * 2, beside_ms=(1.0,) * 2) for case in context(pairs).evidence.cases
    )
    own = context([])
    assert found(replace(own, evidence=replace(own.evidence, cases=endless))).verdict is OPEN


# --- beside a budget


def test_concurrent__with_a_budget__both_are_asked() -> None:
    own = context(spread(1.0, 60, 0.1), policy=replace(CONCURRENT, p95_ms=50.0))
    budget, beside = check_latency(own.policy, [own])
    assert (budget.verdict, budget.demands, budget.subject) == (FAIL, Outcome.ROLLBACK, "")
    assert (beside.verdict, beside.subject) == (PASS, SUBJECT)
    floor = replace(CONCURRENT, requirements=((Dimension.LATENCY, Requirement(floor=50.0)),))
    assert [finding.subject for finding in check_latency(floor, [own])] == ["", SUBJECT]


def test_budget__pairs_are_not_looked_at() -> None:
    own = context(spread(3.0, 60, 0.1), policy=replace(CONCURRENT, latency=LatencyRule.BUDGET))
    (finding,) = check_latency(own.policy, [own])
    assert (finding.subject, finding.verdict) == ("", OPEN)
    assert "no budget is set" in finding.sentence


# --- what is kept, and how it is explained


@pytest.mark.parametrize(
    "own",
    [
        context(spread(1.0, 40, 0.1)),
        context(spread(2.0, 40, 0.1)),
        context(spread(1.09, 40, 0.3)),
        context(spread(2.0, 29, 0.1)),
        context(spread(2.0, 40, 0.1), modelled=True),
        context(spread(1.0, 40, 0.1), beside=Beside(absent="gone")),
    ],
)
def test_explain__verdict_follows_from_the_needs(own: SuiteContext) -> None:
    finding = found(own)
    arithmetic = arithmetic_of(finding, [own])
    assert all(need.met for need in arithmetic.passes) is (finding.verdict is PASS)
    assert all(need.met for need in arithmetic.fails) is (finding.verdict is FAIL)


def test_explain__formula_with_its_numbers() -> None:
    own = context([(100.0, 100.0), (122.1, 100.0)] * 15)
    lines = "\n".join(arithmetic_of(found(own), [own]).lines)
    assert "L = mean of ln(now / base), one ratio of medians a case, 30 cases = 0.099835" in lines
    assert "t = 2.0341 with 29 degrees of freedom" in lines
    assert "as ratios: 1.1050," in lines


def test_evidence__pairs_are_written_only_where_they_are_and_read_back() -> None:
    suite = context([(2.0, 1.0)]).evidence
    assert decode(SuiteEvidence, encode(suite)) == suite
    plain = encode(make_suite_evidence("a: P"))
    assert isinstance(plain, dict)
    assert "beside" not in plain
    assert "base_ms" not in str(plain)


def test_evidence__pairs_that_are_none() -> None:
    with pytest.raises(ValueError, match="case 'a': 1 latencies beside 0 of the base"):
        make_case_evidence("a", "P", beside_ms=(1.0,))


def test_concurrent__timed_by_a_busy_machine__is_not_known() -> None:
    own = found(context([], untimed=40, late="the client was late"))
    assert own.sentence.endswith("latency against the base is not known, because the client was late")
    assert (own.verdict, own.act) == (OPEN, Act.RERUN)
    assert own.settle.startswith("run again on a machine that does less")


def test_concurrent__pairs_of_other_runs__count_beside_a_busy_machine() -> None:
    assert found(context(spread(1.0, 40, 0.01), late="the client was late")).verdict is PASS
