"""The comment and the summary: snapshots for people, limits and rendering for machines."""

import os
import re
from dataclasses import replace
from pathlib import Path

import cmarkgfm
import pytest
from bs4 import BeautifulSoup
from cmarkgfm.cmark import Options

from gate.report.comment import render_comment, render_summary
from gate.report.fitting import utf16_units
from tests.unit.report.examples import (
    EXAMPLES,
    EXCERPTS,
    HOSTILE,
    hostile,
    promote,
    rollback,
)

SNAPSHOTS = Path(__file__).parent / "snapshots"
MARKER = "<!-- lockgate:v1"


def rendered(markdown: str) -> BeautifulSoup:
    """GitHub's rendering before its sanitiser, as a tree."""
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return BeautifulSoup(html, "html.parser")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_render_comment__snapshot(name: str) -> None:
    place = SNAPSHOTS / f"{name}.md"
    text = render_comment(EXAMPLES[name]().view)
    if os.environ.get("LOCKGATE_SNAPSHOTS") == "write":
        place.write_text(text, encoding="utf-8")
    assert text == place.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
@pytest.mark.parametrize("render", [render_comment, render_summary])
def test_render__nothing_foreign_works(name: str, render: type) -> None:
    text = render(EXAMPLES[name]().view)
    tree = rendered(text)
    assert text.startswith(MARKER)
    assert text.count(MARKER) == 1
    assert tree.find(["img", "a", "script", "h1", "input"]) is None
    assert text.count("<details>") == text.count("</details>") or name == "hostile"
    assert "##[" not in text
    assert not [line for line in re.split(r"[\r\n]", text) if line.strip().startswith("::")]
    for code in tree.find_all(["code", "pre"]):
        code.extract()
    assert not re.search(r"@\w|#\d|GH-\d|://", tree.get_text())


def test_render_comment__hostile_folds_are_balanced() -> None:
    tree = rendered(render_comment(hostile().view))
    folds = tree.find_all("details")
    assert len(folds) == 2
    assert [fold.find_parent("details") for fold in folds] == [None, None]
    assert all(len(fold.find_all("pre")) == 1 and len(fold.find_all("td")) == 6 for fold in folds)
    assert "Decision" in folds[-1].find_next_siblings("p")[-1].get_text()


def test_render_comment__every_fold_holds_its_table_and_diff() -> None:
    (fold, _) = rendered(render_comment(rollback().view)).find_all("details")
    (summary,), (block,) = fold.find_all("summary"), fold.find_all("pre")
    assert summary.get_text() == "es-0042 10/10 → FFFFFF"
    assert '-  "intent": "pricing_request",\n+  "intent": "other",' in block.get_text()
    assert [cell.get_text() for cell in fold.find_all("td")][3:6] == [
        "json_equal",
        "0.00",
        "intent is 'other', expected 'pricing_request'",
    ]


def test_render_comment__first_lines_fit_a_phone() -> None:
    for name in ("promote", "hold", "rollback", "advisory"):
        before_fold = render_comment(EXAMPLES[name]().view).split("<details>")[0].split("**Slices")[0]
        lines = [line for line in before_fold.splitlines() if line and not line.startswith(("```", "<!--", "|:"))]
        assert len(lines) <= 16


def test_render_comment__keeps_to_the_limit_and_says_what_went() -> None:
    wide = "\U0001f512" * 1_400
    excerpts = tuple(
        replace(EXCERPTS[0], case_id=f"c-{n}", before=wide, now=wide, scores=(("s", 0.0, HOSTILE),) * 4)
        for n in range(30)
    )
    text = render_comment(replace(rollback(), excerpts=excerpts).view)
    assert 50_000 < utf16_units(text) <= 60_000
    assert len(text) <= 65_536
    assert "(20 of 30, 10 more in the artifact)" in text
    assert text.endswith("\n\nLeft out for length: the last 8 cases. All of it is in the artifact.\n")
    assert text.count("<details>") == 12
    assert text.count("<details>") == text.count("</details>")
    assert text.splitlines()[2] == "> **ROLLBACK: harm shown** · 2 rules failed, 4 passed · 470 cases"


@pytest.mark.parametrize("size", [70_000, 200_000])
def test_render_comment__huge_texts_stay_bounded(size: int) -> None:
    text = "@a `|<" * (size // 6)
    excerpts = tuple(
        replace(
            EXCERPTS[0], before=text, now=text[::-1], reason=text, scores=((text, 0.0, text),) * 3, tags=((text, text),)
        )
        for _ in range(40)
    )
    view = replace(rollback(), excerpts=excerpts).view
    assert utf16_units(render_comment(view)) <= 60_000
    assert len(render_summary(view).encode()) <= 1_000_000


def test_render_comment__leaves_out_empty_sections() -> None:
    text = render_comment(replace(promote(), policy=EXAMPLES["hold"]().policy).view)
    for heading in ("**Cases**", "**Slices", "**Not counted**", "**Look out**", "Left out"):
        assert heading not in text


def test_render_summary__lists_every_finding() -> None:
    text = render_summary(rollback().view)
    tables = rendered(text).find_all("table")
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in tables[-1].find_all("tr")[1:]]
    assert len(rows) == 10
    assert rows[3] == [
        "broken-case",
        "sales_email_intent",
        "FAIL",
        "HOLD",
        "sales_email_intent: 3 cases that always worked now fail: de-0013, es-0042, es-0077",
    ]


def test_render_summary__a_thousand_cases_stay_within_one_mebibyte() -> None:
    excerpts = tuple(replace(EXCERPTS[0], case_id=f"c-{n}", now="é" * 70_000) for n in range(1_000))
    text = render_summary(replace(rollback(), excerpts=excerpts).view)
    assert len(text.encode()) <= 1_000_000
    assert "(200 of 1000, 800 more in the artifact)" in text
