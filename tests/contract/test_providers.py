"""Each provider's request and responses as its documentation has them: what is sent, and how the answer reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from gate.core.codec import encode
from gate.core.model import Answer, Call, Unanswered
from gate.suites.settings import ModelSettings
from gate.targets.definition import TargetDefinition
from gate.targets.exchange import HttpTarget
from gate.targets.prices import price_source
from gate.targets.table import PROVIDERS, build_target
from tests.unit.targets.endpoints import Respond, say, serving, stream

RECORDS = {path.stem: json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "providers").iterdir()}
EXCHANGES = [
    pytest.param(record, exchange, id=f"{provider}: {exchange['name']}")
    for provider, record in sorted(RECORDS.items())
    for exchange in record["exchanges"]
]
KEY_NAMES = {
    "anthropic": "ANTHROPIC_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "endpoint": "STAGING_KEY",
    "gemini": "GEMINI_API_KEY",
    "openai": "OPENAI_API_KEY",
}


def build(record: Mapping[str, Any], **changes: Any) -> HttpTarget:
    """The target as gate.yaml describes it, with the key's name that the provider has without being told."""
    provider = record["provider"] if record["provider"] in PROVIDERS else None
    settings = record["settings"] | changes
    hosts = {KEY_NAMES[record["provider"]]: (urlsplit(record["url"]).hostname or "",)}
    definition = TargetDefinition(name="t", provider=provider, allowed_hosts=hosts, timeout_s=20.0, **settings)
    environ = {KEY_NAMES[record["provider"]]: record["key"]}
    target = build_target(definition, environ=environ, root=Path("/"), prices={})
    assert isinstance(target, HttpTarget)
    return target


def respond(response: Mapping[str, Any]) -> Respond:
    if "stream" in response:
        return stream(response["stream"].encode())
    return say(response["body"], status=response["status"], headers=response["headers"])


def check(result: Answer | Unanswered, expected: Mapping[str, Any]) -> None:
    if "unanswered" in expected:
        assert isinstance(result, Unanswered)
        assert (result.reason.value, result.detail) == (expected["unanswered"], expected["detail"])
        assert result.attempts == expected["attempts"]
        return
    assert isinstance(result, Answer), result
    found = asdict(result)
    found["tool_calls"] = list(found["tool_calls"])
    if found["usage"] is not None:
        found["usage"] = encode(result.usage)
    assert {name: found[name] for name in expected} == expected
    assert (result.usd is None) is (result.usage is None)
    assert result.latency_ms is not None


@pytest.mark.parametrize(("record", "exchange"), EXCHANGES)
def test_provider__sends_and_reads_as_documented(record: Mapping[str, Any], exchange: Mapping[str, Any]) -> None:
    target = build(record, **exchange["settings"])
    assert target.url == record["url"]
    with serving(respond(exchange["response"])) as endpoint:
        # The same target, except for the host.
        local = target.endpoint.url.replace(f"https://{urlsplit(record['url']).hostname}", endpoint.root)
        here = replace(target, endpoint=replace(target.endpoint, url=local))
        result = here.answer(Call(**record["call"]))
    path, headers, body = endpoint.seen[0]
    parts = urlsplit(record["url"])
    assert path == parts.path + (f"?{parts.query}" if parts.query else "")
    assert {name: headers.get(name) for name in record["headers"]} == record["headers"]
    assert body == exchange["request"]
    check(result, exchange["answer"])


def test_providers__each_have_a_record_and_a_word_in_gate_yaml() -> None:
    named = get_args(ModelSettings.model_fields["provider"].annotation)
    assert sorted(named) == sorted(PROVIDERS)
    assert sorted(RECORDS) == sorted({*PROVIDERS, "endpoint"} - {"offline"})


@pytest.mark.parametrize("provider", sorted(set(RECORDS) - {"endpoint"}))
def test_provider__has_a_price(provider: str) -> None:
    source = price_source(RECORDS[provider]["settings"]["model"], {})
    assert source is not None
    assert source.startswith("genai-prices ")
