"""`gate validate --repository`: what the branch's rules leave open, by a token that may see more or less."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gate.app.validate_repository import owned, owner_rules
from tests.projects import Project, offline_files
from tests.rigs.github_hub import GitHub, Protection, Token, github_server

OWNERS = "/.github/ @acme/a\n/gate.yaml @acme/a\n/golden_sets/ @acme/a\n/baselines/ @acme/a\n"
FULL = Protection(classic=False, checks=("gate",))


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {
            "admin": Token(login="dana", permissions={"administration": "read", "contents": "read"}),
            "reader": Token(permissions={"contents": "read", "metadata": "read"}),
        }
        assert state.bare
        yield state


@pytest.fixture
def survey(github: GitHub, empty: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    empty.write({**offline_files(), ".github/CODEOWNERS": OWNERS})
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GITHUB_TOKEN", "admin")
    return empty


def ask(project: Project, *words: str) -> tuple[int, list[str]]:
    ran = project.gate("validate", "--repository", "acme/app", *words)
    return ran.code, [line for line in ran.out.splitlines() if line.startswith(("missing", "not seen", "acme"))]


def test_validate__repository_that_is_protected(survey: Project, github: GitHub) -> None:
    github.protect(FULL)
    assert ask(survey) == (0, ["acme/app: main is protected as the gate needs it"])


def test_validate__repository_without_any_rule(survey: Project, github: GitHub) -> None:
    code, lines = ask(survey)
    assert code == 2
    assert lines == [
        "missing: no ruleset and no protection for main: anybody with write access can push past the gate",
        "missing: reviews by code owners are not required, so CODEOWNERS only suggests them",
    ]


def test_validate__repository_with_another_check(survey: Project, github: GitHub) -> None:
    github.protect(Protection(classic=False, checks=("test",)))
    assert ask(survey) == (
        2,
        ["missing: the check 'gate' is not required (required: test): a change can be merged without a decision"],
    )
    assert ask(survey, "--check", "test")[0] == 0


@pytest.mark.parametrize("classic", [True, False])
def test_validate__repository_with_a_check_from_any_source(survey: Project, github: GitHub, classic: bool) -> None:
    github.protect(Protection(classic=classic, checks=("gate",), any_source=True))
    code, lines = ask(survey)
    assert code == 2
    assert lines[-1] == (
        "missing: the check 'gate' is taken from any source: bind it to GitHub Actions, or anybody can set it green"
    )


def test_validate__repository_with_classic_protection_only(survey: Project, github: GitHub) -> None:
    github.protect(Protection(checks=("gate",)))
    code, (line,) = ask(survey)
    assert code == 2
    assert line.startswith("missing: no ruleset for main, only the classic protection")


def test_validate__repository_without_required_owners(survey: Project, github: GitHub) -> None:
    github.protect(Protection(classic=False, checks=("gate",), code_owners=False))
    assert ask(survey) == (
        2,
        ["missing: reviews by code owners are not required, so CODEOWNERS only suggests them"],
    )


def test_validate__repository_without_codeowners(survey: Project, github: GitHub) -> None:
    github.protect(FULL)
    survey.write({".github/CODEOWNERS": "* @acme/a\n/baselines/\n"})
    assert ask(survey) == (2, ["missing: baselines/ has no code owner: a change of it needs nobody's review"])
    survey.write({".github/CODEOWNERS": None})
    code, (line,) = ask(survey)
    assert code == 2
    assert line.startswith("missing: there is no CODEOWNERS file")


def test_validate__repository_says_what_it_could_not_see(
    survey: Project, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "reader")
    github.protect(Protection(checks=("gate",)))
    code, (line,) = ask(survey)
    assert code == 0
    assert line.startswith("not seen: the classic branch protection: HTTP 403")
    assert line.endswith("it needs administration: read")


def test_validate__repository_that_cannot_be_read(survey: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    ran = survey.gate("validate", "--repository", "acme/app")
    assert (ran.code, "the branch main could not be read: HTTP 401" in ran.err) == (5, True)


@pytest.mark.parametrize(
    ("line", "path", "found"),
    [
        ("* @a", "gate.yaml", True),
        ("/gate.yaml @a", "gate.yaml", True),
        ("gate.yaml @a", "sub/gate.yaml", True),
        ("/gate.yaml @a", "sub/gate.yaml", False),
        ("/baselines/ @a", "baselines/t/s.json", True),
        ("/baselines @a", "baselines/t/s.json", True),
        ("baselines/ @a", "x/baselines/t/s.json", True),
        ("/baselines/* @a", "baselines/t/s.json", False),
        ("/baselines/** @a", "baselines/t/s.json", True),
        ("*.json @a", "baselines/t/s.json", True),
        ("# * @a", "gate.yaml", False),
        ("/gate.yaml", "gate.yaml", False),
        ("* @a\n/gate.yaml", "gate.yaml", False),
        ("/gate.yaml\n* @a", "gate.yaml", True),
    ],
)
def test_owned__last_line_that_fits_decides(line: str, path: str, found: bool) -> None:
    assert owned(tuple(owner_rules(line)), path) is found
