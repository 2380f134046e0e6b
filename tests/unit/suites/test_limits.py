"""How many cases a margin needs."""

from dataclasses import replace

import pytest

from gate.core.model import Scope, Suite
from gate.core.rules.regression import least_cases
from gate.errors import SuiteError
from gate.suites.limits import check_size
from tests.builders import make_case, make_suite


def suite(count: int, *, margin: float | None = None, scope: Scope = Scope.POPULATION) -> Suite:
    return make_suite(*(f"c{number}" for number in range(count)), margin=margin, scope=scope)


def refusal(suite: Suite) -> SuiteError | None:
    """What is said against the size at a margin of 3 points; None where it is enough."""
    try:
        check_size(suite, 0.03)
    except SuiteError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("margin", "needed"),
    [(0.03, 100), (0.05, 60), (0.1, 30), (0.01, 300), (0.07, 43), (0.3, 10), (0.999, 4), (0.025, 120), (0.06, 50)],
)
def test_least_cases__exact(margin: float, needed: int) -> None:
    assert least_cases(margin) == needed


def test_check_size__enough() -> None:
    assert refusal(suite(100)) is None


def test_check_size__too_few() -> None:
    refused = refusal(suite(30))
    assert str(refused) == (
        "golden_sets/intent/suite.yaml:1: suite intent has 30 cases; a margin of 3 points in scope population needs 100"
    )
    assert refused is not None
    assert refused.hint == "add 70 cases, or set margin: 0.10, or set scope: set"


def test_check_size__one_too_few() -> None:
    with pytest.raises(SuiteError, match="has 99 cases; a margin of 3 points") as caught:
        check_size(suite(99), 0.03)
    assert caught.value.hint == "add 1 cases, or set margin: 0.04, or set scope: set"


@pytest.mark.parametrize("count", [0, 3])
def test_check_size__no_margin_is_wide_enough(count: int) -> None:
    with pytest.raises(SuiteError) as caught:
        check_size(suite(count), 0.025)
    assert "a margin of 2.5 points" in str(caught.value)
    assert caught.value.hint == f"add {120 - count} cases, or set scope: set"


def test_check_size__suite_that_is_removed_as_a_whole() -> None:
    few = suite(30)
    gone = tuple(replace(case, removed=True) for case in few.cases)
    assert refusal(replace(few, cases=gone)) is None
    assert refusal(replace(few, cases=(*gone[1:], few.cases[0]))) is not None


def test_check_size__own_margin_counts() -> None:
    assert refusal(suite(30, margin=0.1)) is None
    with pytest.raises(SuiteError, match="a margin of 1 points in scope population needs 300"):
        check_size(suite(100, margin=0.01), 0.03)


def test_check_size__set_scope_claims_nothing_more() -> None:
    assert refusal(suite(1, scope=Scope.SET)) is None


def test_check_size__the_suggested_margin_is_enough() -> None:
    for count in range(4, 99):
        with pytest.raises(SuiteError) as caught:
            check_size(suite(count), 0.03)
        margin = float(caught.value.hint.split("margin: ")[1].split(",")[0])
        assert least_cases(margin) <= count


def test_check_size__counts_the_cases_of_the_change_only() -> None:
    twice = make_case("c0+edited", edits="c0")
    gone = make_case("gone", removed=True)
    assert refusal(replace(suite(100), cases=(*suite(100).cases, twice, gone))) is None
    assert refusal(replace(suite(98), cases=(*suite(98).cases, twice, gone))) is not None
