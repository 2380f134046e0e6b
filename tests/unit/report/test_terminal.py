"""Terminal lines: width, alignment, colours only on request, nothing that a CI log would obey."""

import re
from dataclasses import replace

import pytest

from gate.report.terminal import render_terminal
from tests.unit.report.examples import EXAMPLES, hostile, promote, rollback


def test_render_terminal__shows_everything_in_order() -> None:
    assert render_terminal(rollback().view) == (
        "▼ ROLLBACK: harm shown\n"
        "  2 rules failed, 4 passed · 470 cases\n"
        "\n"
        "  from     4f1c09a against main · oldest baseline 2026-11-02 (19 days old) · 3\n"
        "           passes · 1,410 calls · $0.84\n"
        "\n"
        "  why      sales_email_intent: 5.8 points worse than the baseline, at least 2.1\n"
        "           on exactly these cases\n"
        "           sales_email_intent: language=es dropped by 16.7 points\n"
        "           sales_email_intent: 3 cases that always worked now fail: de-0013,\n"
        "           es-0042, es-0077\n"
        "\n"
        "  suite                before    now             change\n"
        "  sales_email_intent    93.1%  87.3%  −5.8 [−8.3, −2.1]  regression\n"
        "  prompt_attacks        98.1%  98.3%  +0.2 [−1.4, +2.1]  not worse\n"
        "  cost                ≤\u00a0×1.10  ×1.04     [×1.01, ×1.07]  within the limit\n"
        "  latency p95         ≤\u00a02.5 s  1.9 s         p50 820 ms  (within the budget)\n"
        "\n"
        "  slice                              before    now  change\n"
        "  language=es in sales_email_intent   95.0%  78.3%   −16.7  (regression)\n"
        "\n"
        "  look out This change edits the gate itself: gate.yaml,\n"
        "           golden_sets/prompt_attacks/cases.jsonl. The base's version was used.\n"
        "           sales_email_intent: the parameters changed from temperature=0.2 to\n"
        "           temperature=0.7\n"
        "\n"
        "  next     Do not merge. Mend what is named above, then:\n"
        "\n"
        "           $ gate check --base main --suite sales_email_intent\n"
        "\n"
        "  record   sha256:5d41402abc4b2a76b9719d911017c592ae5d41402abc4b2a76b9719d911017c5\n"
        "           check it with gate replay\n"
    )


@pytest.mark.parametrize(("name", "code"), [("promote", "32"), ("hold", "33"), ("rollback", "31")])
def test_render_terminal__colours_the_outcome_on_request(name: str, code: str) -> None:
    view = EXAMPLES[name]().view
    assert render_terminal(view, colour=True).startswith(f"\x1b[1;{code}m")
    assert "\x1b" not in render_terminal(view)


def test_render_terminal__wider_terminals_show_whole_labels() -> None:
    assert "language=es in sales_email_intent  " in render_terminal(rollback().view, 120)


def test_render_terminal__hostile_text_stays_text() -> None:
    text = render_terminal(hostile().view)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "##[" not in text
    assert not [line for line in text.split("\n") if line.strip().startswith("::")]
    assert max(map(len, text.split("\n"))) < 530


def test_render_terminal__promote_has_no_empty_blocks() -> None:
    text = render_terminal(promote().view)
    assert text.startswith("▲ PROMOTE: shown not worse\n  5 rules passed · 470 cases\n\n  from ")
    assert "\n\n\n" not in text
    assert "look out" not in text


@pytest.mark.parametrize("sentence", ["a" * 60 + " ::set-output name=x::y", "`::add-mask::e`", "x #`#[add-mask]e"])
def test_render_terminal__no_command_arises_from_wrapping_or_taking_marks_out(sentence: str) -> None:
    text = render_terminal(replace(rollback().view, notes=(sentence,), reasons=(sentence,)), 70)
    assert re.search(r"^\s*::|##\[", text, re.MULTILINE) is None
