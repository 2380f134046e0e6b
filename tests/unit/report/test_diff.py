"""Differences between answers."""

from gate.report.diff import answer_diff


def test_answer_diff__lays_json_out() -> None:
    assert answer_diff('{"b":1,"a":2}', '{"a":3,"b":1}') == (
        '```diff\n--- before\n+++ now\n {\n-  "a": 2,\n+  "a": 3,\n   "b": 1\n }\n```'
    )


def test_answer_diff__same_values_in_other_form_show_the_form() -> None:
    assert answer_diff('{"a":1}', '{"a": 1}') == '```diff\n--- before\n+++ now\n-{"a":1}\n+{"a": 1}\n```'


def test_answer_diff__equal_answers_are_shown_once() -> None:
    assert answer_diff("same", "same") == "```\nsame\n```"


def test_answer_diff__one_side_alone() -> None:
    assert answer_diff(None, "now") == "```\nnow\n```"
    assert answer_diff("before", None) == "```\nbefore\n```"
    assert answer_diff(None, None) == ""


def test_answer_diff__numbers_that_are_not_json_stay_text() -> None:
    assert answer_diff(None, '{"a": 1e999}') == '```\n{"a": 1e999}\n```'


def test_answer_diff__many_lines_are_cut() -> None:
    shown = answer_diff("\n".join(map(str, range(900))), "x")
    assert shown.count("\n") == 41
    assert shown.endswith("more lines\n```")
