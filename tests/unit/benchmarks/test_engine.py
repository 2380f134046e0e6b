"""What the engine's benchmark makes of its figures, and that its own project and processes work."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.engine.calls import CHANGES
from benchmarks.engine.collect import FULL, GATE, POOL, Collected, Load
from benchmarks.engine.goals import judge_goals
from benchmarks.engine.measure import Measured, ProcessError, best, bytecode, run_process
from benchmarks.engine.page import page
from benchmarks.engine.project import Shape, write_project
from gate.cli.main import run

LOAD = Load(cases=5_000, latency_ms=200, workers=64)


def measured(wall_s: float, *, cpu_s: float = 5.0, peak_mb: float = 100.0) -> Measured:
    return Measured(wall_s=wall_s, cpu_s=cpu_s, peak_mb=peak_mb)


def collected(**changes: object) -> Collected:
    found = Collected(plan=replace(FULL, loads=(LOAD,)), processors=2)
    found.clients = {GATE: {LOAD: measured(16.25)}, POOL: {LOAD: measured(16.0)}}
    found.help_s, found.first_request_s = 0.1, 0.4
    found.large = {1: measured(60.0, peak_mb=180.0), 3: measured(180.0, peak_mb=190.0)}
    found.decide_s, found.report_s = 1.0, 5.0
    found.calls = dict.fromkeys(CHANGES, 0.2)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def test_ideal_s() -> None:
    assert LOAD.ideal_s == 15.625


def test_judge_goals__all_reached() -> None:
    goals = judge_goals(collected())
    assert [goal.reached for goal in goals] == [True] * 6
    assert goals[0].measured == "1.04"


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"clients": {GATE: {LOAD: measured(17.2)}, POOL: {LOAD: measured(16.0)}}}, 0),
        ({"clients": {GATE: {LOAD: measured(16.0, cpu_s=7.6)}, POOL: {LOAD: measured(16.0)}}}, 1),
        ({"help_s": 0.16}, 2),
        ({"first_request_s": 0.51}, 3),
        ({"large": {1: measured(1.0), 3: measured(1.0, peak_mb=201.0)}}, 4),
        ({"report_s": 9.5}, 5),
    ],
)
def test_judge_goals__missed(changes: dict[str, object], missed: int) -> None:
    assert [number for number, goal in enumerate(judge_goals(collected(**changes))) if not goal.reached] == [missed]


def test_page__says_what_was_measured_and_what_was_left_out() -> None:
    text = page(collected(skipped={"openai": "it is not installed there"}))
    assert "| 5,000 | 200 ms | 64 | **gate check** | 16.25 | 1.04 | 1.02 | 5.00 | 1.00 | 100 |" in text
    assert "| 5,000 | 200 ms | 64 | requests pool | 16.00 | 1.02 | 1.00 | 5.00 | 1.00 | 100 |" in text
    assert "- openai: left out, it is not installed there." in text
    assert "| broken prompt | 20 % |" in text


def test_best__least_wall() -> None:
    assert best([measured(2.0), measured(1.0), measured(3.0)]).wall_s == 1.0


def test_write_project__is_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(tmp_path, Shape(cases=100, url="http://127.0.0.1:1/v1"))
    assert run(["validate", "--root", str(tmp_path)]) == 0, capsys.readouterr()


def test_run_process__measures_children_too() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(60_000_000)'])"
    with bytecode():
        one = run_process([sys.executable, "-c", script])
    assert one.peak_mb > 57
    assert one.wall_s > 0 < one.cpu_s


def test_run_process__other_exit_code() -> None:
    with bytecode(), pytest.raises(ProcessError, match="exit 7\nwhy\n"):
        run_process([sys.executable, "-c", "import sys; print('why'); sys.exit(7)"])
