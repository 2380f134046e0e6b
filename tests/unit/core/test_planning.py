"""Plans: passes that a margin needs."""

import pytest

from gate.core.model import Scope
from gate.core.planning import passes_needed, supported_margin
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
