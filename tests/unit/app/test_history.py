"""What a run takes from the evidence chain, and what it says of it."""

from __future__ import annotations

from dataclasses import replace

from gate.app.history import Earlier
from gate.core.across import Across
from gate.core.chain import Entry
from gate.core.evidence import Evidence, SuiteEvidence
from gate.core.fresh import own_evidence
from gate.core.judging import Judging
from tests.builders import AS_OF, make_suite_evidence

PLACE = Across(run=52, attempt=1, head="d" * 40, workflow="gate.yml")


def entry(number: int) -> Entry:
    return Entry(
        number=number, previous="", run=number, attempt=1, started="2026-11-20T12:00:00Z", head="d" * 40,
        workflow="gate.yml", counts=f"sha256:{number}",
    )  # fmt: skip


def kept(*suites: SuiteEvidence, as_of: str = AS_OF, lost: tuple[str, ...] = ()) -> Earlier:
    pairs = tuple((entry(number), Evidence(suites=(one,), as_of=as_of)) for number, one in enumerate(suites, 1))
    return Earlier(across=PLACE, pairs=pairs, lost=lost)


def marks(evidence: Evidence) -> list[str]:
    return [case.marks for case in evidence.suites[0].cases]


def test_told__names_only_entries_that_hold_a_suite_of_the_run() -> None:
    other = make_suite_evidence("a: F", suite="other")
    found = kept(make_suite_evidence("a: P"), other).told(Evidence(suites=(make_suite_evidence("a: PF"),), as_of=AS_OF))
    assert found.across == replace(PLACE, counted=(entry(1).digest,))


def test_told__entries_that_could_not_be_read_are_missing() -> None:
    found = kept(lost=("run 51 attempt 1: no answer",)).told(Evidence(suites=()))
    assert found.across == replace(PLACE, missing=("run 51 attempt 1: no answer",))


def test_joined__merged_shards_stand_behind_what_was_kept() -> None:
    judged = Judging(scorers=("judge",), decisive=True, pairs=2, agreeing=2, calls=4, tokens=40, usd=0.1)
    own = make_suite_evidence("a: F b: P", judging=replace(judged, calls=7, usd=0.3))
    earlier = make_suite_evidence("a: PP b: FF", judging=judged)
    merged = Evidence(suites=(own, make_suite_evidence("a: P", suite="new")), as_of=AS_OF)
    whole = kept(earlier).joined(merged)
    assert (marks(whole), whole.suites[0].passes) == (["PPF", "FFP"], 3)
    assert whole.suites[1] == merged.suites[1]
    assert whole.across is not None
    assert whole.across.counted == (entry(1).digest,)
    judging = whole.suites[0].judging
    assert judging is not None
    assert (judging.pairs, judging.calls, judging.usd) == (4, 7, 0.3)
    assert own_evidence(whole, [Evidence(suites=(earlier,), as_of=AS_OF)]) == merged


def test_joined__what_is_too_old_does_not_count() -> None:
    own = Evidence(suites=(make_suite_evidence("a: F"),), as_of=AS_OF)
    whole = kept(make_suite_evidence("a: P"), as_of="2026-11-06").joined(own)
    assert (marks(whole), whole.across) == (["F"], PLACE)
