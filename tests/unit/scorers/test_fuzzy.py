"""Similar text."""

from tests.unit.scorers.exhibits import case, exhibit, judge, make


def test_fuzzy__is_the_ratio():
    assert judge(make("fuzzy"), exhibit(" abcd\n", answer="abcx")) == (
        0.75,
        "the answer is 0.750 like the expected text",
    )
    assert judge(make("fuzzy"), exhibit("abcd", answer="abcd"))[0] == 1.0
    assert judge(make("fuzzy"), exhibit("", answer="abcd"))[0] == 0.0


def test_fuzzy__below_the_minimum_is_zero():
    low = judge(make("fuzzy", minimum=0.8), exhibit("abcd", answer="abcx"))
    assert low == (0.0, "the answer is 0.750 like the expected text, less than 0.8")
    assert judge(make("fuzzy", minimum=0.75), exhibit("abcd", answer="abcx"))[0] == 0.75


def test_fuzzy__takes_lone_surrogates():
    assert judge(make("fuzzy"), exhibit("\ud800a", answer="\ud800b"))[0] == 0.5


def test_fuzzy__applies_where_the_key_is():
    assert make("fuzzy", key="summary").applies(case(summary="a"))
    assert not make("fuzzy", key="summary").applies(case(answer="a"))
