"""Command and Python targets on real programs, and the table that builds them."""

import sys
from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Missing, Target, ToolCall, Unanswered, Usage
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.prices import Price
from gate.targets.table import PROVIDERS, build_target

CALL = Call(case_id="c-1", prompt="Grüße \ud800", variables={"n": [1, None]}, seed=7)
PRICES = {"m-1": Price(input=1.0, output=2.0)}
FULL = {
    "text": "é",
    "tool_calls": [{"name": "look", "arguments": {"at": 1}}],
    "usage": {"input_tokens": 1_000_000, "output_tokens": 1_000_000},
    "model": "m-1",
}


def command(code: str, tmp_path: Path, *, timeout_s: float = 20.0) -> Target:
    definition = TargetDefinition(name="mine", command=(sys.executable, "-c", code), timeout_s=timeout_s)
    return build_target(definition, environ={}, root=tmp_path, prices=PRICES)


def function(code: str, tmp_path: Path, *, timeout_s: float = 20.0) -> Target:
    (tmp_path / "agent.py").write_text(code, "utf-8")
    definition = TargetDefinition(name="mine", python="agent:answer", timeout_s=timeout_s)
    return build_target(definition, environ={}, root=tmp_path, prices=PRICES)


def assert_full(answer: Answer | Unanswered) -> None:
    assert isinstance(answer, Answer)
    assert (answer.text, answer.model, answer.usd, answer.modelled) == ("é", "m-1", 3.0, False)
    assert answer.tool_calls == (ToolCall(name="look", arguments={"at": 1}),)
    assert answer.usage == Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    assert answer.latency_ms is not None
    assert answer.latency_ms > 0


def test_answer__of_a_command_with_everything(tmp_path: Path) -> None:
    assert_full(command(f"import json; print(json.dumps({FULL!r}))", tmp_path).answer(CALL))


def test_answer__of_a_function_with_everything(tmp_path: Path) -> None:
    assert_full(function(f"def answer(question): return {FULL!r}", tmp_path).answer(CALL))


def test_answer__of_a_command_sees_the_question(tmp_path: Path) -> None:
    code = "import json, os, sys; q = json.load(sys.stdin); print(json.dumps({'text': ascii(q) + os.getcwd()}))"
    answer = command(code, tmp_path).answer(CALL)
    assert isinstance(answer, Answer)
    seen = r"{'case_id': 'c-1', 'prompt': 'Gr\xfc\xdfe \ud800', 'variables': {'n': [1, None]}, 'seed': 7}"
    assert answer.text == seen + str(tmp_path)
    assert (answer.model, answer.usage, answer.usd) == ("mine", None, None)


def test_answer__of_a_function_may_be_a_string(tmp_path: Path) -> None:
    answer = function("def answer(question): return question['prompt'][:5]", tmp_path).answer(CALL)
    assert isinstance(answer, Answer)
    assert answer.text == "Grüße"


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        ("[]", "the reply is neither an object nor a string"),
        ("{}", "text is missing or not a string"),
        ('{"text": null}', "text is missing or not a string"),
        ('{"text": "a", "tool_call": []}', 'the reply has an unknown key "tool_call" (did you mean "tool_calls"?)'),
        ('{"text": "a", "tool_calls": {}}', "tool_calls is not a list"),
        ('{"text": "a", "tool_calls": [{"name": "x"}]}', "a tool call is not an object with a name and arguments"),
        ('{"text": "a", "tool_calls": [{"arguments": {}}]}', "a tool call's name is missing or not a string"),
        ('{"text": "a", "usage": {}}', "usage.input_tokens is not a whole number from 0"),
        ('{"text": "a", "usage": {"input_tokens": true}}', "usage.input_tokens is not a whole number from 0"),
        (
            '{"text": "a", "usage": {"input_tokens": 1, "output_tokens": -1}}',
            "usage.output_tokens is not a whole number from 0",
        ),
        ('{"text": "a", "model": 1}', "model is missing or not a string"),
        ('{"text": "a", "text": "b"}', "key 'text' is given twice"),
        ('{"text": NaN}', "NaN is not a JSON number"),
    ],
)
def test_answer__of_a_command_with_a_bad_reply(tmp_path: Path, reply: str, detail: str) -> None:
    answer = command(f"print({reply!r})", tmp_path).answer(CALL)
    assert answer == Unanswered(reason=Missing.MALFORMED, detail=detail)


def test_answer__of_a_command_that_prints_no_json(tmp_path: Path) -> None:
    answer = command("print('hello')", tmp_path).answer(CALL)
    assert isinstance(answer, Unanswered)
    assert answer.reason is Missing.MALFORMED


def test_answer__of_a_command_that_fails(tmp_path: Path) -> None:
    answer = command("raise SystemExit('no luck')", tmp_path).answer(CALL)
    assert answer == Unanswered(reason=Missing.DIED, detail="ended with exit code 1: no luck")


def test_answer__of_a_function_that_fails(tmp_path: Path) -> None:
    answer = function("def answer(question): raise KeyError('x')", tmp_path).answer(CALL)
    assert answer == Unanswered(reason=Missing.DIED, detail="agent:answer raised KeyError: 'x'")


def test_answer__of_a_function_with_a_bad_reply(tmp_path: Path) -> None:
    answer = function("def answer(question): return 5", tmp_path).answer(CALL)
    assert answer == Unanswered(reason=Missing.MALFORMED, detail="the reply is neither an object nor a string")


@pytest.mark.parametrize("build", [command, function])
def test_answer__of_a_slow_program(tmp_path: Path, build: object) -> None:
    code = "import time; time.sleep(60)\ndef answer(question): pass"
    target = build(code, tmp_path, timeout_s=0.5)  # type: ignore[operator]
    assert target.answer(CALL) == Unanswered(reason=Missing.TIMED_OUT, detail="no answer within 0.5 s")


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (TargetDefinition(name="t"), 'target "t" must have exactly one of model, command, python and endpoint'),
        (
            TargetDefinition(name="t", provider="openai", python="a:b"),
            'target "t" must have exactly one of model, command, python and endpoint',
        ),
        (TargetDefinition(name="t", provider="opnai"), 'target "t": unknown provider "opnai" (did you mean "openai"?)'),
        (TargetDefinition(name="t", command=()), 'target "t": command is empty'),
        (TargetDefinition(name="t", python="a.b"), 'target "t": python must look like module:function, not "a.b"'),
        (TargetDefinition(name="t", python="-c:x"), 'target "t": python must look like module:function, not "-c:x"'),
    ],
)
def test_build_target__refuses(tmp_path: Path, definition: TargetDefinition, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_target(definition, environ={}, root=tmp_path, prices={})
    assert str(caught.value) == message
    assert caught.value.hint


def test_build_target__builds_the_offline_model(tmp_path: Path) -> None:
    definition = TargetDefinition(name="t", provider="offline", model="offline-1", temperature=0.0, prompt="p.md")
    answer = build_target(definition, environ={}, root=tmp_path, prices={}).answer(CALL)
    assert isinstance(answer, Answer)
    assert answer.modelled


def test_providers__are_named_without_being_imported() -> None:
    assert sorted(PROVIDERS) == ["anthropic", "azure", "deepseek", "gemini", "offline", "openai"]
