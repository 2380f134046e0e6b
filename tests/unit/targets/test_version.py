"""version_hash: what changes it, and how much it covers."""

import dataclasses

import pytest

from gate.targets.definition import TargetDefinition
from gate.targets.version import Coverage, version_hash

MODEL = TargetDefinition(name="a", provider="openai", model="m-1", prompt="p.md", temperature=0.2, max_output_tokens=9)
PROGRAM = TargetDefinition(name="a", command=("./a", "b"))


def test_version_hash__of_a_model_with_prompt_is_complete() -> None:
    assert version_hash(MODEL, "sha256:1", {}).coverage is Coverage.COMPLETE


def test_version_hash__of_a_model_without_prompt_is_unknown() -> None:
    assert version_hash(MODEL, None, {}).coverage is Coverage.UNKNOWN


@pytest.mark.parametrize(
    "definition",
    [PROGRAM, TargetDefinition(name="a", python="a:b"), TargetDefinition(name="a", endpoint="https://x.example")],
)
def test_version_hash__of_a_program_covers_declared_files(definition: TargetDefinition) -> None:
    assert version_hash(definition, None, {"a.py": "sha256:1"}).coverage is Coverage.DECLARED
    assert version_hash(definition, "sha256:1", {}).coverage is Coverage.UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "offline"},
        {"model": "m-2"},
        {"temperature": 0.0},
        {"temperature": None},
        {"max_output_tokens": 10},
        {"seed": 1},
        {"base_url": "http://127.0.0.1"},
        {"command": ("x",)},
        {"command": ()},
        {"python": "a:b"},
        {"endpoint": "https://x.example"},
        {"api_version": "2024-10-21"},
        {"seed_per_trial": True},
        {"response_schema": {}},
    ],
)
def test_version_hash__changes_with_what_shapes_answers(change: dict[str, object]) -> None:
    changed = dataclasses.replace(MODEL, **change)  # type: ignore[arg-type]
    assert version_hash(changed, "sha256:1", {}).digest != version_hash(MODEL, "sha256:1", {}).digest


def test_version_hash__changes_with_prompt_and_files() -> None:
    digests = {
        version_hash(PROGRAM, prompt, files).digest
        for prompt in (None, "sha256:1", "sha256:2")
        for files in ({}, {"a": "sha256:1"}, {"b": "sha256:1"}, {"a": "sha256:2"})
    }
    assert len(digests) == 12


@pytest.mark.parametrize(
    "change", [{"name": "b"}, {"timeout_s": 1.0}, {"api_key_name": "K"}, {"prompt": "other.md"}, {"stream": True}]
)
def test_version_hash__ignores_the_rest(change: dict[str, object]) -> None:
    changed = dataclasses.replace(MODEL, **change)  # type: ignore[arg-type]
    assert version_hash(changed, "sha256:1", {}) == version_hash(MODEL, "sha256:1", {})


def test_version_hash__ignores_the_order_of_files() -> None:
    files = {"a": "sha256:1", "b": "sha256:2"}
    assert version_hash(PROGRAM, None, files) == version_hash(PROGRAM, None, dict(reversed(files.items())))


def test_version_hash__of_what_there_always_was_stays() -> None:
    """Baselines carry this hash: it may not change for a definition that uses nothing new."""
    known = "sha256:9d97faaa6c432d7d3da967eb652165eb717d84000e9c4c74f35387cab3ce5112"
    assert version_hash(MODEL, "sha256:1", {}).digest == known
