"""load_waivers on real files."""

from pathlib import Path

import pytest

from gate.core.policy import Waiver
from gate.documents.tree import WorkingTree
from gate.errors import ConfigurationError
from gate.suites.waivers import load_waivers

ONE = "- {suite: attacks, case: pa-001, reason: vendor fix due, by: dana, expires: 2026-02-28}\n"


def loaded(folder: Path, text: str) -> tuple[Waiver, ...]:
    (folder / "gate-waivers.yaml").write_text(text, encoding="utf-8")
    return load_waivers(WorkingTree(folder))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    return str(caught.value)


def test_load_waivers__absent_file(tmp_path: Path) -> None:
    assert load_waivers(WorkingTree(tmp_path)) == ()


@pytest.mark.parametrize("text", ["", "# none\n", "[]\n"])
def test_load_waivers__empty_file(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == ()


def test_load_waivers__in_file_order(tmp_path: Path) -> None:
    first = Waiver(suite="attacks", case="pa-001", reason="vendor fix due", by="dana", expires="2026-02-28")
    second = Waiver(suite="attacks", case="aa-001", reason="vendor fix due", by="dana", expires="2026-02-28")
    assert loaded(tmp_path, ONE + ONE.replace("pa-", "aa-")) == (first, second)


@pytest.mark.parametrize("day", ["2026-02-30", "2026-0228", "28.02.2026", "2026-2-3", "soon", "2026-W01-1"])
def test_load_waivers__bad_date(tmp_path: Path, day: str) -> None:
    message = f'gate-waivers.yaml:1:77: [0].expires: must be a date as YYYY-MM-DD, not "{day}"'
    assert refusal(tmp_path, ONE.replace("2026-02-28", day)) == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reason:", "reson:", '[0]: unknown key "reson" (did you mean "reason"?)'),
        ("by: dana", "by: ''", "[0].by: must have at least 1 character"),
        ("by: dana, ", "", '[0]: the key "by" is missing'),
        ("pa-001", "'*'", "[0].case: must be 1 to 80 letters"),
        ("2026-02-28", "20260228.5", "[0].expires: must be text, not 20260228.5"),
    ],
)
def test_load_waivers__refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in refusal(tmp_path, ONE.replace(old, new))


def test_load_waivers__mapping_at_the_top(tmp_path: Path) -> None:
    assert refusal(tmp_path, "waivers: []\n") == "gate-waivers.yaml:1:1: must be a list, not a mapping"
