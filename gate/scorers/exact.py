"""Exact text."""

from dataclasses import dataclass
from typing import Self

from gate.core.model import Case, Exhibit, Score
from gate.scorers.expected import expected_text
from gate.scorers.explanation import failed, passed, quote
from gate.scorers.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """The answer's text equals `expected[key]`.

    - `key` (default `answer`): where the text stands in `expected`
    - `strip` (default `true`): ignore whitespace around both texts
    """

    key: str
    strip: bool

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("key", "strip")
        return cls(key=options.text("key", "answer"), strip=options.flag("strip", default=True))

    def applies(self, case: Case) -> bool:
        """Say whether the case expects a text."""
        return self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        """Compare the texts; raises ValueError for an expectation that is not text."""
        answer, expected = exhibit.answer.text, expected_text(exhibit.case, self.key)
        if self.strip:
            answer, expected = answer.strip(), expected.strip()
        if answer == expected:
            return passed("the answer is the expected text")
        return failed(f"the answer is {quote(answer)}, expected {quote(expected)}")
