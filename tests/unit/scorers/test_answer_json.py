"""Answers read as JSON, strictly."""

from fractions import Fraction

import pytest

from gate.scorers.answer_json import (
    Found,
    FoundNumber,
    Unreadable,
    read_json,
    read_number,
    read_path,
    same_json,
    to_fraction,
    undo_escapes,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        ' \n{"a": 1}\t\r\n',
        '```json\n{"a": 1}\n```',
        '\n ```JSON \r\n{"a": 1}\r\n```\n',
        '```json\n{"a":\n1}```',
    ],
)
def test_read_json__accepted_forms(text):
    assert read_json(text) == Found(value={"a": 1})


def test_read_json__a_fence_inside_of_a_string_is_text():
    assert read_json('```json\n{"a": "``` ```"}\n```') == Found(value={"a": "``` ```"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        'Sure! {"a": 1}',
        '{"a": 1} Hope this helps.',
        '```\n{"a": 1}\n```',
        '```json {"a": 1}```',
        '```json\n{"a": 1}',
        '```json\n{"a": 1}\n```\n```json\n{"a": 1}\n```',
        '~~~json\n{"a": 1}\n~~~',
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1, "a": 2}',
        '\ufeff{"a": 1}',
        '{"a": "\n"}',
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_read_json__everything_else_is_not_json(text):
    result = read_json(text)
    assert isinstance(result, Unreadable)
    assert result.reason.startswith("the answer is not JSON: ")
    assert len(result.reason) < 120


def test_read_json__a_long_repeated_key_is_cut():
    key = "k\u202e" * 30_000
    result = read_json(f'{{"{key}": 1, "{key}": 2}}')
    assert isinstance(result, Unreadable)
    assert len(result.reason) < 120
    assert result.reason.isprintable()


@pytest.mark.parametrize("depth", [66, 900, 69_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_read_json__too_deep_is_the_same_at_every_depth(depth, opening, closing):
    result = read_json(opening * depth + "1" + closing * depth)
    assert result == Unreadable(reason="the answer is not JSON that can be read: nested deeper than 64 levels")


def test_read_json__sixty_four_levels_are_read():
    assert isinstance(read_json("[" * 64 + "1" + "]" * 64), Found)
    assert isinstance(read_json("[" * 65 + "1" + "]" * 65), Unreadable)


@pytest.mark.parametrize(
    ("path", "value"), [("a", {"b": [{"c": None}]}), ("a.b", [{"c": None}]), ("a.b.0", {"c": None}), ("a.b.0.c", None)]
)
def test_read_path__finds(path, value):
    assert read_path('{"a": {"b": [{"c": null}]}}', path) == Found(value=value)


@pytest.mark.parametrize("path", ["b", "a.0", "a.b.1", "a.b.-1", "a.b.x", "a.b.\u0660", "a.b.0.c.d", "", "a..b"])
def test_read_path__says_where_nothing_is(path):
    result = read_path('{"a": {"b": [{"c": "text"}]}}', path)
    assert result == Unreadable(reason=f'the answer has no value at "{path}"')


def test_read_path__digits_name_a_key_of_a_mapping():
    assert read_path('{"0": "zero"}', "0") == Found(value="zero")


def test_read_number__is_exact():
    assert read_number('{"a": 0.1}', "a") == FoundNumber(value=Fraction(1, 10), shown="0.1")
    assert read_number('{"a": 1e2}', "a") == FoundNumber(value=Fraction(100), shown="100.0")
    assert read_number("[90071992547409931]", "0") == FoundNumber(
        value=Fraction(90071992547409931), shown="90071992547409931"
    )


@pytest.mark.parametrize(("text", "shown"), [("true", "true"), ('"4"', '"4"'), ("null", "null"), ("[4]", "[4]")])
def test_read_number__what_is_no_number(text, shown):
    result = read_number(f'{{"a": {text}}}', "a")
    assert result == Unreadable(reason=f'the value at "a" is not a finite number: {shown}')


def test_read_number__too_large_for_a_number():
    result = read_number('{"a": 1e400}', "a")
    assert result == Unreadable(reason="the answer is not JSON: 1e400 is too large for a number")


def test_to_fraction__the_shortest_decimal():
    assert to_fraction(0.3) == Fraction(3, 10)
    assert to_fraction(1e-300) == Fraction(1, 10**300)


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, 1.0), ("a", "a"), ([1, {"a": None}], [1.0, {"a": None}]), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (True, True)],
)
def test_same_json__equal(left, right):
    assert same_json(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0),
        ([True], [1]),
        ({"a": False}, {"a": 0}),
        ("1", 1),
        (None, False),
        ([], {}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": 1, "b": 1}),
        ([["a", 1]], {"a": 1}),
        (0.1 + 0.2, 0.3),
    ],
)
def test_same_json__different(left, right):
    assert not same_json(left, right)
    assert not same_json(right, left)


def test_undo_escapes__quotes_and_code_points():
    assert undo_escapes(r"{\"a\": \"\u0041\/\" \n") == '{"a": "A/" \\n'
