"""Azure, Gemini, DeepSeek and plain endpoints: addresses and keys that the recorded exchanges do not show."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Json, Missing, Unanswered
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.exchange import HttpTarget
from gate.targets.table import build_target
from tests.unit.targets.endpoints import Respond, events, say, serving, stream

RESOURCE = "https://my-resource.openai.azure.com"
CALL = Call(case_id="c-1", prompt="p", variables={"n": 1}, seed=7)
KEYS = {"AZURE_OPENAI_API_KEY": "azure-key-0123", "GEMINI_API_KEY": "gemini-key-0123"}


def build(**settings: object) -> HttpTarget:
    hosts = dict.fromkeys(KEYS, ("my-resource.openai.azure.com", "generativelanguage.googleapis.com"))
    definition = TargetDefinition(**({"name": "t", "allowed_hosts": hosts} | settings))  # type: ignore[arg-type]
    target = build_target(definition, environ=KEYS, root=Path("/"), prices={})
    assert isinstance(target, HttpTarget)
    return target


@pytest.mark.parametrize("address", [f"{RESOURCE}/", f"{RESOURCE}/openai/v1", f"{RESOURCE}/openai/v1/"])
def test_build_azure__without_a_version_uses_the_v1_api(address: str) -> None:
    target = build(provider="azure", model="gpt-4o-2024-08-06", base_url=address)
    assert target.url == f"{RESOURCE}/openai/v1/chat/completions"
    assert target.headers["api-key"] == "azure-key-0123"
    assert "Authorization" not in target.headers


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("gpt-4o-2024-08-06", "max_tokens"),
        ("gpt-5-mini-2025-08-07", "max_completion_tokens"),
        ("o4-mini-2025-04-16", "max_completion_tokens"),
    ],
)
def test_build_azure__sends_the_limit_as_the_model_takes_it(model: str, key: str) -> None:
    target = build(provider="azure", model=model, base_url=RESOURCE, max_output_tokens=9)
    assert target.wire.request(CALL)[key] == 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base_url": None}, 'target "t" names no address'),
        ({"model": "a/b"}, 'target "t": "a/b" cannot be part of Azure\'s address'),
        ({"api_version": "1&x=2"}, 'target "t": "1&x=2" cannot be part of Azure\'s address'),
    ],
)
def test_build_azure__refuses(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(**({"provider": "azure", "model": "m-1", "base_url": RESOURCE, "api_version": "2024-10-21"} | changes))
    assert str(caught.value) == message
    assert caught.value.hint


def test_build_azure__sends_its_key_to_no_other_host() -> None:
    target = build(provider="azure", model="m-1", base_url="https://elsewhere.example.com")
    result = target.answer(CALL)
    assert isinstance(result, Unanswered)
    assert (result.reason, result.attempts) == (Missing.NOT_ALLOWED, 0)


def test_build_gemini__elsewhere_gets_no_key_but_a_named_one() -> None:
    assert (
        "Authorization" not in build(provider="gemini", model="m-1", base_url="https://elsewhere.example.com").headers
    )
    assert build(provider="gemini", model="m-1").headers["Authorization"] == "Bearer gemini-key-0123"


def ask(respond: Respond) -> tuple[Answer | Unanswered, Json]:
    with serving(respond) as endpoint:
        result = build(endpoint=f"{endpoint.root}/answer", timeout_s=20.0).answer(CALL)
    assert [path for path, _, _ in endpoint.seen] == ["/answer"]
    return result, endpoint.seen[0][2]


def test_answer__of_an_endpoint() -> None:
    result, asked = ask(say({"text": "é", "model": "m-1"}))
    assert asked == {"case_id": "c-1", "prompt": "p", "variables": {"n": 1}, "seed": 7}
    assert isinstance(result, Answer)
    assert (result.text, result.model, result.asked, result.usage) == ("é", "m-1", "", None)


def test_answer__of_an_endpoint_as_one_event() -> None:
    result, _ = ask(stream(events({"text": "é"}, end="")))
    assert isinstance(result, Answer)
    assert (result.text, result.model) == ("é", "t")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "the reply is neither an object nor a string"),
        ({"txt": "é"}, 'the reply has an unknown key "txt" (did you mean "text"?)'),
    ],
)
def test_answer__of_an_endpoint_with_a_bad_reply(body: Json, detail: str) -> None:
    result, _ = ask(say(body))
    assert result == Unanswered(reason=Missing.MALFORMED, detail=detail)


def test_answer__of_an_endpoint_that_reports_a_filter_is_no_result() -> None:
    result, _ = ask(say({"error": {"code": "content_filter", "message": "no"}}, status=400))
    assert result == Unanswered(reason=Missing.HTTP_ERROR, detail="status 400: no")


IN_DETAILS: Json = {"prompt_tokens_details": {"cached_tokens": 400_000}}


@pytest.mark.parametrize(
    ("provider", "model", "cached", "usd"),
    [
        # 0.6 of the input at its price, 0.4 at that of what comes from the cache, 0.1 of the output.
        ("openai", "gpt-4.1-mini-2025-04-14", IN_DETAILS, 0.6 * 0.40 + 0.4 * 0.10 + 0.1 * 1.60),
        ("azure", "gpt-4.1-mini-2025-04-14", IN_DETAILS, 0.6 * 0.40 + 0.4 * 0.10 + 0.1 * 1.60),
        ("gemini", "gemini-2.5-flash", IN_DETAILS, 0.6 * 0.30 + 0.4 * 0.03 + 0.1 * 2.50),
        # One of DeepSeek's whose price is the same at all hours.
        (
            "deepseek",
            "deepseek-v3.1-terminus",
            {"prompt_cache_hit_tokens": 400_000, "prompt_cache_miss_tokens": 600_000},
            0.6 * 0.27 + 0.4 * 0.13 + 0.1 * 0.95,
        ),
    ],
)
def test_answer__is_priced_with_the_discount_for_what_was_cached(
    provider: str, model: str, cached: dict[str, Json], usd: float
) -> None:
    usage: Json = {"prompt_tokens": 1_000_000, "completion_tokens": 100_000, "total_tokens": 1_100_000, **cached}
    said = {"model": model, "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": usage}
    with serving(say(said)) as endpoint:
        target = build(
            provider=provider, model=model, base_url=endpoint.url, timeout_s=20.0,
            allowed_hosts=dict.fromkeys(KEYS, ("127.0.0.1",)),
        )  # fmt: skip
        answer = target.answer(CALL)
    assert isinstance(answer, Answer)
    assert answer.usd == pytest.approx(usd)
