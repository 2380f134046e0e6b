"""From an empty repository to a first decision, as a new user goes; and the commands that only look."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from tests.projects import BASELINE, SUITE, ModelServer, Project, echo, files_below

WRITTEN = [
    "gate.yaml",
    "prompts/inbox.md",
    "golden_sets/first/suite.yaml",
    "golden_sets/first/cases.jsonl",
    "golden_sets/first/answer.schema.json",
    ".github/workflows/gate.yml",
    ".github/workflows/baseline.yml",
    ".github/gate.schema.json",
    ".github/CODEOWNERS",
]


def tree(project: Project) -> dict[str, bytes]:
    return {name: content for name, content in files_below(project.root).items() if not name.startswith(".git/")}


def git_init(project: Project) -> None:
    from tests.rigs.repository import Repository

    Repository(project.root).git("init", "--quiet", "--initial-branch=trunk")


def test_init__fresh_repository_then_the_whole_way(empty: Project) -> None:
    git_init(empty)
    ran = empty.gate("init")
    assert ran.code == 0, ran.text
    wrote = [line.removeprefix("wrote ") for line in ran.out.splitlines() if line.startswith("wrote ")]
    assert ran.out.splitlines()[len(wrote) :] == [
        "no owner found: name one in .github/CODEOWNERS",
        "put the owner and the commit of the action into .github/workflows/gate.yml",
        "next: gate validate, then gate promote (first baseline), then gate check --all",
    ]
    assert sorted(tree(empty)) == sorted(wrote)
    assert set(WRITTEN) <= set(wrote)
    assert empty.gate("validate").code == 0
    assert empty.gate("plan").code == 0
    # Before the first baseline nothing fails a job: the mode is advisory.
    first = empty.gate("check", "--quiet")
    assert (first.code, first.out.splitlines()[0]) == (0, "■ HOLD: not shown either way")
    assert empty.gate("promote", "--quiet").code == 0
    ran = empty.gate("check", "--all", "--quiet")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "▲ PROMOTE: shown not worse")
    assert empty.gate("check", "--quiet").out.startswith("▲ PROMOTE: unchanged\n")
    empty.write({"prompts/inbox.md": "Sort this.\n<email>{{ email }}</email>\n"})
    ran = empty.gate("check", "--quiet")
    assert (ran.code, empty.decision()["outcome"]) == (0, "ROLLBACK")
    empty.edit("gate.yaml", "mode: advisory ", "mode: enforce ")
    assert empty.gate("check", "--quiet").code == 20


def test_init__second_run_changes_nothing(empty: Project) -> None:
    git_init(empty)
    empty.gate("init")
    before = tree(empty)
    ran = empty.gate("init")
    assert ran.code == 0
    assert tree(empty) == before
    assert [line for line in ran.out.splitlines() if line.startswith("wrote")] == []


def test_init__existing_repository_keeps_its_files(empty: Project) -> None:
    git_init(empty)
    own = {
        "gate.yaml": "mine: true\n",
        "CODEOWNERS": "* @dana\n/docs/ @writers",
        "prompts/support.md": "Help {{ name }}.\n",
        ".github/workflows/gate.yml": "name: mine\n",
    }
    empty.write(own)
    ran = empty.gate("init")
    assert ran.code == 0
    kept = tree(empty)
    for name in ("gate.yaml", "prompts/support.md", ".github/workflows/gate.yml"):
        assert kept[name].decode() == own[name]
        assert f"kept  {name}" in ran.out or name.startswith("prompts/")
    assert "found your prompts: prompts/support.md; name one under `prompt:`" in ran.out
    owners = kept["CODEOWNERS"].decode()
    assert owners.startswith("* @dana\n/docs/ @writers\n# ")
    assert ".github/CODEOWNERS" not in kept
    empty.gate("init")
    assert tree(empty)["CODEOWNERS"].decode() == owners


@pytest.mark.parametrize("url", ["git@github.com:acme-inc/shop.git", "https://github.com/acme-inc/shop"])
def test_init__owner_and_branch_come_from_the_remote(url: str, empty: Project) -> None:
    from tests.rigs.repository import Repository

    git_init(empty)
    repository = Repository(empty.root)
    repository.git("remote", "add", "origin", url)
    empty.gate("init")
    owners = (empty.root / ".github/CODEOWNERS").read_text()
    assert "/gate.yaml @acme-inc\n/golden_sets/ @acme-inc\n/baselines/ @acme-inc\n" in owners
    workflow = yaml.safe_load((empty.root / ".github/workflows/baseline.yml").read_text())
    assert workflow[True]["push"]["branches"] == ["trunk"]
    text = (empty.root / ".github/workflows/gate.yml").read_text()
    assert "CHECKOUT_" not in text
    assert "DEFAULT_BRANCH" not in text


def test_init__outside_of_a_repository(empty: Project) -> None:
    ran = empty.gate("init")
    assert ran.code == 2
    assert ran.err.startswith("error: project: not a git repository\n help: type `git init` first\n")
    assert tree(empty) == {}


def test_init__folder_in_the_way(empty: Project) -> None:
    # Permissions do not bind root, so a file stands where a folder is needed.
    git_init(empty)
    empty.write({"golden_sets": "a file"})
    ran = empty.gate("init")
    assert ran.code == 2
    assert "cannot write: " in ran.err


@pytest.mark.parametrize(
    ("what", "good", "bad"),
    [
        ("gate", "gate.yaml", {"version": 1, "targets": {}, "polcy": {}}),
        ("suite", f"{SUITE}/suite.yaml", {"kind": "golden"}),
        ("case", f"{SUITE}/cases.jsonl", {"id": "a", "inputt": {}}),
    ],
)
def test_schema__is_valid_and_accepts_what_gate_accepts(
    what: str, good: str, bad: dict[str, object], project: Project
) -> None:
    ran = project.gate("schema", what)
    assert ran.code == 0
    schema = json.loads(ran.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(
        yaml.safe_load(
            (project.root / good).read_text().splitlines()[0] if what == "case" else (project.root / good).read_text()
        )
    )
    assert not validator.is_valid(bad)


def test_plan__without_a_baseline(project: Project, model: ModelServer) -> None:
    ran = project.gate("plan")
    assert (ran.code, model.prompts) == (0, [])
    assert "looks after passes 1, 2, 3, 5\n" in ran.out
    assert "echo / echo: 36 cases" in ran.out
    told = "calls: 36 at least, 180 at most, and a few to confirm suspicions\n"
    assert ran.out.endswith(f"{told}expected of a change that changes nothing: 36 calls\n")


def test_plan__with_a_baseline_and_fewer_passes(promoted: Project, model: ModelServer) -> None:
    ran = promoted.gate("plan", "--passes", "2")
    assert (ran.code, model.prompts) == (0, [])
    assert "looks after passes 1, 2\n" in ran.out
    told = "calls: 36 at least, 72 at most, and a few to confirm suspicions\n"
    assert ran.out.endswith(f"{told}expected of a change that changes nothing: 36 calls\n")


def test_plan__finds_a_bad_template_before_the_first_call(project: Project) -> None:
    project.write({"prompts/echo.md": "{{ wrd }}\n"})
    ran = project.gate("plan")
    assert ran.code == 2
    assert "'wrd' is undefined" in ran.err


def test_show__run_and_case(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda prompt: "no" if echo(prompt) in {"w-01", "w-02"} else echo(prompt)
    check = promoted.gate("check", "--all", "--passes", "1")
    shown = promoted.gate("show")
    assert shown.code == 0
    assert shown.out.splitlines()[:2] == check.out.splitlines()[:2]
    case = promoted.gate("show", "w-01")
    assert case.code == 0
    assert case.out == (
        "echo / echo / w-01\n\nprompt:\nRepeat: w-01\n\nbefore: 2/2 passed\nw-01\n\nnow, trial 1: failed at 0.00\nno\n"
        '  exact: 0.00  the answer is "no", expected "w-01"\n'
    )


def test_show__same_id_in_two_suites(promoted: Project) -> None:
    files = files_below(promoted.root)
    promoted.write({f"golden_sets/again/{name}": files[f"{SUITE}/{name}"] for name in ("suite.yaml", "cases.jsonl")})
    promoted.edit("gate.yaml", f'"{SUITE}"', f'"{SUITE}", "golden_sets/again"')
    promoted.gate("check", "--quiet", "--all", "--passes", "1")
    shown = promoted.gate("show", "w-01").out
    heads = [line for line in shown.splitlines() if line.endswith("/ w-01")]
    assert heads == ["echo / echo / w-01", "echo / again / w-01"]
    assert shown.count("now, trial 1:") == 2
    assert [line for line in shown.splitlines() if line.startswith("before:")] == [
        "before: 2/2 passed",
        "before: not in the baseline",
    ]


def test_show__record_claims_neither_calls_nor_a_command(promoted: Project) -> None:
    promoted.gate("check", "--quiet", "--all", "--passes", "1")
    shown = promoted.gate("show").out
    assert " call" not in shown
    assert "$ gate" not in shown


def test_show__unknown_case_names_near_ones(promoted: Project) -> None:
    promoted.gate("check", "--quiet", "--all")
    ran = promoted.gate("show", "w-99")
    assert ran.code == 3
    assert ran.err.startswith(
        "error: no trial of case 'w-99' in lockgate-out\n help: known ids are like w-01, w-02, w-03, w-04, w-05\n"
    )
    assert promoted.gate("show", "zzz").code == 3


def test_show__no_record_yet(promoted: Project) -> None:
    for words in (("show",), ("show", "w-01")):
        ran = promoted.gate(*words)
        assert ran.code == 2
        assert ran.err.startswith("error: lockgate-out/")
        assert "gate check" in ran.err


def test_show__edited_trials_name_the_line(promoted: Project) -> None:
    promoted.gate("check", "--quiet", "--all")
    path = promoted.record / "trials.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{", *lines[2:]]))
    ran = promoted.gate("show", "w-05")
    assert ran.code == 2
    assert ran.err.startswith("error: lockgate-out/trials.jsonl:2: ")


def test_show__torn_last_line_is_left_out(promoted: Project) -> None:
    promoted.gate("check", "--quiet", "--all")
    path = promoted.record / "trials.jsonl"
    path.write_text(path.read_text()[:-20])
    assert promoted.gate("show", "w-01").code == 0


def test_check__progress_goes_to_standard_error(promoted: Project) -> None:
    ran = promoted.gate("check", "--all")
    assert ran.err.startswith("[36/36] echo  pass 36 fail 0 | p95 ")


def test_check__quiet_prints_no_progress(promoted: Project) -> None:
    ran = promoted.gate("check", "--all", "--quiet")
    assert (ran.code, ran.err) == (0, "")


def test_check__json_prints_nothing_else_on_standard_output(promoted: Project) -> None:
    ran = promoted.gate("check", "--all", "--json")
    assert json.loads(ran.out) == promoted.decision()
    assert ran.err.startswith("[36/36] echo  pass 36 fail 0 | p95 ")


def test_check__groups_on_a_runner_of_github(
    promoted: Project, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.answers = lambda prompt: "no" if echo(prompt) == "w-01" else echo(prompt)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = promoted.gate("check", "--all", "--passes", "1").err.splitlines()
    assert lines[0] == "::group::echo / echo"
    assert lines[1].startswith("[36/36] echo  pass 35 fail 1 | p95 ")
    assert lines[2:4] == ["::endgroup::", "echo: failing: w-01"]
    assert [line for line in lines if line.startswith("::group::")] == ["::group::echo / echo"] * lines.count(
        "::endgroup::"
    )


def test_check__record_holds_every_file_and_no_path_of_this_machine(promoted: Project) -> None:
    promoted.gate("check", "--all", "--quiet")
    files = files_below(promoted.record)
    assert sorted(files) == [
        "answers.jsonl",
        "comment.md",
        "decision.json",
        "evidence.json",
        "inputs/policy.json",
        "inputs/references.json",
        "junit.xml",
        "summary.md",
        "trials.jsonl",
    ]
    assert [name for name, content in files.items() if str(promoted.root.parent).encode() in content] == []
    assert str(promoted.root).encode() not in (promoted.root / BASELINE).read_bytes()
