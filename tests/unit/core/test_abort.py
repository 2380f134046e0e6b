"""Early abort of a broken candidate: the e-process, when it may fire, and what the decision makes of it."""

import random
from dataclasses import replace

import pytest

from gate.core.decision import decide, next_steps
from gate.core.evidence import BaselineCase, CaseEvidence, Evidence
from gate.core.finding import Finding, Outcome, Rule, Verdict
from gate.core.policy import SliceRule
from gate.core.rules.abort import THRESHOLD, Seen, Watch, check_abort, e_value
from gate.core.rules.context import SuiteContext
from tests.builders import (
    AS_OF,
    DIGEST,
    TASK,
    make_baseline_case,
    make_case_evidence,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)


def known(count: int, passes: int = 10) -> dict[str, BaselineCase]:
    return {f"c{number:03}": make_baseline_case(f"c{number:03}", passes) for number in range(count)}


def seen(marks: str) -> list[Seen]:
    return [Seen(case_id=f"c{number:03}", digest=DIGEST, mark=mark) for number, mark in enumerate(marks)]


def aborted(marks: str, *, total: int = 100, before: int = 10) -> SuiteContext:
    cases: list[CaseEvidence] = [
        make_case_evidence(f"c{number:03}", marks[number : number + 1]) for number in range(total)
    ]
    asked = tuple(f"c{number:03}" for number in range(len(marks)))
    return SuiteContext(
        evidence=make_suite_evidence(cases, passes=1, asked=asked),
        reference=make_reference(make_suite_baseline(list(known(total, before).values()))),
        policy=TASK,
        as_of=AS_OF,
    )


def decided(context: SuiteContext) -> Finding:
    return check_abort(context)[0]


def test_e_value__nothing_seen_is_one() -> None:
    assert e_value([], 0.03) == pytest.approx(1.0)


def test_e_value__worked_by_hand_for_one_total_loss() -> None:
    by_hand = sum(1 - bet * (-1 + 0.03) / 1.03 for bet in (0.1, 0.2, 0.4, 0.6, 0.8)) / 5
    assert e_value([-1.0], 0.03) == pytest.approx(by_hand)


def test_e_value__fires_at_the_margin_in_at_most_one_of_two_hundred_runs() -> None:
    draw, fired = random.Random(7), 0
    for _ in range(600):
        changes: list[float] = []
        for _ in range(30):
            changes += [(draw.random() < 0.87) - sum(draw.random() < 0.9 for _ in range(10)) / 10 for _ in range(10)]
            if e_value(changes, 0.03) >= THRESHOLD:
                fired += 1
                break
    assert fired / 600 <= 0.005 + 3 * (0.005 / 600) ** 0.5


def test_e_value__a_loss_of_forty_points_shows_within_sixty_cases() -> None:
    draw = random.Random(3)
    changes = [(draw.random() < 0.5) - 0.9 for _ in range(60)]
    assert e_value(changes, 0.03) >= THRESHOLD


def test_watch__only_at_every_tenth_case() -> None:
    watch = Watch(known=known(40), margin=0.03)
    assert [count for count in range(41) if watch.fires(seen("F" * count)) is not None] == [20, 30, 40]


def test_watch__never_with_more_than_five_percent_unscored() -> None:
    watch = Watch(known=known(40), margin=0.03)
    assert watch.fires(seen("F" * 38 + "UU")) is not None
    assert watch.fires(seen("F" * 37 + "UUU")) is None


def test_watch__edited_new_and_untried_cases_do_not_count() -> None:
    cases = known(40)
    for case_id in list(cases)[:20]:
        cases[case_id] = replace(cases[case_id], digest="other")
    for case_id in list(cases)[20:]:
        cases[case_id] = replace(cases[case_id], passes=0, trials=0)
    assert Watch(known=cases, margin=0.03).fires(seen("F" * 40)) is None
    assert Watch(known={}, margin=0.03).fires(seen("F" * 40)) is None


def test_check_abort__a_whole_pass_has_nothing_to_say() -> None:
    assert check_abort(replace(aborted(""), evidence=make_suite_evidence("en*40: P", passes=1))) == ()


def test_check_abort__broken__rollback_with_the_e_value() -> None:
    found = decided(aborted("F" * 20))
    assert (found.verdict, found.demands) == (Verdict.FAIL, Outcome.ROLLBACK)
    assert (found.figure("e_value") or 0) >= THRESHOLD
    assert found.figure("cases") == 20
    assert len(found.cases) == 20
    assert "broken, stopped after 20 cases: 100.0 -> 0.0 (-100.0 points" in found.sentence


@pytest.mark.parametrize("marks", ["P" * 20, "F" * 19, "F" * 10 + "U" * 10])
def test_check_abort__stopped_without_cause__holds(marks: str) -> None:
    found = decided(aborted(marks))
    assert (found.verdict, found.demands) == (Verdict.INCONCLUSIVE, Outcome.HOLD)


def test_check_abort__an_order_that_names_untried_cases__holds() -> None:
    context = aborted("F" * 20)
    longer = replace(context, evidence=replace(context.evidence, asked=(*context.evidence.asked, "c050", "gone")))
    assert decided(longer).demands is Outcome.HOLD


@pytest.mark.parametrize(("marks", "outcome"), [("F" * 20, Outcome.ROLLBACK), ("P" * 20, Outcome.HOLD)])
def test_decide__aborted_pass__no_rates_and_no_further_question(marks: str, outcome: Outcome) -> None:
    context = aborted(marks)
    evidence, references = Evidence(suites=(context.evidence,)), (context.reference,)
    decision = decide(policy=TASK, evidence=evidence, references=references, as_of=AS_OF)
    assert decision.outcome is outcome
    assert {finding.rule for finding in decision.findings} == {Rule.ABORT}
    assert next_steps(policy=TASK, evidence=evidence, references=references, as_of=AS_OF) == ()


def test_decide__aborted_pass__names_the_cases_and_the_slice_that_broke() -> None:
    marks = "F" * 12 + "P" * 18
    cases = [
        replace(case, tags=(("language", "es" if number < 12 else "en"),))
        for number, case in enumerate(aborted(marks).evidence.cases)
    ]
    context = aborted(marks)
    suite = replace(context.evidence, cases=tuple(cases))
    policy = replace(TASK, slices=(("language", SliceRule.WARN),), margin=0.01)
    evidence = Evidence(suites=(suite,))
    decision = decide(policy=policy, evidence=evidence, references=(context.reference,), as_of=AS_OF)
    said = {finding.rule: finding.sentence for finding in decision.findings}
    assert decision.outcome is Outcome.ROLLBACK
    assert "c000, c001, c002, c003, c004 and 7 more" in said[Rule.ABORT]
    assert "language=es lost 100.0 points on 12 cases" in said[Rule.SLICE]
