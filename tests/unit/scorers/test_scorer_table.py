"""The table of scorers, and the reference page that is made from it."""

import subprocess
import sys
from pathlib import Path

import pytest

from gate.scorers.table import SCORER_FACTORY, SCORERS, build_scorer, load_scorer_class, render_scorer_table
from tests.unit.scorers.exhibits import MemoryTree, make
from tests.unit.scorers.judging import FOLDER, OPTIONS, RUBRIC

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "scorers.md"
FILES = {f"{FOLDER}/rubric.md": RUBRIC}
MINIMAL = {
    "contains": {"all": "words"},
    "exact": {},
    "forbidden": {"path": "intent", "key": "forbidden_intent"},
    "fuzzy": {},
    "json_equal": {"path": "intent"},
    "json_schema": {"schema": {"type": "object"}},
    "judge": OPTIONS,
    "length": {"maximum": 5},
    "one_of": {},
    "ordering": {"path": "lead_score"},
    "prefer": OPTIONS,
    "python": {"call": "module:function"},
    "regex": {"pattern": "a"},
    "tripwire": {},
    "within": {"path": "urgency"},
}


def test_scorers__every_one_has_minimal_options_here():
    assert sorted(SCORERS) == sorted(MINIMAL)


@pytest.mark.parametrize("name", sorted(SCORERS))
def test_build_scorer__minimal_options(name):
    assert type(make(name, FILES, **MINIMAL[name])).__name__ == SCORERS[name].partition(":")[2]


@pytest.mark.parametrize("name", sorted(SCORERS))
def test_build_scorer__every_scorer_refuses_unknown_options(name):
    with pytest.raises(ValueError, match=r'^unknown option "kex"'):
        make(name, FILES, **MINIMAL[name], kex=1)


def test_build_scorer__unknown_name_suggests_the_near_one():
    with pytest.raises(ValueError, match=r'^unknown scorer "jsonequal" \(did you mean "json_equal"\?\)$'):
        make("jsonequal")


def test_build_scorer__unknown_option_suggests_the_near_one():
    with pytest.raises(ValueError, match=r'^unknown option "stirp" \(did you mean "strip"\?\)$'):
        make("exact", stirp=True)


def test_scorer_factory__builds_and_names():
    assert SCORER_FACTORY.names == tuple(sorted(SCORERS))
    built = SCORER_FACTORY("exact", {"key": "label"}, folder="s", tree=MemoryTree())
    assert built == build_scorer("exact", {"key": "label"}, folder="s", tree=MemoryTree())


def test_table__imports_no_scorer_before_it_is_used():
    code = (
        "import sys, gate.scorers.table as table\n"
        "heavy = {'jsonschema', 'regex', 'rapidfuzz'}\n"
        "print(sorted(heavy & sys.modules.keys()), sorted(m for m in sys.modules if m in\n"
        " {path.partition(':')[0] for path in table.SCORERS.values()}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"


@pytest.mark.parametrize("name", sorted(SCORERS))
def test_docstrings__first_sentence_and_options(name):
    document = load_scorer_class(name).__doc__ or ""
    assert document.split("\n\n")[0].strip().endswith(".")
    assert "\n    - " in document


def test_render_scorer_table__one_row_a_scorer():
    lines = render_scorer_table().splitlines()
    assert len(lines) == 2 + len(SCORERS)
    row = (
        "| `one_of` | The answer's text equals one of the texts in `expected[key]`, whitespace around them ignored. "
        "| `key` (default `answers`): where the list of texts stands in `expected` |"
    )
    assert row in lines


def test_reference_page__holds_the_table():
    begin, end = "<!-- scorers:begin -->\n", "<!-- scorers:end -->"
    inside = PAGE.read_text("utf-8").partition(begin)[2].partition(end)[0]
    assert inside == render_scorer_table()
