"""A person or a runner ends a run: what was answered is kept, and nothing was decided on the rest."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from tests.projects import CASES, PATIENCE, SUITE, ModelServer, Project, case_lines, echo_cases, program_files


def wait_for(condition: object, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_check__interrupted_while_calls_are_on_their_way(
    number: signal.Signals, promoted: Project, model: ModelServer
) -> None:
    model.hold_after(10)
    with promoted.spawn("check", "--all", "--quiet") as process:
        wait_for(lambda: len(model.prompts) >= 18, process)
        process.send_signal(number)
        time.sleep(0.2)
        model.released.set()
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out.startswith("■ HOLD: not shown either way\n")
    assert "the evidence is incomplete: the run was interrupted" in promoted.sentences()
    assert promoted.decision()["outcome"] == "HOLD"
    # Those on their way were paid for: they are kept, too, and none was sent afterwards.
    assert len(promoted.trials()) == len(model.prompts) == 18
    assert all(trial["passed"] for trial in promoted.trials())
    assert f"{CASES - 18} of {CASES} trials have no score (never run)" in promoted.sentences()
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0
    assert "The run was interrupted." in (promoted.record / "summary.md").read_text()


def test_check__interrupted_while_a_custom_scorer_judges(promoted: Project, model: ModelServer) -> None:
    suite = "kind: golden\nscope: set\nscorers: [{python: {call: 'judge:score', timeout: 30}}]\n"
    judge = "import pathlib, time\ndef score(document):\n    pathlib.Path('judging').touch()\n    time.sleep(60)\n"
    promoted.write({f"{SUITE}/suite.yaml": suite, "judge.py": judge, f"{SUITE}/cases.jsonl": case_lines(echo_cases(5))})
    promoted.root.chmod(0o777)
    with promoted.spawn("check", "--all", "--quiet") as process:
        wait_for((promoted.root / "judging").exists, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    # What was answered while the first answer was judged is kept, without a score.
    assert len(promoted.trials()) == len(model.prompts) > 0
    assert all(trial["answer"]["text"] == trial["case_id"] for trial in promoted.trials())
    assert {trial["missing"] for trial in promoted.trials()} == {"interrupted"}
    assert "the run was interrupted" in promoted.sentences()


def test_check__interrupted_while_a_program_answers(empty: Project) -> None:
    empty.write(program_files(command=["sh", "answer.sh"], timeout=20))
    empty.write({"answer.sh": "touch started\nexec sleep 3\n"})
    with empty.spawn("check", "--quiet") as process:
        wait_for((empty.root / "started").exists, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert out.startswith("■ HOLD: not shown either way\n")
    assert "the run was interrupted" in empty.sentences()


def test_promote__interrupted_writes_no_baseline(promoted: Project, model: ModelServer) -> None:
    before = (promoted.root / "baselines/echo/echo.json").read_bytes()
    model.hold_after(10)
    with promoted.spawn("promote", "--passes", "2", "--quiet") as process:
        wait_for(lambda: len(model.prompts) >= 18, process)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        model.released.set()
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert out.startswith("the baseline stays as it is: HOLD\n- the evidence is incomplete: the run was interrupted\n")
    assert (promoted.root / "baselines/echo/echo.json").read_bytes() == before


def test_check__killed_midway_keeps_what_was_answered(promoted: Project, model: ModelServer) -> None:
    model.hold_after(10)
    with promoted.spawn("check", "--all", "--quiet") as process:
        wait_for(lambda: len(model.prompts) >= 18, process)
        wait_for(lambda: len(promoted.trials()) >= 3, process)
        process.kill()
        model.released.set()
        process.communicate(timeout=PATIENCE)
    kept = promoted.trials()
    assert 3 <= len(kept) <= 10
    assert all(trial["passed"] for trial in kept)
    assert not (promoted.record / "decision.json").exists()
    shown = promoted.gate("show", kept[0]["case_id"])
    assert (shown.code, shown.err) == (0, "")
    assert "now, trial 1: passed at 1.00\n" in shown.out
