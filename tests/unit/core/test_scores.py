"""Regression on values from 0 to 1: by hand, against numpy, and equal to the rules for passes where values are 0 and 1."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gate.core.codec import DecodeError, decode, encode
from gate.core.decision import decide
from gate.core.evidence import BaselineCase, CaseEvidence, Evidence, SuiteBaseline, SuiteEvidence
from gate.core.finding import Finding, Rule, Verdict
from gate.core.model import Dimension, Metric, Scope
from gate.core.moments import Moments, moments
from gate.core.planning import cases_for_margin, cases_needed, noise, supported_margin, value_noise
from gate.core.policy import LOWER_IS_BETTER, Profile, Requirement, SliceRule, requirements_for, with_margins
from gate.core.rules.abort import Seen, Watch, check_abort
from gate.core.rules.anchor import check_anchor
from gate.core.rules.context import SuiteContext
from gate.core.rules.pairing import pairs_at
from gate.core.rules.regression import check_regression, check_slices
from gate.core.statistics import Pair, compare, count_clusters, t_quantile, widening, within_case
from gate.core.window import join_cases
from tests.builders import (
    AS_OF,
    DIGEST,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)

POLICY = make_policy(requirements=((Dimension.TASK_SUCCESS, Requirement(regression=True)),))
SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def valued(case_id: str, values: list[float | None], **changes: object) -> CaseEvidence:
    """A candidate's case by its values; None is an unscored trial, and 0.7 passes."""
    kept = tuple(value for value in values if value is not None)
    marks = "".join("U" if value is None else "P" if value >= 0.7 else "F" for value in values)
    return make_case_evidence(case_id, marks, values=kept, score=moments(kept), **changes)


def valued_before(case_id: str, values: list[float], **changes: object) -> BaselineCase:
    passes = sum(value >= 0.7 for value in values)
    return make_baseline_case(case_id, passes, len(values), score=moments(values), **changes)


def valued_suite(cases: list[CaseEvidence], **changes: object) -> SuiteEvidence:
    return make_suite_evidence(cases, metric=Metric.SCORE, **changes)


def context(now: list[CaseEvidence], before: list[BaselineCase], **suite: object) -> SuiteContext:
    policy = suite.pop("policy", POLICY)
    reference = make_reference(make_suite_baseline(before), anchor=suite.pop("anchor", None))
    return SuiteContext(
        evidence=valued_suite(now, **suite),
        reference=reference,
        policy=policy,  # type: ignore[arg-type]
        as_of=AS_OF,
    )


def whole(count: int, now: list[float | None], before: list[float], **suite: object) -> SuiteContext:
    """So many cases, all with the same values."""
    ids = [f"c{number:03d}" for number in range(count)]
    return context([valued(one, now) for one in ids], [valued_before(one, before) for one in ids], **suite)


# --- statistics


def pair(case_id: str, before: list[float], now: list[float]) -> Pair:
    squares = math.fsum(v * v for v in before), math.fsum(v * v for v in now)
    return Pair(case_id=case_id, x=math.fsum(before), kb=len(before), y=math.fsum(now), k=len(now), squares=squares)


def test_compare__values__by_hand() -> None:
    """x = 1.5 of 2 (squares 1.25), y = 0.6 of 1 (0.36): p = 0.675, q = 0.4925, w = 1.5."""
    result = compare([pair("a", [1.0, 0.5], [0.6])])
    assert result.estimate == pytest.approx(-0.15)
    assert result.set_error**2 == pytest.approx((0.4925 - 0.675**2) / (1 - 1.5 / 4) * 1.5)
    assert result.population_estimate == pytest.approx(-0.05)
    assert result.population_error == pytest.approx(math.sqrt(((0.15**2 + 2) / 3 - 0.05**2) / 3))


def test_compare__values__set_variance_is_unbiased_under_no_change() -> None:
    """Over all draws of three trials before and two now from three equally likely values."""
    values = (0.2, 0.7, 1.0)
    grids = np.meshgrid(*[values] * 5, indexing="ij")
    draws = np.stack([grid.ravel() for grid in grids], axis=1)
    found = [compare([pair("a", list(row[:3]), list(row[3:]))]).set_error ** 2 for row in draws]
    assert np.mean(found) == pytest.approx(np.var(values) * (1 / 3 + 1 / 2))


def test_compare__values__population_interval_is_the_augmented_one_of_scipy() -> None:
    rng = np.random.default_rng(7)
    sides = [(rng.beta(8, 2, 10).tolist(), rng.beta(8, 2, 3).tolist()) for _ in range(60)]
    result = compare([pair(f"c{i}", *both) for i, both in enumerate(sides)])
    differences = [*(float(np.mean(now) - np.mean(before)) for before, now in sides), 1.0, -1.0]
    assert result.population_estimate == pytest.approx(np.mean(differences))
    assert result.population_error == pytest.approx(stats.sem(differences, ddof=0))


def test_compare__same_value_every_time__no_run_to_run_noise() -> None:
    """One third has no exact sum of squares: the rest must not become the root of a negative number."""
    result = compare([pair(f"c{i}", [1 / 3] * 7, [1 / 3] * 3) for i in range(40)])
    assert result.set_error == pytest.approx(0.0, abs=1e-8)
    assert result.estimate == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(("mean", "second", "wanted"), [(0.3, 0.3, 0.3 * 0.7), (0.5, 0.25, 0.0), (0.5, 0.2, 0.0)])
def test_within_case__of_zeros_and_ones_exact_and_never_negative(mean: float, second: float, wanted: float) -> None:
    assert within_case(mean, second) == wanted


@st.composite
def pass_pairs(draw: st.DrawFn) -> list[Pair]:
    made = []
    for number in range(draw(st.integers(1, 30))):
        kb, k = draw(st.integers(1, 10)), draw(st.integers(1, 6))
        cluster = draw(st.sampled_from([None, "a", "b"]))
        x, y = draw(st.integers(0, kb)), draw(st.integers(0, k))
        made.append(Pair(case_id=f"c{number}", x=x, kb=kb, y=y, k=k, cluster=cluster))
    return made


@SETTINGS
@given(pass_pairs())
def test_compare__passes_as_sums_of_zeros_and_ones__same_to_the_last_bit(pairs: list[Pair]) -> None:
    as_values = [one._replace(x=float(one.x), y=float(one.y), squares=(float(one.x), float(one.y))) for one in pairs]
    assert compare(as_values) == compare(pairs)


# --- clusters


def test_count_clusters__a_case_without_a_name_is_its_own() -> None:
    assert count_clusters(["a", "a", "b", None, None]) == 4
    assert count_clusters([None, None]) == 0
    assert count_clusters([]) == 0


def test_widening__student_or_nothing_at_all() -> None:
    assert widening(0) == 1.0
    assert widening(9) == math.inf
    assert widening(10) == t_quantile(0.95, 9) / 1.645
    assert widening(10) == pytest.approx(float(stats.t.ppf(0.95, 9)) / 1.645)


def test_supported_margin__clusters__widen_the_population_part_only() -> None:
    plan = {"cases": 120, "noise_per_trial": 0.05, "passes": 5, "baseline_trials": 10}
    spread = 0.05 * (1 / 5 + 1 / 10)
    z = 2.10 * float(stats.t.ppf(0.95, 11)) / 1.645 * math.sqrt(14 / 13)
    by_hand = z * math.sqrt(spread / 120 + 2 / 122**2) + 1.2816 * math.sqrt(spread / 120)
    assert supported_margin(**plan, cluster_size=10.0) == pytest.approx(by_hand)  # type: ignore[arg-type]
    same = supported_margin(**plan, scope=Scope.SET)  # type: ignore[arg-type]
    assert supported_margin(**plan, scope=Scope.SET, cluster_size=10.0) == same  # type: ignore[arg-type]
    assert supported_margin(**plan, cluster_size=13.0) == math.inf  # type: ignore[arg-type]


def test_supported_margin__clusters__as_wide_as_the_comparison_itself() -> None:
    """Twenty clusters of five in which nothing changed, at the errors that `compare` finds on average."""
    rng, population, own = random.Random(11), [], []
    for _ in range(40):
        rows = [
            (sum(rng.random() < 0.9 for _ in range(10)), sum(rng.random() < 0.9 for _ in range(5))) for _ in range(100)
        ]
        pairs = [Pair(case_id=f"{i}", x=x, kb=10, y=y, k=5, cluster=f"{i // 5}") for i, (x, y) in enumerate(rows)]
        change = compare(pairs)
        population.append(change.population_error**2)
        own.append(change.set_error**2)
    plan = supported_margin(cases=100, noise_per_trial=0.09, passes=5, baseline_trials=10, cluster_size=5.0)
    found = 2.10 * widening(20) * math.sqrt(np.mean(population)) + 1.2816 * math.sqrt(np.mean(own))
    assert plan == pytest.approx(found, rel=0.02)


def test_cases_needed__clusters__at_least_ten_of_them() -> None:
    plan = {"margin": 0.3, "noise_per_trial": 0.0, "passes": 1, "baseline_trials": 10}
    assert cases_needed(**plan) < 30  # type: ignore[arg-type]
    assert cases_needed(**plan, cluster_size=8.0) == 80  # type: ignore[arg-type]


def test_cases_for_margin__counts_clusters_and_values() -> None:
    """One pair ten times: variance (1.25 - 1.5^2 / 2) / 1 = 0.125 by hand."""
    pairs = [pair(f"c{i}", [1.0, 0.5], [1.0, 1.0, 0.5])._replace(cluster=f"{i // 2}") for i in range(40)]
    assert value_noise([(1.5, 2, 1.25)]) == pytest.approx(0.125)
    plan = {"margin": 0.05, "noise_per_trial": 0.125, "passes": 3, "baseline_trials": 2}
    assert cases_for_margin(pairs, 0.05) == cases_needed(**plan, cluster_size=2.0)  # type: ignore[arg-type]
    alone = [one._replace(cluster=None) for one in pairs]
    assert cases_for_margin(alone, 0.05) == cases_needed(**plan)  # type: ignore[arg-type]


def test_value_noise__like_numpy_and_like_noise_for_passes() -> None:
    rows = [[0.2, 0.9, 1.0], [0.5, 0.5], [0.3]]
    sums = [(math.fsum(row), len(row), math.fsum(v * v for v in row)) for row in rows]
    assert value_noise(sums) == pytest.approx(np.mean([np.var(row, ddof=1) for row in rows[:2]]))
    assert value_noise([]) == 0.0
    assert value_noise([(9.0, 10, 9.0), (3.0, 4, 3.0)]) == noise([(9, 10), (3, 4)])


@pytest.mark.parametrize(("clusters", "scope", "settle"), [
    (9, Scope.POPULATION, "name at least 10 clusters (now 9): with fewer, no drop can be ruled out for inputs like these"),
    (9, Scope.SET, "run up to 5 passes (now 1)"),
    (10, Scope.POPULATION, "run up to 5 passes (now 1)"),
])  # fmt: skip
def test_regression__too_few_clusters__says_so_before_anything_else(clusters: int, scope: Scope, settle: str) -> None:
    ids = [f"c{number:03d}" for number in range(100)]
    now = [make_case_evidence(one, "P", cluster=f"doc{place % clusters}") for place, one in enumerate(ids)]
    before = [make_baseline_case(one, 10 if place < 90 else 9) for place, one in enumerate(ids)]
    policy = replace(POLICY, margin=0.016)
    evidence = make_suite_evidence(now, scope=scope)
    own = SuiteContext(
        evidence=evidence, reference=make_reference(make_suite_baseline(before)), policy=policy, as_of=AS_OF
    )
    (found,) = check_regression(own)
    assert (found.verdict, found.settle) == (Verdict.INCONCLUSIVE, settle)


def test_regression__too_few_clusters_and_a_large_loss__the_loss_first() -> None:
    """Seventeen cases fall from 5 of 10 to nothing, eleven rise to all: D = -0.03, far from shown."""
    ids = [f"c{number:03d}" for number in range(100)]
    now = [make_case_evidence(one, "FFFFF" if i < 17 else "PPPPP", cluster=f"{i % 3}") for i, one in enumerate(ids)]
    before = [make_baseline_case(one, 5 if i < 28 else 10) for i, one in enumerate(ids)]
    own = SuiteContext(
        evidence=make_suite_evidence(now),
        reference=make_reference(make_suite_baseline(before)),
        policy=replace(POLICY, margin=0.03),
        as_of=AS_OF,
    )
    (found,) = check_regression(own)
    assert (found.verdict, found.figure("estimate")) == (Verdict.INCONCLUSIVE, -0.03)
    assert found.settle.startswith("look at the cases below")


# --- margins and direction


def test_with_margins__general_one_tightens_and_named_ones_stand() -> None:
    asked = (
        (Dimension.COST, Requirement()),
        (Dimension.SAFETY, Requirement(vetoes=True)),
        (Dimension.TASK_SUCCESS, Requirement(regression=True, margin=0.05)),
    )
    assert with_margins(asked, margins={}) == asked
    assert with_margins(asked, margins={}, general=0.05) == asked
    assert with_margins(asked, margins={}, general=0.2) == asked
    tighter = dict(with_margins(asked, margins={}, general=0.02))
    assert tighter == {**dict(asked), Dimension.TASK_SUCCESS: Requirement(regression=True)}
    named = with_margins(asked, margins={Dimension.TASK_SUCCESS: 0.1, Dimension.LIVENESS: 0.02, Dimension.SAFETY: 0.01})
    assert named == (
        (Dimension.COST, Requirement()),
        (Dimension.LIVENESS, Requirement(regression=True, margin=0.02)),
        (Dimension.SAFETY, Requirement(vetoes=True, regression=True, margin=0.01)),
        (Dimension.TASK_SUCCESS, Requirement(regression=True, margin=0.1)),
    )


@pytest.mark.parametrize("dimension", list(Dimension))
def test_rollback_line__on_the_worse_side_of_the_floor(dimension: Dimension) -> None:
    asked = dict(requirements_for(Profile.CI, dimensions={}, floors={dimension: 0.7}))[dimension]
    assert asked.rollback_below == (1.0 if dimension in LOWER_IS_BETTER else 0.49)
    assert {Dimension.LATENCY, Dimension.COST} == LOWER_IS_BETTER


# --- evidence


@pytest.mark.parametrize("values", [(0.5,), (0.5, 0.5, 0.5), (0.5, 1.5), (-0.1, 0.5), (math.nan, 0.5)])
def test_case_evidence__values_that_no_trial_leaves__refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="case 'a': values must be numbers from 0 to 1, one for each scored mark"):
        make_case_evidence("a", "PUF", values=values)


def test_suite_evidence__values_missing__refused_instead_of_counting_passes() -> None:
    with pytest.raises(ValueError, match="case 'a': the suite compares values, and 2 trials have none"):
        make_suite_evidence("a: PPU", metric=Metric.SCORE)
    plain = encode(make_suite_evidence("a: PP"))
    assert isinstance(plain, dict)
    with pytest.raises(DecodeError, match="the suite compares values"):
        decode(SuiteEvidence, plain | {"metric": "score"})


@pytest.mark.parametrize(
    "score",
    [Moments(n=2, sum=2.1, squares=2.0), Moments(n=2, sum=1.0, squares=1.1), Moments(n=2, sum=1.0, squares=-0.1)],
)
def test_baseline_case__sums_that_no_values_have__refused(score: Moments) -> None:
    with pytest.raises(ValueError, match="case 'a': no 2 scores from 0 to 1 have this sum and sum of squares"):
        make_baseline_case("a", 2, 2, score=score)


def test_encode__suite_that_compares_passes__as_before() -> None:
    plain = encode(make_suite_evidence("a: PP"))
    assert isinstance(plain, dict)
    assert "metric" not in plain
    assert "values" not in plain["cases"][0]  # type: ignore[call-overload,index,operator]
    suite = valued_suite([valued("a", [0.5, None, 1.0])])
    encoded = encode(suite)
    assert isinstance(encoded, dict)
    assert (encoded["metric"], encoded["cases"][0]["values"]) == ("score", [0.5, 1.0])  # type: ignore[call-overload,index]
    assert decode(SuiteEvidence, encoded) == suite


def test_join_cases__values_in_the_order_of_the_runs() -> None:
    joined = join_cases(valued("a", [0.5, None]), valued("a", [1.0]))
    assert (joined.marks, joined.values) == ("FUP", (0.5, 1.0))


# --- rules


@pytest.mark.parametrize(
    ("passes", "fill", "wanted"),
    [
        (1, "U", None),
        (2, "U", (0.5, 1, 0.25)),
        (3, "U", (1.3, 2, 0.89)),
        (3, "F", (1.3, 3, 0.89)),
        (4, "P", (3.3, 4, 2.89)),
    ],
)
def test_pairs_at__values_of_the_first_trials(passes: int, fill: str, wanted: tuple[float, int, float] | None) -> None:
    own = context([valued("a", [None, 0.5, 0.8])], [valued_before("a", [1.0, 0.6])])
    found = [(one.y, one.k, (one.squares or (0, 0))[1]) for one in own.pairs(passes, fill)]
    assert found == ([] if wanted is None else [pytest.approx(wanted)])
    assert [(one.x, one.kb, (one.squares or (0, 0))[0]) for one in own.pairs(2)] == [(1.6, 2, 1.36)]
    assert own.pairs(2) == pairs_at(own.both, 2, metric=Metric.SCORE)


def test_both__baseline_without_values__nothing_to_compare() -> None:
    own = context([valued("a", [0.5]), valued("b", [0.5])], [make_baseline_case("a"), valued_before("b", [0.5])])
    assert [now.case_id for now, _ in own.both] == ["b"]


def test_regression__values_fall_while_every_trial_passes__only_values_tell() -> None:
    scored = whole(100, [0.8], [0.95] * 10)
    (found,) = check_regression(scored)
    assert (found.verdict, found.figure("before"), found.figure("now")) == (Verdict.FAIL, 0.95, 0.8)
    assert found.sentence.startswith("intent: shown worse, mean score 95.0 -> 80.0 (-15.0 points)")
    passed = replace(scored, evidence=replace(scored.evidence, metric=Metric.PASS))
    (plain,) = check_regression(passed)
    assert (plain.verdict, plain.figure("now")) == (Verdict.PASS, 1.0)
    assert "mean score" not in plain.sentence


def test_regression__steady_values__pass_where_passes_would_be_noise() -> None:
    """Values of 0.68 and 0.72 around the pass mark: half of the trials pass, and nothing moves."""
    ids = [f"c{number:03d}" for number in range(200)]
    now = [valued(one, [0.72 if place % 2 else 0.68]) for place, one in enumerate(ids)]
    before = [valued_before(one, [0.68, 0.72] * 5) for one in ids]
    own = context(now, before)
    (found,) = check_regression(own)
    assert found.verdict is Verdict.PASS
    assert found.figure("estimate") == 0.0
    passed = replace(own, evidence=replace(own.evidence, metric=Metric.PASS))
    assert check_regression(passed)[0].verdict is Verdict.INCONCLUSIVE


def test_regression__unscored_trials_could_turn_it__open() -> None:
    ids = [f"c{number:03d}" for number in range(110)]
    now = [valued(one, [None] if place < 4 else [0.9]) for place, one in enumerate(ids)]
    found = check_regression(context(now, [valued_before(one, [0.9] * 10) for one in ids]))
    assert [one.verdict for one in found] == [Verdict.INCONCLUSIVE] * 2


def test_slices__values__lost_in_one_of_them() -> None:
    ids = [f"c{number:03d}" for number in range(60)]
    tags = [(("language", "es" if place < 10 else "en"),) for place in range(60)]
    now = [valued(one, [0.75 if place < 10 else 0.95], tags=tags[place]) for place, one in enumerate(ids)]
    before = [valued_before(one, [0.9, 1.0] * 5) for one in ids]
    policy = replace(POLICY, slices=(("language", SliceRule.BLOCK),))
    (found,) = check_slices(context(now, before, policy=policy))
    assert (found.subject, found.verdict, found.figure("now")) == ("language=es", Verdict.FAIL, 0.75)


def test_anchor__values__drift() -> None:
    ids = [f"c{number:03d}" for number in range(40)]
    old = make_suite_baseline([valued_before(one, [1.0] * 10) for one in ids], tag="v1")
    new = [valued_before(one, [0.9] * 10) for one in ids]
    (found,) = check_anchor(context([valued(one, [0.9]) for one in ids], new, anchor=old))
    assert (found.verdict, found.figure("estimate")) == (Verdict.FAIL, -0.1)
    bare = make_suite_baseline([make_baseline_case(one) for one in ids], tag="v1")
    (nothing,) = check_anchor(context([valued(one, [0.9]) for one in ids], new, anchor=bare))
    assert nothing.verdict is Verdict.INCONCLUSIVE


def test_watch__values__fires_although_every_trial_passes() -> None:
    known = {f"c{number:03d}": valued_before(f"c{number:03d}", [1.0] * 10) for number in range(40)}
    seen = [Seen(case_id=one, digest=DIGEST, mark="P", value=0.2) for one in known]
    watch = Watch(known=known, margin=0.03, metric=Metric.SCORE)
    value = watch.fires(seen)
    factors = [(1 + bet * (0.8 - 0.03) / 1.03) ** 40 for bet in (0.1, 0.2, 0.4, 0.6, 0.8)]
    assert value == pytest.approx(sum(factors) / 5)
    assert replace(watch, metric=Metric.PASS).fires(seen) is None


def test_seen__without_a_value__is_never_taken_for_a_pass() -> None:
    with pytest.raises(ValueError, match="case 'a': no value to compare"):
        Seen(case_id="a", digest=DIGEST, mark="P").result(Metric.SCORE)


def test_abort__values__named_with_mean_scores() -> None:
    ids = [f"c{number:03d}" for number in range(100)]
    now = [valued(one, [0.3]) if place < 20 else valued(one, []) for place, one in enumerate(ids)]
    own = context(now, [valued_before(one, [0.9] * 10) for one in ids], passes=1, asked=tuple(ids[:20]))
    (found,) = check_abort(own)
    assert (found.verdict, found.figure("before"), found.figure("now")) == (Verdict.FAIL, 0.9, 0.3)
    cut = replace(own.evidence, cases=(valued(ids[0], [None]), *own.evidence.cases[1:]))
    assert check_abort(replace(own, evidence=cut))[0].verdict is Verdict.FAIL


# --- passes given as values 0 and 1


@st.composite
def twins(draw: st.DrawFn) -> tuple[SuiteEvidence, SuiteBaseline]:
    """A suite that compares passes, whose values are 0 and 1, with its baseline."""
    passes, size = draw(st.sampled_from([1, 2, 3, 5])), draw(st.sampled_from([8, 35, 110]))
    rng = draw(st.randoms(use_true_random=False))
    rate, outage = draw(st.sampled_from([0.5, 0.9, 1.0])), draw(st.sampled_from([0.0, 0.02]))
    cluster = draw(st.sampled_from([None, 5, 12]))
    now, before = [], []
    for number in range(size):
        marks = "".join("U" if rng.random() < outage else "P" if rng.random() < rate else "F" for _ in range(passes))
        values = [float(mark == "P") for mark in marks if mark != "U"]
        tags = (("language", "es" if number % 3 else "en"),)
        named = None if cluster is None else f"doc{number % cluster}"
        now.append(make_case_evidence(f"c{number:03d}", marks, score=moments(values), tags=tags, cluster=named))
        kb = rng.choice([3, 10])
        x = sum(rng.random() < 0.95 for _ in range(kb))
        before.append(make_baseline_case(f"c{number:03d}", x, kb, score=moments([1.0] * x + [0.0] * (kb - x))))
    scope = draw(st.sampled_from(list(Scope)))
    return make_suite_evidence(now, passes=passes, scope=scope), make_suite_baseline(before)


def as_values(suite: SuiteEvidence) -> SuiteEvidence:
    cases = tuple(
        replace(case, values=tuple(float(mark == "P") for mark in case.marks if mark != "U")) for case in suite.cases
    )
    return replace(suite, cases=cases, metric=Metric.SCORE)


def without_words(finding: Finding) -> Finding:
    return replace(finding, sentence=finding.sentence.replace("mean score ", ""))


@SETTINGS
@given(twins(), st.sampled_from([0.03, 0.1, 0.3]))
def test_decide__passes_given_as_values__same_decision(
    twin: tuple[SuiteEvidence, SuiteBaseline], margin: float
) -> None:
    suite, baseline = twin
    # Without the rule of broken cases, which weighs their loss against the mean only where passes are compared.
    asked = Requirement(regression=True, floor=0.8, rollback_below=0.56)
    policy = make_policy(
        requirements=((Dimension.TASK_SUCCESS, asked),),
        margin=margin,
        slices=(("language", SliceRule.BLOCK),),
        fewest_cases=8,
    )
    references = (make_reference(baseline, anchor=replace(baseline, tag="v1")),)
    one = decide(policy=policy, evidence=Evidence(suites=(suite,)), references=references, as_of=AS_OF)
    two = decide(policy=policy, evidence=Evidence(suites=(as_values(suite),)), references=references, as_of=AS_OF)
    assert (two.outcome, two.reason) == (one.outcome, one.reason)
    assert [without_words(finding) for finding in two.findings] == list(one.findings)


@SETTINGS
@given(st.text("PF", min_size=10, max_size=40), st.integers(0, 10))
def test_watch__passes_given_as_values__same_e_value(marks: str, before: int) -> None:
    ids = [f"c{number:03d}" for number in range(len(marks))]
    score = moments([1.0] * before + [0.0] * (10 - before))
    known = {one: make_baseline_case(one, before, score=score) for one in ids}
    seen = [
        Seen(case_id=one, digest=DIGEST, mark=mark, value=float(mark == "P"))
        for one, mark in zip(ids, marks, strict=True)
    ]
    watch = Watch(known=known, margin=0.03)
    assert replace(watch, metric=Metric.SCORE).fires(seen) == watch.fires(seen)


def test_decide__values__floor_and_broken_cases_judge_passes() -> None:
    ids = [f"c{number:03d}" for number in range(60)]
    now = [valued(one, [0.69] * 8) for one in ids]
    before = [valued_before(one, [0.71] * 10) for one in ids]
    policy = make_policy(Dimension.TASK_SUCCESS, margin=0.1)
    decision = decide(
        policy=policy,
        evidence=Evidence(suites=(valued_suite(now, passes=5),)),
        references=(make_reference(make_suite_baseline(before)),),
        as_of=AS_OF,
    )
    found = {finding.rule: finding.verdict for finding in decision.findings}
    assert found[Rule.REGRESSION] is Verdict.PASS
    assert (found[Rule.FLOOR], found[Rule.BROKEN_CASE]) == (Verdict.FAIL, Verdict.FAIL)
