"""Escaping is judged by what GitHub's own Markdown makes of it."""

import json
import re

import cmarkgfm
import pytest
from bs4 import BeautifulSoup
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.core.canonical import parse_json, readable_json
from gate.report.escape import (
    html_text,
    json_lines,
    marker_value,
    md_code,
    md_fence,
    md_prose,
    md_text,
    terminal_text,
    visible,
    workflow_line,
    xml_text,
)
from tests.unit.report.examples import HOSTILE

PIECES = st.sampled_from(
    [
     "@org/team", "@a", "#1", "_www.e.example", "GH-1", "`", "``", "```", "~~~", "<", ">", "</details>",
     "<details>", "<img src=x>", "|", "![x](http://e)", "[x](http://e)", "http://e.example", "www.e.example",
     "a@b.example", "\\", "&#64;a", "&lt;", "\n", "\r", "-->", "<!--", "::error::", "##[add-mask]", "# ", "- ",
     "1. ", "    ", "\t", "\u202e", "\u200b", "$", ":", "*", "_", " ", "x", "0123456789abcdef", "</code>",
     "</summary>", "]", "(", "+ ", "=", "\ud800", "[^1]", "[ ] ",
    ]
)  # fmt: skip
ANY_TEXT = st.one_of(st.text(), st.lists(PIECES, max_size=25).map("".join))
FORBIDDEN = ["img", "a", "script", "h1", "h2", "li", "ol", "em", "strong", "del", "blockquote", "hr", "pre"]


def rendered(markdown: str) -> BeautifulSoup:
    """GitHub's rendering before its sanitiser, as a tree."""
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return BeautifulSoup(html, "html.parser")


def plain(tree: BeautifulSoup) -> str:
    """All text outside code."""
    for code in tree.find_all(["code", "pre"]):
        code.replace_with("\ufffc")
    return tree.get_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, 93.1% of 300", "plain words, 93.1% of 300"),
        ("@org/team", "@\u200borg/team"),
        ("fixes #1", "fixes \\#\u200b1"),
        ("GH-1 and owner/repo#2", "GH-\u200b1 and owner/repo\\#\u200b2"),
        ("4f1c09ab27de", "4f1c09\u200bab27de"),
        ("http://e.example", "http:\u200b//e.example"),
        ("www.e.example", "www\u200b.e.example"),
        ("[x](y) ![z](y)", "\\[x\\](y) !\\[z\\](y)"),
        ("<b>&amp;", "\\<b\\>\\&amp;"),
        ("a | `b` *c* _d_ ~e~ \\", "a \\| \\`b\\` \\*c\\* \\_d\\_ \\~e\\~ \\\\"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("$x$ :tada:", "\\$\u200bx\\$ :\u200btada:"),
        ("two\nlines\r\nmore", "two lines more"),
        ("\u202eevil\u200b\x1b[31m", "\\\\u202eevil\\\\u200b\\\\x1b\\[31m"),
        ("", ""),
    ],
)
def test_md_text__makes_everything_inert(text: str, expected: str) -> None:
    assert md_text(text) == expected


def test_md_text__is_capped_with_an_ellipsis() -> None:
    assert md_text("x" * 500, 10) == "x" * 9 + "…"


def test_md_prose__keeps_quoted_words_as_code_and_nothing_else() -> None:
    assert md_prose("run `gate check` again, @you `") == "run `gate check` again, @\u200byou \\`"


def test_md_prose__keeps_touching_code_spans_apart() -> None:
    assert md_prose("`a``b`") == "`a`\u200b`b`"


def test_md_code__replaces_what_would_end_it() -> None:
    assert md_code("a`b|c\x07<!-- x") == "`a\u02cbb¦c\\x07<!\u200b-- x`"


def test_html_text__escapes_tags_and_breaks_mentions() -> None:
    assert html_text("</summary>@a`") == "&lt;/summary&gt;@\u200ba&#96;"


def test_md_fence__is_longer_than_any_run_inside() -> None:
    assert md_fence("a\n````\n~~~~~\n") == "``````\na\n````\n~~~~~\n``````"


def test_md_fence__caps_lines_and_says_so() -> None:
    assert md_fence("1\n2\n3\n4", "diff", lines=3) == "```diff\n1\n2\n… 2 more lines\n```"


def test_md_fence__caps_characters() -> None:
    assert md_fence("x" * 70_000, chars=5) == "```\nxxxx…\n```"


def test_md_fence__shows_hidden_characters_and_disarms_comments_and_commands() -> None:
    shown = md_fence("<!-- a -->\r\n\u202eb\rc\x00\n ::set-output name=x::y\n##[add-mask]z")
    assert shown == (
        "```\n<!\u200b-- a --\u200b>\n\\u202eb\\rc\\x00\n :\u200b:set-output name=x::y\n#\u200b#[add-mask]z\n```"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::set-output name=a::b", ":\u200b:set-output name=a::b"),
        ("  ::error::x", "  :\u200b:error::x"),
        ("\u3000::error::x", "\u3000:\u200b:error::x"),
        ("a\r::error::x", "a\\r::error::x"),
        ("a\n::error::x", "a\n:\u200b:error::x"),
        ("std::vector", "std::vector"),
        ("a ##[add-mask]b", "a #\u200b#[add-mask]b"),
        ("###[x]", "##\u200b#[x]"),
        ("\x1b[31mred\x85", "\\x1b[31mred\\x85"),
    ],
)
def test_workflow_line__disarms_commands(text: str, expected: str) -> None:
    assert workflow_line(text) == expected


def test_terminal_text__is_one_visible_line() -> None:
    assert terminal_text("::a\n\x1b[2Jb\u202e") == ":\u200b:a \\x1b[2Jb\\u202e"


def test_visible__shows_every_kind_of_hidden_character() -> None:
    text = "\x00\u200d\u2066\ufeff\U000e0041\u3164\ud800\u2028"
    assert visible(text) == "\\x00\\u200d\\u2066\\ufeff\\U000e0041\\u3164\\ud800\\u2028"


def test_visible__keeps_letters_of_all_scripts() -> None:
    assert visible("vidéo 日本 ñ ٣ 👍") == "vidéo 日本 ñ ٣ 👍"


def test_marker_value__is_restricted() -> None:
    assert (marker_value("a b-->c"), marker_value("")) == ("a-b---c", "none")


def test_xml_text__drops_what_xml_forbids() -> None:
    assert xml_text("a\x00b\x0bc\ud800d\ufffee\tf") == "abcde\tf"


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_md_text__never_becomes_markup(text: str) -> None:
    for escape in (md_text, md_prose):
        tree = rendered(f"{escape(text)}\n")
        assert tree.find(FORBIDDEN) is None
        assert len(tree.find_all("p")) <= 1
        assert not re.search(r"@\w|#\d|GH-\d|://|[0-9a-f]{7}", plain(tree))


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_md_text__stays_in_its_cell(text: str) -> None:
    tree = rendered(f"| a | b | c |\n|--|--|--|\n| {md_text(text)} | {md_code(text)} | end |\n")
    cells = tree.find_all("td")
    assert len(cells) == 3
    assert cells[2].get_text() == "end"
    assert tree.find(FORBIDDEN) is None


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_folds__are_never_broken(text: str) -> None:
    fold = (
        f"<details>\n<summary><code>{html_text(text)}</code> {html_text(text)}</summary>\n\n{md_fence(text)}\n\n"
        f"{md_code(text)}\n\n{md_text(text)}\n\n</details>\n\nafter\n"
    )
    tree = rendered(fold)
    (details,) = tree.find_all("details")
    assert len(details.find_all("summary")) == 1
    assert len(details.find_all("pre")) == 1
    assert [after.get_text() for after in details.find_next_siblings("p")] == ["after"]
    assert tree.find(["img", "a", "h1", "script"]) is None
    assert not re.search(r"@\w", plain(tree))


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_workflow_line__never_leaves_a_command(text: str) -> None:
    for shown in (workflow_line(text), md_fence(text), md_text(text), md_code(text), terminal_text(text)):
        assert "##[" not in shown
        assert not any(line.strip().startswith("::") for line in re.split(r"[\r\n\x85\u2028\u2029]", shown))


@given(ANY_TEXT)
@settings(max_examples=100, deadline=None)
def test_json_lines__parses_to_the_same_and_hides_nothing(text: str) -> None:
    document = readable_json({"key": text, text: [text]})
    shown = json_lines(document)
    assert parse_json(shown) == parse_json(document)
    assert "##[" not in shown
    assert visible(shown, keep="\n") == shown


def test_json_lines__spells_hidden_characters_as_json_does() -> None:
    shown = json_lines(json.dumps("a\x7f\x85\u202e\U000e0041\ud800é##[x", ensure_ascii=False))
    assert shown == '"a\\u007f\\u0085\\u202e\\udb40\\udc41\\ud800é#\\u0023[x"'


@given(ANY_TEXT)
@settings(max_examples=100, deadline=None)
def test_escaping__always_gives_text_that_can_be_sent(text: str) -> None:
    for shown in (md_text(text), md_prose(text), md_code(text), md_fence(text), html_text(text), workflow_line(text)):
        assert shown.encode("utf-8").decode("utf-8") == shown


def test_md_text__hostile_sample() -> None:
    tree = rendered(md_text(HOSTILE, 2_000))
    assert tree.find(FORBIDDEN) is None
    assert "@\u200borg/team" in plain(tree)
