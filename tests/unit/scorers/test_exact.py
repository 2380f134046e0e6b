"""Exact text."""

import pytest

from tests.unit.scorers.exhibits import case, exhibit, judge, make


def test_exact__equal():
    assert judge(make("exact"), exhibit("yes", answer="yes")) == (1.0, "the answer is the expected text")


def test_exact__different():
    assert judge(make("exact"), exhibit("Yes\n\x1b", answer="yes")) == (
        0.0,
        r'the answer is "Yes\n\x1b", expected "yes"',
    )


def test_exact__strip_is_the_default():
    assert judge(make("exact"), exhibit(" yes\n", answer="yes "))[0] == 1.0
    assert judge(make("exact", strip=False), exhibit(" yes\n", answer="yes"))[0] == 0.0
    assert judge(make("exact", strip=False), exhibit("yes", answer="yes"))[0] == 1.0


def test_exact__applies_where_the_key_is():
    assert make("exact", key="label").applies(case(label="a"))
    assert not make("exact", key="label").applies(case(answer="a"))


@pytest.mark.parametrize(
    ("expected", "trouble"),
    [(5, "must be text, not a number"), (["a"], "must be text, not a list"), ("  ", "must not be blank")],
)
def test_exact__expectation_that_cannot_be_used(expected, trouble):
    with pytest.raises(ValueError, match=f"^cases.jsonl:7: case en-0001: expected.answer {trouble}$"):
        make("exact").score(exhibit("a", answer=expected))


def test_exact__huge_answers_are_quoted_in_part():
    value, explanation = judge(make("exact"), exhibit("\x00" * 70_000, answer="\x01" * 70_000))
    assert value == 0.0
    assert explanation.count(r"\x00") == 20
