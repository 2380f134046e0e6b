"""Normal forms in linear time."""

import unicodedata

import pytest

from gate.scorers.normal import compose, decompose

TEXTS = [
    "plain",
    "ﬁne",
    "Å",
    "e\u0301\u0323",
    "각",
    "\uff57\uff49\uff44\uff45",
    "①",
    "\u0f73\u0f73",
    "\uff8a\uff9e",
    "नमस्ते",
    "a" + "\u0301" * 30,
]


@pytest.mark.parametrize("text", TEXTS)
def test_compose__is_nfkc_for_real_text(text):
    assert compose(text) == unicodedata.normalize("NFKC", text)


def test_compose__cuts_a_run_of_marks():
    assert compose("x" + "\u0316\u0301" * 35_000 + "y") == "x" + "\u0316" * 15 + "\u0301" * 15 + "y"


def test_compose__cuts_a_run_that_only_decomposing_shows():
    assert len(compose("x" + "\u0f73" * 35_000)) == 31


def test_decompose__keeps_the_order():
    assert decompose("é\u0323①") == "e\u0301\u03231"
