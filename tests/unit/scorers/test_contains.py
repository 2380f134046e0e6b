"""Texts in an answer."""

import pytest

from tests.unit.scorers.exhibits import case, exhibit, judge, make


@pytest.mark.parametrize(
    ("mode", "words", "result"),
    [
        ("all", ["price", "quote"], (1.0, "the answer contains all texts")),
        ("all", ["price", "refund"], (0.0, 'the answer lacks "refund"')),
        ("any", ["refund", "quote"], (1.0, 'the answer contains "quote"')),
        ("any", ["refund", "bug"], (0.0, "the answer has no such text")),
        ("none", ["refund", "bug"], (1.0, "the answer has no such text")),
        ("none", ["refund", "quote"], (0.0, 'the answer contains "quote"')),
        ("none", "quote", (0.0, 'the answer contains "quote"')),
    ],
)
def test_contains__modes(mode, words, result):
    assert judge(make("contains", **{mode: "words"}), exhibit("The PRICE in your Quote", words=words)) == result


def test_contains__case():
    shown = exhibit("STRASSE", words="straße")
    assert judge(make("contains", all="words"), shown)[0] == 1.0
    assert judge(make("contains", all="words", case_sensitive=True), shown)[0] == 0.0


@pytest.mark.parametrize("sensitive", [True, False])
def test_contains__compares_after_nfkc(sensitive):
    scorer = make("contains", all="words", case_sensitive=sensitive)
    assert (
        judge(scorer, exhibit("\uff51\uff55\uff4f\uff54\uff45 cafe\u0301 ﬁne", words=["quote", "café", "fine"]))[0]
        == 1.0
    )


def test_contains__applies_where_the_key_is():
    assert make("contains", none="marker").applies(case(marker="x"))
    assert not make("contains", none="marker").applies(case(none="x"))


@pytest.mark.parametrize("words", [[], "", ["a", ""]])
def test_contains__nothing_to_look_for_is_an_error_not_a_pass(words):
    with pytest.raises(ValueError, match=r"^cases.jsonl:7: case en-0001: expected.words must be text or a list"):
        make("contains", none="words").score(exhibit("a", words=words))


def test_contains__hostile_runs_of_marks_do_not_hang():
    assert judge(make("contains", none="words"), exhibit("a" + "\u0316\u0301" * 100_000, words="b"))[0] == 1.0
