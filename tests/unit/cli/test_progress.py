"""What a run says of itself while it goes on: lines in a log, groups on a runner, a bar on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from importlib.util import find_spec
from pathlib import Path

import pytest

from gate.cli import progress as module
from gate.cli.progress import TrialProgress, clock
from gate.core.model import Answer, Missing, Trial, Unanswered

ROOT = Path(__file__).parents[3]
NEEDS_RICH = pytest.mark.skipif(find_spec("rich") is None, reason="rich is not installed: the extra `tty`")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def trial(case_id: str = "c-1", *, value: float | None = 1.0) -> Trial:
    missing = Missing.TIMED_OUT if value is None else None
    return Trial(case_id=case_id, index=0, answer=None, scores=(), value=value, passed=value == 1.0, missing=missing)


def answer(latency_ms: float | None = 2_000.0) -> Answer:
    return Answer(text="x", model="m", latency_ms=latency_ms)


NO_ANSWER = Unanswered(reason=Missing.TIMED_OUT, detail="no answer")


def go(progress: TrialProgress, now: list[float], *, total: int, each: float = 1.0, suite: str = "intent") -> None:
    """One trial after the other: every tenth fails, every twentieth brings nothing."""
    progress.begin(suite, target="sales", total=total)
    for number in range(1, total + 1):
        now[0] += each
        lost = number % 20 == 0
        progress.step(NO_ANSWER if lost else answer(), spent=number * 0.005)
        progress.judged(trial(f"c-{number}", value=None if lost else float(number % 10 != 0)))
    progress.end()


def test_trial_progress__fast_batch_is_one_line(seconds: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    go(TrialProgress(), seconds, total=100, each=0.02)
    assert capsys.readouterr().err == "[100/100] intent  pass 90 fail 5 unscored 5 | $0.50 | p95 2.0 s | took 00:02\n"


def test_trial_progress__slow_batch_is_a_line_each_5_percent(
    seconds: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    go(TrialProgress(), seconds, total=100)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[0] == "[  5/100] intent  pass 4 fail 0 | $0.03 | p95 2.0 s | eta 01:35"
    assert lines[8] == "[ 45/100] intent  pass 40 fail 2 unscored 2 | $0.23 | p95 2.0 s | eta 00:55"


def test_trial_progress__very_slow_batch_is_a_line_each_15_seconds(
    seconds: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    go(TrialProgress(), seconds, total=1000, each=1.5)
    assert len(capsys.readouterr().err.splitlines()) == 100


def test_trial_progress__without_prices_and_latencies(seconds: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrialProgress()
    progress.begin("intent", target="sales", total=2)
    progress.step(answer(None), spent=None)
    progress.judged(trial())
    seconds[0] = 3700.0
    progress.end()
    assert capsys.readouterr().err == "[1/2] intent  pass 1 fail 0 | eta 1:01:40\n"


def test_trial_progress__nothing_came_back(seconds: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrialProgress()
    progress.begin("intent", target="sales", total=2)
    progress.end()
    assert capsys.readouterr().err == "[0/2] intent  pass 0 fail 0 | eta --:--\n"


@pytest.mark.parametrize(
    ("spent", "shown"), [(0.0, "$0.00"), (0.0004, "$0.0004"), (0.21, "$0.21"), (12.345, "$12.35"), (1234.0, "$1234.00")]
)
def test_trial_progress__dollars(spent: float, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrialProgress()
    progress.begin("intent", target="sales", total=1)
    progress.step(answer(None), spent=spent)
    progress.end()
    assert f" | {shown} | " in capsys.readouterr().err


def test_trial_progress__p95_is_of_the_last_thousand(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrialProgress()
    progress.begin("intent", target="sales", total=1200)
    for number in range(1200):
        progress.step(answer(60_000.0 if number < 200 else float(number - 199)), spent=None)
    progress.end()
    assert "| p95 0.9 s |" in capsys.readouterr().err


def test_trial_progress__quiet(seconds: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    go(TrialProgress(quiet=True), seconds, total=100)
    assert capsys.readouterr() == ("", "")


def test_trial_progress__hostile_names(seconds: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    go(TrialProgress(), seconds, total=1, suite="\x1b[2J\n::error::x")
    assert capsys.readouterr().err == "[1/1] \\x1b[2J ::error::x  pass 1 fail 0 | $0.0050 | p95 2.0 s | took 00:01\n"


def test_trial_progress__groups_on_a_runner(
    seconds: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    progress = TrialProgress()
    go(progress, seconds, total=10, each=0.1)
    go(progress, seconds, total=230, each=0.1, suite="50 %\n::endgroup::")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "::group::sales / intent",
        "[10/10] intent  pass 9 fail 1 | $0.05 | p95 2.0 s | took 00:01",
        "::endgroup::",
        "intent: failing: c-10",
        "::group::sales / 50 %25 ::endgroup::",
        *(line for line in err.splitlines() if " | eta " in line),
        "[230/230] 50 % ::endgroup::  pass 207 fail 12 unscored 11 | $1.15 | p95 2.0 s | took 00:23",
        "::endgroup::",
        "50 % ::endgroup::: failing: c-10, c-30, c-50, c-70, c-90, c-110, c-130, c-150, c-170, c-190 and 2 more",
    ]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "00:00"), (70.0, "01:10"), (3599.4, "59:59"), (3599.6, "1:00:00"), (90_061.0, "25:01:01")],
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


SCRIPT = """
import sys, time
from gate.cli.progress import TrialProgress
from gate.core.model import Answer, Trial
if {without}:
    sys.modules["rich"] = None
progress = TrialProgress(quiet={quiet})
progress.begin({suite!r}, target="sales", total={total})
for number in range({total}):
    time.sleep(0.03)
    progress.step(Answer(text="x", model="m", latency_ms=20.0), spent=number * 0.01)
    progress.judged(Trial(case_id="c", index=0, answer=None, scores=(), value=0.0, passed=False))
progress.end()
print("VERDICT")
"""


def on_terminal(
    *,
    suite: str = "intent",
    total: int = 12,
    quiet: bool = False,
    without: bool = False,
    columns: int = 80,
    **environ: str,
) -> str:
    """What a terminal of that width gets on standard error; standard output is a pipe."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    script = SCRIPT.format(suite=suite, total=total, quiet=quiet, without=without)
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        **environ,
    }
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave, env=given
    ) as process:
        os.close(slave)
        shown = read_all(master)
        assert process.stdout is not None
        assert process.stdout.read() == b"VERDICT\n"
    assert process.returncode == 0, shown
    return shown


def read_all(master: int) -> str:
    pieces = []
    try:
        while piece := os.read(master, 65_536):
            pieces.append(piece)
    except OSError:  # the other end is closed
        pass
    os.close(master)
    return b"".join(pieces).decode()


def frames(shown: str) -> list[str]:
    """What stood in the line, one after the other, without colours."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    return [frame.rstrip() for frame in re.split(r"[\r\n]+", plain) if frame.strip()]


@NEEDS_RICH
def test_bar__is_drawn_over_in_one_line() -> None:
    shown = on_terminal()
    assert shown.count("\n") == 1
    assert shown.startswith("\x1b[?25l")
    assert shown.index("\x1b[?25h") > shown.index("\x1b[?25l")
    every = frames(shown)
    assert len(every) >= 3
    assert every[0].startswith("intent ")
    assert every[0].endswith(" 0/12 0/s eta --:--")
    assert re.fullmatch(r"intent ━{24} 12/12 \d+/s took 00:0\d \$0\.11 fail 12", every[-1])
    assert max(map(len, every)) < 80


@NEEDS_RICH
def test_bar__no_colour_where_none_is_wanted() -> None:
    assert re.search(r"\x1b\[[0-9;]*38;", on_terminal())
    assert not re.search(r"\x1b\[[0-9;]*(3[0-9]|38);?[0-9;]*m", on_terminal(NO_COLOR="1"))


@NEEDS_RICH
@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_bar__never_wraps(columns: int) -> None:
    shown = on_terminal(suite="sales_email_intent_with_a_long_name", total=4, columns=columns)
    assert max(map(len, frames(shown))) < columns
    assert shown.count("\n") == 1


@NEEDS_RICH
def test_bar__hostile_name() -> None:
    shown = on_terminal(suite="[red]\x1b[2Jx\n::error::", total=4)
    assert "\x1b[2J" not in shown
    assert "\n::error" not in shown
    assert frames(shown)[-1].startswith("[red]\\x1b[2Jx ::err… ")


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": ""}, {"GITHUB_ACTIONS": "true"}])
def test_terminal__that_cannot_draw_gets_lines(environ: dict[str, str]) -> None:
    shown = on_terminal(**environ)
    assert "\x1b" not in shown
    assert re.search(r"\[12/12\] intent  pass 0 fail 12 \| \$0\.11 \| p95 0\.0 s \| took 00:0\d\r\n", shown)


def test_terminal__without_rich_gets_lines() -> None:
    assert re.fullmatch(r"\[12/12\] intent  pass 0 fail 12 [^\x1b]*\r\n", on_terminal(without=True))


def test_terminal__quiet() -> None:
    assert on_terminal(quiet=True) == ""


def test_pipe__gets_no_control_character() -> None:
    script = SCRIPT.format(suite="intent", total=3, quiet=False, without=False)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", "FORCE_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=environ)
    assert re.fullmatch(rb"\[3/3\] intent  pass 0 fail 3 [ -~]*\n", done.stderr)
    assert done.stdout == b"VERDICT\n"
