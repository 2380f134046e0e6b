"""What the name of a question covers, and what an answer is to another run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.core.canonical import digest
from gate.core.codec import decode, encode
from gate.core.model import Answer, Call, ToolCall, Usage
from gate.core.question import Request, Role, is_whole, question_of, replay_of

CALL = Call(case_id="a", prompt="Say a", variables={"word": "a"}, seed=7, index=2)
REQUEST = Request(digest="sha256:11")


def test_question_of__plain_form_is_whole() -> None:
    question = question_of(CALL, REQUEST, kind=Role.TARGET, target="t", suite="s")
    plain = {
        "v": 1,
        "kind": "target",
        "request": "sha256:11",
        "target": "t",
        "suite": "s",
        "case_id": "a",
        "prompt": "Say a",
        "variables": {"word": "a"},
        "index": 2,
        "seed": None,
    }
    assert question.plain() == plain
    assert question.key == digest(plain)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "request_", "place"),
    [
        (replace(CALL, prompt="Say  a"), REQUEST, {}),
        (replace(CALL, variables={"word": "b"}), REQUEST, {}),
        (replace(CALL, index=3), REQUEST, {}),
        (replace(CALL, case_id="b"), REQUEST, {}),
        (CALL, Request(digest="sha256:22"), {}),
        (CALL, replace(REQUEST, seeded=True), {}),
        (CALL, REQUEST, {"kind": Role.BASE}),
        (CALL, REQUEST, {"kind": Role.JUDGE}),
        (CALL, REQUEST, {"target": "u"}),
        (CALL, REQUEST, {"suite": "r"}),
    ],
)
def test_key__each_part_tells_questions_apart(call: Call, request_: Request, place: dict[str, str]) -> None:
    own = {"kind": Role.TARGET, "target": "t", "suite": "s"}
    first = question_of(CALL, REQUEST, **own)  # type: ignore[arg-type]
    assert question_of(call, request_, **(own | place)).key != first.key  # type: ignore[arg-type]


@pytest.mark.parametrize(("seeded", "same"), [(False, True), (True, False)])
def test_key__a_seed_counts_where_the_target_sees_it(seeded: bool, same: bool) -> None:
    request = Request(digest="sha256:11", seeded=seeded)
    both = [
        question_of(replace(CALL, seed=seed), request, kind=Role.TARGET, target="t", suite="s").key for seed in (7, 8)
    ]
    assert (both[0] == both[1]) is same


@pytest.mark.parametrize(("why", "whole"), [("", True), ("stop", True), ("length", False), ("content_filter", False)])
def test_is_whole__not_what_was_cut_off_or_filtered(why: str, whole: bool) -> None:
    assert is_whole(Answer(text="a", model="m", finish_reason=why)) is whole


def test_replay_of__measures_nothing() -> None:
    used = Usage(input_tokens=3, output_tokens=1)
    answer = Answer(text="a", model="m", usage=used, usd=0.1, latency_ms=9.0, first_token_ms=2.0, attempts=3)
    assert replay_of(answer, "cache") == Answer(text="a", model="m", usage=used, replayed="cache")


def test_codec__arguments_of_tools_come_back_as_any_json() -> None:
    call = ToolCall(name="find", arguments={"n": [1, 2.5, None, True], "at": {"city": "Bern"}})
    answer = Answer(text="", model="m", tool_calls=(call,))
    assert decode(Answer, encode(answer)) == answer
