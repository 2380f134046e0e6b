"""price_usd: the user's price, the list's, or none; price_source: which of them."""

import genai_prices
import pytest

from gate.core.model import Usage
from gate.targets.prices import Price, Priced, list_name, price_source, price_usd

USAGE = Usage(input_tokens=1_000_000, output_tokens=500_000)
CACHED = Usage(input_tokens=1_000_000, output_tokens=500_000, cached_input_tokens=400_000)
LISTED = "gpt-4.1-mini-2025-04-14"
OWN = {LISTED: Price(input=1.0, output=3.0)}


def test_price_usd__knows_listed_models() -> None:
    assert price_usd(LISTED, USAGE, {}) == pytest.approx(0.4 + 0.8)


def test_price_usd__knows_the_discount_for_what_was_cached() -> None:
    assert price_usd(LISTED, CACHED, {}) == pytest.approx(0.6 * 0.4 + 0.4 * 0.1 + 0.8)


def test_price_usd__takes_the_users_price_first() -> None:
    assert price_usd(LISTED, USAGE, OWN) == 2.5


def test_price_usd__takes_a_price_of_nothing() -> None:
    assert price_usd("mine", USAGE, {"mine": Price(input=0.0, output=0.0)}) == 0.0


def test_price_usd__takes_the_users_price_for_what_was_cached() -> None:
    assert price_usd("mine", CACHED, {"mine": Price(input=1.0, output=3.0)}) == 2.5
    assert price_usd("mine", CACHED, {"mine": Price(input=1.0, output=3.0, cached_input=0.25)}) == pytest.approx(2.2)


def test_price_usd__takes_the_users_price_for_the_name_as_the_list_has_it() -> None:
    assert price_usd("models/gemini-9", USAGE, {"gemini-9": Price(input=3.0, output=0)}) == 3.0


@pytest.mark.parametrize("model", ["no-such-model", "", "mai-ds-r1:free"])
def test_price_usd__of_an_unknown_price_is_none(model: str) -> None:
    assert price_usd(model, USAGE, {}) is None
    assert price_source(model, {}) == "unavailable"


def test_price_usd__of_a_model_that_this_provider_does_not_have_is_none() -> None:
    assert price_usd(Priced(model=LISTED, provider="anthropic"), USAGE, {}) is None


def test_price_usd__of_a_cached_share_that_cannot_be_is_none() -> None:
    broken = Usage(input_tokens=1, output_tokens=1, cached_input_tokens=2)
    assert price_usd(LISTED, broken, {}) is None


def test_price_source__says_which() -> None:
    assert price_source(LISTED, OWN) == "gate.yaml"
    assert price_source(LISTED, {}) == f"genai-prices {genai_prices.__version__}"


@pytest.mark.parametrize(
    ("reported", "listed"),
    [
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gpt-35-turbo-0125", "gpt-3.5-turbo-0125"),
        ("claude-opus-4-6", "claude-opus-4-6"),
    ],
)
def test_list_name__is_what_the_list_says(reported: str, listed: str) -> None:
    assert list_name(reported) == listed
    assert price_usd(reported, USAGE, {}) is not None
