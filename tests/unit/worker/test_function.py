"""call_function on real modules in a folder."""

from pathlib import Path

import pytest

from gate.core.model import Missing
from gate.worker.function import FunctionResult, call_function
from gate.worker.run import WorkerFailure

MODULE = """
import os, sys, time

def echo(document):
    print("this is not the reply")
    os.system("echo nor is this")
    return {"seen": document, "here": __file__ == os.path.abspath("agent.py")}

def fail(document):
    raise ValueError("no \\x1b[31mred")

def infinite(document):
    return float("nan")

def leave(document):
    os._exit(0)

def exit_well(document):
    sys.exit(0)

def forge(document):
    for number in range(3, 10):
        try:
            os.write(number, b"{}")
        except OSError:
            pass
    return 1

def hang(document):
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agent.py").write_text(MODULE, "utf-8")
    return tmp_path


def call(folder: Path, function: str, *, timeout_s: float = 20) -> FunctionResult | WorkerFailure:
    return call_function(f"agent:{function}", {"a": ["\ud800é"]}, cwd=folder, timeout_s=timeout_s)


def test_call_function__returns_only_the_result(folder: Path) -> None:
    assert call(folder, "echo") == FunctionResult(value={"seen": {"a": ["\ud800é"]}, "here": True})
    assert not (folder / "__pycache__").exists()


@pytest.mark.parametrize(
    ("function", "detail"),
    [
        ("fail", r"agent:fail raised ValueError: no \x1b[31mred"),
        ("missing", "agent:missing raised AttributeError: module 'agent' has no attribute 'missing'"),
        ("infinite", "agent:infinite raised ValueError: Out of range float values are not JSON compliant"),
        ("leave", "ended with exit code 0 without an answer"),
        ("exit_well", "ended with exit code 0 without an answer"),
    ],
)
def test_call_function__names_a_failure(folder: Path, function: str, detail: str) -> None:
    result = call(folder, function)
    assert isinstance(result, WorkerFailure)
    assert result.reason is Missing.DIED
    assert result.detail.startswith(detail)


def test_call_function__refuses_a_reply_that_is_written_over(folder: Path) -> None:
    result = call(folder, "forge")
    assert isinstance(result, WorkerFailure)
    assert result.reason is Missing.MALFORMED


def test_call_function__stops_at_the_time_limit(folder: Path) -> None:
    result = call(folder, "hang", timeout_s=0.5)
    assert result == WorkerFailure(reason=Missing.TIMED_OUT, detail="no answer within 0.5 s")
