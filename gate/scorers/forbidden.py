"""Values that an answer must not give."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from gate.core.model import Case, Exhibit, Json, Score
from gate.scorers.answer_json import Found, read_path, same_json, undo_escapes
from gate.scorers.expected import expected_value
from gate.scorers.explanation import failed, passed, quote, show
from gate.scorers.options import Options, last_segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """The value at a JSON path of the answer differs from `expected[key]`; an answer without that value passes too.

    An answer that is not JSON, or has nothing at the path, still fails when `"name": value` with the last name of the
    path and the forbidden value stands anywhere in its text.

    - `path`: where the value stands in the answer, such as `intent`
    - `key`: where the forbidden value stands in `expected`
    """

    path: str
    key: str

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("path", "key")
        return cls(path=options.text("path"), key=options.text("key"))

    def applies(self, case: Case) -> bool:
        """Say whether the case forbids a value."""
        return self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        """Look for the forbidden value; raises ValueError where the case forbids none."""
        value = expected_value(exhibit.case, self.key)
        found = read_path(exhibit.answer.text, self.path)
        if isinstance(found, Found):
            if same_json(found.value, value):
                return failed(f"the value at {quote(self.path)} is {show(value)}, which is forbidden")
            return passed(f"the value at {quote(self.path)} is not the forbidden one")
        if _has_fragment(exhibit.answer.text, last_segment(self.path), value):
            return failed(f"the answer gives the forbidden value {show(value)} outside of readable JSON")
        return passed("the forbidden value was not given")


def _has_fragment(text: str, name: str, value: Json) -> bool:
    # A fragment inside a JSON string has its quotes escaped, so the text is read a second time with escapes undone.
    views = {text, undo_escapes(text)}
    return any(same_json(given, value) for view in views for given in _given_values(view, name, value))


def _given_values(text: str, name: str, like: Json) -> Iterator[Json]:
    decoder = json.JSONDecoder()
    first = re.escape(json.dumps(like)[0]) if not _is_number(like) else r"[-0-9]"
    # Decoding only what starts like the forbidden value keeps hostile nesting from being read again and again.
    for match in re.finditer(rf'"{re.escape(name)}"\s*:\s*(?={first})', text):
        try:
            value: Json = decoder.raw_decode(text, match.end())[0]
        except (ValueError, RecursionError):
            continue
        yield value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
