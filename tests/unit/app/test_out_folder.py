from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.app.out_folder import give_files, give_to_owner

RUNNER = 1001
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name in ("prompts/new/mail.md", "prompts/old.md", "lockgate-out/inputs/policy.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.chown(tmp_path, RUNNER, RUNNER)
    return tmp_path


def given(workspace: Path) -> set[str]:
    return {path.relative_to(workspace).as_posix() for path in workspace.rglob("*") if path.lstat().st_uid == RUNNER}


def test_give_files__hands_over_the_files_and_their_folders(workspace: Path) -> None:
    give_files(["prompts/new/mail.md"], workspace)
    assert given(workspace) == {"prompts", "prompts/new", "prompts/new/mail.md"}


def test_give_files__never_follows_a_link(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "file"
    elsewhere.touch()
    (workspace / "link").symlink_to(elsewhere)
    give_files(["link"], workspace)
    assert (given(workspace), elsewhere.stat().st_uid) == ({"link"}, 0)


def test_give_to_owner__hands_over_the_out_folder_alone(workspace: Path) -> None:
    give_to_owner(workspace / "lockgate-out", workspace)
    assert given(workspace) == {"lockgate-out", "lockgate-out/inputs", "lockgate-out/inputs/policy.json"}
