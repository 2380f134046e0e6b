"""What a call costs, in dollars, and where that is known from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from gate.core.model import Usage

_MILLION = 1_000_000
# What providers call their models, where the price list calls them otherwise.
_PREFIXES = ("models/",)
_OTHER_NAMES = (("gpt-35-", "gpt-3.5-"),)
# What the price list calls the providers whose models it is asked for by provider.
PRICE_LISTS: Mapping[str, str] = MappingProxyType(
    {"anthropic": "anthropic", "azure": "azure", "deepseek": "deepseek", "gemini": "google"}
)
OWN, UNAVAILABLE = "gate.yaml", "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars per million tokens; input tokens from a cache cost as much as others where no price says otherwise."""

    input: float
    output: float
    cached_input: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Whose price is asked for: the model as it was reported, and the provider as the price list names it.

    `provider` is empty where the list is to find the model's usual provider. The model that was asked for has no say:
    where another one answered, its price would be a guess.
    """

    model: str
    provider: str = ""


Prices: TypeAlias = Mapping[str, Price]


def price_usd(priced: Priced | str, usage: Usage, overrides: Prices) -> float | None:
    """Return the dollars of one call: by the user's price if there is one, else by the price list of genai-prices.

    None where no price is known, also where the list knows the model and not its price (it then calculates 0).
    """
    priced = _whose(priced)
    own = _own(priced, overrides)
    return _listed(priced, usage) if own is None else _by(own, usage)


def price_source(priced: Priced | str, overrides: Prices) -> str:
    """Where a price is known from: `gate.yaml`, or `genai-prices` with its version; `unavailable` where it is not.

    The version names the prices, too: they come with the package, and nothing else is looked up.
    """
    priced = _whose(priced)
    if _own(priced, overrides) is not None:
        return OWN
    if _listed(priced, Usage(input_tokens=0, output_tokens=0)) is None:
        return UNAVAILABLE
    import genai_prices

    return f"genai-prices {genai_prices.__version__}"


def list_name(model: str) -> str:
    """The name under which the price list knows a model that its provider reports by this name."""
    for prefix in _PREFIXES:
        model = model.removeprefix(prefix)
    for theirs, listed in _OTHER_NAMES:
        model = listed + model.removeprefix(theirs) if model.startswith(theirs) else model
    return model


def _whose(priced: Priced | str) -> Priced:
    return Priced(model=priced) if isinstance(priced, str) else priced


def _own(priced: Priced, overrides: Prices) -> Price | None:
    """Find the user's price, by the name as it was reported or as the list has it."""
    return overrides.get(priced.model) or overrides.get(list_name(priced.model))


def _by(price: Price, usage: Usage) -> float:
    cached = price.input if price.cached_input is None else price.cached_input
    fresh = usage.input_tokens - usage.cached_input_tokens
    return (fresh * price.input + usage.cached_input_tokens * cached + usage.output_tokens * price.output) / _MILLION


def _listed(priced: Priced, usage: Usage) -> float | None:
    # Takes 0.2 s to import; only a target that reports usage of a model without a price of the user's needs it.
    import genai_prices

    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_input_tokens or None,
        cache_write_tokens=usage.cache_write_tokens or None,
        cache_write_1h_tokens=usage.cache_write_1h_tokens or None,
    )
    try:
        found = genai_prices.calc_price(tokens, list_name(priced.model), provider_id=priced.provider or None)
    except (LookupError, ValueError):
        return None
    known = found.model_price
    if getattr(known, "input_mtok", None) is None or getattr(known, "output_mtok", None) is None:
        return None
    return float(found.total_price)
