"""Evidence missing: runs that left no record hold, and those that count are told."""

from __future__ import annotations

from dataclasses import replace

from gate.core.across import Across
from gate.core.decision import decide
from gate.core.evidence import Evidence
from gate.core.finding import Act, Outcome, Rule, Verdict
from gate.core.rules.across_runs import check_runs
from tests.builders import AS_OF, TASK, make_reference, make_suite_baseline, make_suite_evidence

PLACE = Across(run=53, attempt=1, head="d" * 40, workflow="gate.yml")
LOST = replace(PLACE, missing=("run 51 attempt 1 (failure)", "run 52 attempt 2 (cancelled)"))
SUITE = make_suite_evidence("en*100: PPP")


def test_check_runs__names_what_is_missing() -> None:
    (found,) = check_runs(Evidence(suites=(SUITE,), across=LOST))
    told = "evidence missing: run 51 attempt 1 (failure), run 52 attempt 2 (cancelled)"
    assert (found.rule, found.verdict, found.demands) == (Rule.EVIDENCE_MISSING, Verdict.INCONCLUSIVE, Outcome.HOLD)
    assert (found.sentence, found.act, found.blocking) == (told, Act.RERUN, True)


def test_check_runs__says_how_many_count_and_shows_nothing_by_that() -> None:
    (found,) = check_runs(Evidence(suites=(SUITE,), across=replace(PLACE, counted=("sha256:1",))))
    assert (found.sentence, found.blocking) == ("1 earlier run of this version also counts", False)
    (found,) = check_runs(Evidence(suites=(SUITE,), across=replace(PLACE, counted=("sha256:1", "sha256:2"))))
    assert (found.sentence, found.figure("runs")) == ("2 earlier runs of this version also count", 2)


def test_check_runs__silent_where_there_is_nothing_to_say() -> None:
    assert check_runs(Evidence(suites=(SUITE,))) == ()
    assert check_runs(Evidence(suites=(SUITE,), across=PLACE)) == ()
    # Nothing was measured, so nothing may hide in what is missing.
    assert check_runs(Evidence(suites=(), unchanged=("inbox",), across=LOST)) == ()


def decided(across: Across | None, marks: str) -> tuple[Outcome, str]:
    suite = make_suite_evidence(f"en*100: {marks}")
    reference = make_reference(make_suite_baseline("en*100: 10/10"))
    decision = decide(
        policy=TASK, evidence=Evidence(suites=(suite,), across=across), references=(reference,), as_of=AS_OF
    )
    return decision.outcome, decision.reason


def test_decide__missing_evidence_holds_a_pass_and_hides_no_harm() -> None:
    assert decided(None, "PPP") == (Outcome.PROMOTE, "shown not worse")
    assert decided(replace(PLACE, counted=("sha256:1",)), "PPP") == (Outcome.PROMOTE, "shown not worse")
    assert decided(LOST, "PPP") == (Outcome.HOLD, "evidence missing")
    assert decided(LOST, "FFF")[0] is Outcome.ROLLBACK
