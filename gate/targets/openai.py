"""OpenAI, and any server that speaks its chat format."""

from collections.abc import Mapping

from gate.targets.build import build_http, require_model
from gate.targets.chat import MAX_COMPLETION_TOKENS, MAX_TOKENS, ChatWire
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Home
from gate.targets.exchange import HttpTarget
from gate.targets.prices import Prices

HOME = Home(url="https://api.openai.com/v1", key_name="OPENAI_API_KEY")
_OWN = "https://api.openai.com/"


def build_openai(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> HttpTarget:
    """Build the target; raises ConfigurationError for a missing model name or key, and an unusable address."""
    require_model(definition, "gpt-4.1-mini-2025-04-14")
    own = definition.base_url is None or definition.base_url.startswith(_OWN)
    # OpenAI's reasoning models refuse the older key; others often know no newer one.
    wire = ChatWire(definition=definition, token_limit_key=MAX_COMPLETION_TOKENS if own else MAX_TOKENS)
    return build_http(definition, wire, home=HOME, environ=environ, prices=prices)
