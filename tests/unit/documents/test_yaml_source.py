"""load_yaml on what people write, and on what they should not."""

import pytest

from gate.documents.yaml_source import DEPTH_LIMIT, SIZE_LIMIT, load_yaml
from gate.errors import ConfigurationError


def refusal(source: str | bytes) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_yaml(source, "gate.yaml")
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "on",
        "off",
        "yes",
        "y",
        "2026-01-01",
        "2026-01-01T10:00:00Z",
        "12:30:45",
        "1:30",
        "1e3",
        "1.5e3",
        "1_000",
        "010",
        "007",
        "0o17",
        "0x1F",
        "0b1",
        "1.",
        "1.2.3",
        "NaN",
        "inf",
        "tRue",
        "<<",
        "=",
    ],
)
def test_load_yaml__plain_words_stay_text(text: str) -> None:
    assert load_yaml(f"key: {text}\n", "gate.yaml").data == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    {
        "true": True,
        "TRUE": True,
        "False": False,
        "null": None,
        "~": None,
        "": None,
        "0": 0,
        "-3": -3,
        "+3": 3,
        "42": 42,
        "0.03": 0.03,
        "-0.5": -0.5,
        ".5": 0.5,
        "3.0": 3.0,
    }.items(),
)
def test_load_yaml__numbers_and_constants(text: str, value: object) -> None:
    data = load_yaml(f"key: {text}\n", "gate.yaml").data
    assert data == {"key": value}
    assert isinstance(data, dict)
    assert type(data["key"]) is type(value)


@pytest.mark.parametrize("text", ['"3"', "'true'", '"null"', '""', '".nan"'])
def test_load_yaml__quoted_is_text(text: str) -> None:
    assert load_yaml(f"[{text}]", "gate.yaml").data == [text[1:-1]]


def test_load_yaml__block_text() -> None:
    assert load_yaml("a: |\n  1\n  2\nb: >-\n  x\n  y\n", "gate.yaml").data == {"a": "1\n2\n", "b": "x y"}


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.inf", "+.Inf"])
def test_load_yaml__not_finite(text: str) -> None:
    error = refusal(f"policy:\n  margin: {text}\n")
    assert str(error) == f"gate.yaml:2:11: {text} is not a usable number"
    assert error.hint == "write a finite number, or quote it"


def test_load_yaml__number_of_too_many_digits() -> None:
    assert str(refusal("a: " + "9" * 5000)) == "gate.yaml:1:4: a number of more than 100 digits"


@pytest.mark.parametrize("source", ["", "\n\n", "# nothing\n", b"", b"\xef\xbb\xbf"])
def test_load_yaml__empty_is_null(source: str | bytes) -> None:
    document = load_yaml(source, "gate.yaml")
    assert (document.data, document.position(("a",))) == (None, (1, 1))


def test_load_yaml__byte_order_mark() -> None:
    document = load_yaml(b"\xef\xbb\xbfa: 1\n", "gate.yaml")
    assert (document.data, document.key_position(("a",))) == ({"a": 1}, (1, 1))


def test_load_yaml__duplicate_key_names_both_places() -> None:
    error = refusal("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")
    assert str(error) == 'gate.yaml:5:3: the key "c" is given twice; the first is at line 3, column 3'
    assert error.hint == "keep one of the two"


def test_load_yaml__tab() -> None:
    error = refusal("a:\n\tb: 1\n")
    assert str(error) == "gate.yaml:2:1: a tab is used for indentation"
    assert error.hint == "YAML is indented with spaces"


@pytest.mark.parametrize(
    ("source", "place"), [(b"a: \xff\n", "1:4"), ("é: é".encode() + b"\xe9", "1:5"), (b"a: 1\nb: \xc3(", "2:4")]
)
def test_load_yaml__not_utf8(source: bytes, place: str) -> None:
    error = refusal(source)
    assert str(error).startswith(f"gate.yaml:{place}: byte 0x")
    assert str(error).endswith(" is not UTF-8")
    assert error.hint == "save the file as UTF-8"


def test_load_yaml__utf16_is_refused() -> None:
    assert str(refusal("a: 1".encode("utf-16"))) == "gate.yaml:1:1: byte 0xff is not UTF-8"


def test_load_yaml__lone_surrogate_is_refused() -> None:
    assert str(refusal("a: \ud800")) == "gate.yaml:1:4: byte 0xed is not UTF-8"


def test_load_yaml__control_character_after_other_letters() -> None:
    assert str(refusal("a: 1\né: \x07")) == "gate.yaml:2:4: the character 0x7 is not allowed"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: [1, 2\n", "gate.yaml:2:1: not YAML: while parsing a flow sequence: did not find expected ',' or ']'"),
        ("a: b: c\n", "gate.yaml:1:5: not YAML: mapping values are not allowed in this context"),
        ('a: "b\n', "gate.yaml:2:1: not YAML: while scanning a quoted scalar: found unexpected end of stream"),
        ("a: 1\n---\nb: 2\n", "gate.yaml:2:1: a second document starts here"),
        ("a: !!python/name:os.system x\n", 'gate.yaml:1:4: the tag "tag:yaml.org,2002:python/name:os.system" is not'),
        ("a: !!str 3\n", 'gate.yaml:1:4: the tag "tag:yaml.org,2002:str" is not supported'),
        ("!x key: 3\n", "gate.yaml:1:1: a key must be plain text"),
        ("? [a]\n: 3\n", "gate.yaml:1:3: a key must be plain text"),
        ("? {a: 1}\n: 3\n", "gate.yaml:1:3: a key must be plain text"),
        ("a: &x b\n*x : 3\n", "gate.yaml:2:1: a key must be plain text"),
        ("1: a\n", 'gate.yaml:1:1: the key "1" is not text'),
        ("x:\n  true: a\n", 'gate.yaml:2:3: the key "true" is not text'),
        ("{~: a}\n", 'gate.yaml:1:2: the key "~" is not text'),
        ("a: 1\n?\n: a\n", 'gate.yaml:2:2: the key "" is not text'),
    ],
)
def test_load_yaml__refused(text: str, start: str) -> None:
    error = refusal(text)
    assert str(error).startswith(start)
    assert error.hint


def test_load_yaml__size_limit() -> None:
    assert load_yaml("#" * SIZE_LIMIT, "gate.yaml").data is None
    assert str(refusal("#" * (SIZE_LIMIT + 1))) == "gate.yaml:1:1: the file has 1048577 bytes; at most 1048576 are read"


def test_load_yaml__depth_limit() -> None:
    assert load_yaml("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, "gate.yaml").data != []
    text = "[" * (DEPTH_LIMIT + 1) + "]" * (DEPTH_LIMIT + 1)
    assert str(refusal(text)) == "gate.yaml:1:65: nested more than 64 levels deep"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_load_yaml__hostile_depth_is_refused(opening: str) -> None:
    assert "nested more than 64 levels deep" in str(refusal(opening * 100_000))


def test_load_yaml__aliases() -> None:
    document = load_yaml("a: &x {b: 1}\nc: *x\n", "gate.yaml")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.position(("c",)) == (2, 4)
    assert document.position(("c", "b")) == (1, 11)


def test_load_yaml__alias_of_itself() -> None:
    error = refusal("a: &x [*x]\n")
    assert str(error) == 'gate.yaml:1:8: the alias "x" has no finished anchor before it'


def test_load_yaml__billion_laughs() -> None:
    lines = ["a0: &a0 [ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    error = refusal("\n".join(lines))
    assert str(error).endswith(": aliases expand to more than 4 MB")


def test_load_yaml__long_texts_count_as_expansion() -> None:
    error = refusal(f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 60)}]\n")
    assert str(error).startswith("gate.yaml:2:")
    assert str(error).endswith(": aliases expand to more than 4 MB")


def test_load_yaml__long_keys_count_as_expansion() -> None:
    error = refusal(f"a: &a\n  ? {'x' * 100_000}\n  : 1\nb: [{', '.join(['*a'] * 60)}]\n")
    assert str(error).endswith(": aliases expand to more than 4 MB")


def test_load_yaml__aliases_that_nest() -> None:
    lines = ["a0: &a0 [1]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]
    assert str(refusal("\n".join(lines))) == "gate.yaml:63:12: aliases nest more than 64 levels deep"


def test_position__values_keys_and_missing_paths() -> None:
    document = load_yaml("policy:\n  margin: 0.03\n  list:\n    - a\n    - {b: c}\n", "gate.yaml")
    assert document.position(()) == (1, 1)
    assert document.position(("policy",)) == (2, 3)
    assert document.position(("policy", "margin")) == (2, 11)
    assert document.position(("policy", "list", 1, "b")) == (5, 11)
    assert document.position(("policy", "list", 7, "b")) == (4, 5)
    assert document.position(("nothing", 0)) == (1, 1)
    assert document.key_position(("policy", "margin")) == (2, 3)
    assert document.key_position(("policy", "list", 1, "b")) == (5, 8)
    assert document.key_position(("policy", "absent")) == (2, 3)
    assert document.key_position(()) == (1, 1)


def test_yaml_document__is_frozen() -> None:
    document = load_yaml("a: 1", "gate.yaml")
    with pytest.raises(AttributeError):
        document.name = "other"  # type: ignore[misc]
