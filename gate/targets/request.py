"""What of a target shapes the answers to given questions: the name under which they are kept and found again."""

from __future__ import annotations

from gate.core.canonical import digest
from gate.core.model import Json
from gate.core.question import Request
from gate.targets.definition import TargetDefinition
from gate.targets.version import Coverage, VersionHash

SEEDED = "offline"


def request_of(definition: TargetDefinition, version: VersionHash, state: str) -> Request:
    """A model by its address and parameters, a program by its version.

    `state` stands for the files of a program whose version does not cover them: its answers count in this run alone.
    """
    if definition.provider is None:
        unknown = version.coverage is Coverage.UNKNOWN
        covered = digest([version.digest, state]) if unknown else version.digest
        return Request(digest=covered, seeded=True, replayable=not unknown)
    schema = definition.response_schema
    shape: dict[str, Json] = {
        "provider": definition.provider,
        "base_url": definition.base_url,
        "api_version": definition.api_version,
        "model": definition.model,
        "temperature": definition.temperature,
        "max_output_tokens": definition.max_output_tokens,
        "token_limit_key": definition.token_limit_key,
        "seed": definition.seed,
        "response_schema": None if schema is None else dict(schema),
    }
    return Request(digest=digest(shape), seeded=definition.seed_per_trial or definition.provider == SEEDED)


def needs_state(definition: TargetDefinition, version: VersionHash) -> bool:
    """Whether this is a program of the repository whose version does not cover its files."""
    return definition.provider is None and definition.endpoint is None and version.coverage is Coverage.UNKNOWN
