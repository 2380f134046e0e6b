"""Simulated pull requests go through the real loop, and their counts, page and plot say what happened."""

import itertools
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.decision.cells import (
    HOLDING,
    ROLLING,
    SIZES,
    Block,
    Cell,
    Repetitions,
    Tally,
    blocks,
    contradictions,
    count,
    draw_suite,
    edge,
    margin_of,
    runs_of,
    seeded,
    simulate_block,
    truths_of,
)
from benchmarks.decision.collect import Collected, again_blocks, edge_cells, load, save
from benchmarks.decision.extras import CORRELATED, cached, first_alarm, half_cached, merge_profile, speed
from benchmarks.decision.extras import correlated as judge_correlated
from benchmarks.decision.goals import judge_goals
from benchmarks.decision.page import page, percent
from benchmarks.decision.plot import draw
from benchmarks.decision.rivals import RIVALS
from benchmarks.decision.shapes import SHAPES
from benchmarks.decision.simulate import (
    Trials,
    aborted_after,
    case_id,
    case_order,
    digest,
    draw_marks,
    passes_in,
    reference,
    run,
    watch_for,
)
from benchmarks.decision.truths import NO_CHANGE, TRUTHS, TWO_CASES, How
from gate.core.finding import Outcome
from gate.core.policy import Policy
from gate.core.rules.abort import Seen

TYPICAL = SHAPES["typical"]
PROMOTE, HOLD, ROLLBACK = (str(outcome) for outcome in Outcome)


def judged(rows: dict[int, str], *, cases: int = 50, policy: Policy = HOLDING, margin: float = 0.09):
    """A suite solid in the baseline, where every case passes but those named."""
    marks = [rows.get(index, "P").ljust(16, rows.get(index, "P")[-1]) for index in range(cases)]
    trials = Trials(marks=marks, shape=TYPICAL, margin=margin)
    return run([trials], [reference([10] * cases)], policy)


def test_run__nothing_fails__promotes_after_one_pass() -> None:
    result = judged({})
    assert (result.outcome, result.calls, result.confirmed, result.shown_worse) == (PROMOTE, 50, frozenset(), False)


def test_run__one_failure__is_cleared_by_confirmation_trials() -> None:
    result = judged({3: "FP"})
    assert (result.outcome, result.confirmed) == (PROMOTE, frozenset())
    assert 50 < result.calls <= 55


@pytest.mark.parametrize(("policy", "outcome"), [(HOLDING, HOLD), (ROLLING, ROLLBACK)])
def test_run__two_cases_broken__are_named(policy: Policy, outcome: str) -> None:
    result = judged({3: "F", 17: "F"}, policy=policy)
    assert (result.outcome, result.confirmed) == (outcome, {3, 17})


def test_run__a_fifth_of_the_suite_fails__is_shown_worse_at_once() -> None:
    result = judged(dict.fromkeys(range(12), "F"))
    assert (result.outcome, result.shown_worse, result.calls) == (ROLLBACK, True, 50)


def test_run__everything_fails__is_aborted_after_twenty_cases() -> None:
    result = judged(dict.fromkeys(range(50), "F"))
    assert (result.outcome, result.shown_worse, result.calls) == (ROLLBACK, True, 20)
    assert result.decision.reason == "abort"


def test_aborted_after__many_first_passes__same_as_asking_the_rule_every_time() -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(60):
        suite = draw_suite(TYPICAL, 80, rng)
        trials = Trials(marks=draw_marks(rng, suite.rates * rng.choice([1.0, 0.8, 0.6])), shape=TYPICAL, margin=0.05)
        watch = watch_for(trials, suite.reference, HOLDING)
        order = case_order(80)
        seen = [Seen(case_id=case_id(one), digest=digest(one), mark=trials.marks[one][0]) for one in order]
        asked = next((count for count in range(1, 81) if watch.fires(seen[:count]) is not None), 0)
        assert aborted_after([one.mark for one in seen], order, watch) == asked
        found.append(asked)
    assert 0 < sum(asked > 0 for asked in found) < 60


def test_draw_marks__rates__one_letter_a_trial() -> None:
    marks = draw_marks(np.random.default_rng(1), np.array([0.0, 1.0, 0.5]), 4000)
    assert (set(marks[0]), set(marks[1]), len(marks[2])) == ({"F"}, {"P"}, 4000)
    assert marks[2].count("P") == pytest.approx(2000, abs=130)


def test_seeded__same_parts__same_numbers() -> None:
    assert seeded("a", 1).random() == seeded("a", 1).random() != seeded("a", 2).random()


def test_count__two_cases__only_a_named_case_counts_as_caught() -> None:
    both, none = Counter[str](), Counter[str]()
    count(both, "", judged({3: "F", 17: "F"}), truth=TWO_CASES, lost=frozenset({3, 17}))
    count(none, "", judged({}), truth=TWO_CASES, lost=frozenset({3, 17}))
    assert (both["caught"], both["named all"], both[HOLD], both["calls"] > 50) == (1, 1, 1, True)
    assert (none["caught"], none["named all"], none[PROMOTE], none["calls"]) == (0, 0, 1, 50)


def test_contradictions__promote_and_rollback__one_pair_of_three() -> None:
    counts = Counter[str]()
    worse = judged(dict.fromkeys(range(25), "F"))
    contradictions(counts, "", [judged({}), worse, worse])
    assert counts == {"pairs": 3, "contradictory": 2}


def test_runs_of__marks__counts_of_the_first_runs() -> None:
    counted = runs_of(["PFPPPPPPPP"], ["FPPF"])
    assert [int(part[0, 0]) for part in (counted.x1, counted.x3, counted.x10, counted.y1, counted.y3)] == [
        1,
        2,
        9,
        0,
        2,
    ]


def test_truths_of__edges__beside_the_fixed_ones() -> None:
    wanted = truths_of(TYPICAL, 50)
    assert set(TRUTHS) < set(wanted)
    assert wanted[edge(How.BROKEN, TYPICAL, cases=50, margin="3").name][1] == ("3",)
    assert wanted["broad -3"][1] == ("m90", "3", "5")
    assert margin_of(TYPICAL, 50, "5") == 0.05


TINY = Repetitions(unchanged=dict.fromkeys(SIZES, 1), changed=dict.fromkeys(SIZES, 1), again=2, series=1)


@pytest.fixture(scope="module")
def small() -> dict[Cell, Tally]:
    """One repetition of one shape and size."""
    return simulate_block(Block(shape="mixed", cases=50, start=0, stop=1, unchanged=1, changed=1))


def test_simulate_block__one_repetition__every_truth_margin_and_rule(small: dict[Cell, Tally]) -> None:
    ours = [cell for cell in small if not cell.rule]
    assert len(ours) == 3 * len(TRUTHS) + 3 + 2
    assert len(small) - len(ours) == len(RIVALS) * len(truths_of(SHAPES["mixed"], 50))
    unchanged = small[Cell(shape="mixed", cases=50, truth=NO_CHANGE.name)].counts
    assert (unchanged["runs"], unchanged["pairs"]) == (4, 6)


def test_simulate_block__again__same_counts(small: dict[Cell, Tally]) -> None:
    again = simulate_block(Block(shape="mixed", cases=50, start=0, stop=1, unchanged=1, changed=1))
    assert again == small


def test_simulate_block__one_cell_only__draws_afresh() -> None:
    cell = Cell(shape="mixed", cases=50, truth="broad -5", margin="5")
    found = simulate_block(Block(shape="mixed", cases=50, start=0, stop=2, unchanged=0, changed=2, only=cell))
    assert list(found) == [cell]
    assert found[cell].counts["runs"] == 2


def test_blocks__all_repetitions__once_each() -> None:
    every = blocks(TINY)
    assert len(every) == len(SHAPES) * len(SIZES)
    assert {(block.shape, block.cases) for block in every} == {(shape, cases) for shape in SHAPES for cases in SIZES}


def test_cached__first_answer__is_repeated() -> None:
    rng = np.random.default_rng(1)
    assert cached(["PFFP", "FPPP"], rng) == ["PPPP", "FFFF"]
    (row,) = half_cached(["PF" * 500], rng)
    assert sum(left == right for left, right in itertools.pairwise(row)) == pytest.approx(667, abs=60)


def test_correlated__outage_as_errors__is_never_a_regression() -> None:
    way = next(one for one in CORRELATED if "10 %" in one.name and "errors" in one.name)
    found = judge_correlated(way.name, 1)
    assert (found.unchanged.counts["HOLD"], found.printed) == (6, "HOLD completeness")


def test_first_alarm__ten_points_a_merge__at_the_first() -> None:
    assert first_alarm(1, 0.10) == 1
    assert first_alarm(1, 0.0) is None


def test_merge_profile__one_pair__counts_calls_of_three_suites() -> None:
    found = merge_profile("quiet", 100, 1)
    assert (found.counts["runs"], found.counts["pairs"]) == (2, 1)
    assert found.counts["calls"] >= 600


def test_speed__three_amounts_of_passes__both_functions() -> None:
    assert list(speed(0.01)) == [f"{name} after {passes}" for passes in (1, 2, 5) for name in ("decide", "next_steps")]


@pytest.fixture(scope="module")
def collected(small: dict[Cell, Tally]) -> Collected:
    """The same few counts in every cell, so that the page can be written."""
    cells = {}
    for shape in SHAPES:
        for cases in SIZES:
            for truth in truths_of(SHAPES[shape], cases):
                for margin in ("m90", "3", "5"):
                    source = truth if truth in TRUTHS else "broad -3"
                    cell = Cell(shape="mixed", cases=50, truth=source, margin=margin)
                    cells[Cell(shape=shape, cases=cases, truth=truth, margin=margin)] = small[cell]
                for rival in RIVALS:
                    one = next(tally for cell, tally in small.items() if cell.rule == rival.name)
                    cells[Cell(shape=shape, cases=cases, truth=truth, rule=rival.name)] = one
    unchanged = small[Cell(shape="mixed", cases=50, truth=NO_CHANGE.name)]
    return Collected(
        repetitions=TINY,
        cells=cells,
        again={next(iter(edge_cells())): unchanged},
        decay={0.0: [None, None], 0.005: [5, 7]},
        correlated=[judge_correlated("independent trials", 1)],
        merge={"quiet 100": unchanged},
        speed={"decide after 1": 2000.0},
    )


def test_page__any_counts__names_goals_and_every_rule(collected: Collected) -> None:
    text = page(collected)
    assert all(rival.name in text for rival in RIVALS)
    assert all(goal.text in text for goal in judge_goals(collected))
    assert (
        "20 merges of -0.5 points: the anchor speaks in >= 99 %, at merge 7 or before (median) | 100.0 %, merge 6 | reached"
        in text
    )


def test_save__then_load__same_page(collected: Collected, tmp_path: Path) -> None:
    save(collected, tmp_path / "out" / "counts.json")
    assert page(load(tmp_path / "out" / "counts.json")) == page(collected)


def test_draw__any_counts__is_well_formed_and_names_every_rule(collected: Collected) -> None:
    texts = {element.text for element in ET.fromstring(draw(collected.cells)).iter()}
    assert {"lockgate", *(rival.name for rival in RIVALS)} <= texts


def test_again_blocks__worst_cells__in_pieces(collected: Collected) -> None:
    again = again_blocks(dict(collected.cells), 120)
    unchanged = [cell for cell in {block.only for block in again} if cell and cell.truth == NO_CHANGE.name]
    broken = [cell for cell in {block.only for block in again} if cell and cell.truth == TWO_CASES.name]
    assert len({block.only for block in again}) == 24
    assert len(broken) == 4
    assert len(unchanged) == 8
    assert {(block.unchanged, block.changed) for block in again} == {(120, 120)}
    assert [block.stop - block.start for block in again[:3]] == [50, 50, 20]


def test_percent__small_shares__keep_a_decimal() -> None:
    assert [percent(share) for share in (0.0, 0.004, 0.0996, 0.5)] == ["0", "0.4", "10", "50"]


def test_draw_suite__baseline__ten_trials_a_case() -> None:
    suite = draw_suite(TYPICAL, 50, seeded("test"))
    assert {len(row) for row in suite.marks} == {10}
    baseline = suite.reference.baseline
    assert [case.passes for case in baseline.cases] == passes_in(suite.marks)
