"""Equal JSON values."""

import pytest

from tests.unit.scorers.exhibits import case, exhibit, judge, make


@pytest.mark.parametrize(
    ("given", "expected", "value"),
    [
        ('"pricing"', "pricing", 1.0),
        ('"Pricing"', "pricing", 0.0),
        ("1.0", 1, 1.0),
        ("true", 1, 0.0),
        ("1", True, 0.0),
        ("null", None, 1.0),
        ('{"b": [1], "a": 2}', {"a": 2, "b": [1.0]}, 1.0),
        ('{"b": [true]}', {"b": [1]}, 0.0),
    ],
)
def test_json_equal__values(given, expected, value):
    assert judge(make("json_equal", path="intent"), exhibit(f'{{"intent": {given}}}', intent=expected))[0] == value


def test_json_equal__explains():
    scorer = make("json_equal", path="out.intent")
    assert judge(scorer, exhibit('{"out": {"intent": "a"}}', intent="a")) == (
        1.0,
        'the value at "out.intent" is as expected',
    )
    different = judge(scorer, exhibit('{"out": {"intent": "b\\u202e"}}', intent="a"))
    assert different == (0.0, r'the value at "out.intent" is "b\u202e", expected "a"')
    assert judge(scorer, exhibit("{}", intent="a")) == (0.0, 'the answer has no value at "out.intent"')


def test_json_equal__an_answer_that_is_not_json_fails():
    value, explanation = judge(make("json_equal", path="intent"), exhibit("pricing", intent="pricing"))
    assert (value, explanation) == (0.0, "the answer is not JSON: Expecting value: line 1 column 1 (char 0)")


def test_json_equal__applies_where_the_key_is():
    assert make("json_equal", path="out.intent").applies(case(intent=None))
    assert not make("json_equal", path="out.intent", key="label").applies(case(intent=None))


def test_json_equal__without_an_expectation_raises():
    with pytest.raises(ValueError, match=r"^cases.jsonl:7: case en-0001: expected.intent is missing$"):
        make("json_equal", path="intent").score(exhibit("{}"))
