"""The documentation, the action and the code say the same."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from gate import __version__, errors
from gate.app.action import OUTPUTS
from gate.cli.main import gate as group
from gate.core.finding import Rule
from gate.documents.tree import WorkingTree
from gate.errors import ExitCode, GateError
from gate.forge.settings import ActionSettings
from gate.suites.settings import load_settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
FENCE = re.compile(r"^ *(`{3,})([a-z]*)\n(.*?)^ *\1\n", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.MULTILINE)
LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
# The own workflow has no shards, and nothing to download.
DOWNLOAD = "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131"
PINNED = re.compile(r"uses: (actions/[a-z-]+@\S+)")
RUNNER = {
    "GITHUB_API_URL": "https://api.github.example",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/app",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_EVENT_PATH": "event.json",
    "GITHUB_SHA": "d" * 40,
    "GITHUB_RUN_ID": "1",
    "GITHUB_RUN_ATTEMPT": "1",
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def without_fences(markdown: str) -> str:
    return FENCE.sub("\n", markdown)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found: set[str] = set()
    for heading in HEADING.findall(without_fences(page.read_text(encoding="utf-8"))):
        plain = LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        repeats = (f"{slug}-{number}" for number in range(1, 100))
        found.add(slug if slug not in found else next(other for other in repeats if other not in found))
    return found


def sections(page: Path) -> dict[str, str]:
    """The second-level sections of a page by their heading."""
    parts = re.split(r"^## +(.*?) *$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(section: str) -> list[str]:
    """The first cells of the table in a section, in backticks."""
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def examples(language: str, first_line: str) -> Iterator[tuple[str, str]]:
    for name in NAMES:
        for _, found, body in FENCE.findall(text(name)):
            if found == language and body.startswith(first_line):
                yield name, body


def subclasses(kind: type[GateError]) -> set[type[GateError]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def test_generated_blocks__are_fresh():
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_rules__have_a_section_each():
    rules = sections(REFERENCE / "rules.md")
    assert sorted(rules) == sorted(Rule)


@pytest.mark.parametrize("rule", list(Rule))
def test_rules__say_what_why_and_what_verdicts_demand(rule):
    section = sections(REFERENCE / "rules.md")[rule]
    assert "**What.**" in section
    assert "**Why.**" in section
    for word in ("PASS", "FAIL", "INCONCLUSIVE"):
        assert f"**{word}**" in section or rule is Rule.UNCHANGED or (rule, word) in {
            (Rule.COMPLETENESS, "FAIL"),
            (Rule.COMPARABILITY, "FAIL"),
        }  # fmt: skip


def test_errors__every_anchor_has_a_section():
    known = {error.anchor for error in subclasses(GateError) if error.__module__ == errors.__name__}
    assert set(sections(REFERENCE / "errors.md")) == known
    assert known <= anchors(REFERENCE / "errors.md")


@pytest.mark.parametrize("error", sorted(subclasses(GateError), key=lambda kind: kind.__name__))
def test_errors__sections_name_the_exit_code(error):
    section = sections(REFERENCE / "errors.md")[error.anchor]
    assert f"Exit code {error.exit_code}." in section or error is errors.PublishError


def test_exit_codes__every_one_has_a_section():
    assert list(sections(REFERENCE / "exit-codes.md")) == [f"{code.value} {code.name}" for code in ExitCode]


def test_commands__every_one_has_a_section():
    shown = [f"gate {name}" for name, command in group.commands.items() if not command.hidden]
    assert list(sections(REFERENCE / "cli.md")) == shown


class Recorder(dict[str, str]):
    """An environment that remembers which inputs were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: list[str] = []

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        if key.startswith("INPUT_"):
            self.asked.append(key.removeprefix("INPUT_").lower())
        return super().get(key, default)


def test_action__inputs_are_those_of_the_settings_and_of_the_page(tmp_path):
    declared = yaml.safe_load(text("action.yml"))
    environ = Recorder({**RUNNER, "GITHUB_WORKSPACE": str(tmp_path)})
    ActionSettings.from_environ(environ)
    assert sorted(environ.asked) == sorted(declared["inputs"])
    assert table(sections(REFERENCE / "action.md")["Inputs"]) == list(declared["inputs"])


def test_action__outputs_are_those_of_the_app_and_of_the_page():
    declared = yaml.safe_load(text("action.yml"))["outputs"]
    assert list(declared) == list(OUTPUTS)
    assert table(sections(REFERENCE / "action.md")["Outputs"]) == list(OUTPUTS)


def test_readme__is_short_and_shows_a_light_picture():
    assert len(text("README.md").splitlines()) <= 200
    picture = ROOT / "docs" / "images" / "comment.png"
    assert f"]({picture.relative_to(ROOT).as_posix()})" in text("README.md")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 150_000


def broken_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(without_fences(page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if target.startswith("https://"):
            continue
        if not file.exists() or not file.is_relative_to(ROOT):
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(file):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("name", NAMES)
def test_links__lead_somewhere(name):
    assert list(broken_links(ROOT / name)) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("docs/")])
def test_pages__can_be_reached_from_the_readme(name):
    assert f"]({name})" in text("README.md")


def test_version__is_the_same_everywhere():
    project = tomllib.loads(text("pyproject.toml"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "gate/__init__.py"
    assert re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text("CHANGELOG.md"), re.MULTILINE)[0] == __version__


def test_licence__is_the_one_that_the_package_names():
    assert tomllib.loads(text("pyproject.toml"))["project"]["license"] == "Apache-2.0"
    assert text("LICENSE").lstrip().startswith("Apache License\n                           Version 2.0, January 2004")


CONFIGURATIONS = list(examples("yaml", "# gate.yaml\n"))


@pytest.mark.parametrize(("name", "body"), CONFIGURATIONS, ids=[name for name, _ in CONFIGURATIONS])
def test_examples__of_gate_yaml_are_valid(name, body, tmp_path):
    (tmp_path / "gate.yaml").write_text(body, encoding="utf-8")
    assert load_settings(WorkingTree(tmp_path)).targets, name


def test_examples__use_the_pinned_actions_of_the_own_workflow():
    own = set(PINNED.findall(text(".github/workflows/gate.yml")))
    shown = {action for name in NAMES for action in PINNED.findall(text(name))}
    assert shown
    assert shown <= own | {DOWNLOAD}


def shown_commands() -> Iterator[tuple[str, list[str]]]:
    for name in NAMES:
        for _, language, body in FENCE.findall(text(name)):
            for line in body.splitlines() if language == "sh" else ():
                words = shlex.split(line, comments=True)
                if words[:1] == ["gate"]:
                    yield name, words[1 : words.index("&&") if "&&" in words else None]


COMMANDS = list(shown_commands())


@pytest.mark.parametrize(("name", "words"), COMMANDS, ids=[f"{name}: {' '.join(words)}" for name, words in COMMANDS])
def test_examples__of_commands_are_understood(name, words):
    command = group.commands[words[0]]
    with click.Context(command, help_option_names=["-h", "--help"]) as context:
        parser = command.make_parser(context)
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, name
        parser.parse_args(list(words[1:]))


@pytest.mark.parametrize("name", [*NAMES, "action.yml", "docs/generate.py"])
def test_pages__name_no_machine(name):
    assert not re.search(r"/(?:tmp|work|home|root)/|index-url|pypi\.org|localhost:", text(name))
