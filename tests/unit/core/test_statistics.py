"""Closed forms against independent oracles: scipy, statsmodels, and arithmetic by hand."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from gate.core.statistics import (
    Comparison,
    Pair,
    augmented,
    binomial_cdf,
    bisect,
    compare,
    exact_lower,
    exact_upper,
    holm,
    nearest_rank,
    paired_ratio,
    quantile_bounds,
    settled,
    t_quantile,
    tail,
)

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True, database=None)


@st.composite
def pair_lists(draw: st.DrawFn) -> list[Pair]:
    """Any pairs: one to thirty cases, one to ten trials on each side."""
    made = []
    for number in range(draw(st.integers(1, 30))):
        kb, k = draw(st.integers(1, 10)), draw(st.integers(1, 6))
        x, y = draw(st.integers(0, kb)), draw(st.integers(0, k))
        made.append(Pair(case_id=f"c{number}", x=x, kb=kb, y=y, k=k))
    return made


def random_pairs(rng: random.Random, cases: int, trials: int) -> list[Pair]:
    rates = [rng.choice((0.1, 0.5, 0.8, 0.95)) for _ in range(cases)]
    draw = [(sum(rng.random() < r for _ in range(trials)), sum(rng.random() < r for _ in range(trials))) for r in rates]
    return [Pair(case_id=f"c{i:03d}", x=x, kb=trials, y=y, k=trials) for i, (x, y) in enumerate(draw)]


@pytest.mark.parametrize("trials", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_compare__equal_trials__square_of_set_z_is_cochran_mantel_haenszel(trials: int, seed: int) -> None:
    pairs = random_pairs(random.Random(seed), 60, trials)
    result = compare(pairs)
    tables = [np.array([[pair.y, pair.k - pair.y], [pair.x, pair.kb - pair.x]]) for pair in pairs]
    oracle = StratifiedTable([table for table in tables if 0 < table[:, 0].sum() < 2 * trials]).test_null_odds()
    assert (result.estimate / result.set_error) ** 2 == pytest.approx(float(oracle.statistic), rel=1e-9)


def test_compare__one_trial_each__is_mcnemar() -> None:
    lost, won = 15, 6
    pairs = [Pair(case_id=f"l{i}", x=1, kb=1, y=0, k=1) for i in range(lost)]
    pairs += [Pair(case_id=f"w{i}", x=0, kb=1, y=1, k=1) for i in range(won)]
    pairs += [Pair(case_id=f"s{i}", x=1, kb=1, y=1, k=1) for i in range(40)]
    result = compare(pairs)
    oracle = mcnemar([[40, lost], [won, 0]], exact=False, correction=False)
    assert (result.estimate / result.set_error) ** 2 == pytest.approx(float(oracle.statistic))
    assert tail(result.estimate, result.set_error) == pytest.approx(float(oracle.pvalue) / 2)


def test_compare__unequal_trials__by_hand() -> None:
    result = compare([Pair(case_id="a", x=9, kb=10, y=1, k=2), Pair(case_id="b", x=5, kb=10, y=2, k=2)])
    spread = 1 / 2 + 1 / 10
    variance = [p * (1 - p) / (1 - spread / 4) * spread for p in (0.7, 0.75)]
    assert result.estimate == pytest.approx((-0.4 + 0.5) / 2)
    assert result.set_error == pytest.approx(math.sqrt(sum(variance)) / 2)
    assert result.population_estimate == pytest.approx(0.1 / 4)
    assert result.population_error == pytest.approx(math.sqrt(((0.16 + 0.25 + 2) / 4 - 0.025**2) / 4))
    assert result.set_lower(2.0) == pytest.approx(settled(0.05 - 2 * result.set_error))
    assert result.set_upper(2.0) == pytest.approx(settled(0.05 + 2 * result.set_error))


def test_set_variance__no_change__is_unbiased() -> None:
    for rate, k, kb in itertools.product((0.1, 0.5, 0.9), (1, 2, 5), (1, 3, 10)):
        expected = math.fsum(
            stats.binom.pmf(x, kb, rate)
            * stats.binom.pmf(y, k, rate)
            * compare([Pair(case_id="a", x=x, kb=kb, y=y, k=k)]).set_error ** 2
            for x in range(kb + 1)
            for y in range(k + 1)
        )
        assert expected == pytest.approx(rate * (1 - rate) * (1 / k + 1 / kb))


def test_compare__one_trial_each__population_interval_is_bonett_price() -> None:
    pairs = [Pair(case_id=f"{i}", x=1, kb=1, y=int(i >= 7), k=1) for i in range(60)]
    pairs += [Pair(case_id=f"w{i}", x=0, kb=1, y=1, k=1) for i in range(3)]
    result = compare(pairs)
    n, lost, won = len(pairs), 7, 3
    p12, p21 = (lost + 1) / (n + 2), (won + 1) / (n + 2)
    assert result.population_estimate == pytest.approx(p21 - p12)
    assert result.population_error == pytest.approx(math.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 2)))


@SETTINGS
@given(pair_lists(), st.randoms(use_true_random=False))
def test_compare__any_order__same_to_the_last_bit(pairs: list[Pair], rng: random.Random) -> None:
    shuffled = list(pairs)
    rng.shuffle(shuffled)
    assert compare(shuffled) == compare(pairs)


@SETTINGS
@given(pair_lists())
def test_compare__anything__population_interval_has_width_and_everything_is_finite(pairs: list[Pair]) -> None:
    result = compare(pairs)
    assert result.population_error > 0.0
    assert all(map(math.isfinite, (result.estimate, result.set_error, result.population_estimate)))
    assert result.population_lower(1.95) < result.population_estimate
    assert -1.0 <= result.estimate <= 1.0


@pytest.mark.parametrize("cases", [1, 2, 50, 1000])
def test_compare__nothing_differs__width_is_that_of_the_imaginary_pair(cases: int) -> None:
    result = compare([Pair(case_id=f"{i}", x=10, kb=10, y=1, k=1) for i in range(cases)])
    assert result.set_error == 0.0
    assert result.population_error == pytest.approx(math.sqrt(2) / (cases + 2))


def test_compare__nothing__says_so() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        compare([])


def test_compare__every_case_its_own_cluster__estimate_as_without_clusters() -> None:
    plain = random_pairs(random.Random(3), 40, 3)
    own = [Pair(case_id=p.case_id, x=p.x, kb=p.kb, y=p.y, k=p.k, cluster=p.case_id) for p in plain]
    alone, grouped = compare(plain), compare(own)
    assert grouped.clusters == 40
    assert grouped.population_estimate == pytest.approx(alone.population_estimate)
    assert grouped.population_error == pytest.approx(alone.population_error * math.sqrt(42 / 41))


def test_compare__clusters_move_together__wider_than_without() -> None:
    rows = [(f"{c}-{i}", 0 if c < 3 else 10, f"doc{c}") for c in range(12) for i in range(5)]
    grouped = compare([Pair(case_id=i, x=10, kb=10, y=y, k=10, cluster=c) for i, y, c in rows])
    alone = compare([Pair(case_id=i, x=10, kb=10, y=y, k=10) for i, y, c in rows])
    assert grouped.clusters == 12
    assert grouped.population_error > 1.8 * alone.population_error
    z = 1.95 * t_quantile(0.95, 11) / 1.645
    assert grouped.population_lower(1.95) == settled(grouped.population_estimate - z * grouped.population_error)


def test_compare__some_cases_without_cluster__count_as_their_own() -> None:
    pairs = [Pair(case_id=f"a{i}", x=10, kb=10, y=1, k=1, cluster="doc") for i in range(5)]
    pairs += [Pair(case_id=f"b{i}", x=10, kb=10, y=1, k=1) for i in range(6)]
    assert compare(pairs).clusters == 7


def test_population_lower__under_ten_clusters__claims_nothing() -> None:
    few = Comparison(cases=90, estimate=0.0, set_error=0.0, population_estimate=0.0, population_error=0.001, clusters=9)
    assert few.population_lower(1.95) == -math.inf


def test_settled__minus_zero_and_noise__are_gone() -> None:
    assert math.copysign(1, settled(-1e-9)) == 1.0
    assert settled(0.80 - 0.85) == settled(0.85 - 0.90) == -0.05


def test_augmented__no_values__is_the_imaginary_pair() -> None:
    mean, error = augmented([], low=0.0, high=1.0)
    assert mean == 0.5
    assert error == pytest.approx(math.sqrt(0.125))


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 59), (59, 59), (3, 10), (79, 100), (480, 500)])
def test_exact_bounds__like_clopper_and_pearson(successes: int, trials: int) -> None:
    low, high = proportion_confint(successes, trials, alpha=0.10, method="beta")
    assert exact_lower(successes, trials) == pytest.approx(0.0 if successes == 0 else low, abs=1e-9)
    assert exact_upper(successes, trials) == pytest.approx(1.0 if successes == trials else high, abs=1e-9)


def test_exact_lower__agrees_with_binomtest() -> None:
    oracle = stats.binomtest(78, 100, alternative="greater").proportion_ci(0.95, method="exact").low
    assert exact_lower(78, 100) == pytest.approx(oracle, abs=1e-9)


def test_exact_bounds__a_floor_of_seventy_on_a_hundred_cases__shown_at_78_refuted_at_61() -> None:
    assert [exact_lower(k, 100) >= 0.70 for k in (77, 78)] == [False, True]
    assert [exact_upper(k, 100) < 0.70 for k in (61, 62)] == [True, False]


@pytest.mark.parametrize(("trials", "rate"), [(1, 0.3), (10, 0.5), (59, 0.95), (400, 0.95), (7, 0.0), (7, 1.0)])
def test_binomial_cdf__like_scipy(trials: int, rate: float) -> None:
    for successes in range(-1, trials + 1):
        assert binomial_cdf(successes, trials, rate) == pytest.approx(
            stats.binom.cdf(successes, trials, rate), abs=1e-11
        )


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 30, 100, 499])
@pytest.mark.parametrize("probability", [0.6, 0.95, 0.975, 0.999])
def test_t_quantile__like_scipy(probability: float, degrees: int) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(float(stats.t.ppf(probability, degrees)), rel=1e-8)


def test_bisect__finds_the_zero() -> None:
    assert bisect(lambda x: x * x - 2, 0.0, 2.0) == pytest.approx(math.sqrt(2), abs=1e-15)


@pytest.mark.parametrize("count", [1, 10, 58, 59, 60, 100, 200, 333])
def test_quantile_bounds__like_quantile_test(count: int) -> None:
    values = [float(v) for v in random.Random(count).sample(range(10_000), count)]
    above = stats.quantile_test(values, p=0.95, alternative="less").confidence_interval(0.95).high
    below = stats.quantile_test(values, p=0.95, alternative="greater").confidence_interval(0.95).low
    lower, upper = quantile_bounds(values)
    assert upper == (None if math.isnan(above) or math.isinf(above) else above)
    assert lower == (None if math.isnan(below) or math.isinf(below) else below)
    assert (upper is None) == (count < 59)


@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
@pytest.mark.parametrize("quantile", [0.5, 0.95, 0.99])
def test_quantile_bounds__many_values__like_quantile_test(count: int, quantile: float) -> None:
    values = [float(v) for v in range(count)]
    above = stats.quantile_test(values, p=quantile, alternative="less").confidence_interval(0.95).high
    below = stats.quantile_test(values, p=quantile, alternative="greater").confidence_interval(0.95).low
    assert quantile_bounds(values, quantile) == (below, above)


@pytest.mark.parametrize("trials", [1, 2, 60, 3_000])
@pytest.mark.parametrize("rate", [1e-9, 0.05, 0.5, 0.95, 1 - 1e-9])
def test_binomial_cdf__masses_left_out_are_zero_to_the_last_bit(trials: int, rate: float) -> None:
    def mass(k: int) -> float:
        chosen = math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        return math.exp(chosen + k * math.log(rate) + (trials - k) * math.log1p(-rate))

    masses = [mass(k) for k in range(trials)]
    for successes in {0, trials // 20, trials // 2, trials - trials // 20 - 1, trials - 1}:
        assert binomial_cdf(successes, trials, rate) == min(1.0, math.fsum(masses[: successes + 1]))


def test_quantile_bounds__nothing() -> None:
    assert quantile_bounds([]) == (None, None)


def test_quantile_bounds__median_of_one__has_no_bounds() -> None:
    assert quantile_bounds([7.0], 0.5) == (None, None)


@pytest.mark.parametrize(("quantile", "wanted"), [(0.0, 1), (0.5, 10), (0.95, 19), (0.951, 20), (1.0, 20)])
def test_nearest_rank__table(quantile: float, wanted: int) -> None:
    values = list(range(20, 0, -1))
    assert nearest_rank([float(v) for v in values], quantile) == wanted


def test_nearest_rank__nothing__says_so() -> None:
    with pytest.raises(ValueError, match="no values"):
        nearest_rank([], 0.5)


def test_paired_ratio__by_hand() -> None:
    pairs = [(2.0, 1.0), (3.0, 2.0), (4.0, 5.0)]
    result = paired_ratio(pairs)
    ratio = 9 / 8
    residuals = np.array([a - ratio * b for a, b in pairs])
    assert result.cases == 3
    assert result.value == pytest.approx(ratio)
    assert result.error == pytest.approx(residuals.std(ddof=1) / math.sqrt(3) / (8 / 3))


def test_paired_ratio__one_pair__has_no_spread() -> None:
    assert paired_ratio([(3.0, 2.0)]).error == 0.0


@pytest.mark.parametrize("pairs", [[], [(1.0, 0.0)], [(1.0, -1.0)]])
def test_paired_ratio__no_base__says_so(pairs: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="no base"):
        paired_ratio(pairs)


@pytest.mark.parametrize("alpha", [0.003, 0.05, 0.3])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 12])
def test_holm__like_multipletests(count: int, alpha: float) -> None:
    rng = random.Random(count)
    for _ in range(5):
        p_values = [rng.random() ** 4 for _ in range(count)]
        assert holm(p_values, alpha) == tuple(map(bool, multipletests(p_values, alpha, method="holm")[0]))


def test_holm__nothing() -> None:
    assert holm([], 0.05) == ()


def test_holm__a_tie_with_the_level__is_rejected() -> None:
    assert holm([0.05, 0.9], 0.10) == (True, False)


@pytest.mark.parametrize(
    ("estimate", "error", "wanted"), [(-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.1, 0.0, 1.0), (0.0, 1.0, 0.5)]
)
def test_tail__edges(estimate: float, error: float, wanted: float) -> None:
    assert tail(estimate, error) == wanted


def test_tail__like_the_normal_distribution() -> None:
    assert tail(-0.0196, 0.01) == pytest.approx(float(stats.norm.cdf(-1.96)))


def test_compare__a_pass_more_can_lower_the_population_bound_by_a_hair() -> None:
    """A known limit of every t interval: a large win is also spread. It moves the bound by under 0.01 of one case."""
    rest = [Pair(case_id=f"r{i}", x=10, kb=10, y=5, k=5) for i in range(99)]
    bounds = [compare([*rest, Pair(case_id="a", x=0, kb=10, y=y, k=5)]).population_lower(1.95) for y in (4, 5)]
    assert 0.0 < bounds[0] - bounds[1] < 0.01 * 1 / 100
