"""Which code answers for which provider; a provider's module is imported when a target uses it."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeAlias, runtime_checkable

from gate.core.model import Target
from gate.documents.wording import quoted, suggestion
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.pacing import Paces
from gate.targets.prices import Prices

Build: TypeAlias = Callable[[TargetDefinition, Mapping[str, str], Prices], Target]

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "gate.targets.anthropic:build_anthropic",
        "azure": "gate.targets.azure:build_azure",
        "deepseek": "gate.targets.deepseek:build_deepseek",
        "gemini": "gate.targets.gemini:build_gemini",
        "offline": "gate.targets.offline.model:build_offline",
        "openai": "gate.targets.openai:build_openai",
    }
)
_ENDPOINT = "gate.targets.http_endpoint:build_endpoint"


@runtime_checkable
class Paced(Protocol):
    """A target whose calls take their turn."""

    def sharing(self, paces: Paces) -> Target:
        """The same target, in turn with all others that ask the same provider."""
        ...


def build_target(
    definition: TargetDefinition,
    *,
    environ: Mapping[str, str],
    root: Path,
    prices: Prices,
    paces: Paces | None = None,
) -> Target:
    """Build the target that a definition describes; programs run in `root`, and targets of one provider share a pace.

    Raises ConfigurationError for an unknown provider, a definition that is not exactly one of provider, command,
    python and endpoint, and whatever the provider cannot use.
    """
    kinds = (definition.provider, definition.command, definition.python, definition.endpoint)
    if sum(kind is not None for kind in kinds) != 1:
        message = f"target {quoted(definition.name)} must have exactly one of model, command, python and endpoint"
        raise ConfigurationError(message, hint="keep the one that answers")
    if definition.provider is not None or definition.endpoint is not None:
        build = _find_factory(definition.name, definition.provider) if definition.provider else _load(_ENDPOINT)
        target = build(definition, environ, prices)
        return target.sharing(paces) if paces is not None and isinstance(target, Paced) else target
    module = "gate.targets.command" if definition.command is not None else "gate.targets.python_call"
    program: Target = importlib.import_module(module).build(definition, root, prices)
    return program


def _find_factory(name: str, provider: str) -> Build:
    if provider not in PROVIDERS:
        message = f"target {quoted(name)}: unknown provider {quoted(provider)}{suggestion(provider, PROVIDERS)}"
        raise ConfigurationError(message, hint=f"known providers: {', '.join(sorted(PROVIDERS))}")
    return _load(PROVIDERS[provider])


def _load(place: str) -> Build:
    module, _, factory = place.partition(":")
    found: Build = getattr(importlib.import_module(module), factory)
    return found
