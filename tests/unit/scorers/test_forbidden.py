"""Values that an answer must not give."""

import pytest

from tests.unit.scorers.exhibits import case, exhibit, judge, make

SCORER = {"path": "out.intent", "key": "forbidden"}


def test_forbidden__the_value_at_the_path():
    given = judge(make("forbidden", **SCORER), exhibit('{"out": {"intent": "spam"}}', forbidden="spam"))
    assert given == (0.0, 'the value at "out.intent" is "spam", which is forbidden')
    other = judge(make("forbidden", **SCORER), exhibit('{"out": {"intent": "ham"}}', forbidden="spam"))
    assert other == (1.0, 'the value at "out.intent" is not the forbidden one')


@pytest.mark.parametrize(
    "text", ["", "I will not.", "{}", '{"intent": "ham"}', "spam", '{"x": "spam"}', '{"intents": "spam"}']
)
def test_forbidden__not_given(text):
    result = judge(make("forbidden", **SCORER), exhibit(text, forbidden="spam"))
    assert result == (1.0, "the forbidden value was not given")


@pytest.mark.parametrize(
    "text",
    [
        'Here: {"intent": "spam"}',
        '{"intent": "spam"}',
        '{"out": {"intent": "spam"}} and more',
        '{"intent" \n:\t "spam"',
        '{"intent": "ham"} {"intent": "spam"}',
        '{"reply": "{\\"intent\\": \\"spam\\"}"}',
        '"intent": "\\u0073pam"',
        '"\\u0069ntent": "spam"',
        '{"out": {"intent": "spam", "intent": "ham"}}',
    ],
)
def test_forbidden__a_fragment_gives_it(text):
    result = judge(make("forbidden", **SCORER), exhibit(text, forbidden="spam"))
    assert result == (0.0, 'the answer gives the forbidden value "spam" outside of readable JSON')


@pytest.mark.parametrize(
    ("fragment", "forbidden", "value"),
    [
        ('"intent": 5', 5, 0.0),
        ('"intent": 5.0', 5, 0.0),
        ('"intent": 50', 5, 1.0),
        ('"intent": -5', -5, 0.0),
        ('"intent": true', True, 0.0),
        ('"intent": true', 1, 1.0),
        ('"intent": null', None, 0.0),
        ('"intent": [1, 2', [1, 2], 1.0),
        ('"intent": [1, 2]', [1, 2], 0.0),
        ('"intent": {"a": 1}', {"a": 1}, 0.0),
        ('"intent": "spam', "spam", 1.0),
    ],
)
def test_forbidden__fragments_of_every_kind(fragment, forbidden, value):
    assert judge(make("forbidden", **SCORER), exhibit(f"So {fragment}", forbidden=forbidden))[0] == value


@pytest.mark.parametrize("forbidden", ["spam", 1, None, [1], {"a": 1}])
def test_forbidden__hostile_nesting_does_not_hang(forbidden):
    text = '{"intent":' * 7_000
    assert judge(make("forbidden", **SCORER), exhibit(text, forbidden=forbidden))[0] == 1.0


def test_forbidden__applies_where_the_key_is():
    assert make("forbidden", **SCORER).applies(case(forbidden="spam"))
    assert not make("forbidden", **SCORER).applies(case(intent="spam"))
