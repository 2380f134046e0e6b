"""Equal JSON values."""

from dataclasses import dataclass
from typing import Self

from gate.core.model import Case, Exhibit, Score
from gate.scorers.answer_json import Unreadable, read_path, same_json
from gate.scorers.expected import expected_value
from gate.scorers.explanation import failed, passed, quote, show
from gate.scorers.options import Options, last_segment


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonEqual:
    """The value at a JSON path of the answer equals `expected[key]` (1 equals 1.0, true does not equal 1).

    - `path`: where the value stands in the answer, such as `intent` or `items.0.name`
    - `key` (default: the last segment of `path`): where the value stands in `expected`
    """

    path: str
    key: str

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("path", "key")
        path = options.text("path")
        return cls(path=path, key=options.text("key", last_segment(path)))

    def applies(self, case: Case) -> bool:
        """Say whether the case expects a value."""
        return self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        """Compare the values; raises ValueError where the case expects none."""
        expected = expected_value(exhibit.case, self.key)
        found = read_path(exhibit.answer.text, self.path)
        if isinstance(found, Unreadable):
            return failed(found.reason)
        if same_json(found.value, expected):
            return passed(f"the value at {quote(self.path)} is as expected")
        return failed(f"the value at {quote(self.path)} is {show(found.value)}, expected {show(expected)}")
