"""The model of gate.yaml as a definition, and what of it is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.app.model_settings import identity_parameters, with_model
from gate.documents.tree import WorkingTree
from gate.errors import ConfigurationError
from gate.suites.settings import ModelSettings
from gate.targets.definition import TargetDefinition

PLAIN = {"provider": "deepseek", "name": "deepseek-v4-flash", "temperature": 0.2, "max_output_tokens": 9}


def definition(tmp_path: Path, **changes: object) -> TargetDefinition:
    model = ModelSettings.model_validate(PLAIN | changes)
    return with_model(TargetDefinition(name="t"), model, WorkingTree(tmp_path))


def test_with_model__takes_everything(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"type": "object"}', "utf-8")
    found = definition(
        tmp_path, seed="per-trial", stream=True, response_schema="s.json", token_limit_key="max_tokens", api_key="K"
    )
    assert found == TargetDefinition(
        name="t",
        provider="deepseek",
        model="deepseek-v4-flash",
        temperature=0.2,
        max_output_tokens=9,
        token_limit_key="max_tokens",
        seed_per_trial=True,
        stream=True,
        response_schema={"type": "object"},
        api_key_name="K",
    )


def test_with_model__takes_a_seed(tmp_path: Path) -> None:
    found = definition(tmp_path, seed=7)
    assert (found.seed, found.seed_per_trial) == (7, False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "s.json: no such file in "),
        (b"{", "s.json: not JSON: "),
        (b"\xff", "s.json: not JSON: "),
        (b'{"a": 1, "a": 2}', "s.json: not JSON: "),
        (b"[]", "s.json: not a JSON Schema"),
    ],
)
def test_with_model__refuses_a_schema(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "s.json").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        definition(tmp_path, response_schema="s.json")
    assert str(caught.value).startswith(message)
    assert caught.value.hint


def test_identity_parameters__name_only_what_is_used(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("{}", "utf-8")
    plain = {"temperature": 0.2, "max_output_tokens": 9, "seed": None}
    assert identity_parameters(definition(tmp_path)) == plain
    used = identity_parameters(definition(tmp_path, seed="per-trial", response_schema="s.json"))
    assert used["seed"] == "per-trial"
    assert str(used["response_schema"]).startswith("sha256:")
