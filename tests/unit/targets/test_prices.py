"""price_usd: the user's price, the list's, or none."""

import pytest

from gate.core.model import Usage
from gate.targets.prices import Price, price_usd

USAGE = Usage(input_tokens=1_000_000, output_tokens=500_000)


def test_price_usd__knows_listed_models() -> None:
    assert price_usd("gpt-4.1-mini-2025-04-14", USAGE, {}) == pytest.approx(0.4 + 0.8)


def test_price_usd__takes_the_users_price_first() -> None:
    assert price_usd("gpt-4.1-mini-2025-04-14", USAGE, {"gpt-4.1-mini-2025-04-14": Price(input=1.0, output=3.0)}) == 2.5


def test_price_usd__takes_a_price_of_nothing() -> None:
    assert price_usd("mine", USAGE, {"mine": Price(input=0.0, output=0.0)}) == 0.0


@pytest.mark.parametrize("model", ["no-such-model", "", "mai-ds-r1:free"])
def test_price_usd__of_an_unknown_price_is_none(model: str) -> None:
    assert price_usd(model, USAGE, {}) is None
