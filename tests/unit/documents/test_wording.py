"""Words from files as messages show them."""

import pytest

from gate.documents.wording import key_path, quoted, suggestion


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", '"plain"'),
        ("Grüße", '"Grüße"'),
        ("a\nb\x1b[31m", '"a\\nb\\x1b[31m"'),
        ("\u202ereversed", '"\\u202ereversed"'),
        ("\ud800", '"\\ud800"'),
        ("x" * 70, '"' + "x" * 60 + '..."'),
        (True, "true"),
        (None, "null"),
        (3, "3"),
        (0.5, "0.5"),
        ({}, "a mapping"),
        ([], "a list"),
        (10**100, "1" + "0" * 59 + "..."),
    ],
)
def test_quoted__is_short_and_prints(value: object, shown: str) -> None:
    assert quoted(value) == shown


def test_suggestion__near_word() -> None:
    assert suggestion("marign", ["profile", "margin"]) == ' (did you mean "margin"?)'


def test_suggestion__nothing_near() -> None:
    assert suggestion("zzz", ["profile", "margin"]) == ""


def test_suggestion__long_word_is_cut() -> None:
    assert suggestion("margin" * 100_000, ["margin"]) == ""


def test_key_path__keys_and_indexes() -> None:
    assert key_path(("targets", "a-b", "suites", 0)) == "targets.a-b.suites[0]"
    assert key_path(()) == ""


def test_key_path__odd_keys_are_quoted() -> None:
    assert key_path(("prices", "a\nb", "x y")) == 'prices."a\\nb"."x y"'
