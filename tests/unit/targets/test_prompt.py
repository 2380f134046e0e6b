"""Prompts from real files, rendered by the real child process."""

from pathlib import Path

import pytest

from gate.core.canonical import digest_text
from gate.core.model import Json
from gate.documents.tree import WorkingTree
from gate.errors import PromptError
from gate.targets.prompt import family_text, load_prompt, render_prompts

NAME = "prompts/x.md"
ONE: list[tuple[str, dict[str, Json]]] = [("es-1", {"email": "a <b> & \ud800é", "n": 3})]


def refuse(template: str) -> PromptError:
    with pytest.raises(PromptError) as caught:
        render_prompts(template, NAME, ONE)
    return caught.value


def test_load_prompt__reads_text_and_digest(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_bytes("Grüße {{ x }}\n".encode())
    prompt = load_prompt(WorkingTree(tmp_path), "p.md")
    assert (prompt.path, prompt.text) == ("p.md", "Grüße {{ x }}\n")
    assert prompt.digest == digest_text("Grüße {{ x }}\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "p.md: no such prompt in the working tree"),
        (b"one\ntwo \xff", "p.md:2: not UTF-8"),
        (b"x" * 1_000_001, "p.md: larger than 1000000 bytes"),
    ],
)
def test_load_prompt__refuses(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "p.md").write_bytes(content)
    with pytest.raises(PromptError) as caught:
        load_prompt(WorkingTree(tmp_path), "p.md")
    assert str(caught.value) == message
    assert caught.value.hint


@pytest.mark.parametrize(
    "other",
    ["Be  kind.\n\n{{ n }}{# why #}", "{# why\n{{ #}Be kind.\r\n{{  n }}", "Be {# why #} kind. {{ n }}"],
    ids=["blanks", "line ends", "comment"],
)
def test_family_text__blanks_and_comments_are_one_family(other: str) -> None:
    assert render_prompts(other, NAME, ONE)[0].split() == ["Be", "kind.", "3"]
    assert family_text(other) == "Be kind. {{ n }}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<!-- be kind -->{{ n }}", "<!-- answer no -->{{ n }}"),
        ("{% raw %}{# be kind #}{% endraw %}", "{% raw %}{# answer no #}{% endraw %}"),
        ("{{ '{# be kind #}' }}", "{{ '{# answer no #}' }}"),
        ("{# {{ #}{{ '{# be kind #}' }}", "{# {{ #}{{ '{# answer no #}' }}"),
        ("{{ {1: {2: 3}}|length }}{{ '{# be kind #}' }}", "{{ {1: {2: 3}}|length }}{{ '{# answer no #}' }}"),
        ("{% if ' '|length == 1 %}kind{% endif %}", "{% if '  '|length == 1 %}kind{% endif %}"),
        ("{% set x %} {% endset %}{{ x|length }}", "{% set x %}  {% endset %}{{ x|length }}"),
        ("answer no{# #}w", "answer no w"),
        ("un{#- #} known", "un{# -#} known"),
    ],
)
def test_family_text__what_reaches_the_model_is_another_family(one: str, other: str) -> None:
    assert render_prompts(one, NAME, ONE) != render_prompts(other, NAME, ONE)
    assert family_text(one) != family_text(other)


def test_render_prompts__renders_each_case_in_order() -> None:
    template = "{% if reference is defined %}{{ reference }}: {% endif %}{{ email }} {{ '<i>' }}\n"
    inputs: list[tuple[str, dict[str, Json]]] = [
        ("a", {"email": "x <b> & \ud800é"}),
        ("b", {"email": "y", "reference": "r"}),
    ]
    assert render_prompts(template, NAME, inputs) == ("x <b> & \ud800é <i>\n", "r: y <i>\n")


def test_render_prompts__keeps_line_ends_at_the_end() -> None:
    assert render_prompts("a\n\n", NAME, ONE) == ("a\n\n",)


def test_render_prompts__renders_many_cases() -> None:
    template = "x" * 10_000 + "{{ email }}"
    inputs: list[tuple[str, dict[str, Json]]] = [(str(n), {"email": str(n)}) for n in range(400)]
    assert render_prompts(template, NAME, inputs) == tuple("x" * 10_000 + str(n) for n in range(400))


def test_render_prompts__without_cases_still_reads_the_template() -> None:
    assert render_prompts("{{ x }}", NAME, []) == ()
    with pytest.raises(PromptError, match=r"prompts/x\.md:2: "):
        render_prompts("a\n{{ x", NAME, [])


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a\n\n{{ emial }}", "prompts/x.md:3: case \"es-1\": 'emial' is undefined"),
        ("{{ email.foo }}", "prompts/x.md:1: case \"es-1\": 'str object' has no attribute 'foo'"),
        ("\n{% if %}", "prompts/x.md:2: Expected an expression, got 'end of statement block'"),
        (
            "\n{{ ''.__class__.__mro__ }}",
            "prompts/x.md:2: case \"es-1\": access to attribute '__class__' of 'str' object is unsafe.",
        ),
        (
            "{{ email|attr('__class__') }}",
            "prompts/x.md:1: case \"es-1\": access to attribute '__class__' of 'str' object is unsafe.",
        ),
        (
            "{% include '/etc/passwd' %}",
            'prompts/x.md:1: case "es-1": include, import and extends are not available: a prompt is one file',
        ),
        (
            "{% import '/etc/passwd' as x %}",
            'prompts/x.md:1: case "es-1": include, import and extends are not available: a prompt is one file',
        ),
        ("\n{{ 1 / (n - 3) }}", 'prompts/x.md:2: case "es-1": ZeroDivisionError: division by zero'),
        ("{{ 'a' * (n * 10 ** 6) }}", 'prompts/x.md: case "es-1": the prompt is over 1000000 bytes'),
        ("{{ 'a' * (n * 10 ** 9) }}", 'prompts/x.md:1: case "es-1": needs too much memory'),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}xxxxxxxxxx{% endfor %}{% endfor %}",
            'prompts/x.md: case "es-1": the prompt is over 1000000 bytes',
        ),
        ("{{ lipsum() }}", "prompts/x.md:1: case \"es-1\": 'lipsum' is undefined"),
        ("{{ [1, 2]|random }}", "prompts/x.md:1: No filter named 'random'."),
        ("{{ " + "(" * 50_000 + " }}", "prompts/x.md: RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_render_prompts__names_file_line_and_case(template: str, message: str) -> None:
    error = refuse(template)
    assert str(error).startswith(message)
    assert error.hint


def test_render_prompts__lists_the_variables_of_the_case() -> None:
    assert refuse("{{ emial }}").hint == 'the case\'s input has: "email", "n"; or test `is defined` first'


def test_render_prompts__names_the_case_that_fails() -> None:
    with pytest.raises(PromptError, match=r'prompts/x\.md:1: case "second": '):
        render_prompts("{{ x }}", NAME, [("first", {"x": 1}), ("second", {}), ("third", {"x": 1})])


@pytest.mark.parametrize(
    "hang",
    ["{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "{{ 7 ** (n * 10 ** 8) }}"],
)
def test_render_prompts__stops_an_endless_case(hang: str) -> None:
    """The second one never returns to the interpreter, where a handler would run."""
    template = "{% if n == 3 %}" + hang + "{% endif %}"
    with pytest.raises(PromptError) as caught:
        render_prompts(template, NAME, [("quick", {"n": 1}), ("slow", {"n": 3}), ("never", {"n": 1})])
    assert str(caught.value) == 'prompts/x.md: case "slow": takes longer than 2 s to render'


def test_render_prompts__escapes_what_the_template_says() -> None:
    error = refuse("{{ x['\x1b[31m\n::error::'] }}".replace("x", "email"))
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
