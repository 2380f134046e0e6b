"""Numbers close to what is expected."""

import pytest

from tests.unit.scorers.exhibits import case, exhibit, judge, make


@pytest.mark.parametrize(
    ("given", "expected", "tolerance", "value"),
    [
        ("4", 4, 0, 1.0),
        ("4.0", 4, 0, 1.0),
        ("5", 4, 0, 0.0),
        ("0.3", 0.2, 0.1, 1.0),
        ("0.30000000000000004", 0.2, 0.1, 0.0),
        ("0.1", 0.2, 0.1, 1.0),
        ("0.09", 0.2, 0.1, 0.0),
        ("0.65", [0.65, 1.0], 0, 1.0),
        ("1", [0.65, 1.0], 0, 1.0),
        ("0.6499", [0.65, 1.0], 0, 0.0),
        ("1.1", [0.65, 1.0], 0.1, 1.0),
        ("0.55", [0.65, 1.0], 0.1, 1.0),
        ("0.5499", [0.65, 1.0], 0.1, 0.0),
        ("-4", 4, 0, 0.0),
        ("1e308", -1e308, 0, 0.0),
        ("1000000000000000000000000000000000001", 1000000000000000000000000000000000000, 0, 0.0),
        ("1000000000000000000000000000000000001", 1000000000000000000000000000000000000, 1, 1.0),
    ],
)
def test_within__number_and_band(given, expected, tolerance, value):
    scorer = make("within", path="lead.score", tolerance=tolerance)
    assert judge(scorer, exhibit(f'{{"lead": {{"score": {given}}}}}', score=expected))[0] == value


def test_within__explains():
    scorer = make("within", path="score", tolerance=0.25)
    assert judge(scorer, exhibit('{"score": 2}', score=2)) == (1.0, "2 is within 0.25 of 2")
    assert judge(scorer, exhibit('{"score": 9}', score=[1, 2])) == (0.0, "9 is not within 0.25 of [1, 2]")


@pytest.mark.parametrize(
    "text", ['{"score": true}', '{"score": "1"}', '{"score": 1e999}', '{"score": NaN}', "one", "{}", ""]
)
def test_within__an_unreadable_number_is_a_failure(text):
    assert judge(make("within", path="score"), exhibit(text, score=1))[0] == 0.0


def test_within__key_is_the_last_segment_unless_given():
    assert make("within", path="lead.score").applies(case(score=1))
    assert not make("within", path="lead.score").applies(case(lead=1))
    assert make("within", path="lead.score", key="lead").applies(case(lead=1))


@pytest.mark.parametrize("expected", ["4", True, None, [1], [1, 2, 3], [2, 1], ["a", "b"], [1, True], {}])
def test_within__expectation_that_cannot_be_used(expected):
    with pytest.raises(ValueError, match=r"^cases.jsonl:7: case en-0001: expected.score must be a number or a band"):
        make("within", path="score").score(exhibit('{"score": 1}', score=expected))
