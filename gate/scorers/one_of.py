"""One of several exact texts."""

from dataclasses import dataclass
from typing import Self

from gate.core.model import Case, Exhibit, Score
from gate.scorers.expected import expected_texts
from gate.scorers.explanation import failed, passed, quote
from gate.scorers.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """The answer's text equals one of the texts in `expected[key]`, whitespace around them ignored.

    - `key` (default `answers`): where the list of texts stands in `expected`
    """

    key: str

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("key")
        return cls(key=options.text("key", "answers"))

    def applies(self, case: Case) -> bool:
        """Say whether the case lists texts."""
        return self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        """Compare the texts; raises ValueError for an expectation that is not a list of texts."""
        answer = exhibit.answer.text.strip()
        texts = [text.strip() for text in expected_texts(exhibit.case, self.key)]
        if answer in texts:
            return passed("the answer is one of the expected texts")
        return failed(f"the answer is {quote(answer)}, which is none of the {len(texts)} expected texts")
