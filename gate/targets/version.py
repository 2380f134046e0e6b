"""The version of a target: a digest of what shapes its answers, and how much of that it covers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gate.core.canonical import digest
from gate.core.model import Json
from gate.targets.definition import TargetDefinition


class Coverage(StrEnum):
    """How much of what shapes a target's answers its version hash covers."""

    COMPLETE = "complete"
    DECLARED = "declared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionHash:
    """A tagged digest, and what it covers; `family` is that of versions which differ in nothing that matters."""

    digest: str
    coverage: Coverage
    family: str = ""


def version_hash(
    definition: TargetDefinition, prompt_digest: str | None, file_digests: Mapping[str, str]
) -> VersionHash:
    """Hash the prompt, the model with its parameters, the program, and the digests of declared files by path.

    The target's name, its time limit, its key's name, and whether answers come as a stream do not shape answers and are
    left out.
    """
    shape: dict[str, Json] = {
        "prompt": prompt_digest,
        "provider": definition.provider,
        "model": definition.model,
        "temperature": definition.temperature,
        "max_output_tokens": definition.max_output_tokens,
        "seed": "per-trial" if definition.seed_per_trial else definition.seed,
        "base_url": definition.base_url,
        "command": list(definition.command) if definition.command is not None else None,
        "python": definition.python,
        "files": dict(file_digests),
    }
    covered = digest(shape | _newer(definition))
    return VersionHash(digest=covered, coverage=_coverage(definition, prompt_digest, file_digests))


def _newer(definition: TargetDefinition) -> dict[str, Json]:
    """What not every definition has; left out where it is not used, so that hashes stay as they were before it."""
    schema = definition.response_schema
    newer: dict[str, Json] = {
        "endpoint": definition.endpoint,
        "api_version": definition.api_version,
        "response_schema": None if schema is None else dict(schema),
    }
    return {name: value for name, value in newer.items() if value is not None}


def _coverage(definition: TargetDefinition, prompt_digest: str | None, file_digests: Mapping[str, str]) -> Coverage:
    programs = (definition.command, definition.python, definition.endpoint)
    is_program = any(program is not None for program in programs)
    if is_program:
        return Coverage.DECLARED if file_digests else Coverage.UNKNOWN
    return Coverage.COMPLETE if definition.provider and prompt_digest else Coverage.UNKNOWN
