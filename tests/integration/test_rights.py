"""Code of the repository that runs as user 0 is told of: once before anything runs, and in the report without a path."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from gate.worker.privileges import NOBODY, user_to_become, why_root_stays
from tests.projects import SUITE, Project, case_lines, echo_cases, offline_files, program_files

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can stay root")
WHY = "not everybody can reach /root/app"
LOUD = (
    "WARNING: code of this repository runs as user 0: {}. It holds no capability, and yet may read root's files and use "
    f"root's sockets, because {WHY}. Check out and install where everybody can read, or run gate as an ordinary user."
)
SMALL = "Code of this repository ran as user 0, with root's files and sockets in reach: {}."
FEW = {f"{SUITE}/suite.yaml": "kind: golden\nscope: set\nscorers: [{exact: {}}]\n"}
SCORED = {
    f"{SUITE}/suite.yaml": "kind: golden\nscope: set\nscorers: [{python: {call: 'judge:score'}}]\n",
    "judge.py": "def score(document): return 1\n",
}


@pytest.fixture
def stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of root whose folders `nobody` cannot reach, whoever runs the tests."""
    monkeypatch.setattr("gate.app.rights.why_root_stays", lambda _folder: WHY)


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


def small_print(project: Project) -> str:
    return (project.record / "summary.md").read_text(encoding="utf-8").split("<sub>")[-1].split("</sub>")[0]


@pytest.mark.usefixtures("stays")
@pytest.mark.parametrize(
    ("files", "what"),
    [
        (program_files(command=["sh", "answer.sh"]) | FEW, "target echo"),
        (program_files(python="answers:answer") | FEW, "target echo"),
        (program_files(command=["sh", "answer.sh"]) | SCORED, "target echo, scorer of echo"),
    ],
)
def test_check__tells_of_code_that_runs_as_user_0(
    project: Project, files: dict[str, str | bytes | None], what: str
) -> None:
    project.write({**files, f"{SUITE}/cases.jsonl": case_lines(echo_cases(2))})
    ran = project.gate("check", "--quiet", "--passes", "2")
    assert ran.err.count("user 0") == 1
    assert LOUD.format(what) in ran.err.splitlines()
    told = small_print(project)
    assert SMALL.format(what) in told.replace("&#39;", "'").replace("\\", "")
    assert "/root/app" not in told


@pytest.mark.usefixtures("stays")
def test_check__of_a_model_with_plain_scorers_has_nothing_to_tell(project: Project) -> None:
    project.write(offline_files())
    ran = project.gate("check", "--quiet", "--passes", "1")
    assert ran.code == 10
    assert "user 0" not in ran.text + small_print(project)


def test_check__where_nobody_takes_over_has_nothing_to_tell(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.app.rights.why_root_stays", lambda _folder: "")
    project.write(
        program_files(command=["sh", "answer.sh"]) | FEW | {f"{SUITE}/cases.jsonl": case_lines(echo_cases(2))}
    )
    ran = project.gate("check", "--quiet", "--passes", "1")
    assert ran.code == 10
    assert "user 0" not in ran.text + small_print(project)


@NEEDS_ROOT
def test_why_root_stays__names_what_is_closed() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        if why_root_stays(Path("/")):
            pytest.skip("needs an interpreter that everybody can reach")
        Path(folder).chmod(0o700)
        assert (why_root_stays(Path(folder)), user_to_become(Path(folder))) == (
            f"not everybody can reach {folder}", None
        )  # fmt: skip
        Path(folder).chmod(0o755)
        assert (why_root_stays(Path(folder)), user_to_become(Path(folder))) == ("", NOBODY)


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user")
def test_why_root_stays__says_nothing_of_an_ordinary_user(tmp_path: Path) -> None:
    assert (why_root_stays(tmp_path), user_to_become(tmp_path)) == ("", None)
