"""The table of scorers: a name as suites write it, and the class behind it, imported only when it is used."""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, Self

from gate.core.model import Json, Scorer
from gate.documents.tree import Tree
from gate.documents.wording import quoted, suggestion
from gate.scorers.options import Options

SCORERS: Mapping[str, str] = MappingProxyType(
    {
        "contains": "gate.scorers.contains:Contains",
        "exact": "gate.scorers.exact:Exact",
        "forbidden": "gate.scorers.forbidden:Forbidden",
        "fuzzy": "gate.scorers.fuzzy:Fuzzy",
        "json_equal": "gate.scorers.json_equal:JsonEqual",
        "json_schema": "gate.scorers.json_schema:JsonSchema",
        "judge": "gate.scorers.judge:RubricJudge",
        "length": "gate.scorers.length:Length",
        "one_of": "gate.scorers.one_of:OneOf",
        "ordering": "gate.scorers.ordering:Ordering",
        "prefer": "gate.scorers.prefer:PairJudge",
        "python": "gate.scorers.python_call:PythonCall",
        "regex": "gate.scorers.pattern:RegexMatch",
        "tripwire": "gate.scorers.tripwire:Tripwire",
        "within": "gate.scorers.within:Within",
    }
)


class ScorerClass(Scorer, Protocol):
    """A scorer that can be built from the options of a suite; its docstring is its documentation."""

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Build the scorer; raises ValueError with one plain sentence for options that cannot be used."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerFactory:
    """Builds scorers by name, for the suite loader."""

    names: tuple[str, ...]

    def __call__(self, name: str, options: Mapping[str, Json], *, folder: str, tree: Tree) -> Scorer:
        """Build a scorer as `build_scorer` does."""
        return build_scorer(name, options, folder=folder, tree=tree)


SCORER_FACTORY = ScorerFactory(names=tuple(sorted(SCORERS)))


def build_scorer(name: str, options: Mapping[str, Json], *, folder: str, tree: Tree) -> Scorer:
    """Build the scorer `name`; `folder` is the suite folder, `tree` reads its files.

    Raises ValueError with one plain sentence for an unknown name and for options that cannot be used.
    """
    return load_scorer_class(name).from_options(Options(values=options, folder=folder, tree=tree))


def load_scorer_class(name: str) -> type[ScorerClass]:
    """Import the class behind a name; raises ValueError for a name that is not in the table."""
    if name not in SCORERS:
        raise ValueError(f"unknown scorer {quoted(name)}{suggestion(name, SCORERS)}")
    module, _, attribute = SCORERS[name].partition(":")
    scorer: type[ScorerClass] = getattr(importlib.import_module(module), attribute)
    return scorer


def render_scorer_table() -> str:
    """Render the Markdown table of all scorers (name, what it scores, options) from their docstrings."""
    rows = ["| Scorer | What it scores | Options |", "|---|---|---|"]
    rows += [_render_row(name, inspect.getdoc(load_scorer_class(name)) or "") for name in sorted(SCORERS)]
    return "\n".join(rows) + "\n"


def _render_row(name: str, docstring: str) -> str:
    paragraphs = [" ".join(part.split()) for part in docstring.replace("\n- ", "\n\n- ").split("\n\n")]
    texts = [paragraph for paragraph in paragraphs if not paragraph.startswith("- ")]
    options = [paragraph.removeprefix("- ") for paragraph in paragraphs if paragraph.startswith("- ")]
    cells = [f"`{name}`", " ".join(texts), "<br>".join(options) or "none"]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
