"""From option values to a request."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from gate.cli.options import date_or_today, request_from


def test_date_or_today__today_in_utc() -> None:
    before = datetime.now(UTC).date().isoformat()
    found = date_or_today(None)
    assert before <= found <= datetime.now(UTC).date().isoformat()
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", found)


def test_date_or_today__other_spellings_become_one() -> None:
    assert date_or_today("20261121") == "2026-11-21"


@pytest.mark.parametrize("text", ["", "21.11.2026", "2026-11-31", "2026-11-21T00:00"])
def test_date_or_today__no_date(text: str) -> None:
    with pytest.raises(click.UsageError, match="--as-of must be YYYY-MM-DD"):
        date_or_today(text)


def test_request_from__what_is_not_given_keeps_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-planted")
    request = request_from(root=Path(), out=Path("o"), as_of="2026-11-21", passes=None, base=None, targets=("a",))
    assert (request.passes, request.base, request.targets, request.seed, request.every) == (
        None,
        None,
        ("a",),
        1,
        False,
    )
    assert request.environ["MY_KEY"] == "sk-planted"
    assert "sk-planted" not in repr(request)
