"""k of m by partial conjunction: which p-values count, when it passes, fails and stays open, and what is asked next."""

import random
from dataclasses import replace
from statistics import NormalDist

import pytest

from gate.core.decision import decide, next_steps, suite_contexts
from gate.core.evidence import Absent, BaselineState, Evidence, Reference, SuiteEvidence
from gate.core.finding import Act, Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Dimension, Scope
from gate.core.policy import AtLeast, Policy, Profile, required_dimensions
from gate.core.rules.k_of_m import ALPHA, Count, Standing, Terms
from gate.core.statistics import compare
from tests.builders import AS_OF, make_baseline_case, make_policy, make_suite_baseline, make_suite_evidence

TARGET = "sales-email-intent"
TASK, REFUSAL = Dimension.TASK_SUCCESS, Dimension.OVER_REFUSAL
COVERAGE, CONTEXT = Dimension.EVIDENCE_COVERAGE, Dimension.CONTEXT_PRESERVATION
FOUR = (TASK, REFUSAL, COVERAGE, CONTEXT)
SOLID = "a*200: 10/10"
GOOD = "a*200: P"
# p = 0.2: nothing is shown either way.
OPEN = "a*4: F  b*196: P"
WORSE = "a*60: F  b*140: P"
KNOWN = {GOOD: SOLID, OPEN: "a*4: 10/10  b*196: 10/10", WORSE: "a*60: 10/10  b*140: 10/10"}


def policy(count: int, *of: Dimension) -> Policy:
    base = make_policy()
    asked = replace(base.requirement(REFUSAL), regression=True, blocking=True)
    return replace(
        base,
        requirements=tuple(sorted((dimension, asked) for dimension in of)),
        at_least=AtLeast(count=count, of=of),
    )


Suites = dict[Dimension, str]
Situation = tuple[Evidence, tuple[Reference, ...]]


def suite(dimension: Dimension, marks: str, **changes: object) -> SuiteEvidence:
    return make_suite_evidence(marks, **({"suite": str(dimension), "dimension": dimension} | changes))


def reference(evidence: SuiteEvidence, counts: str, **changes: object) -> Reference:
    state: BaselineState = make_suite_baseline(counts, suite=evidence.name)
    return replace(Reference(target=TARGET, suite=evidence.name, baseline=state), **changes)  # type: ignore[arg-type]


def situation(suites: Suites) -> Situation:
    found = [suite(dimension, marks) for dimension, marks in suites.items()]
    references = [reference(one, KNOWN[marks]) for one, marks in zip(found, suites.values(), strict=True)]
    return Evidence(suites=tuple(found)), tuple(references)


def decided(asked: Policy, made: Situation) -> tuple[Decision, Finding]:
    decision = decide(policy=asked, evidence=made[0], references=made[1], as_of=AS_OF)
    (found,) = [finding for finding in decision.findings if finding.rule is Rule.K_OF_M]
    return decision, found


def test_decide__three_of_four__one_may_be_worse() -> None:
    decision, found = decided(policy(3, *FOUR), situation({TASK: GOOD, REFUSAL: GOOD, COVERAGE: GOOD, CONTEXT: WORSE}))
    assert (decision.outcome, found.verdict, found.subject) == (Outcome.PROMOTE, Verdict.PASS, "3 of 4")
    assert found.sentence == (
        "sales-email-intent: 3 of 4 dimensions are shown not worse (task_success, over_refusal, evidence_coverage); "
        "at least 3 must be"
    )
    own = [finding for finding in decision.findings if finding.rule is Rule.REGRESSION]
    assert [(finding.suite, finding.verdict, finding.blocking) for finding in own] == [
        ("context_preservation", Verdict.FAIL, False),
        ("evidence_coverage", Verdict.PASS, False),
        ("over_refusal", Verdict.PASS, False),
        ("task_success", Verdict.PASS, False),
    ]


def test_decide__same_evidence_without_k_of_m__rolls_back() -> None:
    evidence, references = situation({TASK: GOOD, REFUSAL: GOOD, COVERAGE: GOOD, CONTEXT: WORSE})
    asked = replace(policy(3, *FOUR), at_least=None)
    assert decide(policy=asked, evidence=evidence, references=references, as_of=AS_OF).outcome is Outcome.ROLLBACK


def test_decide__more_worse_than_may_be__rolls_back() -> None:
    decision, found = decided(policy(3, *FOUR), situation({TASK: GOOD, REFUSAL: GOOD, COVERAGE: WORSE, CONTEXT: WORSE}))
    assert (decision.outcome, found.verdict, found.figure("worse")) == (Outcome.ROLLBACK, Verdict.FAIL, 2)
    assert found.sentence.endswith(
        "2 of 4 dimensions are shown worse (evidence_coverage, context_preservation), so 3 not worse cannot be reached"
    )
    assert (decision.settle, found.settle) == ("", "")


def test_decide__p_values_are_those_of_the_pass_test() -> None:
    made = situation({TASK: GOOD, REFUSAL: OPEN})
    _, found = decided(policy(2, TASK, REFUSAL), made)
    contexts = suite_contexts(policy(2, TASK, REFUSAL), *made, as_of=AS_OF)
    for context in contexts:
        change = compare(context.pairs(1))
        p = NormalDist().cdf(-(change.population_estimate + 0.03) / change.population_error)
        assert found.figure(f"p_{context.evidence.dimension}") == pytest.approx(p, abs=1e-6)
    assert found.figure("adjusted") == found.figure("p_over_refusal")


def test_decide__shown_alone_but_not_at_the_stricter_level__stays_open_and_asks() -> None:
    """p = 0.0158 passes by itself (0.0256) and not as one of two of which one must hold (0.0128)."""
    marks, counts = "a: F  b*153: P", "a: 10/10  b*153: 10/10"
    one, other = suite(TASK, marks), suite(REFUSAL, OPEN)
    evidence = Evidence(suites=(one, other))
    references = (reference(one, counts), reference(other, KNOWN[OPEN]))
    asked = policy(1, TASK, REFUSAL)
    decision, found = decided(asked, (evidence, references))
    own = {finding.suite: finding.verdict for finding in decision.findings if finding.rule is Rule.REGRESSION}
    assert own["task_success"] is Verdict.PASS
    chance = found.figure("p_task_success")
    assert chance is not None
    assert ALPHA / 2 < chance < ALPHA
    assert (found.verdict, found.settle, found.act) == (
        Verdict.INCONCLUSIVE, "run up to 5 passes (now 1)", Act.PASSES,
    )  # fmt: skip
    assert decision.settle == found.settle
    steps = next_steps(policy=asked, evidence=evidence, references=references, as_of=AS_OF)
    assert [(step.suite, step.passes) for step in steps] == [("over_refusal", 2), ("task_success", 2)]


def test_next_steps__count_is_reached__asks_nothing_of_the_open_rest() -> None:
    evidence, references = situation({TASK: GOOD, REFUSAL: OPEN})
    asked = policy(1, TASK, REFUSAL)
    decision, found = decided(asked, (evidence, references))
    assert (decision.outcome, found.verdict) == (Outcome.PROMOTE, Verdict.PASS)
    assert next_steps(policy=asked, evidence=evidence, references=references, as_of=AS_OF) == ()
    both = policy(2, TASK, REFUSAL)
    steps = next_steps(policy=both, evidence=evidence, references=references, as_of=AS_OF)
    assert [(step.suite, step.passes) for step in steps] == [("over_refusal", 2)]


def test_decide__a_look_that_settled_is_not_reopened() -> None:
    one = suite(TASK, "a*200: PFFFF")
    decision, found = decided(policy(1, TASK), (Evidence(suites=(one,)), (reference(one, SOLID),)))
    assert (found.verdict, decision.outcome) == (Verdict.PASS, Outcome.PROMOTE)


def test_decide__looks_are_spent__says_what_is_missing() -> None:
    one = suite(TASK, "a*4: FFFFF  b*196: PPPPP")
    decision, found = decided(policy(1, TASK), (Evidence(suites=(one,)), (reference(one, KNOWN[OPEN]),)))
    told = "show 1 more of task_success not worse: mend what lost there, or add cases"
    assert (decision.outcome, found.settle, found.act) == (Outcome.HOLD, told, Act.MEND)


def test_decide__two_suites_of_a_dimension__the_larger_p_counts() -> None:
    one, two = suite(TASK, GOOD, suite="x"), suite(TASK, OPEN, suite="y")
    made = Evidence(suites=(one, two)), (reference(one, SOLID), reference(two, KNOWN[OPEN]))
    _, found = decided(policy(1, TASK), made)
    alone = decided(policy(1, TASK), (Evidence(suites=(two,)), (reference(two, KNOWN[OPEN]),)))[1]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.figure("p_task_success") == alone.figure("p_task_success")


def test_decide__dimension_without_a_suite__is_not_shown() -> None:
    decision, found = decided(policy(1, TASK, REFUSAL), situation({TASK: OPEN}))
    assert (found.figure("dimensions"), found.figure("p_over_refusal")) == (2, 1)
    assert decision.outcome is Outcome.HOLD


def test_decide__new_suite__is_left_out_of_the_count() -> None:
    one, two = suite(TASK, GOOD), suite(REFUSAL, WORSE)
    references = (reference(one, SOLID), reference(two, KNOWN[WORSE], adopted=False))
    decision, found = decided(policy(2, TASK, REFUSAL), (Evidence(suites=(one, two)), references))
    assert (decision.outcome, found.subject, found.figure("p_over_refusal")) == (Outcome.PROMOTE, "1 of 1", None)


def test_decide__only_new_suites__no_finding() -> None:
    one = suite(TASK, GOOD)
    evidence, references = Evidence(suites=(one,)), (reference(one, SOLID, adopted=False),)
    decision = decide(policy=policy(1, TASK), evidence=evidence, references=references, as_of=AS_OF)
    assert Rule.K_OF_M not in {finding.rule for finding in decision.findings}


@pytest.mark.parametrize(
    ("marks", "changes"),
    [
        ("a*200: U", {}),
        (GOOD, {"baseline": Absent(place="b.json")}),
    ],
)
def test_decide__suite_that_cannot_be_compared__is_not_shown_and_not_asked(
    marks: str, changes: dict[str, object]
) -> None:
    one, two = suite(TASK, marks), suite(REFUSAL, OPEN)
    references = (reference(one, SOLID, **changes), reference(two, KNOWN[OPEN]))
    evidence = Evidence(suites=(one, two))
    decision, found = decided(policy(1, TASK, REFUSAL), (evidence, references))
    assert (decision.outcome, found.verdict, found.figure("p_task_success")) == (
        Outcome.HOLD, Verdict.INCONCLUSIVE, 1,
    )  # fmt: skip
    steps = next_steps(policy=policy(1, TASK, REFUSAL), evidence=evidence, references=references, as_of=AS_OF)
    assert [step.suite for step in steps] == ["over_refusal"]


@pytest.mark.parametrize(
    ("marks", "counts", "verdict"),
    [
        ("a*5: U  b*145: P", "a*5: 10/10  b*145: 10/10", Verdict.INCONCLUSIVE),
        ("a*8: U  b*9: F  c*287: P", "a*8: 10/10  b*9: 10/10  c*287: 10/10", Verdict.INCONCLUSIVE),
        ("a: U  b*299: P", "a: 10/10  b*299: 10/10", Verdict.PASS),
    ],
)
def test_decide__unscored_trials_that_could_turn_it__hold(marks: str, counts: str, verdict: Verdict) -> None:
    one = suite(TASK, marks)
    _, found = decided(policy(1, TASK), (Evidence(suites=(one,)), (reference(one, counts),)))
    assert found.verdict is verdict
    assert found.sentence.endswith("unscored trials") is (found.act is Act.RERUN)


def test_decide__scope_set_needs_two_passes_and_population_enough_cases() -> None:
    for marks, counts, scope, p in (
        ("a*60: P", "a*60: 10/10", Scope.POPULATION, 1.0),
        ("a*60: P", "a*60: 10/10", Scope.SET, 1.0),
        ("a*60: PP", "a*60: 10/10", Scope.SET, 0.0),
    ):
        one = suite(TASK, marks, scope=scope)
        _, found = decided(policy(1, TASK), (Evidence(suites=(one,)), (reference(one, counts),)))
        assert found.figure("p_task_success") == p


def test_decide__few_clusters__nothing_is_shown_for_inputs_like_these() -> None:
    for clusters, shown in ((5, 0), (100, 1)):
        base = suite(TASK, GOOD)
        cases = tuple(replace(case, cluster=f"d{number % clusters}") for number, case in enumerate(base.cases))
        one = replace(base, cases=cases)
        _, found = decided(policy(1, TASK), (Evidence(suites=(one,)), (reference(one, SOLID),)))
        assert found.figure("shown") == shown


def test_decide__shares_the_error_with_other_suites() -> None:
    """A suite outside and the count share the error for ROLLBACK: the contexts say two."""
    asked = policy(1, TASK)
    outside = (REFUSAL, replace(asked.requirement(TASK)))
    made = situation({TASK: GOOD, REFUSAL: GOOD})
    contexts = suite_contexts(replace(asked, requirements=(*asked.requirements, outside)), *made, as_of=AS_OF)
    assert {context.rivals for context in contexts} == {2}


def count(*p: float, wanted: int) -> Count:
    standings = tuple((dimension, Standing(p=one)) for dimension, one in zip(FOUR, p, strict=True))
    return Count(terms=Terms(wanted=wanted, dimensions=4), standings=standings, rivals=1)


def test_count__partial_conjunction() -> None:
    assert count(0.001, 0.3, 0.012, 0.002, wanted=3).adjusted == pytest.approx(0.024)
    assert count(0.001, 0.3, 0.012, 0.002, wanted=3).verdict is Verdict.PASS
    assert count(0.001, 0.3, 0.013, 0.002, wanted=3).verdict is Verdict.INCONCLUSIVE
    assert count(0.02, 0.02, 0.02, 0.02, wanted=4).adjusted == 0.02
    assert count(0.9, 0.9, 0.9, 0.9, wanted=1).adjusted == 1.0


def test_count__holm_over_the_dimensions() -> None:
    harmed = [Standing(p=1.0, harm=harm) for harm in (0.2, 0.3, 5.0, 9.0)]
    found = Count(terms=Terms(wanted=3, dimensions=4), standings=tuple(zip(FOUR, harmed, strict=True)), rivals=1)
    assert (found.worse, found.verdict) == ((TASK, REFUSAL), Verdict.FAIL)
    assert replace(found, rivals=2).worse == ()
    assert replace(found, terms=Terms(wanted=2, dimensions=4)).verdict is Verdict.INCONCLUSIVE


def test_count__false_pass_is_bounded_where_two_claims_are_just_false() -> None:
    """Two dimensions surely fine, two worse by exactly the margin: at least 3 is false, and shown at most alpha."""
    rng = random.Random(7)
    shown = sum(count(0.0, 0.0, rng.random(), rng.random(), wanted=3).verdict is Verdict.PASS for _ in range(5_000))
    assert 0.5 * ALPHA < shown / 5_000 < 1.3 * ALPHA


@pytest.mark.parametrize(("number", "of"), [(0, (TASK,)), (2, (TASK,)), (1, ()), (1, (TASK, TASK))])
def test_at_least__impossible__is_refused(number: int, of: tuple[Dimension, ...]) -> None:
    with pytest.raises(ValueError, match=r"not possible|named once"):
        AtLeast(count=number, of=of)


def test_decide__no_case_in_common__is_not_shown() -> None:
    one = suite(TASK, GOOD)
    asked = replace(policy(1, TASK), fewest_cases=0)
    other = make_suite_baseline([make_baseline_case("x", digest="sha256:x")], suite=one.name)
    _, found = decided(asked, (Evidence(suites=(one,)), (reference(one, SOLID, baseline=other),)))
    assert (found.verdict, found.figure("p_task_success")) == (Verdict.INCONCLUSIVE, 1)


def test_required_dimensions__the_profiles_with_own_choices() -> None:
    own = {Dimension.SAFETY: False, COVERAGE: True}
    assert required_dimensions(Profile.MERGE, own) == {TASK, REFUSAL, COVERAGE, Dimension.COST}
