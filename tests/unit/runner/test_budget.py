"""Hard ceilings: counted before each call, shared between threads."""

import threading

import pytest

from gate.core.model import Answer, Missing, Unanswered, Usage
from gate.runner.budget import Budget, Ceilings


class Clock:
    """Seconds that a test moves by hand."""

    def __init__(self) -> None:
        """Start anywhere but at zero."""
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.seconds


def answer(*, usd: float | None = None, tokens: int | None = None) -> Answer:
    usage = None if tokens is None else Usage(input_tokens=tokens - 1, output_tokens=1)
    return Answer(text="", model="m", usd=usd, usage=usage)


def budget(**limits: float) -> Budget:
    return Budget(Ceilings(**limits), Clock())  # type: ignore[arg-type]


def test_take__no_ceilings__always() -> None:
    own = budget()
    assert all(own.take() for _ in range(100))
    assert (own.calls, own.stopped()) == (100, "")


def test_take__calls__exactly_as_many_and_the_refused_one_is_not_counted() -> None:
    own = budget(calls=3)
    assert [own.take() for _ in range(5)] == [True, True, True, False, False]
    assert (own.calls, own.stopped()) == (3, "the budget of 3 calls is used up")


def test_take__zero_calls__none() -> None:
    assert not budget(calls=0).take()


@pytest.mark.parametrize(
    ("limits", "spent", "words"),
    [
        ({"usd": 0.5}, answer(usd=0.5), "the budget of 0.5 dollars is used up"),
        ({"tokens": 100}, answer(tokens=100), "the budget of 100 tokens is used up"),
        ({"usd": 0.5}, answer(usd=0.49), ""),
        ({"tokens": 100}, answer(tokens=99), ""),
        ({"usd": 0.5}, answer(tokens=10**9), ""),
        ({"tokens": 100}, answer(usd=99.0), ""),
    ],
)
def test_spend__reaches_its_own_ceiling(limits: dict[str, float], spent: Answer, words: str) -> None:
    own = budget(**limits)
    assert own.take()
    own.settle(spent)
    assert own.stopped() == words
    assert own.take() is (words == "")


def test_spend__no_price__is_not_zero_dollars() -> None:
    own = budget()
    own.spend(answer(tokens=5))
    assert (own.usd, own.tokens) == (None, 5)
    own.spend(answer(usd=0.25))
    own.spend(answer(usd=0.25))
    assert own.usd == 0.5


def test_take__minutes__of_the_given_clock() -> None:
    clock = Clock()
    own = Budget(Ceilings(minutes=2), clock)
    clock.seconds += 119.9
    assert own.take()
    clock.seconds += 0.1
    assert (own.take(), own.stopped()) == (False, "the budget of 2 minutes is used up")


def test_take__many_threads__never_more_than_the_ceiling() -> None:
    own = budget(calls=500)
    taken: list[bool] = []

    def work() -> None:
        taken.extend(own.take() for _ in range(100))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (sum(taken), len(taken), own.calls) == (500, 800, 500)


def test_spend__many_threads__loses_nothing() -> None:
    own = budget()

    def work() -> None:
        for _ in range(200):
            own.settle(answer(tokens=2))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert own.tokens == 3200


def test_take__calls_under_way__are_expected_to_cost_like_the_others() -> None:
    own = budget(usd=1.0)
    assert own.take()
    own.settle(answer(usd=0.25))
    assert [own.take() for _ in range(6)] == [True, True, True, False, False, False]
    for _ in range(3):
        own.settle(answer(usd=0.05))
    assert own.usd == pytest.approx(0.40)
    assert own.stopped() == "the budget of 1 dollars is used up"


def test_settle__sent_again__counts_as_calls() -> None:
    own = budget(calls=10)
    assert own.take()
    own.settle(Unanswered(reason=Missing.OVERLOADED, detail="", attempts=6))
    assert own.calls == 6
    assert own.take()
    own.settle(Unanswered(reason=Missing.NOT_ALLOWED, detail="", attempts=0))
    assert own.calls == 7
