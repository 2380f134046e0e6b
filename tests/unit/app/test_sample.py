"""The sample project as a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.app.sample import PARTS, copy_sample
from gate.errors import ConfigurationError, OutputError


def test_copy_sample__into_a_new_folder(tmp_path: Path) -> None:
    copy_sample(tmp_path / "new" / "sample")
    assert sorted(path.name for path in (tmp_path / "new" / "sample").iterdir()) == sorted(PARTS)


def test_copy_sample__not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(ConfigurationError, match="is not empty"):
        copy_sample(tmp_path)


def test_copy_sample__cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="sample: cannot write: Not a directory"):
        copy_sample(tmp_path / "file" / "sample")
