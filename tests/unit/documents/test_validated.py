"""validate_document: every problem at once, with its place."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from gate.documents.validated import validate_document
from gate.documents.yaml_source import load_yaml
from gate.errors import ConfigurationError


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def small(text: str) -> str:
    if text != text.lower():
        raise ValueError("must be written small")
    return text


Small = Annotated[str, AfterValidator(small)]


class Part(Strict):
    weight: Annotated[float, Field(gt=0)] = 1.0
    on_broken: bool = Field(default=False, alias="on-broken")


class Whole(Strict):
    version: int
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    parts: Mapping[str, Part] = Field(default_factory=dict)
    several: tuple[Part, ...] | None = None
    words: tuple[str, ...] = ()
    counts: Mapping[Small, int] = Field(default_factory=dict)


class Parts(RootModel[tuple[Part, ...]]):
    pass


def refusal(text: str, model: type[BaseModel] = Whole) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        validate_document(load_yaml(text, "gate.yaml"), model)
    assert caught.value.hint == "correct the places named above"
    return str(caught.value).splitlines()


def test_validate_document__returns_the_model() -> None:
    text = "version: 1\ncolour: green\nparts: {x: {weight: 3, on-broken: true}}\nwords: [no, '1']\n"
    whole = validate_document(load_yaml(text, "gate.yaml"), Whole)
    assert whole.colour is Colour.GREEN
    assert whole.parts["x"].weight == 3.0
    assert whole.parts["x"].on_broken is True
    assert whole.words == ("no", "1")


def test_validate_document__all_problems_in_file_order() -> None:
    text = "words: [a, 3]\ncolour: gren\nparts:\n  x:\n    weigth: 2\n    weight: '2'\n"
    assert refusal(text) == [
        'gate.yaml:1:1: the key "version" is missing',
        "gate.yaml:1:12: words[1]: must be text, not 3",
        "gate.yaml:2:9: colour: must be 'red' or 'green', not \"gren\" (did you mean \"green\"?)",
        'gate.yaml:5:5: parts.x: unknown key "weigth" (did you mean "weight"?)',
        'gate.yaml:6:13: parts.x.weight: must be a number, not "2"',
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{version: 1, verison: 2}", '1:14: unknown key "verison" (did you mean "version"?)'),
        ("{version: 1, zzz: 2}", '1:14: unknown key "zzz"'),
        ("{version: 1, several: [{}, {weigt: 1}]}", '1:29: several[1]: unknown key "weigt" (did you mean "weight"?)'),
        ("{version: 1, parts: {x: {on_broken: true}}}", '1:26: parts.x: unknown key "on_broken" (did you mean'),
        ("{version: true}", "1:11: version: must be a whole number, not true"),
        ("{version: 1.5}", "1:11: version: must be a whole number, not 1.5"),
        ("{version: no}", '1:11: version: must be a whole number, not "no"'),
        ("{version: }", "1:11: version: must be a whole number, not null"),
        ("{version: 1, kind: c}", "1:20: kind: must be 'a' or 'b', not \"c\""),
        ("{version: 1, words: a}", '1:21: words: must be a list, not "a"'),
        ("{version: 1, parts: [a]}", "1:21: parts: must be a mapping of keys to values, not a list"),
        ("{version: 1, parts: {x: {weight: 0}}}", "1:34: parts.x.weight: must be greater than 0, not 0"),
        ("{version: 1, parts: {x: {weight: true}}}", "1:34: parts.x.weight: must be a number, not true"),
        ("{version: 1, parts: {x: {weight: NaN}}}", '1:34: parts.x.weight: must be a number, not "NaN"'),
        ("{version: 1, counts: {a: 1, Big: 2}}", "1:29: counts: must be written small"),
        ("[1]", "1:1: must be a mapping of keys to values, not a list"),
        ("", "1:1: must be a mapping of keys to values, not null"),
    ],
)
def test_validate_document__one_problem(text: str, line: str) -> None:
    (found,) = refusal(text)
    assert found.startswith(f"gate.yaml:{line}")


def test_validate_document__list_at_the_top() -> None:
    (found,) = refusal("- {weight: 1}\n- {weigth: 1}\n", Parts)
    assert found == 'gate.yaml:2:4: [1]: unknown key "weigth" (did you mean "weight"?)'


def test_validate_document__hostile_number_of_problems() -> None:
    lines = refusal("version: 1\n" + "".join(f"key{n}: 1\n" for n in range(1000)))
    assert len(lines) == 21
    assert lines[0] == 'gate.yaml:2:1: unknown key "key0"'
    assert lines[-1] == "... and 980 more"


def test_validate_document__hostile_key_stays_on_its_line() -> None:
    (line,) = refusal('version: 1\n"a\\n::error::b": 2\n')
    assert line == 'gate.yaml:2:1: unknown key "a\\n::error::b"'
