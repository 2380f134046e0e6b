"""The window: earlier evidence of the same version adds, is bounded in time, and spends looks."""

from dataclasses import replace

import pytest

from gate.core.decision import decide, next_steps
from gate.core.evidence import Beside, Evidence, SuiteEvidence
from gate.core.finding import Outcome
from gate.core.moments import moments
from gate.core.rules.comparability import check_comparability, comparable
from gate.core.rules.context import SuiteContext
from gate.core.window import earlier, in_window, join, key
from tests.builders import (
    AS_OF,
    TASK,
    identity,
    make_case_evidence,
    make_reference,
    make_suite_baseline,
    make_suite_evidence,
)


def ran(as_of: str, marks: str = "P", *, family: str = "", version: str = "sha256:c0ffee") -> Evidence:
    suite = make_suite_evidence(f"en*40: {marks}", passes=len(marks))
    return Evidence(
        suites=(replace(suite, identity=replace(suite.identity, family=family, version=version)),), as_of=as_of
    )


def test_in_window__fourteen_days_oldest_first() -> None:
    dates = ["2026-11-20", "2026-11-07", "2026-11-06", "2026-11-22", "", "yesterday"]
    kept = in_window([ran(date) for date in dates], as_of=AS_OF)
    assert [evidence.as_of for evidence in kept] == ["2026-11-07", "2026-11-20"]


def test_key__whitespace_only_edits_are_one_family() -> None:
    one = replace(identity(), version="sha256:1", family="sha256:f")
    assert key(one) == key(replace(one, version="sha256:2"))
    assert key(replace(one, family="")) != key(replace(one, family="", version="sha256:2"))


@pytest.mark.parametrize("change", ["target", "suite", "suite_digest", "scorer_digest", "model", "parameters"])
def test_key__anything_else_is_another(change: str) -> None:
    assert key(identity()) != key(replace(identity(), **{change: "other"}))


def test_earlier__joins_runs_in_order_and_takes_the_present_identity() -> None:
    now = replace(identity(), version="sha256:now", family="sha256:f")
    runs = [ran("2026-11-19", "PF", family="sha256:f"), ran("2026-11-20", "P", family="sha256:f", version="sha256:x")]
    joined = earlier(now, runs)
    assert joined is not None
    assert (joined.identity, joined.passes) == (now, 3)
    assert {case.marks for case in joined.cases} == {"PFP"}


def test_earlier__nothing_of_this_version() -> None:
    assert earlier(identity(), [ran("2026-11-20", version="sha256:other")]) is None


def test_join__counts_add_up_and_edited_cases_start_again() -> None:
    first = make_suite_evidence(
        [
            make_case_evidence("a", "PU", score=moments([1.0]), latency_ms=(5.0,)),
            make_case_evidence("b", "FF", digest="old"),
            make_case_evidence("c", "P"),
        ],
        passes=2,
    )
    second = make_suite_evidence(
        [
            make_case_evidence("a", "F", score=moments([0.5]), latency_ms=(7.0,)),
            make_case_evidence("b", "P"),
            make_case_evidence("d", "P"),
        ],
        passes=1,
        asked=("a",),
    )
    joined = join(first, second)
    assert [(case.case_id, case.marks) for case in joined.cases] == [("a", "PUF"), ("b", "P"), ("c", "P"), ("d", "P")]
    assert joined.cases[0].score == moments([1.0, 0.5])
    assert joined.cases[0].latency_ms == (5.0, 7.0)
    assert (joined.passes, joined.asked) == (3, ("a",))


@pytest.mark.parametrize(
    ("first", "second", "kept", "beside"),
    [
        (Beside(version="a"), Beside(version="a", modelled=True), (1.0, 2.0), Beside(version="a", modelled=True)),
        (Beside(version="a", modelled=True), Beside(version="a"), (1.0, 2.0), Beside(version="a", modelled=True)),
        (Beside(version="a"), Beside(version="b"), (2.0,), Beside(version="b")),
        (Beside(version="a"), Beside(absent="gone"), (2.0,), Beside(absent="gone")),
        (None, Beside(version="a"), (2.0,), Beside(version="a")),
        (Beside(version="a"), None, (1.0, 2.0), Beside(version="a")),
        (None, None, (1.0, 2.0), None),
    ],
)
def test_join__latencies_of_the_base_count_as_long_as_it_has_that_version(
    first: Beside | None, second: Beside | None, kept: tuple[float, ...], beside: Beside | None
) -> None:
    before = make_suite_evidence([make_case_evidence("a", "P", beside_ms=(10.0,), base_ms=(1.0,))], beside=first)
    after = make_suite_evidence([make_case_evidence("a", "P", beside_ms=(20.0,), base_ms=(2.0,))], beside=second)
    joined = join(before, after)
    assert (joined.cases[0].base_ms, joined.beside) == (kept, beside)
    assert joined.cases[0].beside_ms == tuple(10.0 * value for value in kept)


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("", "", ""),
        ("gate.yaml", "", "gate.yaml"),
        ("genai-prices 1", "genai-prices 1", "genai-prices 1"),
        ("genai-prices 2, unavailable", "gate.yaml, unavailable", "gate.yaml, genai-prices 2, unavailable"),
    ],
)
def test_join__names_every_source_of_prices_once(first: str, second: str, joined: str) -> None:
    both = join(make_suite_evidence(prices=first), make_suite_evidence(prices=second))
    assert both.prices == joined


@pytest.mark.parametrize(("first", "second", "joined"), [("a", "", "a"), ("", "b", "b"), ("a", "b", "b")])
def test_join__a_late_client_is_remembered(first: str, second: str, joined: str) -> None:
    assert join(make_suite_evidence(late=first), make_suite_evidence(late=second)).late == joined


def test_spent_looks_stay_spent__a_rerun_of_the_same_version_asks_nothing_and_decides_the_same() -> None:
    lost = "a*3: FFFFF  b*97: PPPPP"
    before = make_suite_baseline("a*3: 5/10  b*97: 10/10")
    first = make_suite_evidence(lost, passes=5)
    joined = earlier(first.identity, [Evidence(suites=(first,), as_of=AS_OF)])
    assert isinstance(joined, SuiteEvidence)
    for suite in (first, joined):
        evidence, references = Evidence(suites=(suite,)), (make_reference(before),)
        decision = decide(policy=TASK, evidence=evidence, references=references, as_of=AS_OF)
        assert decision.outcome is Outcome.HOLD
        assert next_steps(policy=TASK, evidence=evidence, references=references, as_of=AS_OF) == ()


def test_stale_baseline__holds_and_is_not_compared_with() -> None:
    stale = replace(make_suite_baseline(), stale="the provider moved on 2026-11-20")
    context = SuiteContext(evidence=make_suite_evidence(), reference=make_reference(stale), policy=TASK, as_of=AS_OF)
    assert not comparable(context)
    found = check_comparability(context)
    assert found[0].demands is Outcome.HOLD
    assert "the baseline is stale: the provider moved" in found[0].sentence
