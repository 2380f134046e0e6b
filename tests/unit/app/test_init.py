"""The owner's lines in CODEOWNERS."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.app.init import OWNED, REMOTE, _codeowners, read_facts
from gate.errors import ConfigurationError
from tests.rigs.repository import Repository

LINES = "".join(f"/{part} @acme\n" for part in OWNED)
HEAD = "# Changes to the gate itself need a second pair of eyes.\n"


def owners(tmp_path: Path, present: str | None, owner: str = "@acme") -> str:
    path = tmp_path / "CODEOWNERS"
    if present is not None:
        path.write_text(present)
    return _codeowners(path, owner)


def test_codeowners__new_file(tmp_path: Path) -> None:
    assert owners(tmp_path, None) == HEAD + LINES


def test_codeowners__only_what_is_missing_is_added_and_once(tmp_path: Path) -> None:
    first = owners(tmp_path, "* @dana\n/gate.yaml @dana\nbaselines/ @erin")
    assert first == "* @dana\n/gate.yaml @dana\nbaselines/ @erin\n" + HEAD + "/.github/ @acme\n/golden_sets/ @acme\n"
    assert owners(tmp_path, first) == first


def test_codeowners__without_an_owner_lines_are_comments_and_written_once(tmp_path: Path) -> None:
    first = owners(tmp_path, None, "")
    assert first == HEAD + "".join(f"# /{part} @your-team\n" for part in OWNED)
    assert owners(tmp_path, first, "") == first


@pytest.mark.parametrize(
    ("url", "owner"),
    [
        ("git@github.com:acme/shop.git", "acme"),
        ("https://github.com/acme/shop", "acme"),
        ("https://github.com/acme/shop.git", "acme"),
        ("ssh://git@github.com/acme/shop.git", "acme"),
        ("https://example.com/@evil/shop", None),
    ],
)
def test_remote__owner(url: str, owner: str | None) -> None:
    found = REMOTE.search(url)
    assert (found["owner"] if found else None) == owner


def test_read_facts__below_the_root_of_a_repository(tmp_path: Path) -> None:
    Repository(tmp_path).git("init", "--quiet")
    folder = tmp_path / "inner"
    folder.mkdir()
    with pytest.raises(ConfigurationError, match="inner: not the root of its git repository") as caught:
        read_facts(folder)
    assert caught.value.hint == f"go to {tmp_path.resolve()} first"


def test_codeowners__not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "CODEOWNERS"
    path.write_bytes(b"* @j\xf6rg\n")
    with pytest.raises(ConfigurationError, match="CODEOWNERS: not UTF-8"):
        _codeowners(path, "@acme")
