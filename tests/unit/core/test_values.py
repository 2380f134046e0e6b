"""Types, canonical JSON and the codec: what goes in comes back, and what is not sound is refused."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.canonical import NotJsonError, canonical_json, digest, digest_text, parse_json, readable_json
from gate.core.codec import DecodeError, decode, encode, encode_lazily, encode_tagged
from gate.core.evidence import Absent, BaselineCase, CaseEvidence, Corrupt, SuiteBaseline
from gate.core.finding import Outcome
from gate.core.model import Dimension, Json, Scope, Score, Severity
from gate.core.moments import Moments, moments
from gate.core.planning import MOST_CASES, cases_for_margin, cases_needed, noise, smallest_drop, supported_margin
from gate.core.policy import (
    PROFILES,
    Policy,
    Profile,
    Requirement,
    requirements_for,
)
from gate.core.statistics import Pair, compare
from tests.builders import identity, make_baseline_case, make_case_evidence, make_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Every shape that a record may have."""

    number: float
    either: Absent | Corrupt
    pair: tuple[str, int] = ("a", 1)
    table: Mapping[str, int] | None = None
    level: Severity | None = None


GOOD: dict[str, Json] = {"number": 1, "either": {"type": "Absent", "place": "x"}}


# --- model


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.01, 1.01])
def test_score__not_a_share__refused(value: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Score(value=value, explanation="")


def test_score__ends_included() -> None:
    assert [Score(value=value, explanation="").value for value in (0.0, 1.0)] == [0.0, 1.0]


# --- evidence


def test_case_evidence__marks_and_counts() -> None:
    case = make_case_evidence("a", "PFUPF")
    assert (case.scored, case.first(3), case.failed) == ("PFPF", "PF", 2)


@pytest.mark.parametrize(("marks", "missing"), [("PX", ()), ("PU", ()), ("P", ("timed out",))])
def test_case_evidence__contradiction__refused(marks: str, missing: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="case 'a'"):
        CaseEvidence(case_id="a", digest="sha256:1", marks=marks, missing=missing)


@pytest.mark.parametrize(("passes", "trials"), [(-1, 3), (4, 3)])
def test_baseline_case__impossible_counts__refused(passes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="passes of"):
        BaselineCase(case_id="a", digest="sha256:1", passes=passes, trials=trials)


@pytest.mark.parametrize(("passes", "trials", "wanted"), [(3, 3, True), (2, 3, False), (0, 0, False)])
def test_baseline_case__solid(*, passes: int, trials: int, wanted: bool) -> None:
    assert make_baseline_case("a", passes, trials).solid is wanted


def test_moments__count_sum_squares() -> None:
    assert moments([0.1, 0.2]) == Moments(n=2, sum=0.3, squares=0.05)
    assert moments([0.1, 0.2]).mean == 0.15
    assert moments([]).mean is None


def test_outcome__order() -> None:
    assert sorted(Outcome, key=lambda outcome: outcome.weight) == [Outcome.PROMOTE, Outcome.HOLD, Outcome.ROLLBACK]


# --- policy


def test_requirements_for__own_choices_on_top_of_a_profile() -> None:
    made = dict(
        requirements_for(
            Profile.CI,
            dimensions={Dimension.SAFETY: True, Dimension.TASK_SUCCESS: False},
            floors={Dimension.TASK_SUCCESS: 0.9, Dimension.LATENCY: 7_000.0},
        )
    )
    assert list(made) == sorted(made)
    assert made[Dimension.SAFETY] == Requirement(regression=True)
    task = made[Dimension.TASK_SUCCESS]
    assert (task.blocking, task.floor, task.margin, task.regression) == (False, 0.9, 0.05, True)
    assert task.rollback_below == pytest.approx(0.63)
    assert made[Dimension.LATENCY].rollback_below == pytest.approx(10_000.0)


def test_requirement__dimension_that_nobody_names__asks_nothing() -> None:
    assert make_policy().requirement(Dimension.LIVENESS) == Requirement(blocking=False)


def test_profiles__blocking_dimensions_as_designed() -> None:
    blocking = {profile: {str(d) for d, r in asked.items() if r.blocking} for profile, asked in PROFILES.items()}
    assert blocking == {
        Profile.MERGE: {"task_success", "safety", "over_refusal", "cost"},
        Profile.CI: {"task_success"},
        Profile.PAPER: {"task_success", "context_preservation", "latency", "safety", "evidence_coverage"},
        Profile.PRE_PRODUCTION: {"task_success", "safety", "latency", "cost"},
        Profile.LAUNCH: {"task_success", "safety", "cost"},
    }


# --- planning


@pytest.mark.parametrize(
    ("cases", "per_trial", "published"), [(100, 0.033, 5.1), (200, 0.033, 3.2), (500, 0.033, 1.8), (50, 0.033, 8.5)]
)
def test_supported_margin__as_in_the_published_table(cases: int, per_trial: float, published: float) -> None:
    """Table m90, shape `typical`, five passes against ten."""
    margin = supported_margin(cases=cases, noise_per_trial=per_trial, passes=5, baseline_trials=10)
    assert margin * 100 == pytest.approx(published, abs=0.3)


def test_cases_needed__is_the_first_number_that_supports_the_margin() -> None:
    own = {"noise_per_trial": 0.036, "passes": 3, "baseline_trials": 10}
    needed = cases_needed(margin=0.03, **own)  # type: ignore[arg-type]
    assert supported_margin(cases=needed, **own) <= 0.03 < supported_margin(cases=needed - 1, **own)  # type: ignore[arg-type]


def test_cases_needed__margin_zero__the_most() -> None:
    assert cases_needed(margin=0.0, noise_per_trial=0.1, passes=1, baseline_trials=1) == MOST_CASES


def test_noise__unbiased_and_silent_without_repeats() -> None:
    assert noise([(1, 2), (2, 2), (1, 1)]) == pytest.approx(0.25)
    assert noise([(1, 1)]) == 0.0


def test_smallest_drop__and_cases_for_margin() -> None:
    pairs = [Pair(case_id=f"{i}", x=9, kb=10, y=3, k=3) for i in range(50)]
    change = compare(pairs)
    assert smallest_drop(change) == 2.10 * change.population_error + 1.2816 * change.set_error
    assert smallest_drop(change, Scope.SET) == (2.10 + 1.2816) * change.set_error
    wanted = cases_needed(margin=0.05, noise_per_trial=noise([(9, 10)]), passes=3, baseline_trials=10)
    assert cases_for_margin(pairs, 0.05) == wanted


# --- canonical


def test_canonical_json__sorted_and_tight() -> None:
    assert canonical_json({"b": [1, None, True], "a": "é"}) == '{"a":"é","b":[1,null,true]}'
    assert readable_json({"b": 1, "a": 2}) == '{\n  "a": 2,\n  "b": 1\n}\n'


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_readable_json__is_what_the_standard_library_writes(value: Json) -> None:
    written = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=2)
    assert readable_json(value) == written + "\n"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_canonical_json__not_a_number__refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(value)
    with pytest.raises(ValueError, match="JSON compliant"):
        readable_json([value])


def test_digest__of_the_canonical_text() -> None:
    assert digest({"b": 1, "a": 2}) == digest_text('{"a":2,"b":1}')
    assert digest_text("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_text("\ud800").startswith("sha256:")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "1e999",
        "[Infinity]",
        "[-Infinity]",
        '{"a":1,"a":1}',
        "[" * 5000,
        "9" * 5000,
        '{"a":{"b":1,"b":2}}',
    ],
)
def test_parse_json__not_strictly_json__refused(text: str) -> None:
    with pytest.raises(NotJsonError):
        parse_json(text)


def test_parse_json__plain() -> None:
    assert parse_json('{"a": [1, 2.5, null, "x"]}') == {"a": [1, 2.5, None, "x"]}


# --- codec


def test_decode__good__and_back() -> None:
    box = decode(Box, GOOD | {"pair": ["b", 2], "table": {"k": 3}, "level": "P0"})
    assert box == Box(number=1.0, either=Absent(place="x"), pair=("b", 2), table={"k": 3}, level=Severity.P0)
    assert encode(box) == {
        "number": 1.0,
        "either": {"place": "x"},
        "pair": ["b", 2],
        "table": {"k": 3},
        "level": "P0",
    }
    assert isinstance(box.number, float)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": "1"}, ".number: float expected, not '1'"),
        ({"number": True}, ".number: float expected, not True"),
        ({"number": math.nan}, ".number: float expected, not nan"),
        ({"number": 10**400}, ".number: a number that large cannot be used"),
        ({"other": 1}, "top: unknown key 'other'"),
        ({"pair": ["a"]}, ".pair: a list of 2 expected, not ['a']"),
        ({"pair": "ab"}, ".pair: a list expected, not 'ab'"),
        ({"pair": ["a", 1.5]}, ".pair[1]: int expected, not 1.5"),
        ({"table": [1]}, ".table: an object expected, not [1]"),
        ({"table": {"k": None}}, ".table.k: int expected, not None"),
        ({"level": "P9"}, ".level: one of P0, P1, P2, P3 expected, not 'P9'"),
        ({"level": []}, ".level: one of P0, P1, P2, P3 expected, not []"),
        ({"either": {"place": "x"}}, ".either: type one of Absent, Corrupt expected, not None"),
        ({"either": {"type": "Corrupt", "place": "x"}}, ".either: key 'reason' is missing"),
        ({"either": None}, ".either: type one of Absent, Corrupt expected, not None"),
    ],
)
def test_decode__wrong__says_where(change: dict[str, Json], message: str) -> None:
    with pytest.raises(DecodeError) as error:
        decode(Box, GOOD | change)
    assert str(error.value) == message


@pytest.mark.parametrize(("kind", "value"), [(Box, []), (Box, {}), (CaseEvidence, {"case_id": "a"})])
def test_decode__not_this_shape__refused(kind: type, value: Json) -> None:
    with pytest.raises(DecodeError, match=r"^top: "):
        decode(kind, value)


def test_decode__values_that_contradict_each_other__refused() -> None:
    with pytest.raises(DecodeError, match=r"^top: case 'a': marks must be P, F or U$"):
        decode(CaseEvidence, {"case_id": "a", "digest": "d", "marks": "X"})


def test_decode__any_length_tuple() -> None:
    policy = decode(Policy, {"looks": [1, 2], "profile": "ci", "slices": [["language", "warn"]]})
    assert (policy.looks, policy.profile, len(policy.slices)) == ((1, 2), Profile.CI, 1)


def test_encode__what_has_no_place_in_a_record__refused() -> None:
    with pytest.raises(TypeError, match="cannot encode set"):
        encode({"a": {1}})
    with pytest.raises(TypeError, match="cannot encode type"):
        encode(Box)
    with pytest.raises(TypeError, match="only dataclasses"):
        encode_tagged([1])


def test_encode__text_of_another_class__stays_text() -> None:
    class Name(str):
        __slots__ = ()

    assert encode({"name": Name("x")}) == {"name": "x"}


def test_encode_tagged__names_the_class() -> None:
    assert encode_tagged(Absent(place="x")) == {"place": "x", "type": "Absent"}


def test_encode_lazily__reads_as_what_is_encoded_at_once() -> None:
    cases = tuple(BaselineCase(case_id=name, digest="d", passes=9, trials=10) for name in "ab")
    baseline = SuiteBaseline(identity=identity(), as_of="2026-01-01", cases=cases)
    assert readable_json(encode_lazily(baseline, "cases")) == readable_json(encode(baseline))
    assert '"case_id": "b"' in readable_json(encode_lazily(baseline, "cases"))
