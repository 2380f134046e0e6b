"""Which code answers for which provider; a provider's module is imported when a target uses it."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from gate.core.model import Target
from gate.documents.wording import quoted, suggestion
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.prices import Prices

Build: TypeAlias = Callable[[TargetDefinition, Mapping[str, str], Prices], Target]

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "offline": "gate.targets.offline.model:build_offline",
        "openai": "gate.targets.openai:build_openai",
    }
)


def build_target(definition: TargetDefinition, *, environ: Mapping[str, str], root: Path, prices: Prices) -> Target:
    """Build the target that a definition describes; programs run in `root`.

    Raises ConfigurationError for an unknown provider, a definition that is not exactly one of provider, command and
    python, and whatever the provider cannot use.
    """
    kinds = (definition.provider, definition.command, definition.python)
    if sum(kind is not None for kind in kinds) != 1:
        message = f"target {quoted(definition.name)} must have exactly one of model, command and python"
        raise ConfigurationError(message, hint="keep the one that answers")
    if definition.provider is not None:
        return _find_factory(definition.name, definition.provider)(definition, environ, prices)
    module = "gate.targets.command" if definition.command is not None else "gate.targets.python_call"
    program: Target = importlib.import_module(module).build(definition, root, prices)
    return program


def _find_factory(name: str, provider: str) -> Build:
    if provider not in PROVIDERS:
        message = f"target {quoted(name)}: unknown provider {quoted(provider)}{suggestion(provider, PROVIDERS)}"
        raise ConfigurationError(message, hint=f"known providers: {', '.join(sorted(PROVIDERS))}")
    module, _, factory = PROVIDERS[provider].partition(":")
    found: Build = getattr(importlib.import_module(module), factory)
    return found
