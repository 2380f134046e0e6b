"""DeepSeek, which speaks the chat format and promises JSON, but no schema."""

from collections.abc import Mapping

from gate.targets.build import build_http, require_model
from gate.targets.chat import ChatWire
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Home
from gate.targets.exchange import HttpTarget
from gate.targets.prices import PRICE_LISTS, Prices

HOME = Home(url="https://api.deepseek.com", key_name="DEEPSEEK_API_KEY")


def build_deepseek(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> HttpTarget:
    """Build the target; raises ConfigurationError as `build_openai` does."""
    require_model(definition, "deepseek-v4-flash")
    wire = ChatWire(definition=definition, strict_schema=False, price_list=PRICE_LISTS["deepseek"])
    return build_http(definition, wire, home=HOME, environ=environ, prices=prices)
