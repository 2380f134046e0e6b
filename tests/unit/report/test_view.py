"""The view: which findings become reasons, rows, flags and exclusions, and in which words."""

from dataclasses import replace

import pytest

from gate.core.evidence import Corrupt, Reference, SuiteBaseline
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Dimension
from gate.core.policy import Policy, Waiver
from gate.report.comment import render_comment
from gate.report.rows import Row
from gate.report.small_print import SMALL_PRINT
from gate.report.terminal import render_terminal
from gate.report.view import Provenance, demanding_findings
from gate.report.words import (
    count,
    duration,
    listed,
    money,
    points,
    share,
    times,
    verdict_word,
)
from tests.builders import evidence, suite_evidence
from tests.unit.report.examples import (
    BROKEN,
    FLOOR,
    PROVENANCE,
    REGRESSED,
    SAFE,
    SUITES,
    advisory,
    comparison,
    finding,
    hold,
    incomplete,
    promote,
    rollback,
)


def test_build_view__orders_reasons_by_what_they_demand() -> None:
    veto = finding(Rule.VETO, Verdict.FAIL, "veto")
    late = finding(Rule.COMPLETENESS, Verdict.INCONCLUSIVE, "late")
    shown = finding(Rule.SLICE, Verdict.FAIL, "only shown", blocking=False)
    ordered = demanding_findings((late, shown, BROKEN, REGRESSED, SAFE, veto))
    assert ordered == [veto, REGRESSED, BROKEN, late]


def test_build_view__gives_four_reasons_and_counts_the_rest() -> None:
    many = tuple(finding(Rule.REGRESSION, Verdict.FAIL, f"reason {number}") for number in range(6))
    view = replace(rollback(), decision=replace(rollback().decision, findings=many)).view
    assert view.reasons == ("reason 0", "reason 1", "reason 2", "reason 3")
    assert view.more_reasons == 2


def test_build_view__unchanged_says_what_is_unchanged() -> None:
    same = Finding(
        rule=Rule.UNCHANGED, verdict=Verdict.PASS, demands=Outcome.PROMOTE, sentence="t: nothing changed", target="t"
    )
    unchanged = Decision(outcome=Outcome.PROMOTE, reason="unchanged", as_of="2026-11-21", findings=(same,))
    view = replace(promote(), decision=unchanged, evidence=evidence(), references=()).view
    assert (view.headline, view.counts, view.reasons, view.rows, view.power) == (
        "PROMOTE: unchanged", "1 rule passed", ("t: nothing changed",), (), "",
    )  # fmt: skip


@pytest.mark.parametrize(("outcome", "reasons"), [(Outcome.PROMOTE, ()), (Outcome.HOLD, ("nothing measured",))])
def test_build_view__without_a_demand(outcome: Outcome, reasons: tuple[str, ...]) -> None:
    decision = Decision(outcome=outcome, reason="nothing measured", as_of="2026-11-21", findings=())
    assert replace(promote(), decision=decision).view.reasons == reasons


def test_build_view__gives_an_example_of_what_is_unscored() -> None:
    excerpt = replace(rollback().excerpts[0], case_id="c-1", now_marks="UU", reason="status 401: wrong key")
    assert replace(incomplete(), excerpts=(excerpt,)).view.exclusions[-1] == "For example `c-1`: status 401: wrong key"
    failed = replace(excerpt, now_marks="UF")
    assert all("c-1" not in line for line in replace(incomplete(), excerpts=(failed,)).view.exclusions)


def test_build_view__a_record_knows_neither_calls_nor_command() -> None:
    view = replace(rollback(), provenance=Provenance(digest="sha256:1")).view
    assert view.source == "this working tree · oldest baseline 2026-11-02 (19 days old) · 3 passes"
    assert view.action == "Do not merge. Mend what is named above."
    assert replace(promote(), provenance=Provenance(digest="sha256:1")).view.action == "Nothing to do."


def test_build_view__says_where_it_comes_from() -> None:
    assert rollback().view.source == (
        "`4f1c09a` against `main` · oldest baseline 2026-11-02 (19 days old) · 3 passes · 1,410 calls · $0.84"
    )
    assert incomplete().view.source == "this working tree · no baseline · 3 passes · 1,410 calls · 112,004 tokens"


def test_build_view__a_corrupt_baseline_has_no_age() -> None:
    corrupt = (Reference(target="t", suite="s", baseline=Corrupt(place="p", reason="r")),)
    assert "no baseline" in replace(rollback(), references=corrupt).view.source


@pytest.mark.parametrize(
    ("outcome", "findings", "action"),
    [
        (Outcome.ROLLBACK, (REGRESSED,), "Do not merge. Mend what is named above, then:"),
        (
            Outcome.ROLLBACK,
            (REGRESSED, finding(Rule.VETO, Verdict.FAIL, "v")),
            "Do not merge: a failure of this severity cannot be released. Mend it, then:",
        ),
        (Outcome.HOLD, (BROKEN,), "Accept the trade with `/gate approve`, or mend the cases. Then:"),
        (Outcome.HOLD, (replace(BROKEN, settle=""),), "Mend what the rule broken-case found. Then:"),
        (Outcome.PROMOTE, (FLOOR,), "Nothing to do. The same run on your machine:"),
    ],
)
def test_build_view__recommends_one_action(outcome: Outcome, findings: tuple[Finding, ...], action: str) -> None:
    decision = Decision(outcome=outcome, reason="r", as_of="2026-11-21", findings=findings)
    assert replace(rollback(), decision=decision).view.action == action


def test_build_view__rows_show_demanding_comparisons_first_and_hide_floors_that_hold() -> None:
    assert [(row.label, row.change, row.word) for row in rollback().view.rows] == [
        ("sales_email_intent", "−5.8 [−8.3, −2.1]", "regression"),
        ("prompt_attacks", "+0.2 [−1.4, +2.1]", "not worse"),
        ("cost", "[×1.01, ×1.07]", "within the limit"),
        ("latency p95", "p50 820 ms", "(within the budget)"),
    ]


def test_build_view__a_floor_alone_is_a_row() -> None:
    decision = replace(rollback().decision, findings=(FLOOR,))
    (row,) = replace(rollback(), decision=decision).view.rows
    assert row == Row(
        label="sales_email_intent (floor)", before="≥\u00a080.0%", now="93.1%",
        change="[89.4%, 95.7%]", word="above the floor", notable=False,
    )  # fmt: skip


def test_build_view__a_latency_floor_is_in_milliseconds() -> None:
    slow = finding(
        Rule.FLOOR, Verdict.FAIL, "slow", dimension=Dimension.LATENCY,
        figures=figures(estimate=22_000.0, lower=21_500.0, floor=15_000.0),
    )  # fmt: skip
    (row,) = replace(rollback(), decision=replace(rollback().decision, findings=(slow,))).view.rows
    assert (row.before, row.now, row.change, row.word) == ("≤\u00a015.0 s", "22.0 s", "[21.5 s, –]", "below the floor")


def test_build_view__several_targets_are_named_in_the_rows() -> None:
    two = evidence(*SUITES, suite_evidence({"a": "P"}, target="other"))
    assert replace(rollback(), evidence=two).view.rows[0].label == "sales-email-intent / sales_email_intent"


def test_build_view__slices_that_dropped_only() -> None:
    (row,) = rollback().view.slices
    assert (row.label, row.change) == ("language=es in sales_email_intent", "−16.7")


def test_build_view__counts_everything_left_out() -> None:
    assert hold().view.exclusions == (
        "`sales_email_intent`: 1 trial unscored (1 timed out).",
        "`sales_email_intent`: cases not compared: 2 new (no baseline yet).",
    )
    assert incomplete().view.exclusions[0] == "The run ended early: the budget of 4000 calls is spent"


def test_build_view__names_removed_and_edited_cases() -> None:
    marks = {case.case_id: "P" for case in SUITES[0].cases[1:]}
    suite = suite_evidence(marks, suite="sales_email_intent")
    edited = replace(suite, cases=(replace(suite.cases[0], digest="sha256:other"), *suite.cases[1:]))
    assert replace(rollback(), evidence=evidence(edited)).view.exclusions == (
        "`sales_email_intent`: cases not compared: 1 edited, 1 only in the baseline.",
    )


def test_build_view__says_that_new_versions_are_not_compared() -> None:
    suite, first = SUITES[0], SUITES[0].cases[0]
    twice = replace(first, case_id=f"{first.case_id}+edited", digest="sha256:other", edits=first.case_id)
    assert replace(rollback(), evidence=evidence(replace(suite, cases=(*suite.cases, twice)))).view.exclusions == (
        "`sales_email_intent`: cases not compared: 1 edited (new version, no baseline yet).",
    )


def test_build_view__a_waiver_that_ended_is_not_applied() -> None:
    waiver = Waiver(suite="s", case="c", reason="known", by="sam", expires="2026-11-20")
    view = replace(rollback(), policy=Policy(waivers=(waiver,))).view
    assert view.exclusions == ("`s`: `c` waived by sam ended on 2026-11-20, not applied: known",)


def test_build_view__flags_edits_to_the_gate_first() -> None:
    assert rollback().view.flags == (
        (
            "This change edits the gate itself: `gate.yaml`, `golden_sets/prompt_attacks/cases.jsonl`. "
            "The base's version was used."
        ),
        "sales_email_intent: the parameters changed from temperature=0.2 to temperature=0.7",
    )


def test_build_view__flags_each_edit_of_the_policy_and_repeats() -> None:
    told = "sales_email_intent: trials repeat each other"
    repeats = finding(Rule.COMPLETENESS, Verdict.INCONCLUSIVE, told, subject="repeats", blocking=False)
    example = rollback()
    edits = tuple(f"`policy.{number}`: `1` -> `2`, not followed" for number in range(8))
    view = replace(
        example,
        decision=replace(example.decision, findings=(*example.decision.findings, repeats)),
        provenance=replace(PROVENANCE, changed=("gate.yaml",), unfollowed=edits),
    ).view
    assert view.flags == (
        "This change edits the gate itself: `gate.yaml`. The base's version was used.",
        *edits,
        told,
        "sales_email_intent: the parameters changed from temperature=0.2 to temperature=0.7",
    )
    for shown in (render_comment(view), render_terminal(view)):
        assert "policy.7" in shown
        assert "trials repeat each other" in shown


def test_build_view__many_doubts_are_counted() -> None:
    facts = tuple(finding(Rule.COMPARABILITY, Verdict.PASS, f"fact {number}", blocking=False) for number in range(8))
    example = promote()
    view = replace(example, decision=replace(example.decision, findings=facts)).view
    assert view.flags == (*(f"fact {number}" for number in range(6)), "2 more.")


def test_build_view__hold_asks_for_what_the_decision_asks_for() -> None:
    example = incomplete()
    assert example.view.action == (
        "This says nothing about the candidate: mend the cause and run again; and 1 other point is open. Then:"
    )
    told = replace(example, decision=replace(example.decision, settle="run up to 5 passes (now 1)"))
    assert told.view.action == "Run up to 5 passes (now 1). Then:"


def test_build_view__k_of_m_is_a_row_of_its_own() -> None:
    numbers = figures(wanted=3.0, dimensions=4.0, shown=2.0, adjusted=0.0412, worse=0.0)
    counted = finding(
        Rule.K_OF_M, Verdict.INCONCLUSIVE, "2 of 4", subject="3 of 4", suite="", dimension=None, figures=numbers
    )
    example = promote()
    view = replace(example, decision=replace(example.decision, outcome=Outcome.HOLD, findings=(counted,))).view
    (row,) = view.rows
    assert (row.label, row.before, row.now, row.change, row.word) == (
        "3 of 4 dimensions", "≥\u00a03", "2 not worse", "p\u00a00.041", "not shown",
    )  # fmt: skip


def test_build_view__flags_do_not_repeat_a_reason() -> None:
    assert incomplete().view.flags == ()


def test_build_view__advisory_says_why() -> None:
    assert advisory().view.notes == ("Advisory mode: shown, and fails nothing.",)
    first = replace(rollback(), provenance=replace(PROVENANCE, advisory=True))
    assert first.view.notes == ("Advisory: shown, and fails nothing until a first baseline is accepted.",)
    assert rollback().view.notes == ()


def test_build_view__says_what_could_be_seen() -> None:
    assert rollback().view.power == (
        "Smallest drop this run could see: 2.6 points in `prompt_attacks`, 3.1 points in `sales_email_intent`."
    )


@pytest.mark.parametrize(
    ("verdict", "lower", "word"),
    [
        (Verdict.PASS, -0.01, "not worse"),
        (Verdict.PASS, 0.0, "not worse"),
        (Verdict.PASS, 0.01, "improved"),
        (Verdict.FAIL, -0.1, "regression"),
        (Verdict.INCONCLUSIVE, -0.1, "not shown"),
    ],
)
def test_verdict_word__is_one_of_a_few(verdict: Verdict, lower: float, word: str) -> None:
    assert verdict_word(comparison(verdict, "s", numbers=(0.9, 0.9, lower, 0.1, 0.03))) == word


def test_view__known_flaky_cases_are_left_out_and_suspects_are_flagged() -> None:
    flaky = finding(
        Rule.BROKEN_CASE, Verdict.PASS, "intent: known flaky, not counted as broken: 1 case: a", subject="flaky",
        blocking=False, cases=("a",),
    )  # fmt: skip
    suspects = finding(
        Rule.BROKEN_CASE, Verdict.INCONCLUSIVE, "intent: suspects, named and not confirmed: b", subject="suspects",
        blocking=False, cases=("b",),
    )  # fmt: skip
    example = promote()
    view = replace(
        example, decision=replace(example.decision, findings=(*example.decision.findings, suspects, flaky))
    ).view
    assert view.exclusions[-1] == "intent: known flaky, not counted as broken: 1 case: a."
    assert view.flags[-1] == "intent: suspects, named and not confirmed: b"
    assert (view.reasons, view.counts) == (example.view.reasons, example.view.counts)
    assert len(view.rows) == len(example.view.rows)


def test_words__numbers() -> None:
    assert (points(-0.0004), points(0.0), points(-0.058), points(float("-inf")), points(None)) == (
        "0.0", "0.0", "−5.8", "−∞", "–",
    )  # fmt: skip
    assert (share(0.9314), share(None), times(1.041), times(None)) == ("93.1%", "–", "×1.04", "–")
    assert (duration(820.4), duration(1_912.0), duration(None)) == ("820 ms", "1.9 s", "–")
    assert (money(0.0, None), money(0.004, None), money(1234.5, 3), money(None, 12_000), money(None, 0)) == (
        "$0.00", "under $0.01", "$1,234.50", "12,000 tokens", "",
    )  # fmt: skip
    assert (count(1, "case"), count(1_200, "case")) == ("1 case", "1,200 cases")
    assert listed(("a`b", "c", "d"), 2) == "`a'b`, `c` and 1 more"


def priced(now: str, before: str = "") -> tuple[str, ...]:
    own = promote()
    suites = tuple(replace(suite, prices=now) for suite in own.evidence.suites)
    known = tuple(
        replace(one, baseline=replace(one.baseline, prices=before)) if isinstance(one.baseline, SuiteBaseline) else one
        for one in own.references
    )
    return replace(own, evidence=replace(own.evidence, suites=suites), references=known).view.small_print


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        ("", "genai-prices 1.0", ""),
        ("genai-prices 1.1", "", "Prices: genai-prices 1.1."),
        ("genai-prices 1.1", "genai-prices 1.1", "Prices: genai-prices 1.1."),
        ("gate.yaml", "genai-prices 1.1", "Prices: gate.yaml; the baseline's: genai-prices 1.1."),
        ("unavailable", "", "Prices: unavailable."),
    ],
)
def test_build_view__small_print_says_where_prices_are_known_from(now: str, before: str, told: str) -> None:
    assert priced(now, before) == (*SMALL_PRINT, *((told,) if told else ()))


def test_build_view__small_print_of_hostile_prices_is_short_and_escaped() -> None:
    own = promote()
    suites = tuple(replace(suite, prices="</sub><img src=x>" * 99) for suite in own.evidence.suites)
    view = replace(own, evidence=replace(own.evidence, suites=suites)).view
    assert len(view.small_print[-1]) < 100
    (shown,) = (one for one in render_comment(view).splitlines() if one.startswith("<sub>"))
    assert shown.count("</sub>") == 1
    assert shown.count("<img") == shown.count("\\<img")


def test_build_view__prices_stand_there_where_nothing_was_compared() -> None:
    own = promote()
    suites = tuple(replace(suite, prices="gate.yaml") for suite in own.evidence.suites)
    bare = replace(own, evidence=replace(own.evidence, suites=suites), decision=replace(own.decision, findings=()))
    assert bare.view.small_print == ("Prices: gate.yaml.",)
    assert "<sub>Prices: gate.yaml.</sub>" in render_comment(bare.view)
