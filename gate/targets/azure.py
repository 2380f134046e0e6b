"""Azure OpenAI: the chat format, with a deployment in place of a model and a header of its own for the key."""

import re
from collections.abc import Mapping

from gate.documents.wording import quoted
from gate.errors import ConfigurationError
from gate.targets.build import build_http, require_model
from gate.targets.chat import MAX_COMPLETION_TOKENS, MAX_TOKENS, ChatWire
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Home
from gate.targets.exchange import HttpTarget
from gate.targets.prices import PRICE_LISTS, Prices

HOME = Home(url=None, key_name="AZURE_OPENAI_API_KEY")
_V1 = "/openai/v1"
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_REASONING = re.compile(r"(o\d|gpt-?[5-9])", re.IGNORECASE)


def build_azure(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> HttpTarget:
    """Build the target for a resource's address; raises ConfigurationError as `build_openai` does.

    With `api_version` it is the deployment's own path, without one the v1 API, whose path the address may have already.
    """
    deployment = require_model(definition, "gpt-4o-2024-08-06")
    wire = ChatWire(
        definition=definition,
        path=_path(definition, deployment),
        key_header="api-key",
        token_limit_key=MAX_COMPLETION_TOKENS if _REASONING.match(deployment) else MAX_TOKENS,
        price_list=PRICE_LISTS["azure"],
    )
    return build_http(definition, wire, home=HOME, environ=environ, prices=prices)


def _path(definition: TargetDefinition, deployment: str) -> str:
    version = definition.api_version
    if version is None:
        has_path = (definition.base_url or "").rstrip("/").endswith(_V1)
        return "/chat/completions" if has_path else f"{_V1}/chat/completions"
    for value in (deployment, version):
        if not _PLAIN.fullmatch(value):
            message = f"target {quoted(definition.name)}: {quoted(value)} cannot be part of Azure's address"
            raise ConfigurationError(message, hint="use the deployment's name, and a version such as 2024-10-21")
    return f"/openai/deployments/{deployment}/chat/completions?api-version={version}"
