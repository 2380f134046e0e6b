"""A target as the user defined it, checked for form only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.core.model import Json
from gate.targets.pacing import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDefinition:
    """One entry under `targets:` of gate.yaml with the credentials of the base ref.

    Exactly one of `provider`, `command`, `python` (`module:function`) and `endpoint` (an address) is set. `prompt` is a
    path in the candidate's tree. `api_key_name` names an environment variable; `allowed_hosts` lists, for each such
    name, the hosts that may receive its value. None of temperature, token limit and seed: not sent; `seed_per_trial`
    sends each call's own seed. `token_limit_key` is what the limit is sent as, None for what the provider takes.
    `response_schema` is the JSON Schema that answers must follow. `timeout_s` covers one call, retries included;
    `limits` are those of the whole run for this provider.
    """

    name: str
    prompt: str | None = None
    provider: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    token_limit_key: str | None = None
    seed: int | None = None
    seed_per_trial: bool = False
    base_url: str | None = None
    api_version: str | None = None
    api_key_name: str | None = None
    stream: bool = False
    response_schema: Mapping[str, Json] | None = None
    command: tuple[str, ...] | None = None
    python: str | None = None
    endpoint: str | None = None
    timeout_s: float = 60.0
    limits: Limits = field(default_factory=Limits)
    allowed_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
