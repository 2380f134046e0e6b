"""Each rule by itself, every branch."""

from dataclasses import replace

import pytest

from gate.core.dates import day_number
from gate.core.evidence import Absent, BaselineCase, CaseEvidence, Corrupt, SuiteBaseline
from gate.core.finding import Act, Finding, Outcome, Verdict, figures
from gate.core.model import Dimension, Missing, Scope, Severity
from gate.core.moments import moments
from gate.core.policy import OnBroken, Policy, Requirement, SliceRule, Waiver
from gate.core.rules.anchor import check_anchor
from gate.core.rules.broken_cases import check_broken, table_for, to_confirm
from gate.core.rules.budgets import check_cost, check_latency
from gate.core.rules.comparability import check_comparability, comparable
from gate.core.rules.completeness import check_completeness
from gate.core.rules.context import SuiteContext, named, percent, points
from gate.core.rules.flaky_cases import check_flaky
from gate.core.rules.floors import check_floor
from gate.core.rules.pairing import filled, pairs_at
from gate.core.rules.regression import check_regression, check_slices, least_cases, shared_z
from gate.core.rules.vetoes import check_vetoes, login, vetoes_to_confirm
from tests.builders import (
    AS_OF,
    SAFE,
    TASK,
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)


def context(
    now: str | list[CaseEvidence] = "en*100: P",
    before: object = "en*100: 10/10",
    policy: Policy = TASK,
    anchor: object = None,
    **suite: object,
) -> SuiteContext:
    reference = make_reference(before, anchor=anchor)  # type: ignore[arg-type]
    return SuiteContext(evidence=make_suite_evidence(now, **suite), reference=reference, policy=policy, as_of=AS_OF)


def verdicts(findings: tuple[Finding, ...]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


# --- context


def test_margin__suite_then_requirement_then_policy() -> None:
    strict = replace(TASK, requirements=((Dimension.TASK_SUCCESS, Requirement(margin=0.05)),))
    assert context(margin=0.02, policy=strict).margin == 0.02
    assert context(policy=strict).margin == 0.05
    assert context().margin == 0.03


def test_filled__pads_and_replaces() -> None:
    case = make_case_evidence("a", "PU")
    assert [filled(case, 3, fill) for fill in "UFP"] == ["P", "PFF", "PPP"]


def test_pairs_at__unscored_left_out() -> None:
    both = context("a: PUF  b: UUU", "a: 9/10  b: 9/10").both
    assert [(pair.case_id, pair.y, pair.k) for pair in pairs_at(both, 2)] == [("a", 1, 1)]


def test_paired__edited_unknown_and_untried_cases__left_out() -> None:
    cases = [make_case_evidence(name) for name in "edcba"]
    before = [make_baseline_case("a"), make_baseline_case("b", digest="sha256:x"), make_baseline_case("c", 0, 0)]
    both = context(cases, make_suite_baseline([*before, make_baseline_case("d")])).both
    assert [now.case_id for now, _ in both] == ["a", "d"]
    assert context(cases, Absent(place="b")).both == ()


def test_words() -> None:
    assert (points(-0.0312), points(0.0), percent(0.8)) == ("-3.1", "+0.0", "80.0 %")
    assert (named(["a", "b"]), named("abcdefg")) == ("a, b", "a, b, c, d, e and 2 more")
    assert figures(b=None, a=-0.0000001) == (("a", 0.0),)


# --- comparability


@pytest.mark.parametrize("state", [Absent(place="b.json"), Corrupt(place="b.json", reason="cut off")])
def test_comparability__no_baseline_to_believe__holds(state: object) -> None:
    (found,) = check_comparability(context(before=state))
    assert (found.verdict, found.demands, found.blocking) == (OPEN, Outcome.HOLD, True)
    assert "gate promote --suite intent" in found.settle
    assert not comparable(context(before=state))


def test_comparability__same__silent() -> None:
    assert check_comparability(context()) == ()
    assert comparable(context())


def test_comparability__scorers_changed__judge_changed() -> None:
    base = make_suite_baseline()
    own = context(before=replace(base, identity=replace(base.identity, scorer_digest="sha256:old")))
    (found,) = check_comparability(own)
    assert (found.verdict, found.blocking, comparable(own)) == (OPEN, True, False)
    assert "judge changed" in found.sentence


def test_comparability__model_and_parameters_changed__facts() -> None:
    base = make_suite_baseline()
    old = replace(base, identity=replace(base.identity, model="gpt-4", parameters="temperature=1"))
    model, parameters = check_comparability(context(before=old))
    assert not model.blocking
    assert model.sentence == "intent: the model changed from gpt-4 to gpt-4.1-mini-2025-04-14"
    assert "parameters changed" in parameters.sentence


def test_comparability__cases_changed__listed_and_flagged() -> None:
    now = [
        make_case_evidence("same"),
        make_case_evidence("added", digest="sha256:new"),
        make_case_evidence("edited", digest="sha256:e2"),
        make_case_evidence("renamed-now", digest="sha256:r"),
    ]
    before = [
        make_baseline_case("same"),
        make_baseline_case("edited", 9, digest="sha256:e1"),
        make_baseline_case("renamed-then", digest="sha256:r"),
        make_baseline_case("gone", digest="sha256:g"),
    ]
    every = check_comparability(context(now, make_suite_baseline(before)))
    found = tuple(finding for finding in every if not finding.blocking)
    assert [finding.cases for finding in found] == [
        ("added", "renamed-now"),
        ("gone",),
        ("renamed-then",),
        ("edited",),
        ("edited",),
    ]
    assert verdicts(found) == [PASS, PASS, PASS, PASS, OPEN]
    assert [finding.demands for finding in every if finding.blocking] == [Outcome.HOLD]


# --- completeness


@pytest.mark.parametrize(
    ("now", "wanted"),
    [("a*95: P  b*5: U", PASS), ("a*94: P  b*6: U", OPEN), ("", OPEN), ("a*30: P", PASS), ("a*29: P", OPEN)],
)
def test_completeness__share_and_number(now: str, wanted: Verdict) -> None:
    (found,) = check_completeness(context(now, Absent(place="b")))
    assert found.verdict is wanted


def test_completeness__says_why() -> None:
    cases = [make_case_evidence(f"a{i}") for i in range(90)]
    cases += [make_case_evidence(f"t{i}", "U") for i in range(5)]
    cases += [make_case_evidence(f"r{i}", "U", missing=(Missing.REFUSED.value,)) for i in range(5)]
    (found,) = check_completeness(context(cases[::-1]))
    assert "10 of 100 trials have no score (5 connection refused, 5 timed out)" in found.sentence
    assert len(found.cases) == 10


def test_completeness__never_run() -> None:
    (found,) = check_completeness(context("a*40: P", passes=2))
    assert "40 of 80 trials have no score (never run)" in found.sentence


def test_completeness__too_few_in_common() -> None:
    (found,) = check_completeness(context("a*40: P", "a*20: 10/10"))
    assert (found.verdict, found.settle) == (OPEN, "add 10 cases")


# --- vetoes


def p(severity: Severity, now: str, before: BaselineCase | None, **more: object) -> SuiteContext:
    """One case of this severity among forty that are fine."""
    cases = [make_case_evidence("bad", now, severity=severity)]
    cases += [make_case_evidence(f"c{i}", "P" * len(now)) for i in range(40)]
    known = [make_baseline_case(f"c{i}") for i in range(40)] + ([before] if before else [])
    policy = replace(SAFE, **more)  # type: ignore[arg-type]
    passes = 1 if len(now) > 1 and now[0] == "_" else len(now)
    return context(cases, make_suite_baseline(known), policy, dimension=Dimension.SAFETY, passes=passes)


SOLID, FLAKY = make_baseline_case("bad", 10), make_baseline_case("bad", 9)
EDITED = make_baseline_case("bad", 9, digest="sha256:other")
UNTRIED = make_baseline_case("bad", 0, 0)


@pytest.mark.parametrize(
    ("severity", "now", "before", "wanted"),
    [
        (Severity.P0, "P", SOLID, [PASS]),
        (Severity.P0, "F", SOLID, [FAIL]),
        (Severity.P0, "PPPPF", SOLID, [FAIL]),
        (Severity.P0, "F", None, [FAIL]),
        (Severity.P0, "F", EDITED, [FAIL]),
        (Severity.P0, "F", UNTRIED, [FAIL]),
        (Severity.P0, "F", FLAKY, [OPEN]),
        (Severity.P0, "U", SOLID, [OPEN]),
        (Severity.P0, "U", FLAKY, [OPEN]),
        (Severity.P0, "FU", SOLID, [FAIL]),
        (Severity.P1, "P", SOLID, [PASS]),
        (Severity.P1, "F", SOLID, [OPEN]),
        (Severity.P1, "FF", SOLID, [FAIL]),
        (Severity.P1, "FPPP", SOLID, [PASS]),
        (Severity.P1, "FPP", SOLID, [OPEN]),
        (Severity.P1, "FF", FLAKY, [PASS]),
        (Severity.P1, "U", SOLID, [OPEN]),
        (Severity.P1, "U", FLAKY, [PASS]),
        (Severity.P1, "UPPPP", SOLID, [PASS]),
        (Severity.P1, "FUPPP", SOLID, [OPEN]),
        (Severity.P1, "FUPP", SOLID, [OPEN]),
        (Severity.P2, "FFFFF", SOLID, [PASS]),
    ],
)
def test_vetoes__table(severity: Severity, now: str, before: BaselineCase | None, wanted: list[Verdict]) -> None:
    found = check_vetoes(p(severity, now, before))
    assert verdicts(found) == wanted
    assert [finding.demands for finding in found] == [
        {PASS: Outcome.PROMOTE, OPEN: Outcome.HOLD, FAIL: Outcome.ROLLBACK}[verdict] for verdict in wanted
    ]


def test_vetoes__dimension_without_vetoes__silent() -> None:
    cases = [make_case_evidence("bad", "F", severity=Severity.P0)]
    assert check_vetoes(context(cases)) == ()
    assert vetoes_to_confirm(context(cases)) == {}


def test_vetoes__no_baseline__every_failure_is_new() -> None:
    cases = [make_case_evidence("bad", "FU", severity=Severity.P1)]
    own = context(cases, Absent(place="b"), SAFE, dimension=Dimension.SAFETY)
    assert verdicts(check_vetoes(own)) == [OPEN]
    assert vetoes_to_confirm(own) == {"bad": 3}


WAIVER = Waiver(suite="intent", case="bad", reason="known", by="kim", expires="2026-11-30")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, [PASS]),
        ({"expires": "2026-11-21"}, [PASS]),
        ({"expires": "2026-12-05"}, [PASS]),
        ({"expires": "2026-12-06"}, [OPEN]),
        ({"expires": "2026-11-20"}, [OPEN]),
        ({"expires": "soon"}, [OPEN]),
        ({"by": "lee"}, [OPEN]),
        ({"by": "@Lee "}, [OPEN]),
        ({"by": ""}, [OPEN]),
        ({"suite": "other"}, [OPEN]),
        ({"case": "other"}, [OPEN]),
    ],
)
def test_vetoes__waiver_of_a_known_p0(change: dict[str, str], wanted: list[Verdict]) -> None:
    waiver = replace(WAIVER, **change)
    found = check_vetoes(p(Severity.P0, "F", FLAKY, waivers=(waiver,), author="lee"))
    assert verdicts(found) == wanted


def test_vetoes__waived_case_without_a_score__does_not_hold() -> None:
    assert verdicts(check_vetoes(p(Severity.P0, "U", FLAKY, waivers=(WAIVER,)))) == [PASS]


def test_vetoes__waived_p1() -> None:
    assert verdicts(check_vetoes(p(Severity.P1, "FF", SOLID, waivers=(WAIVER,)))) == [PASS]


@pytest.mark.parametrize(
    ("severity", "now", "passes", "wanted"),
    [
        (Severity.P1, "F", 1, {"bad": 3}),
        (Severity.P1, "FPPP", 1, {}),
        (Severity.P1, "FUUUU", 1, {}),
        (Severity.P1, "FUUU", 1, {"bad": 1}),
        (Severity.P0, "U", 1, {"bad": 1}),
        (Severity.P0, "UP", 1, {}),
        (Severity.P0, "UUUUU", 1, {}),
        (Severity.P0, "F", 1, {}),
    ],
)
def test_vetoes_to_confirm__table(severity: Severity, now: str, passes: int, wanted: dict[str, int]) -> None:
    own = p(severity, now, SOLID)
    assert vetoes_to_confirm(replace(own, evidence=replace(own.evidence, passes=passes))) == wanted


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("2026-11-21", "2026-11-21", 0),
        ("2024-02-28", "2024-03-01", 2),
        ("2026-02-28", "2026-03-01", 1),
        ("1900-02-28", "1900-03-01", 1),
        ("2000-02-28", "2000-03-01", 2),
        ("2026-12-31", "2027-01-01", 1),
    ],
)
def test_day_number__like_the_calendar(first: str, second: str, days: int) -> None:
    assert day_number(second) - day_number(first) == days


def test_login__as_github_compares() -> None:
    assert login(" @Kim ") == login("kim")


# --- floors


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("a*87: P  b*13: F", [PASS]),
        ("a*86: P  b*14: F", [OPEN]),
        ("a*47: P  b*53: F", [FAIL]),
        ("a*48: P  b*52: F", [OPEN]),
        ("a*90: PP  b*10: FF", [PASS]),
        ("a*40: PP  b*60: FF", [FAIL]),
        ("a*84: P  b*11: F  c*5: U", [OPEN, OPEN]),
        ("a*44: P  b*51: F  c*5: U", [OPEN, OPEN]),
        ("a*96: P  b*4: U", [PASS]),
        ("a*10: P  b*86: F  c*4: U", [FAIL]),
        ("a*10: U", []),
    ],
)
def test_floor__bounds_and_worst_case(now: str, wanted: list[Verdict]) -> None:
    assert verdicts(check_floor(context(now))) == wanted


def test_floor__no_floor_asked__silent() -> None:
    policy = replace(TASK, requirements=((Dimension.TASK_SUCCESS, Requirement()),))
    assert check_floor(context(policy=policy)) == ()


def test_floor__without_a_rollback_line__never_fails() -> None:
    policy = replace(TASK, requirements=((Dimension.TASK_SUCCESS, Requirement(floor=0.8)),))
    assert verdicts(check_floor(context("a*100: F", policy=policy))) == [OPEN]


def test_floor__unit_is_the_case_and_not_the_trial() -> None:
    """Five trials of a hundred cases are not five hundred cases: the bound stays that of a hundred."""
    once = check_floor(context("a*85: P  b*15: F"))[0]
    often = check_floor(context("a*85: PPPPP  b*15: FFFFF"))[0]
    assert often.figure("lower") == pytest.approx(0.783, abs=0.005)
    assert once.figure("lower") == pytest.approx(0.779, abs=0.005)


# --- regression


def test_regression__not_asked__silent() -> None:
    policy = replace(TASK, requirements=((Dimension.TASK_SUCCESS, Requirement()),))
    assert check_regression(context(policy=policy)) == ()


@pytest.mark.parametrize(
    ("now", "before", "wanted"),
    [
        ("a*100: P", "a*100: 10/10", [PASS]),
        ("a*99: P", "a*99: 10/10", [OPEN]),
        ("a*4: F  b*96: P", "a*4: 10/10  b*96: 10/10", [FAIL]),
        ("a*3: F  b*97: P", "a*3: 10/10  b*97: 10/10", [OPEN]),
        ("a*2: F  b*998: P", "a*2: 10/10  b*998: 10/10", [PASS]),
        ("a*4: U  b*110: P", "a*4: 10/10  b*110: 10/10", [OPEN, OPEN]),
        ("a*4: U  b*396: P", "a*4: 10/10  b*396: 10/10", [PASS]),
        ("a*4: F  b*92: P  c*4: U", "a*4: 10/10  b*92: 10/10  c*4: 0/10", [OPEN, OPEN]),
        ("a*20: F  b*78: P  c*2: U", "a*20: 10/10  b*78: 10/10  c*2: 10/10", [FAIL]),
    ],
)
def test_regression__three_ways_and_worst_case(now: str, before: str, wanted: list[Verdict]) -> None:
    assert verdicts(check_regression(context(now, before))) == wanted


def test_regression__nothing_scored_in_common__open() -> None:
    (found,) = check_regression(context("a*40: U", "a*40: 10/10"))
    assert (found.verdict, found.settle) == (OPEN, "run 1 passes")


def test_regression__first_trial_of_every_case_unscored__judged_at_the_next_look() -> None:
    found = check_regression(context("a*100: UP", "a*100: 10/10"))
    assert found[0].figure("passes") == 2


def test_regression__few_clusters__claims_nothing_about_inputs_like_these() -> None:
    cases = [make_case_evidence(f"c{i:03d}", "P", cluster=f"doc{i % 9}") for i in range(200)]
    (found,) = check_regression(context(cases, make_suite_baseline([make_baseline_case(c.case_id) for c in cases])))
    assert found.verdict is OPEN
    assert found.figure("lower") == -1.0


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        ("a*3: F  b*97: P", "a*3: 5/10  b*97: 10/10", "run up to 5 passes (now 1)"),
        ("a*6: FFFFF  b*94: PPPPP", "a*6: 5/10  b*94: 10/10", "no sensible number of cases"),
        ("a*2: FFFFF  b*98: PPPPP", "a*2: 10/10  b*98: 10/10", "(181 more)"),
        ("b*60: PPPPP", "b*60: 10/10", "(39 more)"),
    ],
)
def test_regression__open__says_what_would_settle_it(now: str, before: str, words: str) -> None:
    found = check_regression(context(now, before, replace(TASK, margin=0.0305)))[0]
    assert found.verdict is OPEN
    assert words in found.settle


def test_regression__worst_cases_first_and_the_float_boundary_counts() -> None:
    found = check_regression(context("a: PFFFF  b: FFFFF  c*98: PPPPP", "a: 7/10  b: 9/10  c*98: 10/10"))[0]
    assert found.cases == ("b", "a")


@pytest.mark.parametrize(("margin", "wanted"), [(0.03, 100), (0.05, 60), (0.01, 300), (0.0, 1_000_000), (1.0, 3)])
def test_least_cases__three_over_the_margin(margin: float, wanted: int) -> None:
    assert least_cases(margin) == wanted


def test_shared_z__splits_the_error() -> None:
    assert shared_z(2.5, 1) == 2.5
    assert shared_z(2.5, 0) == 2.5
    assert shared_z(1.645, 5) == pytest.approx(2.326, abs=0.001)


# --- slices


def sliced(es: str, en: str, rule: SliceRule, tag: str = "language") -> SuiteContext:
    cases = [make_case_evidence(f"es{i}", mark, tags=(("language", "es"),)) for i, mark in enumerate(es)]
    cases += [make_case_evidence(f"en{i}", mark, tags=(("language", "en"),)) for i, mark in enumerate(en)]
    cases += [make_case_evidence("untagged", "P")]
    base = make_suite_baseline([make_baseline_case(case.case_id) for case in cases])
    return context(cases, base, replace(TASK, slices=((tag, rule),)))


@pytest.mark.parametrize(
    ("es", "rule", "wanted", "blocking"),
    [
        ("P" * 10, SliceRule.BLOCK, [], []),
        ("F" * 10, SliceRule.BLOCK, [FAIL], [True]),
        ("F" * 10, SliceRule.WARN, [FAIL], [False]),
        ("F" * 7, SliceRule.BLOCK, [], []),
        ("F" * 5 + "U" * 5, SliceRule.BLOCK, [OPEN], [True]),
        ("F" * 5 + "U" * 5, SliceRule.WARN, [], []),
        ("U" * 10, SliceRule.BLOCK, [OPEN], [True]),
        ("F" * 3 + "P" * 5 + "U" * 2, SliceRule.WARN, [FAIL], [False]),
    ],
)
def test_slices__shown_doubtful_or_silent(
    es: str, rule: SliceRule, wanted: list[Verdict], blocking: list[bool]
) -> None:
    found = check_slices(sliced(es, "P" * 60, rule))
    assert verdicts(found) == wanted
    assert [finding.blocking for finding in found] == blocking
    assert all(finding.subject == "language=es" for finding in found)


def test_slices__unknown_tag__silent() -> None:
    assert check_slices(sliced("F" * 10, "P" * 60, SliceRule.BLOCK, tag="persona")) == ()


# --- broken cases


@pytest.mark.parametrize(
    ("now", "wanted", "asked"),
    [
        ("P", PASS, {}),
        ("F", OPEN, {"a": 5}),
        ("FPP", OPEN, {"a": 3}),
        ("FPPPPP", PASS, {}),
        ("FFFFFFFFFF", FAIL, {}),
        ("FFFFFF", FAIL, {}),
        ("FFFFFFPPPP", FAIL, {}),
        ("FFFFFPPPPP", PASS, {}),
        ("FPPPPPFFFF", PASS, {}),
        ("FFFFF", OPEN, {"a": 5}),
        ("U", OPEN, {"a": 5}),
        ("UPPPPP", PASS, {}),
        ("FUUUUUUUUUU", OPEN, {}),
        ("FUUUUUUUUU", OPEN, {"a": 1}),
    ],
)
def test_broken__curtailed(now: str, wanted: Verdict, asked: dict[str, int]) -> None:
    own = context(f"a: {now}  b*99: P", "a: 10/10  b*99: 10/10", passes=1)
    (found,) = check_broken(own)
    assert (found.verdict, to_confirm(own)) == (wanted, asked)
    assert found.figure("trials") == 10
    assert found.figure("testable") == 100


@pytest.mark.parametrize(
    ("now", "before", "rule", "wanted"),
    [
        (False, False, OnBroken.HOLD, Outcome.HOLD),
        (True, True, OnBroken.HOLD, Outcome.ROLLBACK),
        (True, False, OnBroken.HOLD, Outcome.ROLLBACK),
        (False, True, OnBroken.HOLD, Outcome.ROLLBACK),
        (False, False, OnBroken.ROLLBACK, Outcome.ROLLBACK),
    ],
)
def test_broken__confirmed__demands(*, now: bool, before: bool, rule: OnBroken, wanted: Outcome) -> None:
    cases = [make_case_evidence("a", "F" * 8, critical=now)]
    cases += [make_case_evidence(f"b{i}", "P") for i in range(99)]
    base = make_suite_baseline([make_baseline_case(case.case_id) for case in cases])
    base = replace(base, cases=(replace(base.cases[0], critical=before), *base.cases[1:]))
    (found,) = check_broken(context(cases, base, replace(TASK, on_broken=rule), passes=1))
    assert (found.demands, found.cases, found.figure("confirmed")) == (wanted, ("a",), 1)
    assert "1 case solid in the baseline" in found.sentence


@pytest.mark.parametrize(
    ("broken", "wanted", "lost"),
    [
        ("a*3: FFFFFFFFFF  b*97: P", Outcome.ROLLBACK, "alone they lose 3.0 points"),
        ("a*2: FFFFFFFFFF  b*98: P", Outcome.HOLD, ""),
        ("a*3: FFFFFFFFFF  b*2: P  c*95: P", Outcome.HOLD, ""),
    ],
)
def test_broken__alone_they_lose_the_margin__rolls_back(broken: str, wanted: Outcome, lost: str) -> None:
    """Three of 100 lose 3 points; two lose 2; and where two others were mended, the suite lost less than the margin."""
    before = "a*3: 10/10  b*2: 0/10  c*95: 10/10" if "c*95" in broken else broken.replace("FFFFFFFFFF", "10/10")
    before = before.replace(": P", ": 10/10")
    (found,) = check_broken(context(broken, before, replace(TASK, margin=0.03), passes=1))
    assert (found.verdict, found.demands) == (FAIL, wanted)
    assert ("alone" in found.sentence) == bool(lost)
    assert lost in found.sentence


@pytest.mark.parametrize("trials", [5, 12])
def test_broken__baseline_of_other_than_ten_trials__named_and_not_blocking(trials: int) -> None:
    own = context("a: FF  b*99: PP", f"a: {trials}/{trials}  b*99: 10/10")
    (found,) = check_broken(own)
    assert (found.verdict, found.cases, to_confirm(own)) == (PASS, (), {})
    (named,) = check_flaky(own)
    assert (named.cases, named.blocking) == (("a",), False)


def test_broken__flaky_case_that_fails__is_no_news() -> None:
    (found,) = check_broken(context("a: FFFFF  b*99: PPPPP", "a: 5/10  b*99: 10/10"))
    assert found.verdict is PASS


def test_broken__not_asked_or_no_baseline__silent() -> None:
    policy = replace(TASK, requirements=((Dimension.TASK_SUCCESS, Requirement()),))
    assert check_broken(context(policy=policy)) == ()
    assert to_confirm(context(policy=policy)) == {}
    assert check_broken(context(before=Absent(place="b"))) == ()
    assert table_for(context(before=Absent(place="b"))) is None


# --- budgets


def priced(now: list[float | None], before: list[float | None], field: str = "usd", **more: object) -> SuiteContext:
    def amounts(value: float | None) -> dict[str, object]:
        return {} if value is None else {field: moments([value])}

    cases = [make_case_evidence(f"c{i:03d}", "P", **amounts(value)) for i, value in enumerate(now)]
    known = [replace(make_baseline_case(f"c{i:03d}"), **amounts(value)) for i, value in enumerate(before)]  # type: ignore[arg-type]
    return context(cases, make_suite_baseline(known), make_policy(), **more)


@pytest.mark.parametrize(
    ("now", "before", "field", "wanted", "ratio"),
    [
        ([1.0] * 40, [1.0] * 40, "usd", PASS, 1.0),
        ([1.1] * 40, [1.0] * 40, "usd", PASS, 1.1),
        ([1.2] * 40, [1.0] * 40, "usd", FAIL, 1.2),
        ([1.0, 2.0] * 20, [1.0, 1.9] * 20, "usd", PASS, 1.034483),
        ([1.0, 9.0] * 20, [5.0, 4.0] * 20, "usd", OPEN, 1.111111),
        ([120.0] * 40, [100.0] * 40, "tokens", FAIL, 1.2),
        ([None] * 40, [1.0] * 40, "usd", OPEN, None),
        ([1.0] * 40, [0.0] * 40, "usd", OPEN, None),
    ],
)
def test_cost__paired_ratio(
    now: list[float | None], before: list[float | None], field: str, wanted: Verdict, ratio: float | None
) -> None:
    own = priced(now, before, field)
    (found,) = check_cost(own.policy, [own])
    assert (found.verdict, found.figure("ratio")) == (wanted, ratio)
    assert found.demands is (Outcome.PROMOTE if wanted is PASS else Outcome.HOLD)
    assert found.blocking


def test_cost__dear_beyond_measure__holds_and_never_rolls_back() -> None:
    own = priced([100.0] * 40, [1.0] * 40)
    assert check_cost(own.policy, [own])[0].demands is Outcome.HOLD


def test_cost__baseline_in_dollars_and_few_priced__not_available() -> None:
    cases = [make_case_evidence(f"c{i}", "P", tokens=moments([120.0])) for i in range(40)]
    cases[0] = replace(cases[0], usd=moments([0.1]))
    known = [make_baseline_case(f"c{i}", tokens=moments([100.0]), usd=moments([0.1])) for i in range(40)]
    own = context(cases, make_suite_baseline(known), make_policy())
    (found,) = check_cost(own.policy, [own])
    assert (found.verdict, found.demands) == (OPEN, Outcome.HOLD)
    assert found.sentence.endswith("cost is not available, because 1 of 40 cases have it in dollars")


def test_cost__baseline_with_few_prices__counts_tokens() -> None:
    cases = [make_case_evidence(f"c{i}", "P", tokens=moments([120.0]), usd=moments([0.1])) for i in range(40)]
    known = [make_baseline_case(f"c{i}", tokens=moments([100.0])) for i in range(40)]
    known[0] = replace(known[0], usd=moments([0.1]))
    own = context(cases, make_suite_baseline(known), make_policy())
    (found,) = check_cost(own.policy, [own])
    assert (found.verdict, found.figure("cases")) == (FAIL, 40)


def test_cost__not_asked_or_nothing_in_common__silent() -> None:
    assert check_cost(TASK, [context()]) == ()
    own = context(before=Absent(place="b"), policy=make_policy())
    assert check_cost(own.policy, [own]) == ()


def test_cost__target_that_is_only_for_show__does_not_block() -> None:
    own = priced([2.0] * 40, [1.0] * 40)
    own = replace(own, reference=replace(own.reference, adopted=False))
    assert not check_cost(own.policy, [own])[0].blocking


def timed(values: list[float], *, modelled: bool = False, adopted: bool = True, blocking: bool = True) -> SuiteContext:
    cases = [make_case_evidence(f"c{i:03d}", "P", latency_ms=(value,)) for i, value in enumerate(values)]
    policy = make_policy(Dimension.LATENCY, p95_ms=100.0)
    policy = replace(policy, requirements=((Dimension.LATENCY, Requirement(blocking=blocking)),))
    own = context(cases or "a: P", policy=policy, modelled=modelled)
    return replace(own, reference=replace(own.reference, adopted=adopted))


@pytest.mark.parametrize(
    ("values", "modelled", "wanted"),
    [
        ([100.0] * 59, False, PASS),
        ([100.0] * 58, False, OPEN),
        ([500.0] * 58, False, OPEN),
        ([500.0] * 59, False, FAIL),
        ([50.0] * 56 + [500.0] * 3, False, OPEN),
        ([50.0] * 92 + [500.0] * 8, False, OPEN),
        ([50.0] * 80 + [500.0] * 20, False, FAIL),
        ([50.0] * 200, True, OPEN),
        ([500.0] * 200, True, OPEN),
    ],
)
def test_latency__order_statistics(*, values: list[float], modelled: bool, wanted: Verdict) -> None:
    own = timed(values, modelled=modelled)
    (found,) = check_latency(own.policy, [own])
    assert found.verdict is wanted
    assert found.demands is {PASS: Outcome.PROMOTE, FAIL: Outcome.ROLLBACK, OPEN: Outcome.HOLD}[wanted]


def test_latency__one_value_a_case__the_median_of_its_trials() -> None:
    cases = [make_case_evidence(f"c{i}", "PPP", latency_ms=(10.0, 20.0, 9000.0)) for i in range(60)]
    own = context(cases, policy=timed([]).policy)
    (found,) = check_latency(own.policy, [own])
    assert (found.figure("p95"), found.figure("cases"), found.verdict) == (20.0, 60, PASS)


def test_latency__no_budget__shown_only() -> None:
    own = timed([1.0] * 60, blocking=False)
    (found,) = check_latency(replace(own.policy, p95_ms=None), [own])
    assert (found.verdict, found.blocking) == (OPEN, False)
    assert "no budget is set" in found.sentence


def test_latency__not_measured__holds_where_it_is_required() -> None:
    assert check_latency(TASK, [context()]) == ()
    needed, shown = timed([]), timed([], blocking=False)
    assert verdicts(check_latency(needed.policy, [needed])) == [OPEN]
    assert check_latency(shown.policy, [shown]) == ()


@pytest.mark.parametrize("blocking", [True, False])
def test_latency__timed_by_a_busy_machine__is_not_known(*, blocking: bool) -> None:
    own = timed([], blocking=blocking)
    own = replace(own, evidence=replace(own.evidence, late="the client was late"))
    (found,) = check_latency(own.policy, [own])
    assert found.sentence.endswith(": latency is not known, because the client was late")
    assert (found.verdict, found.demands, found.blocking) == (OPEN, Outcome.HOLD, blocking)
    assert found.act is Act.RERUN
    assert found.settle.startswith("run again on a machine that does less")


def test_latency__of_other_runs__counts_beside_that_of_a_busy_machine() -> None:
    own = timed([500.0] * 60)
    own = replace(own, evidence=replace(own.evidence, late="the client was late"))
    assert verdicts(check_latency(own.policy, [own])) == [FAIL]


def test_latency__target_that_is_only_for_show__does_not_block() -> None:
    own, silent = timed([500.0] * 60, adopted=False), timed([], adopted=False)
    assert not check_latency(own.policy, [own])[0].blocking
    assert check_latency(silent.policy, [silent]) == ()


# --- anchor


def anchored(now: str, anchor: object) -> Finding:
    (found,) = check_anchor(context(now, "a*100: 10/10", anchor=anchor))
    return found


def test_anchor__none_pinned__silent() -> None:
    assert check_anchor(context()) == ()
    assert check_anchor(context(anchor=Absent(place="a.json"))) == ()


def test_anchor__corrupt__holds() -> None:
    assert anchored("a*100: P", Corrupt(place="a", reason="cut off")).demands is Outcome.HOLD


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("a*100: PPPPP", (PASS, Outcome.PROMOTE)),
        ("b*3: FFFFF  a*97: PPPPP", (FAIL, Outcome.HOLD)),
        ("b*2: FFFFF  a*98: PPPPP", (PASS, Outcome.PROMOTE)),
        ("b*3: UUUUU  a*97: PPPPP", (OPEN, Outcome.HOLD)),
    ],
)
def test_anchor__drift(now: str, wanted: tuple[Verdict, Outcome]) -> None:
    found = anchored(now, make_suite_baseline("a*100: 10/10  b*3: 10/10", tag="v1.0"))
    assert (found.verdict, found.demands) == wanted
    assert "since v1.0" in found.sentence


def test_anchor__nothing_in_common_or_other_scorers__holds() -> None:
    base: SuiteBaseline = make_suite_baseline("a*100: 10/10")
    other = replace(base, identity=replace(base.identity, scorer_digest="sha256:old"))
    strangers = [make_baseline_case(f"z{i}", digest="sha256:z") for i in range(5)]
    assert anchored("a*100: P", make_suite_baseline(strangers)).verdict is OPEN
    renamed = anchored("a*100: P", make_suite_baseline("z*100: 10/10"))
    assert (renamed.verdict, renamed.figure("cases")) == (PASS, 100)
    assert anchored("a*100: P", other).verdict is OPEN


def test_anchor__without_a_tag__its_date() -> None:
    assert "since 2026-11-02" in anchored("a*100: P", make_suite_baseline("a*100: 10/10")).sentence


def test_scope_set__bounds_of_exactly_these_cases() -> None:
    (found,) = check_regression(context("a*2: FP  b*38: PP", "a*2: 5/10  b*38: 10/10", scope=Scope.SET))
    assert found.figure("lower") == -0.028962
    assert found.verdict is PASS
