"""Google Gemini, in the chat format that it speaks beside its own."""

from collections.abc import Mapping

from gate.targets.build import build_http, require_model
from gate.targets.chat import ChatWire
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Home
from gate.targets.exchange import HttpTarget
from gate.targets.prices import PRICE_LISTS, Prices

HOME = Home(url="https://generativelanguage.googleapis.com/v1beta/openai", key_name="GEMINI_API_KEY")


def build_gemini(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> HttpTarget:
    """Build the target; raises ConfigurationError as `build_openai` does."""
    require_model(definition, "gemini-2.5-flash")
    # Google bills thought as output, and counts it in the total alone.
    wire = ChatWire(definition=definition, thinks_beside=True, price_list=PRICE_LISTS["gemini"])
    return build_http(definition, wire, home=HOME, environ=environ, prices=prices)
