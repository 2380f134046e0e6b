"""Which policies decide from latencies, and what is known of latencies before a run."""

from __future__ import annotations

import math

import pytest

from gate.app.project import SuitePlan
from gate.app.timing import expected_ms, judges_latency
from gate.core.evidence import Absent
from gate.core.model import Dimension
from gate.core.moments import moments
from gate.core.policy import PROFILES, LatencyRule, Policy, Profile, Requirement
from tests.builders import make_baseline_case, make_case, make_reference, make_suite, make_suite_baseline

SHOWN = ((Dimension.LATENCY, Requirement(blocking=False)),)


@pytest.mark.parametrize(
    ("policy", "judges"),
    [
        (Policy(), False),
        (Policy(p95_ms=100.0), False),
        (Policy(requirements=SHOWN), False),
        (Policy(requirements=SHOWN, p95_ms=100.0), True),
        (Policy(requirements=SHOWN, latency=LatencyRule.CONCURRENT), True),
        (Policy(requirements=((Dimension.LATENCY, Requirement(blocking=False, floor=100.0)),)), True),
        (Policy(requirements=tuple(PROFILES[Profile.MERGE].items())), False),
        (Policy(requirements=tuple(PROFILES[Profile.CI].items())), False),
        (Policy(requirements=tuple(PROFILES[Profile.PAPER].items())), True),
        (Policy(requirements=tuple(PROFILES[Profile.PRE_PRODUCTION].items())), True),
    ],
)
def test_judges_latency(policy: Policy, *, judges: bool) -> None:
    assert judges_latency(policy) is judges


def test_expected_ms__of_cases_that_are_as_they_were_and_were_timed() -> None:
    timed = moments([math.log(100.0), math.log(400.0)])
    base = make_suite_baseline(
        [
            make_baseline_case("same", log_ms=timed),
            make_baseline_case("edited", log_ms=timed, digest="sha256:old"),
            make_baseline_case("gone", log_ms=timed),
            make_baseline_case("untimed"),
        ]
    )
    digest = base.cases[0].digest
    suite = make_suite(cases=tuple(make_case(name, digest=digest) for name in ("same", "edited", "untimed", "new")))
    entry = SuitePlan(suite=suite, identity=base.identity, reference=make_reference(base))
    assert expected_ms(entry) == {"same": pytest.approx(200.0)}
    absent = SuitePlan(suite=suite, identity=base.identity, reference=make_reference(Absent(place="b")))
    assert expected_ms(absent) == {}
