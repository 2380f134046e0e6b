"""What is tried again, when, and how failures are named."""

import datetime as dt
from email.utils import format_datetime

import pytest

from gate.core.model import Call, Missing
from gate.targets.failure import ATTEMPTS, PATIENT_ATTEMPTS, Failure, backoff, broken_by_error, read_pause, refused
from gate.targets.wire import Said

CALL = Call(case_id="c-1", prompt="", variables={}, seed=7)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("3", 3.0), ("90", 90.0), ("0.5", 0.5), ("-1", 0.0), ("²", 0.0), ("", 0.0), ("soon", 0.0), ("1e3", 0.0)],
)
def test_read_pause__reads_seconds(said: str, seconds: float) -> None:
    assert read_pause({"Retry-After": said}) == seconds


def test_read_pause__of_more_digits_than_a_number_has_is_endless() -> None:
    assert read_pause({"Retry-After": "9" * 400}) == float("inf")


def test_read_pause__reads_a_date() -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    assert 90 < read_pause({"Retry-After": format_datetime(soon, usegmt=True)}) <= 100


@pytest.mark.parametrize(
    "date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999999 08:49:37 GMT"]
)
def test_read_pause__of_a_date_that_is_past_or_none_is_nothing(date: str) -> None:
    assert read_pause({"Retry-After": date}) == 0.0


def test_read_pause__prefers_milliseconds() -> None:
    assert read_pause({"retry-after-ms": "250", "Retry-After": "9"}) == 0.25
    assert read_pause({"retry-after-ms": "soon", "Retry-After": "9"}) == 9.0


def test_backoff__doubles_up_to_a_longest_and_takes_off_less_than_half() -> None:
    for retry, longest in enumerate((0.4, 0.8, 1.6, 3.2, 6.4, 8.0, 8.0)):
        assert longest / 2 <= backoff(CALL, retry) <= longest


def test_backoff__is_the_same_in_every_run_and_another_for_every_call() -> None:
    pauses = {backoff(Call(case_id=f"c-{number}", prompt="", variables={}, seed=7), 0) for number in range(50)}
    assert len(pauses) == 50
    assert backoff(CALL, 0) == backoff(Call(case_id="c-1", prompt="other", variables={}, seed=7), 0)


@pytest.mark.parametrize(
    ("status", "reason", "attempts"),
    [
        (400, Missing.HTTP_ERROR, 1),
        (401, Missing.KEY_REFUSED, 1),
        (403, Missing.KEY_REFUSED, 1),
        (408, Missing.HTTP_ERROR, ATTEMPTS),
        (409, Missing.HTTP_ERROR, ATTEMPTS),
        (425, Missing.HTTP_ERROR, ATTEMPTS),
        (429, Missing.RATE_LIMITED, PATIENT_ATTEMPTS),
        (500, Missing.HTTP_ERROR, ATTEMPTS),
        (503, Missing.OVERLOADED, PATIENT_ATTEMPTS),
        (529, Missing.OVERLOADED, PATIENT_ATTEMPTS),
    ],
)
def test_refused__names_the_reason_and_what_it_is_worth(status: int, reason: Missing, attempts: int) -> None:
    failure = refused(status, {}, said=None, shown="no")
    assert (failure.reason, failure.detail, failure.attempts) == (reason, f"status {status}: no", attempts)


def test_refused__is_final_where_the_money_is_gone_or_the_endpoint_says_so() -> None:
    spent = Said(code="insufficient_quota", message="You exceeded your current quota")
    assert refused(429, {"Retry-After": "1"}, said=spent, shown="").pause_s is None
    assert refused(500, {"x-should-retry": "false"}, said=None, shown="").pause_s is None
    assert refused(500, {"x-should-retry": "true"}, said=None, shown="").pause_s == 0.0


@pytest.mark.parametrize(
    ("code", "reason", "retried"),
    [
        ("overloaded_error", Missing.OVERLOADED, True),
        ("rate_limit_error", Missing.RATE_LIMITED, True),
        ("insufficient_system_resource", Missing.OVERLOADED, True),
        ("502", Missing.HTTP_ERROR, True),
        ("429", Missing.RATE_LIMITED, True),
        ("400", Missing.HTTP_ERROR, False),
        ("401", Missing.KEY_REFUSED, False),
        ("credit_balance_exhausted", Missing.HTTP_ERROR, False),
        ("api_error", Missing.HTTP_ERROR, True),
        ("", Missing.HTTP_ERROR, True),
    ],
)
def test_broken_by_error__reads_the_code(code: str, reason: Missing, *, retried: bool) -> None:
    failure = broken_by_error(Said(code=code, message="x"), "x")
    assert failure == Failure(
        reason=reason, detail="the endpoint reported an error: x", pause_s=0.0 if retried else None
    )
