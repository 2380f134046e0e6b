"""The file of trials."""

import json
from pathlib import Path

import pytest

from gate.core.model import Answer, Trial
from gate.errors import OutputError
from gate.runner.journal import Journal


def trial(text: str) -> Trial:
    return Trial(case_id="a", index=0, answer=Answer(text=text, model="m"), scores=(), value=1.0, passed=True)


def test_write__is_on_disk_at_once_as_one_line(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "trials.jsonl"
    journal = Journal(path)
    journal.write(trial("one\ntwo\x85\ud800"), place={"target": "t", "suite": "s"}, prompt="ask")
    (line,) = path.read_text().split("\n")[:-1]
    journal.close()
    plain = json.loads(line)
    assert (plain["target"], plain["suite"], plain["prompt"]) == ("t", "s", "ask")
    assert plain["answer"]["text"] == "one\ntwo\x85\ud800"


def test_init__starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text("old\n")
    Journal(path).close()
    assert path.read_text() == ""


def test_init__file_where_a_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match=r"trials\.jsonl: cannot write: File exists") as caught:
        Journal(tmp_path / "taken" / "trials.jsonl")
    assert caught.value.hint == "choose another folder with `--out DIR`"
