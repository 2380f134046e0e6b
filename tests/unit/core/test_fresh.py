"""What a run showed by itself: the whole less what it counted, and the whole again when both are joined."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.across import Across
from gate.core.evidence import Beside, CaseEvidence, Evidence, SuiteEvidence
from gate.core.fresh import own_evidence
from gate.core.judging import Judging
from gate.core.moments import NO_MOMENTS, moments
from gate.core.window import join
from tests.builders import make_case_evidence, make_suite_evidence

PLACE = Across(run=50, attempt=1, head="d" * 40, workflow="gate.yml")


def of(*suites: SuiteEvidence, **changes: object) -> Evidence:
    return replace(Evidence(suites=suites, as_of="2026-11-21", across=PLACE), **changes)  # type: ignore[arg-type]


def own(whole: SuiteEvidence, *counted: SuiteEvidence) -> SuiteEvidence:
    (found,) = own_evidence(of(whole), [of(one) for one in counted]).suites
    return found


trials = st.lists(st.tuples(st.sampled_from("PF"), st.integers(0, 10**7)), min_size=1, max_size=4)


def measured(case_id: str, rows: list[tuple[str, int]]) -> CaseEvidence:
    numbers = [number / 1000 for _, number in rows]
    return make_case_evidence(
        case_id,
        "".join(mark for mark, _ in rows),
        score=moments(number / 10**4 for number in numbers),
        usd=moments(number / 10**6 for number in numbers),
        tokens=moments(numbers),
        latency_ms=tuple(numbers),
        beside_ms=tuple(numbers[:1]),
        base_ms=tuple(numbers[:1]),
        values=tuple(number / 10**4 for number in numbers),
        by_judge=sum(mark == "F" for mark, _ in rows),
    )


def without_sums(suite: SuiteEvidence) -> SuiteEvidence:
    """Sums of large and small numbers are off by a last digit when one is taken from the other."""
    cases = tuple(replace(case, score=NO_MOMENTS, usd=NO_MOMENTS, tokens=NO_MOMENTS) for case in suite.cases)
    return replace(suite, cases=cases)


@given(trials, trials, trials)
def test_own_evidence__is_what_joins_to_the_whole(
    one: list[tuple[str, int]], two: list[tuple[str, int]], three: list[tuple[str, int]]
) -> None:
    side = Beside(version="sha256:base")
    first, second, third = (
        make_suite_evidence([measured("a", rows), measured("b", rows[::-1])], beside=side) for rows in (one, two, three)
    )
    whole = join(join(first, second), third)
    found = own(whole, first, second)
    assert without_sums(found) == without_sums(third)
    assert without_sums(join(join(first, second), found)) == without_sums(whole)
    for case, other in zip(found.cases, third.cases, strict=True):
        for mine, theirs in ((case.score, other.score), (case.usd, other.usd), (case.tokens, other.tokens)):
            assert (mine.n, mine.sum) == (theirs.n, pytest.approx(theirs.sum, abs=1e-6))
            assert mine.squares == pytest.approx(theirs.squares, abs=1e-6)


def test_own_evidence__nothing_counted_is_all_of_it_without_its_place() -> None:
    suite = make_suite_evidence("a: PF b: P")
    found = own_evidence(of(suite, stopped="the budget is used up"), [])
    assert found == Evidence(suites=(suite,), as_of="2026-11-21", stopped="the budget is used up")


def test_own_evidence__case_that_was_not_asked_before() -> None:
    assert own(make_suite_evidence("a: PF b: F"), make_suite_evidence("a: P")) == make_suite_evidence("a: F b: F")


def test_own_evidence__unscored_trials_say_nothing_and_are_asked_again() -> None:
    found = own(make_suite_evidence("a: PUF b: U"), make_suite_evidence("a: P", passes=1))
    assert [(case.case_id, case.marks, case.missing) for case in found.cases] == [("a", "F", ()), ("b", "", ())]
    assert found.passes == 2


def test_own_evidence__suite_without_a_scored_trial_is_left_out() -> None:
    assert own_evidence(of(make_suite_evidence("a: U b: U")), []).suites == ()
    same = make_suite_evidence("a: PF")
    assert own_evidence(of(same), [of(same)]).suites == ()


def test_own_evidence__aborted_pass_is_taken_as_it_is() -> None:
    aborted = make_suite_evidence("a: F b: U", asked=("a", "b"))
    assert own(aborted) == aborted
    assert own_evidence(of(aborted), [of(aborted)]).suites == ()


def test_own_evidence__edited_case_counts_its_later_trials_only() -> None:
    edited = make_suite_evidence([make_case_evidence("a", "F", digest="sha256:new")], passes=2)
    found = own(edited, make_suite_evidence("a: P"))
    assert found.cases[0].marks == "F"


def test_own_evidence__latencies_beside_another_base_were_not_joined() -> None:
    before = make_suite_evidence(
        [make_case_evidence("a", "P", beside_ms=(1.0,), base_ms=(2.0,))], beside=Beside(version="sha256:one")
    )
    now = make_suite_evidence(
        [make_case_evidence("a", "P", beside_ms=(3.0,), base_ms=(4.0,))], beside=Beside(version="sha256:two")
    )
    found = own(join(before, now), before)
    assert (found.cases[0].beside_ms, found.cases[0].base_ms) == ((3.0,), (4.0,))


def test_own_evidence__judges_words_of_this_run() -> None:
    first = Judging(scorers=("judge",), decisive=True, pairs=4, agreeing=3, first=5, calls=8, tokens=80, usd=0.1)
    whole = Judging(scorers=("judge",), decisive=True, pairs=10, agreeing=8, first=11, calls=12, tokens=90, usd=0.2)
    found = own(make_suite_evidence("a: PP", judging=whole), make_suite_evidence("a: P", judging=first))
    assert found.judging == replace(whole, pairs=6, agreeing=5, first=6)
    assert own(make_suite_evidence("a: PP", judging=whole), make_suite_evidence("a: P")).judging == whole


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        ("b: PP", "suite 'intent' holds less than what it counted: a"),
        ("a: FP", "case 'a' does not begin with the trials that it counted"),
        ("a: P", "suite 'intent' holds less than what it counted: passes"),
    ],
)
def test_own_evidence__refuses_what_does_not_hold_what_it_counted(whole: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        own(make_suite_evidence(whole), make_suite_evidence("a: PF"))


def test_own_evidence__refuses_fewer_values_than_were_counted() -> None:
    before = make_suite_evidence([make_case_evidence("a", "P", usd=moments([1.0, 2.0]))])
    with pytest.raises(ValueError, match="1 values hold less than the 2 that were counted"):
        own(make_suite_evidence([make_case_evidence("a", "PF", usd=moments([1.0]))]), before)
