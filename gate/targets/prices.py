"""What a call costs, in dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gate.core.model import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars per million tokens."""

    input: float
    output: float


Prices: TypeAlias = Mapping[str, Price]


def price_usd(model: str, usage: Usage, overrides: Prices) -> float | None:
    """Return the dollars of one call: by the user's price if there is one, else by the price list of genai-prices.

    None where no price is known, also where the list knows the model and not its price (it then calculates 0).
    """
    own = overrides.get(model)
    if own is not None:
        return (usage.input_tokens * own.input + usage.output_tokens * own.output) / _MILLION
    return _listed(model, usage)


def _listed(model: str, usage: Usage) -> float | None:
    # Takes 0.2 s to import; only a target that reports usage of a model without a price of the user's needs it.
    import genai_prices

    tokens = genai_prices.Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    try:
        found = genai_prices.calc_price(tokens, model)
    except (LookupError, ValueError):
        return None
    known = found.model_price
    if getattr(known, "input_mtok", None) is None or getattr(known, "output_mtok", None) is None:
        return None
    return float(found.total_price)
