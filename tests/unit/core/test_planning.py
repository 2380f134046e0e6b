"""Plans: passes that a margin needs."""

import pytest

from gate.core.model import Scope
from gate.core.planning import passes_needed, show_chance, supported_margin
from tests.builders import make_case


def test_passes_needed__the_fewest_that_reach_the_margin() -> None:
    plan = {"cases": 400, "noise_per_trial": 0.05, "baseline_trials": 10}
    passes = passes_needed(margin=0.03, **plan)  # type: ignore[arg-type]
    assert passes is not None
    assert passes > 1
    assert supported_margin(passes=passes, **plan) <= 0.03  # type: ignore[arg-type]
    assert supported_margin(passes=passes - 1, **plan) > 0.03  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", list(Scope))
def test_passes_needed__none_where_a_hundred_are_too_few(scope: Scope) -> None:
    assert passes_needed(margin=0.001, cases=50, noise_per_trial=0.1, baseline_trials=10, scope=scope) is None


def test_peers__named_by_outranks_only_as_a_list() -> None:
    assert make_case(expected={"outranks": ["b", "c"]}).peers == ("b", "c")
    assert make_case(expected={"outranks": "b"}).peers == ()
    assert make_case(expected={}).peers == ()


def test_show_chance__is_nine_in_ten_at_a_margin_that_is_supported_with_the_decisions_own_z() -> None:
    suite = {"noise_per_trial": 0.04, "baseline_trials": 10}
    own = (0.04 * (1 + 1 / 10) / 300) ** 0.5
    claimed = (0.04 * (1 + 1 / 10) / 300 + 2 / 302**2) ** 0.5
    margin = 1.95 * claimed + 1.2816 * own
    assert show_chance(margin=margin, cases=300, passes=1, **suite) == pytest.approx(0.9, abs=1e-4)  # type: ignore[arg-type]
    # Planning is more careful (z 2.10).
    assert supported_margin(cases=300, passes=1, **suite) == pytest.approx(2.10 * claimed + 1.2816 * own)  # type: ignore[arg-type]


@pytest.mark.parametrize(("cases", "chance"), [(200, 1.0), (20, 0.0)])
def test_show_chance__without_noise_is_all_or_nothing(cases: int, chance: float) -> None:
    assert show_chance(margin=0.03, cases=cases, passes=1, noise_per_trial=0.0, baseline_trials=10) == chance
