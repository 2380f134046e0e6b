"""One of several exact texts."""

import pytest

from tests.unit.scorers.exhibits import case, exhibit, judge, make


def test_one_of__equal_to_one():
    result = judge(make("one_of"), exhibit(" no\n", answers=["yes", "no"]))
    assert result == (1.0, "the answer is one of the expected texts")


def test_one_of__equal_to_none():
    result = judge(make("one_of"), exhibit("nope", answers=["yes", "no"]))
    assert result == (0.0, 'the answer is "nope", which is none of the 2 expected texts')


def test_one_of__applies_where_the_key_is():
    assert make("one_of", key="labels").applies(case(labels=["a"]))
    assert not make("one_of").applies(case(labels=["a"]))


@pytest.mark.parametrize("expected", [[], [1], ["a", None], {"a": 1}, [" "], None])
def test_one_of__expectation_that_cannot_be_used(expected):
    with pytest.raises(ValueError, match=r"must be text or a list of texts, none of them blank$"):
        make("one_of").score(exhibit("a", answers=expected))
