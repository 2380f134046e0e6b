"""The length of an answer."""

import pytest

from tests.unit.scorers.exhibits import case, exhibit, judge, make


@pytest.mark.parametrize(
    ("options", "text", "result"),
    [
        ({"maximum": 3}, "abc", (1.0, "the answer has 3 characters")),
        ({"maximum": 3}, "abcd", (0.0, "the answer has 4 characters, at most 3 are allowed")),
        ({"minimum": 3}, "abc", (1.0, "the answer has 3 characters")),
        ({"minimum": 3}, "ab", (0.0, "the answer has 2 characters, at least 3 are needed")),
        ({"minimum": 2, "maximum": 2, "unit": "words"}, " one\n two ", (1.0, "the answer has 2 words")),
        ({"maximum": 0, "unit": "words"}, "one", (0.0, "the answer has 1 words, at most 0 are allowed")),
        ({"minimum": 0}, "", (1.0, "the answer has 0 characters")),
    ],
)
def test_length__bounds(options, text, result):
    assert judge(make("length", **options), exhibit(text)) == result


def test_length__applies_to_every_case():
    assert make("length", maximum=1).applies(case())
