"""A key in the environment is sent to its host, and stands nowhere else: no file, no log, no message."""

from __future__ import annotations

import base64

import pytest

from tests.projects import (
    CASES,
    SUITE,
    ModelServer,
    Project,
    Response,
    case_lines,
    echo,
    echo_cases,
    files_below,
    gate_yaml,
    program_files,
)

KEY = "sk-planted-0123456789abcdef"
LEAKS = (KEY.encode(), base64.b64encode(KEY.encode()).rstrip(b"="), KEY[::-1].encode())


@pytest.fixture
def keyed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("MY_KEY", "OTHER_SECRET", "INPUT_GITHUB-TOKEN"):
        monkeypatch.setenv(name, KEY)
    project.edit("gate.yaml", '"temperature": 0.2', '"temperature": 0.2, "api_key": "MY_KEY"')
    project.edit("gate.yaml", '"version": 1', '"version": 1, "credentials": {"MY_KEY": ["127.0.0.1"]}')
    return project


def assert_no_leak(project: Project, text: str) -> None:
    contents = {"output": text.encode("utf-8", "surrogateescape"), **files_below(project.root)}
    assert [name for name, content in contents.items() if any(leak in content for leak in LEAKS)] == []


def run_all(project: Project) -> str:
    """Everything that prints or writes, whatever it decides."""
    lines = [
        ("promote", "--passes", "2"),
        ("check", "--all"),
        ("check", "--all", "--json"),
        ("show",),
        ("show", "w-01"),
    ]
    return "".join(project.gate(*words).text for words in [*lines, ("plan",), ("validate",)])


@pytest.mark.parametrize(
    "answer",
    [
        echo,
        lambda _prompt: f"your key is {KEY}",
        lambda _prompt: Response(status=401, body=f"bad key: Bearer {KEY}".encode()),
        lambda _prompt: Response(status=401, body=b"x" * 190 + KEY.encode()),
        lambda _prompt: Response(status=302, headers={"Location": f"http://127.0.0.1:1/{KEY}"}),
        lambda _prompt: Response(body=f"<html>{KEY}</html>".encode()),
        lambda _prompt: Response(
            body=b'{"choices": [{"message": {"content": "' + KEY.encode() + b'"}}], "' + KEY.encode() + b'": 1}'
        ),
    ],
)
def test_check__key_of_an_endpoint(answer: object, keyed: Project, model: ModelServer) -> None:
    model.answers = answer  # type: ignore[assignment]
    said = run_all(keyed)
    assert set(model.keys) == {f"Bearer {KEY}"}
    assert "Traceback" not in said
    assert_no_leak(keyed, said)


def test_check__key_in_a_model_error_is_cut_only_after_masking(keyed: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: Response(status=401, body=b"x" * 190 + KEY.encode())
    said = run_all(keyed)
    assert KEY[:8].encode() not in b"".join([said.encode(), *files_below(keyed.root).values()])


def test_check__refused_and_interrupted_by_a_bug(
    keyed: Project, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.edit("gate.yaml", model.url, "http://127.0.0.1:1/v1")
    keyed.edit("gate.yaml", '"timeout": 5', '"timeout": 5, "concurrency": 72')
    said = keyed.gate("check").text
    monkeypatch.setattr("gate.app.record.render_junit", lambda **_options: 1 / 0)
    said += keyed.gate("check").text
    assert "this is a bug in gate" in said
    assert_no_leak(keyed, said)


@pytest.mark.parametrize("value", [f"{KEY} {KEY}", f"{KEY}\n", f"é{KEY}", " "])
def test_check__unusable_key_is_not_quoted(value: str, keyed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", value)
    ran = keyed.gate("check", "--quiet")
    assert ran.code in {2, 10}
    assert_no_leak(keyed, ran.text)


@pytest.mark.parametrize("kind", ["command", "python", "scorer"])
def test_check__programs_see_no_key(kind: str, keyed: Project, model: ModelServer) -> None:
    look = "import os\nENV = repr(sorted(os.environ.items()))\n"
    parents = "import pathlib\ndef read(path):\n    try: return pathlib.Path(path).read_bytes().decode('latin-1')\n    except OSError as error: return str(error)\n"
    told = (
        look + parents + "def tell(_): return ENV + read('/proc/1/environ') + read(f'/proc/{os.getppid()}/environ')\n"
    )
    keyed.write({"spy.py": told, "spy.sh": "exec env\n"})
    if kind == "scorer":
        keyed.write({f"{SUITE}/suite.yaml": "kind: golden\nscope: set\nscorers: [{python: {call: 'spy:judge'}}]\n"})
        keyed.write({"spy.py": told + "def judge(d): return {'value': 0.5, 'explanation': tell(d)[:150]}\n"})
    else:
        target = {"command": ["sh", "spy.sh"]} if kind == "command" else {"python": "spy:tell"}
        keyed.write({"gate.yaml": program_files(**target)["gate.yaml"]})
    keyed.write({f"{SUITE}/cases.jsonl": case_lines(echo_cases(5))})
    keyed.edit(f"{SUITE}/suite.yaml", "kind: golden\n", "kind: golden\nmargin: 0.99\n")
    ran = keyed.gate("check", "--passes", "1")
    assert ran.code in {10, 20}
    assert len(keyed.trials()) == 5
    assert_no_leak(keyed, ran.text)


def test_check__template_sees_no_key(keyed: Project, model: ModelServer) -> None:
    keyed.write({"prompts/echo.md": "{{ environ|default('none') }} {{ MY_KEY|default('none') }} {{ word }}\n"})
    keyed.gate("check", "--quiet", "--passes", "1")
    assert {prompt[:9] for prompt in model.prompts} == {"none none"}
    assert len(model.prompts) == CASES


def test_check__key_of_a_host_that_the_base_does_not_list(keyed: Project, model: ModelServer) -> None:
    settings = {"echo": {"command": ["true"], "suites": [SUITE]}}
    keyed_yaml = (keyed.root / "gate.yaml").read_text()
    keyed.write({"gate.yaml": gate_yaml(settings)})
    repository = keyed.repository()
    repository.commit({"gate.yaml": keyed_yaml})
    ran = keyed.gate("check", "--base", "HEAD^", "--quiet")
    assert ran.code == 10, ran.text
    assert model.keys == []
    assert "host not listed under credentials" in keyed.sentences()
    assert_no_leak(keyed, ran.text)
