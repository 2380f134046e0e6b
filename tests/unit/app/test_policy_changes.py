"""Edits of what the base decides, named one by one."""

from __future__ import annotations

from typing import Any

import pytest

from gate.app.policy_changes import policy_changes
from gate.suites.settings import Settings

TARGET = {"command": ["true"], "suites": ["golden_sets/a"]}


def made(**top: Any) -> Settings:
    return Settings.model_validate({"version": 1, "targets": {"t": TARGET}} | top, strict=False)


def test_policy_changes__none() -> None:
    assert policy_changes(made(), made()) == ()
    other = {"t": {"command": ["false"], "suites": ["golden_sets/b"]}}
    assert policy_changes(made(), made(targets=other)) == ()


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"policy": {"margin": 0.03}}, {"policy": {"margin": 0.08}}, "`policy.margin`: `0.03` -> `0.08`"),
        ({}, {"policy": {"margin": 0.03}}, "`policy.margin`: `the profile's` -> `0.03`"),
        ({}, {"mode": "advisory"}, "`mode`: `enforce` -> `advisory`"),
        ({}, {"policy": {"profile": "ci"}}, "`policy.profile`: `merge` -> `ci`"),
        (
            {"policy": {"floors": {"safety": 0.9}}},
            {"policy": {"floors": {}}},
            "`policy.floors.safety`: `0.9` -> `not set`",
        ),
        (
            {"policy": {"slices": {"language": "block"}}},
            {"policy": {"slices": {"language": "warn"}}},
            "`policy.slices.language`: `block` -> `warn`",
        ),
        ({}, {"policy": {"on_broken": "rollback"}}, "`policy.on_broken`: `hold` -> `rollback`"),
        (
            {},
            {"policy": {"dimensions": {"safety": "report"}}},
            "`policy.dimensions.safety`: `not set` -> `report`",
        ),
        ({"budget": {"usd": 5.0}}, {"budget": {"usd": 500.0}}, "`budget.usd`: `5.0` -> `500.0`"),
        (
            {"credentials": {"KEY": ("a.example",)}},
            {"credentials": {"KEY": ("a.example", "evil.example")}},
            "`credentials.KEY`: `a.example` -> `a.example, evil.example`",
        ),
    ],
)
def test_policy_changes__names_the_key_and_both_values(before: dict[str, Any], now: dict[str, Any], told: str) -> None:
    assert policy_changes(made(**before), made(**now)) == (f"{told}, not followed",)


def test_policy_changes__bounded_and_quoted() -> None:
    slices = {f"`x` {number} {'y' * 150}": "block" for number in range(12)}
    told = policy_changes(made(), made(policy={"slices": slices}))
    assert (len(told), told[-1]) == (9, "4 more changes of gate.yaml, not followed")
    assert all(line.count("`") == 6 and len(line) < 200 for line in told[:-1])
