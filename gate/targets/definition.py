"""A target as the user defined it, checked for form only."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDefinition:
    """One entry under `targets:` of gate.yaml with the credentials of the base ref.

    Exactly one of `provider`, `command` and `python` (`module:function`) is set. `prompt` is a path in the candidate's
    tree. `api_key_name` names an environment variable; `allowed_hosts` lists, for each such name, the hosts that may
    receive its value. None of temperature, token limit and seed: not sent. `timeout_s` covers one call, retries
    included.
    """

    name: str
    prompt: str | None = None
    provider: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    seed: int | None = None
    base_url: str | None = None
    api_key_name: str | None = None
    command: tuple[str, ...] | None = None
    python: str | None = None
    timeout_s: float = 60.0
    allowed_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
