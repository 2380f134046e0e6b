"""Custom scorers in a process of their own."""

from pathlib import Path

import pytest

from gate.core.model import Missing, ToolCall
from gate.documents.tree import WorkingTree
from gate.scorers.table import build_scorer
from tests.unit.scorers.exhibits import MemoryTree, case, exhibit, judge, unscored

CODE = """
import os, sys, time

def share(message):
    return {"value": 0.25, "explanation": "a quarter\\n\\x1b[31m of " + message["case"]["id"]}

def bare(message):
    return 1

def echo(message):
    return {"value": 0.5, "explanation": repr(message)}

def silent(message):
    return {"value": 0.5}

def two(message):
    return 1.5

def negative(message):
    return -0.001

def nan(message):
    return float("nan")

def nothing(message):
    return None

def true(message):
    return True

def text(message):
    return "1"

def no_value(message):
    return {"explanation": "why"}

def odd_explanation(message):
    return {"value": 1, "explanation": 5}

def raising(message):
    raise RuntimeError("no\\u202e luck " + "x" * 10_000)

def dying(message):
    os._exit(3)

def sleeping(message):
    time.sleep(60)

def long(message):
    return {"value": 1, "explanation": "\\x00" * 10_000}

def environment(message):
    return {"value": 1.0, "explanation": str(os.environ.get("OPENAI_API_KEY"))}
"""


@pytest.fixture
def scorer(tmp_path):
    (tmp_path / "judges.py").write_text(CODE, "utf-8")
    tmp_path.chmod(0o755)

    def build(function, **options):
        return build_scorer("python", {"call": f"judges:{function}", **options}, folder="s", tree=WorkingTree(tmp_path))

    return build


def test_python__value_and_explanation(scorer):
    assert judge(scorer("share"), exhibit("hi")) == (0.25, r"a quarter\n\x1b[31m of en-0001")


def test_python__bare_number(scorer):
    assert judge(scorer("bare"), exhibit("hi")) == (1.0, "judges:bare returned 1")
    assert judge(scorer("silent"), exhibit("hi")) == (0.5, "judges:silent returned 0.5")


def test_python__message_holds_case_and_answer(scorer):
    calls = (ToolCall(name="f", arguments={"x": [1]}),)
    explanation = judge(scorer("echo"), exhibit("t\ud800", calls=calls, k="v"))[1]
    message = {
        "case": {"id": "en-0001", "input": {"email": "hi"}, "expected": {"k": "v"}, "tags": {"language": "en"}},
        "answer": {"text": "t\ud800", "tool_calls": [{"name": "f", "arguments": {"x": [1]}}]},
    }
    assert explanation == repr(message).replace("\\", "\\\\")


@pytest.mark.parametrize(
    ("function", "detail"),
    [
        ("two", "judges:two must return a number from 0 to 1, not 1.5"),
        ("negative", "judges:negative must return a number from 0 to 1, not -0.001"),
        ("nothing", "judges:nothing must return a number from 0 to 1, not nothing"),
        ("true", "judges:true must return a number from 0 to 1, not true or false"),
        ("text", "judges:text must return a number from 0 to 1, not text"),
        ("no_value", "judges:no_value must return a number from 0 to 1, not nothing"),
        ("odd_explanation", "judges:odd_explanation must explain itself with text, not a number"),
    ],
)
def test_python__what_is_no_score_is_unscored(scorer, function, detail):
    result = unscored(scorer(function), exhibit("hi"))
    assert (result.reason, result.detail) == (Missing.SCORER_FAILED, detail)


@pytest.mark.parametrize(
    ("function", "part"),
    [
        ("nan", "Out of range float values"),
        ("raising", "RuntimeError: no\\\\u202e luck xxx"),
        ("dying", "exit code 3"),
        ("no_such", "AttributeError"),
    ],
)
def test_python__what_goes_wrong_is_unscored_with_the_reason(scorer, function, part):
    result = unscored(scorer(function), exhibit("hi"))
    assert result.reason is Missing.SCORER_FAILED
    assert result.detail.startswith(f"judges:{function}: worker ended without an answer: ")
    assert part in result.detail


def test_python__timeout_is_unscored(scorer):
    result = unscored(scorer("sleeping", timeout=0.5), exhibit("hi"))
    assert result.reason is Missing.SCORER_FAILED
    assert result.detail == "judges:sleeping: timed out: no answer within 0.5 s"


def test_python__long_explanations_are_cut(scorer):
    value, explanation = judge(scorer("long"), exhibit("hi"))
    assert value == 1.0
    assert explanation.endswith("\\x00...")


def test_python__sees_no_keys(scorer, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    assert judge(scorer("environment"), exhibit("hi")) == (1.0, "None")


def test_python__applies_to_every_case(scorer):
    assert scorer("bare").applies(case())


def test_python__without_a_folder_the_working_folder_is_used():
    built = build_scorer("python", {"call": "a.b:c"}, folder="s", tree=MemoryTree())
    assert built.cwd == Path()
