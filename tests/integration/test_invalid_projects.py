"""What a user can get wrong in the files: exit code 2, and words that say where, what, and what to do."""

from __future__ import annotations

import json

import pytest

from tests.projects import PROMPT, SUITE, ModelServer, Project, case_lines, echo_cases, echo_files, gate_yaml

CASES_FILE = f"{SUITE}/cases.jsonl"
SUITE_FILE = f"{SUITE}/suite.yaml"
SEE = "  see: docs/reference/errors.md#"


def refused(project: Project, model: ModelServer, *words: str) -> str:
    """What `check` says on standard error, having asked nothing; `validate` must say the same."""
    ran = project.gate("check", "--quiet", *words)
    assert ran.code == 2, ran.text
    assert ran.out == ""
    assert model.prompts == []
    assert not (project.record / "decision.json").exists()
    assert project.gate("validate", *words).err == ran.err
    return ran.err


def test_check__suite_without_cases(project: Project, model: ModelServer) -> None:
    project.write({CASES_FILE: ""})
    assert refused(project, model) == (
        f"error: {CASES_FILE}:1: the suite has no cases\n help: write one JSON case a line\n{SEE}suite\n"
    )


def test_check__cases_file_missing(project: Project, model: ModelServer) -> None:
    project.write({CASES_FILE: None})
    assert f"error: {CASES_FILE}:1: the file does not exist in the working tree\n" in refused(project, model)


def test_check__suite_file_missing(project: Project, model: ModelServer) -> None:
    project.write({SUITE_FILE: None})
    said = refused(project, model)
    assert f"error: {SUITE_FILE}:1: the file does not exist in the working tree\n help: write one with kind" in said


def test_check__case_that_no_scorer_judges(project: Project, model: ModelServer) -> None:
    cases = echo_cases()
    cases[6]["expected"] = {"colour": "red"}
    project.write({CASES_FILE: case_lines(cases)})
    said = refused(project, model)
    assert said.startswith(
        f'error: {CASES_FILE}:7: case "w-07": it expects nothing that a scorer of the suite judges (exact)\n help: '
    )


def test_check__suite_without_scorers(project: Project, model: ModelServer) -> None:
    project.write({SUITE_FILE: "kind: golden\nscorers: []\n"})
    said = refused(project, model)
    assert said.startswith(f"error: {SUITE_FILE}:2:10: scorers: ")
    assert "scorers: must not be empty" in said


def test_check__too_few_cases_for_the_margin_names_the_number_and_the_ways_out(
    project: Project, model: ModelServer
) -> None:
    project.write({CASES_FILE: case_lines(echo_cases(20))})
    assert refused(project, model) == (
        f"error: {SUITE_FILE}:1: suite echo has 20 cases; a margin of 10 points in scope population needs 30\n"
        f" help: add 10 cases, or set margin: 0.15, or set scope: set\n{SEE}suite\n"
    )


def test_check__duplicate_id(project: Project, model: ModelServer) -> None:
    project.write({CASES_FILE: case_lines([*echo_cases(), echo_cases()[4]])})
    said = refused(project, model)
    assert said.startswith(f'error: {CASES_FILE}:37: case "w-05": the id is already used in line 5\n')


def test_check__bad_json_line_names_line_and_column(project: Project, model: ModelServer) -> None:
    project.write({CASES_FILE: case_lines(echo_cases()) + '{"id": "w-99", }\n'})
    assert refused(project, model).startswith(f"error: {CASES_FILE}:37: not JSON: ")


def test_check__every_bad_case_of_the_file_is_named_at_once(project: Project, model: ModelServer) -> None:
    cases = echo_cases()
    cases[2]["inputs"] = cases[2].pop("input")
    cases[8]["severity"] = "P9"
    project.write({CASES_FILE: case_lines(cases)})
    said = refused(project, model)
    assert f'{CASES_FILE}:3: case "w-03": unknown key "inputs" (did you mean "input"?)\n' in said
    assert f'{CASES_FILE}:9: case "w-09": severity: ' in said


def test_check__nan_in_a_case(project: Project, model: ModelServer) -> None:
    project.write({CASES_FILE: case_lines(echo_cases()) + '{"id": "w-99", "input": {"word": NaN}}\n'})
    assert refused(project, model).startswith(f"error: {CASES_FILE}:37: NaN is not a JSON number\n")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"policy"', '"polcy"', '2: unknown key "polcy" (did you mean "policy"?)'),
        ('"temperature"', '"temprature"', 'unknown key "temprature" (did you mean "temperature"?)'),
        ('"profile": "ci"', '"profile": "cI"', "policy.profile: "),
        ('"margin": 0.1', '"margin": .nan', ".nan is not a usable number"),
        ('"margin": 0.1', '"margin": 3', "policy.margin: must be less than 1, not 3"),
        ('"margin": 0.1', '"margin": 1e-1', 'policy.margin: must be a number, not "1e-1"'),
        ('"version": 1', '"version": 1, "version": 1', 'the key "version" is given twice; the first is at line 2'),
        ('"name": "echo-1"', '"name": "echo-latest"', '"echo-latest" is a floating model name; pin the dated name'),
        ('"name": "echo-1"', '"name": "gpt"', '"gpt" is a floating model name; pin the dated name'),
        ('"name": "echo-1"', '"name": no', '"no" is a floating model name'),
        ('"name": "echo-1"', '"name": 2026-01-01 ', None),
        ('"provider": "openai"', '"provider": "opnai"', "provider: "),
        ('"version": 1', '\t"version": 1', None),
        ('"version": 1', '"version": 2', "this lockgate reads version 1, not 2"),
        ('"golden_sets/echo"', '"../golden_sets/echo"', "must be a relative path inside of the repository"),
        ('"echo": {', '"Echo!": {', "must be a target name: small letters, digits and dashes"),
        ('"temperature": 0.2', '"temperature": 0.2, "api_key": "MY_KEY"', '"MY_KEY" is not listed under credentials'),
    ],
)
def test_check__gate_yaml(old: str, new: str, words: str | None, project: Project, model: ModelServer) -> None:
    project.edit("gate.yaml", old, new)
    if words is None:
        assert project.gate("validate").code == 0
        return
    said = refused(project, model)
    assert said.startswith("error: gate.yaml:")
    assert words in said
    assert all(part.isdigit() for part in said.removeprefix("error: gate.yaml:").split(": ")[0].split(":"))


def test_check__tab_in_yaml(project: Project, model: ModelServer) -> None:
    project.write({SUITE_FILE: "kind: golden\nscorers:\n\t- exact\n"})
    assert refused(project, model).startswith(
        f"error: {SUITE_FILE}:3:1: a tab is used for indentation\n help: YAML is indented with spaces\n"
    )


def test_check__bad_encoding_of_yaml(project: Project, model: ModelServer) -> None:
    project.write({SUITE_FILE: b"kind: golden\n# caf\xe9\nscorers: [{exact: {}}]\n"})
    assert refused(project, model).startswith(
        f"error: {SUITE_FILE}:2:6: byte 0xe9 is not UTF-8\n help: save the file as UTF-8\n"
    )


def test_check__bad_encoding_of_cases(project: Project, model: ModelServer) -> None:
    project.write({CASES_FILE: b'{"id": "w-01", "input": {"word": "caf\xe9"}}\n'})
    assert refused(project, model).startswith(f"error: {CASES_FILE}:1: byte 0xe9 at offset 37 of the line is not UTF-8")


def test_check__unknown_scorer_and_option_suggest_the_near_one(project: Project, model: ModelServer) -> None:
    project.write({SUITE_FILE: "kind: golden\nscorers:\n  - exat: {}\n"})
    assert f'{SUITE_FILE}:3:5: scorers[0]: unknown scorer "exat" (did you mean "exact"?)' in refused(project, model)
    project.write({SUITE_FILE: "kind: golden\nscorers:\n  - exact: {stripe: false}\n"})
    assert 'exact: unknown option "stripe" (did you mean "strip"?)' in refused(project, model)


def test_load__words_numbers_and_dates_of_yaml_stay_text(project: Project, model: ModelServer) -> None:
    project.write({SUITE_FILE: "kind: golden\nscorers:\n  - contains: {all: no}\n  - exact: {key: 2026-01-01}\n"})
    cases = [{**case, "expected": {"no": case["id"], "2026-01-01": case["id"]}} for case in echo_cases()]
    project.write({CASES_FILE: case_lines(cases)})
    assert project.gate("check", "--quiet").code == 10
    assert {score["scorer"]: score["result"]["value"] for score in project.trials()[0]["scores"]} == {
        "contains": 1.0,
        "exact": 1.0,
    }


def test_check__prompt_missing(project: Project, model: ModelServer) -> None:
    project.write({PROMPT: None})
    assert refused(project, model) == (
        f"error: {PROMPT}: no such prompt in the working tree\n"
        f" help: correct `prompt:` in gate.yaml, or add it\n{SEE}prompt\n"
    )


def test_check__draft_missing(project: Project) -> None:
    ran = project.gate("check", "--prompt", "drafts/none.md")
    assert ran.code == 2
    assert ran.err.startswith("error: none.md: no such prompt")


def test_check__undefined_variable_names_file_line_case_and_what_there_is(project: Project, model: ModelServer) -> None:
    cases = echo_cases()
    cases[3]["input"] = {"text": "x"}
    project.write({PROMPT: "One line.\nRepeat: {{ word }}\n", CASES_FILE: case_lines(cases)})
    assert refused(project, model) == (
        f"error: {PROMPT}:2: case \"w-04\": 'word' is undefined\n"
        f' help: the case\'s input has: "text"; or test `is defined` first\n{SEE}prompt\n'
    )


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ word.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__.__globals__.__builtins__ }}",
        "{% include '/etc/passwd' %}",
        "{% import '/etc/passwd' as x %}{{ word }}",
        "{{ word|attr('__class__') }}",
        "{{ '%s'.__mod__.__class__ }}",
        "{{ ('{0.__class__.__mro__}').format(word) }}",
    ],
)
def test_check__template_that_tries_to_escape(template: str, project: Project, model: ModelServer) -> None:
    project.write({PROMPT: template + "\n"})
    said = refused(project, model)
    assert said.startswith(f"error: {PROMPT}")
    assert "root:" not in said
    assert "uid=" not in said


def test_check__template_that_loops_for_ever(project: Project, model: ModelServer) -> None:
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    project.write({PROMPT: loop + "{{ word }}\n"})
    ran = project.gate("check", "--quiet")
    assert (ran.code, model.prompts) == (2, [])
    assert ran.err.startswith(
        f'error: {PROMPT}: case "w-01": takes longer than 2 s to render\n help: simplify the prompt'
    )


def test_check__template_that_grows(project: Project, model: ModelServer) -> None:
    project.write({PROMPT: "{{ 'x' * 2000000 }}{{ word }}\n"})
    said = refused(project, model)
    assert said.startswith(f"error: {PROMPT}")
    assert "1000000 bytes" in said


def test_check__template_syntax_names_the_line_and_raw(project: Project, model: ModelServer) -> None:
    project.write({PROMPT: 'Answer as JSON:\n{"word": "{{ word }"}\n'})
    said = refused(project, model)
    assert said.startswith(f"error: {PROMPT}:2: ")
    assert "{% raw %}" in said


def test_check__gate_yaml_missing(empty: Project) -> None:
    ran = empty.gate("check")
    assert ran.code == 2
    hint = "go to the repository's root, or name it with `--root`; to write a first gate.yaml: gate init"
    assert ran.err == f"error: gate.yaml does not exist in the working tree\n help: {hint}\n{SEE}configuration\n"


def test_check__version_file_missing(empty: Project) -> None:
    target = {"command": ["true"], "version-files": ["agent.py"], "suites": [SUITE]}
    empty.write({**echo_files("http://127.0.0.1:1/v1"), "gate.yaml": gate_yaml({"echo": target})})
    ran = empty.gate("check")
    assert ran.code == 2
    assert ran.err.startswith("error: version file agent.py does not exist\n help: correct `version-files`\n")


def test_check__key_not_set(project: Project, model: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    project.edit("gate.yaml", '"temperature": 0.2', '"temperature": 0.2, "api_key": "MY_KEY"')
    project.edit("gate.yaml", '"version": 1', '"version": 1, "credentials": {"MY_KEY": ["127.0.0.1"]}')
    ran = project.gate("check")
    assert (ran.code, model.prompts) == (2, [])
    assert ran.err.startswith(
        'error: target "echo" needs the key MY_KEY, which is not set\n help: set MY_KEY in the env'
    )


def test_check__two_suites_of_one_name(project: Project, model: ModelServer) -> None:
    project.edit("gate.yaml", '"golden_sets/echo"', '"golden_sets/echo", "other/echo"')
    assert '2 suites are named "echo"; the last part of each path must differ' in refused(project, model)


@pytest.mark.parametrize("option", ["--out", "--config"])
def test_check__folder_that_cannot_be_written(option: str, project: Project, model: ModelServer) -> None:
    # Permissions do not bind root, so a file stands where a folder is needed.
    project.write({"taken": "a file"})
    words = ("--out", "taken/out") if option == "--out" else ("--config", "taken/gate.yaml")
    ran = project.gate("check", "--quiet", *words)
    assert (ran.code, model.prompts) == (2, [])
    if option == "--out":
        assert ran.err == (
            "error: taken/out/answers.jsonl: cannot write: Not a directory\n"
            f" help: choose another folder with `--out DIR`\n{SEE}output\n"
        )
    else:
        assert ran.err.startswith("error: taken/gate.yaml does not exist in the working tree\n")


def test_check__out_in_a_kernel_folder(project: Project, model: ModelServer) -> None:
    ran = project.gate("check", "--quiet", "--out", "/proc/lockgate")
    assert (ran.code, model.prompts) == (2, [])
    assert ran.err.startswith("error: /proc/lockgate/answers.jsonl: cannot write: ")


def test_check__file_of_the_record_that_cannot_be_written(project: Project) -> None:
    # A folder stands where a file is needed: nothing may look like a decision then.
    (project.record / "comment.md").mkdir(parents=True)
    ran = project.gate("check", "--quiet")
    assert ran.code == 2
    assert ran.err.startswith(
        "error: lockgate-out/comment.md: cannot write: Is a directory\n help: choose another folder"
    )
    assert not (project.record / "decision.json").exists()


def test_validate__lists_suites_and_missing_baselines(project: Project, model: ModelServer) -> None:
    ran = project.gate("validate")
    assert (ran.code, model.prompts) == (0, [])
    assert ran.out == (
        "echo / echo: 36 cases, 1 scorer, 36 prompts rendered\n"
        "echo / echo: no baseline yet; run `gate promote` on the default branch\nvalid\n"
    )


def test_validate__tripwire_that_the_prompt_does_not_show(project: Project) -> None:
    cases = echo_cases()
    cases[1]["expected"]["tripwire"] = "HLR-9Y3P-SW30"
    project.write({CASES_FILE: case_lines(cases)})
    ran = project.gate("validate")
    assert ran.code == 2
    assert ran.err.startswith(
        f'error: {CASES_FILE}:2: case "w-02": its tripwire does not stand in the rendered prompt, so it cannot leak\n'
    )


def test_validate__many_problems_are_bounded(project: Project) -> None:
    project.write({CASES_FILE: "".join(json.dumps({"id": f"w-{n}", "inputt": {}}) + "\n" for n in range(500))})
    ran = project.gate("validate")
    assert ran.code == 2
    assert len(ran.err.splitlines()) < 30
