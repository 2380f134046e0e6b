"""JSON Schema without network."""

import json

import pytest

from gate.core.model import Missing
from tests.unit.scorers.exhibits import case, exhibit, judge, make, unscored

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["intent", "urgency"],
    "properties": {"intent": {"$ref": "#/$defs/intent"}, "urgency": {"type": "integer", "minimum": 1, "maximum": 5}},
    "additionalProperties": False,
    "$defs": {"intent": {"enum": ["pricing", "support"]}},
}
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {"node": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#/$defs/node"}}]}},
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('{"intent": "pricing", "urgency": 5}', (1.0, "the answer follows the schema")),
        (
            '{"intent": "pricing", "urgency": 9}',
            (0.0, "the answer breaks the schema at $.urgency: 9 is greater than the maximum of 5"),
        ),
        ('{"intent": "pricing"}', (0.0, "the answer breaks the schema at $: 'urgency' is a required property")),
        ("[]", (0.0, "the answer breaks the schema at $: [] is not of type 'object'")),
        ("no", (0.0, "the answer is not JSON: Expecting value: line 1 column 1 (char 0)")),
    ],
)
def test_json_schema__inline(text, result):
    assert judge(make("json_schema", schema=SCHEMA), exhibit(text)) == result


def test_json_schema__from_a_file_of_the_suite():
    files = {"golden_sets/intent/schemas/answer.json": json.dumps(SCHEMA)}
    scorer = make("json_schema", files, file="./schemas/answer.json")
    assert judge(scorer, exhibit('```json\n{"intent": "support", "urgency": 1}\n```'))[0] == 1.0
    assert judge(scorer, exhibit('{"intent": "support", "urgency": 0}'))[0] == 0.0


def test_json_schema__applies_to_every_case():
    assert make("json_schema", schema={}).applies(case())


def test_json_schema__long_values_are_not_repeated():
    text = json.dumps({"intent": "x\x00" * 30_000, "urgency": 1})
    result = judge(make("json_schema", schema=SCHEMA), exhibit(text))
    assert result == (0.0, "the answer breaks the schema at $.intent: 'enum' does not hold")


@pytest.mark.parametrize(
    ("schema", "trouble"),
    [
        ([], "the schema must be a mapping"),
        (True, "the schema must be a mapping"),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "the schema must be a mapping, and its \\$schema https",
        ),
        ({"type": "strng"}, r"the schema cannot be used: \$\.type: 'strng'"),
        ({"pattern": "("}, r"the schema cannot be used: \$\.pattern: '\(' is not a 'regex'"),
        ({"$ref": 5}, "the schema cannot be used"),
        ({"items": {"$ref": "http://127.0.0.1:9/x.json"}}, 'the reference "http://127.0.0.1:9/x.json" leads out'),
        ({"items": {"$ref": "other.json"}}, 'the reference "other.json" leads out of the schema or nowhere'),
        ({"anyOf": [{"properties": {"a": {"$ref": "#/$defs/no"}}}]}, 'the reference "#/\\$defs/no" leads out'),
        ({"$dynamicRef": "#no"}, 'the reference "#no" leads out of the schema or nowhere'),
    ],
)
def test_json_schema__bad_schema_is_refused_when_built(schema, trouble):
    with pytest.raises(ValueError, match=f"^{trouble}"):
        make("json_schema", schema=schema)


def test_json_schema__deep_schema_is_refused_when_built():
    schema = {}
    for _ in range(2000):
        schema = {"not": schema}
    with pytest.raises(ValueError, match=r"^the schema is nested too deeply$"):
        make("json_schema", schema=schema)


@pytest.mark.parametrize("content", ["{", '{"type": NaN}', '{"type": "object", "type": "array"}'])
def test_json_schema__file_that_is_not_json(content):
    with pytest.raises(ValueError, match=r'^file "a.json" is not JSON: '):
        make("json_schema", {"golden_sets/intent/a.json": content}, file="a.json")


def test_json_schema__references_by_id_and_anchor_inside_work():
    schema = {
        "$id": "http://x.example/a",
        "$ref": "b",
        "$defs": {"b": {"$id": "b", "$ref": "#n", "$defs": {"n": {"$anchor": "n", "type": "null"}}}},
    }
    assert judge(make("json_schema", schema=schema), exhibit("null"))[0] == 1.0
    assert judge(make("json_schema", schema=schema), exhibit("1"))[0] == 0.0


def test_json_schema__a_ref_in_data_is_no_reference():
    assert (
        judge(
            make("json_schema", schema={"const": {"$ref": "http://x.example"}}), exhibit('{"$ref": "http://x.example"}')
        )[0]
        == 1.0
    )


@pytest.mark.parametrize(("inner", "value"), [("1", 1.0), ('"x"', 0.0)])
def test_json_schema__recursive_schema_reads_the_deepest_answer(inner, value):
    assert judge(make("json_schema", schema=TREE), exhibit("[" * 64 + inner + "]" * 64))[0] == value


def test_json_schema__a_schema_without_end_is_not_the_candidates_fault():
    with pytest.raises(ValueError, match=r"^the schema refers to itself without end$"):
        make("json_schema", schema={"$ref": "#"}).score(exhibit("1"))


def test_json_schema__a_slow_pattern_is_unscored():
    result = unscored(make("json_schema", schema={"pattern": "^(?:a?){30}(?:a|aa)+$"}), exhibit(f'"{"a" * 5000}!"'))
    assert result.reason is Missing.TIMED_OUT


@pytest.mark.parametrize(("text", "value"), [('"abc"', 1.0), ('"xyz"', 0.0), ("5", 1.0)])
def test_json_schema__pattern(text, value):
    assert judge(make("json_schema", schema={"pattern": "b"}), exhibit(text))[0] == value


@pytest.mark.parametrize(
    ("text", "value"), [("[1, true, {}, []]", 1.0), ("[1, 1.0]", 0.0), ('[{"a": [1]}, {"a": [1]}]', 0.0), ('"aa"', 1.0)]
)
def test_json_schema__unique_items(text, value):
    assert judge(make("json_schema", schema={"uniqueItems": True}), exhibit(text))[0] == value
    assert judge(make("json_schema", schema={"uniqueItems": False}), exhibit(text))[0] == 1.0


def test_json_schema__unique_items_of_a_long_list_do_not_hang():
    text = json.dumps([{"a": number} for number in range(20_000)])
    assert judge(make("json_schema", schema={"uniqueItems": True}), exhibit(text))[0] == 1.0


def test_json_schema__numbers_that_overflow_fail():
    result = judge(make("json_schema", schema={"multipleOf": 0.1}), exhibit("9" * 400))
    assert result == (0.0, "the answer holds a number that is too large to be checked against the schema")
