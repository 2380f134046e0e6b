"""How late this machine is: what is noted, and which latencies are then not believed."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from gate.runner.client_lag import LEAST_TICKS, ClientLag
from tests.builders import make_case_evidence, make_suite_evidence

TIMED = make_case_evidence("a", "PP", latency_ms=(90.0, 110.0), beside_ms=(90.0,), base_ms=(95.0,))
SUITE = make_suite_evidence([TIMED])


def busy(late: int, lag_ms: float = 50.0, ticks: int = LEAST_TICKS) -> ClientLag:
    return ClientLag(lags_ms=[0.1] * (ticks - late) + [lag_ms] * late)


def test_watched__notes_how_late_it_woke() -> None:
    lag = ClientLag()
    with lag.watched():
        time.sleep(0.1)
    noted = len(lag.lags_ms)
    assert 1 <= noted <= 12
    assert all(one >= 0.0 for one in lag.lags_ms)
    time.sleep(0.05)
    assert len(lag.lags_ms) == noted


def test_watched__ends_with_what_it_watches() -> None:
    lag = ClientLag()
    with pytest.raises(KeyboardInterrupt), lag.watched():
        raise KeyboardInterrupt
    noted = len(lag.lags_ms)
    time.sleep(0.05)
    assert len(lag.lags_ms) == noted


@pytest.mark.parametrize(
    ("lag", "median_ms", "late"),
    [
        (busy(1), 100.0, False),  # one in a hundred is not more than one in a hundred
        (busy(2), 100.0, True),
        (busy(2, lag_ms=20.0), 100.0, False),
        (busy(2, lag_ms=20.1), 100.0, True),
        (busy(2), 1000.0, False),  # 5 % of the median latency
        (busy(2), 999.0, True),
        (busy(2, ticks=LEAST_TICKS - 1), 100.0, False),
    ],
)
def test_late__one_wake_up_in_a_hundred_over_20_ms_and_5_percent(
    lag: ClientLag, median_ms: float, *, late: bool
) -> None:
    assert bool(lag.late(median_ms)) is late


def test_evidence__of_a_late_client_has_no_latencies_and_says_why() -> None:
    why = "the client was late: one wake-up in a hundred by 50 ms or more, and 20 ms are allowed"
    bare = replace(TIMED, latency_ms=(), beside_ms=(), base_ms=())
    assert busy(5).evidence(SUITE) == replace(SUITE, cases=(bare,), late=why)


@pytest.mark.parametrize("lag", [ClientLag(), busy(0), busy(1)])
def test_evidence__of_a_client_in_time_is_as_it_was(lag: ClientLag) -> None:
    assert lag.evidence(SUITE) is SUITE


def test_evidence__without_a_measured_latency_is_as_it_was() -> None:
    modelled, untimed = replace(SUITE, modelled=True), make_suite_evidence("a: P")
    assert busy(50).evidence(modelled) is modelled
    assert busy(50).evidence(untimed) is untimed
