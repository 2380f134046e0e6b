"""Options that cannot be used are refused in one plain sentence."""

import math

import pytest

from gate.documents.tree import WorkingTree
from gate.scorers.table import build_scorer
from tests.unit.scorers.exhibits import exhibit, judge, make


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("exact", {"key": 5}, '"key" must be text, not 5'),
        ("exact", {"key": ""}, '"key" must not be empty'),
        ("exact", {"key": None}, '"key" must be text, not null'),
        ("exact", {"strip": "yes"}, '"strip" must be true or false, not "yes"'),
        ("exact", {"strip": 1}, '"strip" must be true or false, not 1'),
        ("within", {}, '"path" is missing'),
        ("within", {"path": "a", "tolerance": "1"}, '"tolerance" must be a number, not "1"'),
        ("within", {"path": "a", "tolerance": True}, '"tolerance" must be a number, not true'),
        ("within", {"path": "a", "tolerance": -0.5}, '"tolerance" must be 0 or more, not -0.5'),
        ("within", {"path": "a", "tolerance": math.nan}, '"tolerance" must be 0 or more, not nan'),
        ("within", {"path": "a", "tolerance": math.inf}, '"tolerance" must be 0 or more, not inf'),
        ("fuzzy", {"minimum": 1.5}, '"minimum" must be from 0 to 1, not 1.5'),
        ("length", {}, '"minimum" or "maximum" is missing'),
        ("length", {"minimum": 3, "maximum": 2}, '"minimum" is greater than "maximum"'),
        ("length", {"minimum": -1}, '"minimum" must be a whole number of 0 or more, not -1'),
        ("length", {"minimum": 1.5}, '"minimum" must be a whole number of 0 or more, not 1.5'),
        ("length", {"minimum": True}, '"minimum" must be a whole number of 0 or more, not true'),
        ("length", {"maximum": 2, "unit": "tokens"}, '"unit" must be one of characters, words, not "tokens"'),
        ("contains", {}, "exactly one of all, any, none is needed, found none"),
        ("contains", {"all": "a", "none": "b"}, "exactly one of all, any, none is needed, found all and none"),
        ("contains", {"all": ["a"]}, '"all" must be text, not a list'),
        ("regex", {}, "exactly one of pattern, key is needed, found none"),
        ("regex", {"pattern": "a", "timeout": 0}, '"timeout" must be more than 0 seconds'),
        ("regex", {"pattern": "a", "timeout": 61}, '"timeout" must be from 0 to 60, not 61'),
        ("forbidden", {"path": "intent"}, '"key" is missing'),
        ("ordering", {"path": 1}, '"path" must be text, not 1'),
        ("python", {"call": "os.system"}, '"call" must look like module:function, not "os.system"'),
        ("python", {"call": "a:b; import os"}, '"call" must look like module:function, not "a:b; import os"'),
        ("json_schema", {"file": "no.json"}, 'there is no file "no.json" in the suite folder'),
    ],
)
def test_build_scorer__bad_option(name, options, sentence):
    with pytest.raises(ValueError) as error:
        make(name, **options)
    assert str(error.value) == sentence


@pytest.mark.parametrize("file", ["../x.json", "/etc/passwd", "a/../../x.json", "a\\b.json", ".."])
def test_file__stays_in_the_suite_folder(file):
    with pytest.raises(ValueError, match=r'^"file" must name a file in the suite folder, not'):
        make("json_schema", {"golden_sets/x.json": "{}", "etc/passwd": "{}"}, file=file)


def test_file__that_is_not_utf_8(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff{}")
    with pytest.raises(ValueError, match=r'^file "a.json" is not UTF-8 text$'):
        build_scorer("json_schema", {"file": "a.json"}, folder=".", tree=WorkingTree(tmp_path))


def test_file__is_read_from_the_working_tree(tmp_path):
    (tmp_path / "sets" / "intent").mkdir(parents=True)
    (tmp_path / "sets" / "intent" / "a.json").write_text('{"type": "null"}', "utf-8")
    scorer = build_scorer("json_schema", {"file": "a.json"}, folder="sets/intent", tree=WorkingTree(tmp_path))
    assert judge(scorer, exhibit("null"))[0] == 1.0
    assert judge(scorer, exhibit("1"))[0] == 0.0
