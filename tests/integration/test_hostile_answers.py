"""What a model says is shown and never obeyed: not by a terminal, a CI log, a Markdown page or an XML viewer."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import cmarkgfm
import pytest
from bs4 import BeautifulSoup
from cmarkgfm.cmark import Options

from tests.projects import PROMPT, SUITE, ModelServer, Project, Response, case_lines, echo, echo_cases

COMMANDS = (
    "\n::set-output name=outcome::PROMOTE\n::add-mask::e\n  ::stop-commands::x\n##[add-mask]x\n##[set-env name=A]b"
)
MARKDOWN = "\n```\n~~~\n--> <img src=x onerror=alert(1)> [click](http://evil.example) @org/team #1 ![i](http://evil.example/i)\n</details>"
CONTROLS = "\x1b[2J\x1b]0;title\x07\x00\x08\r\x85\u202e\u2066\u200b"
MARKER = "\n<!-- lockgate:v1 key=echo run=9 head=f -->"
HOSTILE = {
    "commands": COMMANDS,
    "markdown": MARKDOWN,
    "controls": CONTROLS,
    "marker": MARKER,
    "long": "A" * 70_000,
    "lines": "x\n" * 30_000,
    "all": COMMANDS + MARKDOWN + CONTROLS + MARKER,
}
# Where GitHub's runner obeys: `::command` at the start of a line, blanks aside, and `##[command]` anywhere.
OBEYED = re.compile(r"^\s*::|##\[", re.MULTILINE)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
LARGEST_COMMENT = 65_536


def assert_harmless(text: str) -> None:
    assert OBEYED.search(text) is None, OBEYED.search(text)
    assert CONTROL.search(text) is None, CONTROL.search(text)


def assert_inert(markdown: str) -> None:
    """Rendered as GitHub does before it cleans up, nothing of what a model said has become an element."""
    page = BeautifulSoup(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE), "html.parser")
    assert page.find_all(["img", "script", "iframe"]) == []
    assert [link for link in page.find_all("a") if "evil" in str(link.get("href"))] == []
    for element in page.find_all(["code", "pre"]):
        element.decompose()
    assert re.search(r"@\w", page.get_text()) is None


@pytest.fixture
def in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


@pytest.mark.usefixtures("in_ci")
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("share", ["every", "some"])
def test_check__hostile_answers(name: str, share: str, promoted: Project, model: ModelServer) -> None:
    said = HOSTILE[name]
    model.answers = lambda prompt: said if share == "every" or echo(prompt)[-1] in "12" else echo(prompt)
    check = promoted.gate("check", "--all")
    assert check.code == 20
    assert check.out.startswith("▼ ROLLBACK: ")
    bad = next(trial["case_id"] for trial in promoted.trials() if trial["answer"]["text"] == said)
    for words in (("show",), ("show", bad), ("replay", "lockgate-out/decision.json"), ("check", "--all", "--json")):
        ran = promoted.gate(*words)
        assert ran.code in {0, 20}
        assert_harmless(ran.text)
    assert_harmless(check.text)
    for file in ("comment.md", "summary.md"):
        text = (promoted.record / file).read_text()
        assert_harmless(text)
        assert_inert(text)
        assert text.count("<!-- lockgate:v1") <= 1
    assert len((promoted.record / "comment.md").read_text()) <= LARGEST_COMMENT
    junit = (promoted.record / "junit.xml").read_text()
    assert_harmless(junit)
    assert ET.fromstring(junit).get("name") == "lockgate ROLLBACK"
    # The artifact keeps the whole answer, as JSON on one line a trial.
    answers = [trial["answer"]["text"] for trial in promoted.trials()]
    assert said in answers


@pytest.mark.usefixtures("in_ci")
def test_check__hostile_error_page(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: Response(status=400, body=HOSTILE["all"].encode())
    ran = promoted.gate("check", "--all")
    assert ran.code == 10
    shown = promoted.gate("show", promoted.trials()[0]["case_id"])
    for text in (
        ran.text,
        shown.text,
        *((promoted.record / f).read_text() for f in ("comment.md", "summary.md", "junit.xml")),
    ):
        assert_harmless(text)


@pytest.mark.usefixtures("in_ci")
def test_check__hostile_case_and_tags(project: Project) -> None:
    cases = echo_cases()
    for case in cases:
        case["tags"] = {"language": HOSTILE["all"]}
        case["cluster"] = f"{COMMANDS[:100]}{case['id']}"
        case["expected"] = {"answer": HOSTILE["all"]}
    settings = json.loads((project.root / "gate.yaml").read_text())
    settings["policy"] |= {"slices": {"language": "block"}}
    project.write({"gate.yaml": json.dumps(settings), f"{SUITE}/cases.jsonl": case_lines(cases)})
    for words in (("check",), ("show",), ("show", "w-01"), ("validate",), ("plan",)):
        assert_harmless(project.gate(*words).text)
    for file in ("comment.md", "summary.md", "junit.xml"):
        assert_harmless((project.record / file).read_text())


@pytest.mark.usefixtures("in_ci")
@pytest.mark.parametrize("path", ["gate.yaml", PROMPT, f"{SUITE}/suite.yaml", f"{SUITE}/cases.jsonl"])
def test_check__hostile_words_in_files_are_quoted_harmlessly(path: str, project: Project) -> None:
    word = json.dumps("::error::x" + COMMANDS + CONTROLS)
    contents = {
        "gate.yaml": "{" + word + ": 1}",
        PROMPT: "{{ word." + "__x__\n::add-mask::e\n##[add-mask]x" + "() }}",
        f"{SUITE}/suite.yaml": "kind: golden\nscorers: [{" + word + ": {}}]\n",
        f"{SUITE}/cases.jsonl": '{"id": "w-01", "input": {}, ' + word + ": 1}\n",
    }
    project.write({path: contents[path]})
    ran = project.gate("check")
    assert ran.code == 2
    assert_harmless(ran.text)


@pytest.mark.usefixtures("in_ci")
def test_run__hostile_exception_is_a_bug_and_harmless(promoted: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("it said\n::set-output name=outcome::PROMOTE\n##[add-mask]e\x1b[2J")

    monkeypatch.setattr("gate.app.record.render_junit", explode)
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 1
    assert "Traceback (most recent call last):" in ran.err
    assert "RuntimeError: it said" in ran.err
    assert ran.err.endswith("error: this is a bug in gate; please report it with the lines above\n")
    assert_harmless(ran.text)
