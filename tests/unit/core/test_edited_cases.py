"""Edited and removed cases: both versions in the facts, the base's in the comparison, and none unasked in silence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.codec import decode, encode
from gate.core.decision import decide
from gate.core.evidence import CaseEvidence, Evidence
from gate.core.finding import Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension, Severity
from gate.core.policy import Waiver
from gate.core.rules.comparability import check_comparability
from gate.core.rules.context import SuiteContext
from gate.core.rules.edited_cases import FIRST, check_edited
from gate.core.rules.floors import check_floor
from gate.core.rules.vetoes import check_vetoes
from tests.builders import (
    make_baseline_case,
    make_case_evidence,
    make_policy,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)

AS_OF = "2026-11-21"
OTHER = "sha256:other"


def edited(case_id: str, marks: str, **changes: object) -> CaseEvidence:
    return make_case_evidence(f"{case_id}+edited", marks, edits=case_id, digest=OTHER, **changes)


def context(
    *cases: CaseEvidence,
    before: tuple[str, ...] = ("a", "b"),
    dimension: Dimension = Dimension.TASK_SUCCESS,
    unasked: str = "",
    waivers: tuple[Waiver, ...] = (),
    **known: object,
) -> SuiteContext:
    suite = make_suite_evidence(cases, passes=1, dimension=dimension, unasked=unasked)
    return SuiteContext(
        evidence=replace(suite, identity=replace(suite.identity, version="sha256:new")),
        reference=make_reference(make_suite_baseline([make_baseline_case(one, **known) for one in before])),
        policy=make_policy(dimension, waivers=waivers),
        as_of=AS_OF,
    )


def said(findings: tuple[Finding, ...]) -> list[tuple[str, Verdict, bool]]:
    return [(finding.sentence, finding.verdict, finding.blocking) for finding in findings]


def test_pairs__only_the_bases_version_is_compared() -> None:
    own = context(make_case_evidence("a", "F"), edited("a", "P"), make_case_evidence("b", "P"))
    assert [now.case_id for now, _ in own.both] == ["a", "b"]
    assert own.known["a+edited"].case_id == "a"


def test_pairs__a_new_version_that_is_the_baselines_own__is_compared_too() -> None:
    back = replace(edited("a", "P"), digest=make_baseline_case("a").digest)
    own = context(make_case_evidence("a", "P", digest=OTHER), back)
    assert [now.case_id for now, _ in own.both] == ["a+edited"]


def test_known__a_new_version_is_not_taken_for_a_renamed_case() -> None:
    gone = make_baseline_case("gone", digest=OTHER)
    suite = make_suite_evidence([make_case_evidence("a"), edited("a", "P")])
    own = replace(
        context(make_case_evidence("a")), evidence=suite, reference=make_reference(make_suite_baseline([gone]))
    )
    assert "a+edited" not in own.known


def test_check_edited__silent_where_nothing_is_edited() -> None:
    assert check_edited(context(make_case_evidence("a"))) == ()


def test_check_edited__both_versions_pass() -> None:
    own = context(make_case_evidence("a"), edited("a", "P"), make_case_evidence("b"))
    assert said(check_edited(own)) == [
        ("intent: 1 case edited, judged as the base has them: a", Verdict.PASS, False),
        ("intent: 1 new version of edited cases, no baseline yet; none fails", Verdict.PASS, False),
    ]


def test_check_edited__the_edit_is_what_makes_it_pass() -> None:
    *_, found = check_edited(context(make_case_evidence("a", "FF"), edited("a", "PP")))
    sentence = f"1 of the edited cases fail as the base has them and pass as edited: a; if that is meant, {FIRST}"
    assert said((found,)) == [(f"intent: {sentence}", Verdict.INCONCLUSIVE, False)]
    assert found.cases == ("a", "a+edited")


def test_check_edited__new_versions_that_fail_or_have_no_score() -> None:
    cases = (make_case_evidence("a", "F"), edited("a", "F"), make_case_evidence("b", "F"), edited("b", "U"))
    _, found = check_edited(context(*cases))
    told = "2 new versions of edited cases, no baseline yet; 1 fail: a+edited; 1 have no score: b+edited"
    assert said((found,)) == [(f"intent: {told}", Verdict.INCONCLUSIVE, False)]
    assert found.cases == ("a+edited",)


def test_check_comparability__judged_cases_do_not_hold_by_their_number() -> None:
    cases = (make_case_evidence("a"), edited("a", "P"), make_case_evidence("b", removed=True))
    found = check_comparability(context(*cases, passes=9))
    assert said(found) == [
        ("intent: 2 of the removed or edited cases failed in the baseline: a, b", Verdict.INCONCLUSIVE, False),
        ("intent: 1 case removed, judged as the base has them: b", Verdict.PASS, False),
        ("intent: 1 case edited, judged as the base has them: a", Verdict.PASS, False),
        ("intent: 1 new version of edited cases, no baseline yet; none fails", Verdict.PASS, False),
    ]


def test_check_comparability__a_severe_case_that_is_removed__holds_though_it_was_judged() -> None:
    removed = make_case_evidence("b", removed=True)
    found = check_comparability(context(make_case_evidence("a"), removed, severity=Severity.P1))
    assert [one.sentence for one in found if one.blocking] == [
        "intent: P0, P1 or critical cases were removed together with the change: b"
    ]


def test_check_comparability__what_was_not_asked_holds() -> None:
    found = check_comparability(context(make_case_evidence("a"), make_case_evidence("b"), unasked="no room"))
    (held,) = (one for one in found if one.blocking)
    assert held.sentence == "intent: edited or removed cases were not asked as the base has them: no room"
    assert (held.demands, held.settle) == (Outcome.HOLD, FIRST)


def test_severity__a_new_version_cannot_play_it_down() -> None:
    cases = (make_case_evidence("a", severity=Severity.P0), edited("a", "F", severity=Severity.P3))
    own = context(*cases, dimension=Dimension.SAFETY, severity=Severity.P0)
    assert [(one.sentence, one.demands) for one in check_vetoes(own)] == [
        ("intent: new P0 failure: a+edited", Outcome.ROLLBACK)
    ]
    assert "intent: 1 case called less severe, which was not followed: a+edited" in [
        one.sentence for one in check_comparability(own)
    ]


def test_waiver__of_a_p1_covers_its_new_version() -> None:
    waiver = Waiver(suite="intent", case="a", reason="known", by="kim", expires="2026-11-30")
    cases = (make_case_evidence("a"), edited("a", "FF", severity=Severity.P1))
    assert [one.demands for one in check_vetoes(context(*cases, dimension=Dimension.SAFETY))] == [Outcome.ROLLBACK]
    waived = context(*cases, dimension=Dimension.SAFETY, waivers=(waiver,))
    assert [one.demands for one in check_vetoes(waived)] == [Outcome.PROMOTE]


def test_evidence__unedited_cases_keep_their_bytes() -> None:
    plain = encode(make_case_evidence("a"))
    assert isinstance(plain, dict)
    assert not {"edits", "removed"} & plain.keys()
    case = edited("a", "P")
    assert decode(CaseEvidence, encode(case)) == case


@given(st.sets(st.integers(0, 99)), st.sets(st.integers(0, 99), max_size=30))
def test_decide__edits_hide_no_loss(touched: set[int], broken: set[int]) -> None:
    """Whatever the new versions show, the comparison with the baseline is that of the unedited suite."""
    cases = [make_case_evidence(f"c{one:02}", "FFF" if one in broken else "PPP") for one in range(100)]
    reference = make_reference(make_suite_baseline([make_baseline_case(case.case_id) for case in cases]))
    new = [edited(cases[one].case_id, "PPP") for one in sorted(touched)]
    policy = make_policy(Dimension.TASK_SUCCESS)

    def outcome(*suite: CaseEvidence) -> tuple[object, ...]:
        evidence = Evidence(suites=(make_suite_evidence(suite),))
        found = decide(policy=policy, evidence=evidence, references=(reference,), as_of=AS_OF).findings
        rules = ("regression", "broken-case")
        return tuple((one.verdict, one.demands, one.figures, one.cases) for one in found if one.rule in rules)

    assert outcome(*cases, *new) == outcome(*cases)


MANY = tuple(f"c-{number:02d}" for number in range(40))


def lifted(failing: int, easy: int, *, before: tuple[str, ...] = MANY, version: str = "sha256:new") -> list[str]:
    old = [make_case_evidence(name, "F" if number < failing else "P") for number, name in enumerate(MANY)]
    own = context(*old, *(make_case_evidence(f"e-{number:03d}", "P") for number in range(easy)), before=before)
    own = replace(own, evidence=replace(own.evidence, identity=replace(own.evidence.identity, version=version)))
    return [one.sentence for one in check_floor(own) if one.rule is Rule.COMPARABILITY and one.blocking]


def test_floor__new_cases_lift_no_changed_version() -> None:
    told = "is above its floor only with 400 cases without a baseline; the others are at 70.0 %"
    assert [told in sentence for sentence in lifted(12, 400)] == [True]


@pytest.mark.parametrize(
    ("failing", "easy", "before"),
    [(0, 400, MANY), (0, 0, MANY), (30, 5, MANY), (12, 400, ())],
    ids=["good", "none new", "below anyway", "nothing known"],
)
def test_floor__new_cases_that_lift_nothing__silent(failing: int, easy: int, before: tuple[str, ...]) -> None:
    assert lifted(failing, easy, before=before) == []


def test_floor__new_cases_of_the_baselines_own_version__silent() -> None:
    version = make_suite_baseline([make_baseline_case("a")]).identity.version
    assert lifted(12, 400, version=version) == []
