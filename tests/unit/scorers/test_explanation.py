"""Sentences about hostile text."""

import math

import pytest

from gate.scorers.explanation import clip, escape, judged, kind_of, quote, show


def test_escape__cuts_at_the_limit():
    assert escape("a" * 80) == "a" * 80
    assert escape("a" * 81) == "a" * 80 + "..."


def test_escape__counts_what_is_shown_and_cuts_no_escape_in_two():
    assert escape("\x00" * 70_000) == "\\x00" * 20 + "..."


def test_escape__whatever_does_not_print():
    assert escape("a\n\x1b[31m\u202e\u200b\ud800\\") == r"a\n\x1b[31m\u202e\u200b\ud800" + "\\\\"


def test_quote__the_quoted_text_cannot_end_the_quotes():
    assert quote('is "right"') == r'"is \"right\""'


def test_show__json_values():
    assert [show(value) for value in ("a", 1.5, True, None, [1], {"k": "é"})] == [
        '"a"',
        "1.5",
        "true",
        "null",
        "[1]",
        '{\\"k\\": \\"é\\"}'.replace('\\"', '"'),
    ]


def test_kind_of__json_values():
    named = [kind_of(value) for value in (True, 1, 1.5, "a", [], {}, None)]
    assert named == ["true or false", "a number", "a number", "text", "a list", "a mapping", "nothing"]


def test_clip__three_hundred_characters():
    assert clip("a" * 300) == "a" * 300
    assert clip("a" * 301) == "a" * 297 + "..."


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
def test_judged__refuses_what_is_no_score(value):
    with pytest.raises(ValueError, match="a score must be a number from 0 to 1"):
        judged(value, "why")
