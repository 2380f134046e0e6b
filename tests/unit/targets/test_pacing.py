"""Turns at one provider: limits, throttling, an outage, all on a clock that the test moves, and threads on a real one."""

import threading
import time

import pytest

from gate.targets.pacing import FAILURES_TO_REST, NOBODY, RESTS_S, Asker, Limits, Pace, Paces


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def entered(pace: Pace, clock: Clock, *, patience: float = 60.0, most: float = 600.0) -> float:
    """Seconds that a call waits for its turn, by moving the clock instead of sleeping."""
    start = clock.seconds
    pace._turn.wait = lambda seconds: setattr(clock, "seconds", clock.seconds + seconds)  # type: ignore[method-assign]
    while clock.seconds - start < most:
        assert pace.enter(patience) == ""
        return round(clock.seconds - start, 2)
    raise AssertionError


def test_enter__no_limits__at_once() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    assert [entered(pace, clock) for _ in range(20)] == [0.0] * 20


def test_enter__requests_a_minute__evenly() -> None:
    clock = Clock()
    pace = Pace(Limits(requests_per_minute=60), clock)
    waits = [entered(pace, clock) for _ in range(5)]
    assert waits[0] == 0.0
    assert sum(waits) == pytest.approx(4.0, abs=0.1)


def test_enter__tokens_a_minute__waits_for_what_was_used() -> None:
    clock = Clock()
    pace = Pace(Limits(tokens_per_minute=6000), clock)
    assert entered(pace, clock) == 0.0
    pace.answered(tokens=501)
    assert entered(pace, clock) == pytest.approx(5.0, abs=0.02)


def test_enter__after_a_pause__no_burst() -> None:
    clock = Clock()
    pace = Pace(Limits(requests_per_minute=60), clock)
    entered(pace, clock)
    clock.seconds += 3600
    assert sum(entered(pace, clock) for _ in range(4)) >= 2.9


def test_throttled__halves_what_was_under_way_once_and_recovers() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    for _ in range(16):
        entered(pace, clock)
    pace.throttled(0.0)
    assert pace._allowed == 8.0
    pace.throttled(0.0)
    assert pace._allowed == 8.0
    clock.seconds += 1.5
    pace.throttled(0.0)
    assert pace._allowed == 4.0
    before = pace._allowed
    for _ in range(4):
        pace.answered()
    assert before + 0.9 < pace._allowed < before + 1.1


def test_throttled__pause__holds_for_everybody() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    entered(pace, clock)
    pace.throttled(7.0)
    assert entered(pace, clock) == 7.0


def test_throttled__pause_over_the_time_limit__is_not_waited_for() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    entered(pace, clock)
    pace.throttled(3600.0)
    assert pace.enter(60.0) == "the provider wants no calls for 3600 s, longer than the time limit"


def fail_once(pace: Pace, clock: Clock) -> None:
    entered(pace, clock)
    pace.failed("status 500: down")


def test_failed__outage__ends_after_a_few_probes() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    for _ in range(FAILURES_TO_REST):
        fail_once(pace, clock)
    start = clock.seconds
    for _ in RESTS_S:
        fail_once(pace, clock)
    assert clock.seconds - start == pytest.approx(sum(RESTS_S))
    assert pace.enter(60.0) == "the provider is down, and was not asked again: status 500: down"


def test_failed__provider_comes_back__all_is_forgotten() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    for _ in range(FAILURES_TO_REST + 1):
        fail_once(pace, clock)
    entered(pace, clock)
    pace.answered()
    for _ in range(FAILURES_TO_REST - 1):
        fail_once(pace, clock)
    assert entered(pace, clock) == 0.0


def refuse(pace: Pace, clock: Clock, asker: Asker, times: int) -> None:
    for _ in range(times):
        assert pace.enter(60.0, asker) == ""
        pace.refused("status 401: no", asker)


def test_refused__gives_up_without_probes_for_this_key_and_model_alone() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    judge, target = ("bad", "judge-1"), ("good", "target-1")
    refuse(pace, clock, judge, FAILURES_TO_REST)
    assert pace.enter(60.0, judge) == "the provider refuses the key, and was not asked again: status 401: no"
    assert pace.enter(60.0, target) == ""
    pace.answered(0, target)
    # Another model with that key may be allowed, and the other way round.
    assert pace.enter(60.0, ("bad", "target-1")) == ""


def test_refused__then_answered__counts_anew() -> None:
    clock = Clock()
    pace = Pace(Limits(), clock)
    refuse(pace, clock, NOBODY, FAILURES_TO_REST - 1)
    assert pace.enter(60.0) == ""
    pace.answered()
    refuse(pace, clock, NOBODY, FAILURES_TO_REST - 1)
    assert pace.enter(60.0) == ""


def test_enter__while_one_asks_whether_it_is_back__the_others_wait() -> None:
    """Real threads: one probe at a time, and its answer lets all in."""
    pace = Pace(Limits())
    for _ in range(FAILURES_TO_REST):
        assert pace.enter(60.0) == ""
        pace.failed("down")
    pace._not_before = time.monotonic()
    assert pace.enter(60.0) == ""
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (pace.enter(60.0), done.set()), daemon=True)
    waiting.start()
    assert not done.wait(0.2)
    pace.answered()
    assert done.wait(5.0)


def test_paces__two_targets_of_one_provider__share_and_the_stricter_limit_holds() -> None:
    paces = Paces()
    one = paces.of("api.example.com", Limits(requests_per_minute=600))
    other = paces.of("api.example.com", Limits(requests_per_minute=60, tokens_per_minute=10))
    assert one is other
    assert (one.limits.requests_per_minute, one.limits.tokens_per_minute, one.limits.calls) == (60, 10, 256)
    assert paces.of("other.example.com", Limits()) is not one


def test_ended__neither_answer_nor_outage__gives_the_turn_back() -> None:
    clock = Clock()
    pace = Pace(Limits(calls=1), clock)
    entered(pace, clock)
    pace.ended()
    assert entered(pace, clock) == 0.0
