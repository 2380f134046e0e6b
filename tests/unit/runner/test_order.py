"""The order of later passes: what takes long goes first, and everything else stays."""

from __future__ import annotations

import pytest

from gate.runner.order import slow_first
from tests.builders import make_case

CASES = [(place, make_case(name)) for place, name in enumerate("abcdef")]


def order(expected: dict[str, float]) -> str:
    return "".join(case.id for _, case in slow_first(CASES, expected))


@pytest.mark.parametrize(
    ("expected", "wanted"),
    [
        ({}, "abcdef"),
        (dict.fromkeys("abcdef", 100.0), "abcdef"),
        # Not over twice the median: the order is left as it is.
        (dict.fromkeys("abcde", 100.0) | {"f": 200.0}, "abcdef"),
        (dict.fromkeys("abcde", 100.0) | {"f": 200.1}, "fabcde"),
        (dict.fromkeys("abcd", 100.0) | {"e": 500.0, "f": 900.0}, "feabcd"),
        ({"a": 10.0, "b": 10.0, "d": 90.0}, "dabcef"),
    ],
)
def test_slow_first__over_twice_the_median(expected: dict[str, float], wanted: str) -> None:
    assert order(expected) == wanted


def test_slow_first__keeps_places_and_what_must_outrank_others() -> None:
    cases = [*CASES[:5], (5, make_case("f", expected={"outranks": ["a"]}))]
    expected = dict.fromkeys("abcd", 100.0) | {"e": 500.0, "f": 900.0}
    assert [(place, case.id) for place, case in slow_first(cases, expected)] == [
        (4, "e"), (0, "a"), (1, "b"), (2, "c"), (3, "d"), (5, "f"),
    ]  # fmt: skip
