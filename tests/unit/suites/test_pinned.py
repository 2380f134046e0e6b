"""Model names that float and that do not."""

import pytest

from gate.suites.pinned import refuse_floating

LOCAL = "http://127.0.0.1:8000/v1"
OPENAI = "https://api.openai.com/v1"


def refusal(**model: str | None) -> str:
    """What is said against a model's name; empty where it is taken."""
    try:
        refuse_floating(**model)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("name", "base_url"),
    [
        ("gpt-4.1-mini-2025-04-14", None),
        ("gpt-3.5-turbo-0125", OPENAI),
        ("gpt-4-1106-preview", None),
        ("ft:gpt-4o-mini-2024-07-18:org::id", None),
        ("model-20250414", None),
        ("qwen2.5-7b-instruct", LOCAL),
    ],
)
def test_refuse_floating__pinned(name: str, base_url: str | None) -> None:
    assert refusal(provider="openai", name=name, base_url=base_url) == ""


@pytest.mark.parametrize(
    ("name", "base_url"),
    [
        ("gpt-4o", None),
        ("gpt-4o", OPENAI),
        ("gpt-3.5-turbo-16k", None),
        ("chatgpt-4o-latest", None),
        ("llama3.1:latest", LOCAL),
        ("my-model", LOCAL),
        ("LATEST", LOCAL),
        ("latest-2025-01-01", None),
    ],
)
def test_refuse_floating__floating(name: str, base_url: str | None) -> None:
    said = f'"{name}" is a floating model name; pin the dated name, such as gpt-4o-2024-08-06'
    assert refusal(provider="openai", name=name, base_url=base_url) == said


@pytest.mark.parametrize(
    ("provider", "name", "base_url"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929", None),
        ("anthropic", "claude-3-opus-20240229", "https://api.anthropic.com"),
        ("anthropic", "claude-opus-4-6", None),
        ("anthropic", "claude-sonnet-5", None),
        ("anthropic", "claude-sonnet-4-5", LOCAL),
        ("azure", "gpt-4o-2024-08-06", "https://x.openai.azure.com"),
        ("deepseek", "deepseek-v4-flash", None),
        ("gemini", "gemini-2.5-flash", None),
    ],
)
def test_refuse_floating__pinned_elsewhere(provider: str, name: str, base_url: str | None) -> None:
    assert refusal(provider=provider, name=name, base_url=base_url) == ""


@pytest.mark.parametrize(
    ("provider", "name", "example"),
    [
        ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-opus-4", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-3-5-sonnet-latest", "claude-sonnet-4-5-20250929"),
        ("azure", "prod", "gpt-4o-2024-08-06"),
        ("deepseek", "deepseek-chat", "deepseek-v4-flash"),
        ("gemini", "gemini-flash-latest", "gemini-2.5-flash"),
        ("gemini", "gemini-flash", "gemini-2.5-flash"),
    ],
)
def test_refuse_floating__floating_elsewhere(provider: str, name: str, example: str) -> None:
    said = f'"{name}" is a floating model name; pin the dated name, such as {example}'
    assert refusal(provider=provider, name=name, base_url=None) == said


def test_refuse_floating__offline_needs_no_date_but_no_latest_either() -> None:
    said = '"offline-latest" is a floating model name; pin the dated name, such as gpt-4o-2024-08-06'
    assert refusal(provider="offline", name="greatest", base_url=None) == ""
    assert refusal(provider="offline", name="offline-latest", base_url=None) == said
