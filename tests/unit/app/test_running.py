"""Ceilings, and the command line that a report names."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.app.bench import ceilings_from
from gate.app.record import reproduce_command
from gate.app.request import CheckRequest
from gate.suites.settings import Settings

TARGET = {"command": ["true"], "suites": ["golden_sets/a"]}


@pytest.mark.parametrize(
    ("own", "asked", "usd"), [(None, None, None), (5.0, None, 5.0), (5.0, 2.0, 2.0), (5.0, 9.0, 5.0), (None, 9.0, 9.0)]
)
def test_ceilings_from__a_run_may_only_ask_for_less(own: float | None, asked: float | None, usd: float | None) -> None:
    budget = {"calls": 7, "minutes": 3.0, **({"usd": own} if own else {})}
    settings = Settings.model_validate({"version": 1, "targets": {"t": TARGET}, "budget": budget}, strict=False)
    made = ceilings_from(settings, asked)
    assert (made.usd, made.calls, made.minutes, made.tokens) == (usd, 7, 3.0, None)


def test_reproduce_command__names_what_was_asked_and_quotes_it() -> None:
    request = CheckRequest(
        root=Path("/secret/root"),
        out=Path("/secret/out"),
        as_of="2026-11-21",
        base="HEAD^",
        prompt="my draft; rm.md",
        passes=2,
        targets=("a", "b"),
        every=True,
        environ={"KEY": "sk-planted"},
    )
    assert reproduce_command(request) == (
        "gate check --base 'HEAD^' --prompt 'my draft; rm.md' --passes 2 --target a --target b --all"
    )
