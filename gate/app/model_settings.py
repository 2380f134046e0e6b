"""The model of a target: from gate.yaml into its definition, and what of it tells one version from another."""

from __future__ import annotations

from dataclasses import replace

from gate.core.canonical import NotJsonError, digest, parse_json
from gate.core.model import Json
from gate.documents.tree import Tree
from gate.errors import ConfigurationError
from gate.suites.fields import PER_TRIAL
from gate.suites.settings import ModelSettings
from gate.targets.definition import TargetDefinition


def with_model(definition: TargetDefinition, model: ModelSettings, tree: Tree) -> TargetDefinition:
    """A definition with its model; raises ConfigurationError where the response schema is not there or not JSON."""
    return replace(
        definition,
        provider=model.provider,
        model=model.name,
        temperature=model.temperature,
        max_output_tokens=model.max_output_tokens,
        token_limit_key=model.token_limit_key,
        seed=model.seed if isinstance(model.seed, int) else None,
        seed_per_trial=model.seed == PER_TRIAL,
        base_url=model.base_url,
        api_version=model.api_version,
        api_key_name=model.api_key,
        stream=model.stream,
        response_schema=_load_schema(model.response_schema, tree) if model.response_schema else None,
    )


def identity_parameters(definition: TargetDefinition) -> dict[str, Json]:
    """What a comparison with a baseline names when it changed; what is not used is left out, as it always was."""
    parameters: dict[str, Json] = {
        "temperature": definition.temperature,
        "max_output_tokens": definition.max_output_tokens,
        "seed": PER_TRIAL if definition.seed_per_trial else definition.seed,
    }
    if definition.response_schema is not None:
        parameters["response_schema"] = digest(dict(definition.response_schema))
    return parameters


def _load_schema(path: str, tree: Tree) -> dict[str, Json]:
    content = tree.read(path)
    if content is None:
        raise ConfigurationError(f"{path}: no such file in {tree.name}", hint="correct `response_schema`, or add it")
    try:
        schema = parse_json(content.decode("utf-8"))
    except (NotJsonError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not JSON: {error}", hint="write a JSON Schema (Draft 2020-12)") from error
    if not isinstance(schema, dict):
        raise ConfigurationError(f"{path}: not a JSON Schema", hint='write an object, as in {"type": "object"}')
    return schema
