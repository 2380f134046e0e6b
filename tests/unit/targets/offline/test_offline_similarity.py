"""How the built-in model compares a message with labels."""

import pytest

from gate.targets.offline.reading import Label
from gate.targets.offline.similarity import hits, phrases, scores
from gate.targets.offline.stems import stem, stems


def label(name: str, *cues: str, text: str = "", examples: tuple[str, ...] = ()) -> Label:
    return Label(name=name, text=text, cues=cues, urgency=3, lead=0.3, examples=examples)


@pytest.mark.parametrize(
    ("one", "other"),
    [("invoice", "invoices"), ("preis", "preise"), ("precio", "precios"), ("17", "4200"), ("seat", "seats")],
)
def test_stem__forms_of_a_word_fall_together(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("presentation", "presently"), ("plan", "play"), ("price", "17")])
def test_stem__different_words_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_stems__ignores_case_accents_and_punctuation() -> None:
    assert stems("¿CUÁNTO cuesta?") == stems("cuanto, cuesta")


def test_phrases__split_at_punctuation() -> None:
    assert phrases("how much, per user; price.") == [("how", "much"), ("per", "user"), ("pric",)]


def test_hits__counts_phrases_not_words() -> None:
    assert hits("Subject: hi\n\nHow much is it per user?", "how much, per month, user per, much") == 2


def test_hits__quoted_text_does_not_count() -> None:
    assert hits("> right now\nno hurry", "right now") == 0


def test_scores__a_phrase_needs_its_words_next_to_each_other() -> None:
    labels = (label("one", "per user"), label("two", "nothing"))
    assert scores("the user per se", labels) == {"one": 0.0, "two": 0.0}
    assert scores("costs per user", labels)["one"] == pytest.approx(1.45)


def test_scores__a_phrase_across_a_line_break_counts() -> None:
    assert scores("costs per\nuser", (label("one", "per user"), label("two")))["one"] == pytest.approx(1.45)


def test_scores__a_repeated_phrase_counts_once() -> None:
    labels = (label("one", "price"), label("two"))
    assert scores("price price price", labels) == scores("price", labels)


def test_scores__a_phrase_of_several_labels_counts_less() -> None:
    own = scores("price", (label("one", "price"), label("two", "other")))["one"]
    shared = scores("price", (label("one", "price"), label("two", "price")))
    assert shared["one"] == shared["two"]
    assert 0 < shared["one"] < own


def test_scores__the_subject_counts_more_and_what_it_replies_to_less() -> None:
    labels = (label("one", "price"), label("two", "error"))
    assert scores("Subject: price\n\nerror", labels) == pytest.approx({"one": 1.6, "two": 1.0})
    assert scores("Subject: Re: price\n\nerror", labels) == pytest.approx({"one": 0.4, "two": 1.0})


@pytest.mark.parametrize("old", ["> price", "---------- Forwarded message ----------\nprice"])
def test_scores__quoted_and_forwarded_text_counts_little(old: str) -> None:
    assert scores(f"hello\n{old}", (label("one", "price"), label("two")))["one"] == pytest.approx(0.3)


def test_scores__addresses_do_not_count() -> None:
    assert scores("From: Price <price@price.example>\n", (label("one", "price"), label("two")))["one"] == 0.0


def test_scores__prose_of_the_definition_speaks_weakly() -> None:
    labels = (label("one", text="asks what it costs"), label("two", "costs more"))
    assert scores("it costs", labels) == pytest.approx({"one": 0.25, "two": 0.0})


def test_scores__an_example_like_the_message_speaks_for_its_label() -> None:
    labels = (label("one", examples=("where are my drivers",)), label("two", examples=("please send brochures",)))
    found = scores("where are the drivers", labels)
    assert found["one"] > found["two"] == 0.0


def test_scores__no_labels() -> None:
    assert scores("price", ()) == {}
