"""Regular expressions with a time limit."""

import pytest

from gate.core.model import Missing
from tests.unit.scorers.exhibits import case, exhibit, judge, make, unscored


def test_regex__search_and_full():
    assert judge(make("regex", pattern=r"\d{4}"), exhibit("in 2026")) == (1.0, "the answer matches the pattern")
    full = judge(make("regex", pattern=r"\d{4}", full=True), exhibit("in 2026"))
    assert full == (0.0, r'the answer does not match the pattern "\\d{4}"')
    assert judge(make("regex", pattern=r"\d{4}", full=True), exhibit("2026"))[0] == 1.0


def test_regex__pattern_of_the_case():
    scorer = make("regex", key="form")
    assert judge(scorer, exhibit("abc", form="^a.c$"))[0] == 1.0
    assert judge(scorer, exhibit("abd", form="^a.c$"))[0] == 0.0
    assert not scorer.applies(case(other="a"))


def test_regex__own_pattern_applies_to_every_case():
    assert make("regex", pattern="a").applies(case())


@pytest.mark.parametrize("full", [True, False])
def test_regex__timeout_is_unscored(full):
    scorer = make("regex", pattern="(?:a?){30}(?:a|aa)+$", timeout=0.05, full=full)
    result = unscored(scorer, exhibit("a" * 5000 + "!"))
    assert result.reason is Missing.TIMED_OUT
    assert result.detail == "the pattern took longer than 0.05 s"


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "(?P<a>a)(?P<a", "a{2}{3}(?", "(" * 900 + ")" * 900])
def test_regex__bad_pattern_is_refused_when_built(pattern):
    with pytest.raises(ValueError, match=r'^"pattern" is not a regular expression: '):
        make("regex", pattern=pattern)


def test_regex__bad_pattern_of_a_case_raises():
    with pytest.raises(ValueError, match=r"^cases.jsonl:7: case en-0001: expected.form is not a regular expression: "):
        make("regex", key="form").score(exhibit("a", form="("))


@pytest.mark.parametrize("pattern", ["((a{1000}){1000}){1000}", "((a{,400}){400}){1}{2}", "(a{9}){99999999999}"])
def test_regex__counts_that_multiply_are_refused_before_compiling(pattern):
    with pytest.raises(ValueError, match=r"^cases.jsonl:7: case en-0001: expected.form repeats too often"):
        make("regex", key="form").score(exhibit("a", form=pattern))


def test_regex__usual_counts_are_fine():
    assert judge(make("regex", pattern=r"^(\d{1,3}\.){3}\d{1,3}\p{L}{0}$"), exhibit("10.0.0.1"))[0] == 1.0


def test_regex__long_pattern_of_a_case_is_refused():
    with pytest.raises(ValueError, match=r"expected.form is longer than 2000 characters$"):
        make("regex", key="form").score(exhibit("a", form="a" * 2001))
