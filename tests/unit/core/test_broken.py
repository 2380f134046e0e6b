"""Critical values of broken cases, against a plain second implementation of docs/explanation/statistics.md."""

import itertools
import math
import random
from dataclasses import replace

import pytest
from scipy import stats

from gate.core.broken import (
    LARGE,
    SMALL,
    BrokenTable,
    broken_table,
    confirmation_for,
    table_of,
)
from gate.core.codec import DecodeError, decode, encode
from gate.core.prior import GRID
from gate.core.statistics import binomial_cdf
from tests.builders import make_suite_baseline

PLAIN_GRID = [0.0005, 0.002, 0.005, 0.01] + [g / 100 for g in range(2, 100, 2)] + [0.99, 0.995, 0.998, 0.9995]
POINTS = len(PLAIN_GRID)  # 57; the study says 53 and lists 57


def plain_table(passes: list[int], size: int) -> tuple[dict[int, int], float]:
    """Written from the pseudo-code alone: every case on its own, scipy's binomials, every level tried."""
    trials, y_max, alpha = (6, 2, 0.003) if size <= 64 else (10, 4, 0.002)
    n, w = len(passes), [1 / POINTS] * POINTS
    like = {x: stats.binom.pmf(x, 10, PLAIN_GRID).tolist() for x in range(11)}
    for _ in range(60 if n else 0):
        new = [0.0] * POINTS
        for x in passes:
            joint = [a * b for a, b in zip(w, like[x], strict=True)]
            new = [a + b / sum(joint) / n for a, b in zip(new, joint, strict=True)]
        w = new
    w = [(n * weight + 1 / POINTS) / (n + 1) for weight in w]
    below = {y: stats.binom.cdf(y, trials, PLAIN_GRID).tolist() for y in range(y_max + 1)}
    tails = {}
    for x in (8, 9, 10):
        joint = [a * b for a, b in zip(w, like[x], strict=True)]
        for y in range(y_max + 1):
            tails[x, y] = sum(a * b for a, b in zip(joint, below[y], strict=True)) / sum(joint)
    best, best_sum = {8: -1, 9: -1, 10: -1}, 0.0
    for level in sorted(tails.values()):
        crit = {x: sum(tails[x, y] <= level for y in range(y_max + 1)) - 1 for x in best}
        total = sum(tails[x, crit[x]] for x in passes if x >= 8 and crit[x] >= 0)
        if total <= alpha and total >= best_sum:
            best, best_sum = crit, total
    return best, best_sum


def suites(count: int) -> list[list[int]]:
    rng = random.Random(20261121)
    made = []
    for _ in range(count):
        size = rng.choice((1, 5, 30, 50, 64, 65, 100))
        shape = rng.choice(((10,), (9, 10), (0, 10), tuple(range(11)), (7, 8, 9, 10), (5, 8, 10, 10, 10)))
        made.append([rng.choice(shape) for _ in range(size)])
    return made


def test_grid__as_in_the_rule() -> None:
    assert list(GRID) == pytest.approx(PLAIN_GRID)


def test_broken_table__random_suites__equal_the_plain_implementation() -> None:
    for passes in suites(16):
        table = broken_table(passes, len(passes))
        critical, total = plain_table(passes, len(passes))
        assert dict(table.critical) == critical, passes
        assert table.expected_false_alarms == pytest.approx(total, abs=1e-6), passes


def test_broken_table__random_suites__expected_false_alarms_within_the_level() -> None:
    for passes in suites(60):
        assert 0.0 <= broken_table(passes, len(passes)).expected_false_alarms <= confirmation_for(len(passes)).alpha


def test_broken_table__order_of_cases__does_not_matter() -> None:
    passes = suites(1)[0]
    assert broken_table(passes, 50) == broken_table(passes[::-1], 50)


@pytest.mark.parametrize("passes", [[10] * 50, [10] * 200, [10] * 60 + [5] * 20 + [0] * 20])
def test_broken_table__solid_suite__sees_a_case_that_never_passes(passes: list[int]) -> None:
    assert broken_table(passes, len(passes)).limit(10, 10) >= 0


def test_broken_table__all_seventy__nothing_to_confirm() -> None:
    rng = random.Random(70)
    passes = [sum(rng.random() < 0.7 for _ in range(10)) for _ in range(50)]
    assert broken_table(passes, 50).limit(8, 10) == -1


def test_broken_table__no_cases__tests_nothing_by_mistake() -> None:
    table = broken_table([], 0)
    assert table.expected_false_alarms == 0.0
    assert table.trials == 6


def test_broken_table__simulated_unchanged_suites__false_alarms_stay_near_the_level() -> None:
    """Nominal 0.3 % a suite; 80 baselines of the shape `noisy` at a fixed seed, the candidate's side exactly."""
    rng = random.Random(4711)
    alarms = []
    for _ in range(80):
        rates = [rng.betavariate(40, 0.8) if rng.random() < 0.7 else rng.betavariate(2, 2) for _ in range(50)]
        passes = [sum(rng.random() < rate for _ in range(10)) for rate in rates]
        table = broken_table(passes, 50)
        testable = [
            (table.limit(x, 10), rate) for x, rate in zip(passes, rates, strict=True) if table.limit(x, 10) >= 0
        ]
        alarms.append(sum(binomial_cdf(limit, table.trials, rate) for limit, rate in testable))
    assert 0.0005 < math.fsum(alarms) / len(alarms) < 0.0045


@pytest.mark.parametrize(("cases", "wanted"), [(0, SMALL), (64, SMALL), (65, LARGE), (500, LARGE)])
def test_confirmation_for__ten_trials_from_65_cases(cases: int, wanted: object) -> None:
    assert confirmation_for(cases) is wanted


def test_limit__other_than_ten_trials_or_not_solid__not_testable() -> None:
    table = broken_table([10] * 50, 50)
    assert [table.limit(10, 9), table.limit(20, 20), table.limit(7, 10)] == [-1, -1, -1]


def test_expected_false_alarms__by_full_enumeration_of_one_prior() -> None:
    """With the true rates known, the chance of a confirmation is at most what the table promises, up to the fit."""
    passes = [10] * 45 + [9] * 5
    table = broken_table(passes, 50)
    truth = {10: 0.9995, 9: 0.9}
    alarms = math.fsum(
        float(stats.binom.cdf(table.limit(x, 10), 6, truth[x])) for x in passes if table.limit(x, 10) >= 0
    )
    assert alarms <= 0.003
    assert list(itertools.accumulate(passes for passes, _ in table.critical)) == [8, 17, 27]


def test_table_of__only_ten_trials_have_a_say_and_every_case_counts_for_the_size() -> None:
    counts = [(10, 10)] * 60 + [(5, 5)] * 20
    assert table_of(counts) == broken_table([10] * 60, 80)
    assert table_of(counts).trials == LARGE.trials
    assert table_of(iter(counts)) == table_of(counts[::-1])


def test_broken_table__goes_through_a_file_and_can_be_a_key() -> None:
    table = broken_table([10] * 45 + [9] * 5, 50)
    again = decode(BrokenTable, encode(table))
    assert again == table
    assert {table: 1}[again] == 1


def test_suite_baseline__critical_values_of_other_counts__refused() -> None:
    table = broken_table([10] * 50, 50)
    assert table.expected_false_alarms > 0.0
    fixed = make_suite_baseline("en*50: 10/10", broken=table)
    assert fixed.critical_values is table
    for changed, most in ((replace(table, expected_false_alarms=0.0031), 0.003), (replace(table, critical=()), 0.0)):
        with pytest.raises(ValueError, match=f"false alarms expected of 50 cases, at most {most} are allowed"):
            make_suite_baseline("en*50: 10/10", broken=changed)
    with pytest.raises(ValueError, match=r"at most 0\.0 are allowed"):
        make_suite_baseline("en*50: 3/3", broken=table)


SOUND = {"trials": 8, "critical": [[8, -1], [9, 1], [10, 3]], "expected_false_alarms": 0.0019}


@pytest.mark.parametrize(
    "change",
    [
        {"trials": 0},
        {"trials": -8},
        {"critical": [[10, 8]]},
        {"critical": [[10, -2]]},
        {"critical": [[10, 3], [10, 1]]},
        {"critical": [[7, 1]]},
        {"critical": [[11, 1]]},
        {"expected_false_alarms": -0.001},
    ],
)
def test_broken_table__values_that_no_baseline_gives__refused(change: dict) -> None:
    assert decode(BrokenTable, SOUND).limit(10, 10) == 3
    with pytest.raises(DecodeError, match="critical values that no baseline gives"):
        decode(BrokenTable, SOUND | change)
