"""Similar text."""

from dataclasses import dataclass
from typing import Self

from rapidfuzz import fuzz

from gate.core.model import Case, Exhibit, Score
from gate.scorers.expected import expected_text
from gate.scorers.explanation import failed, judged
from gate.scorers.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzy:
    """The answer's text is similar to `expected[key]`: the score is rapidfuzz's `ratio`, from 0 to 1.

    Whitespace around both texts is ignored.

    - `key` (default `answer`): where the text stands in `expected`
    - `minimum` (default `0`): a smaller similarity scores 0
    """

    key: str
    minimum: float

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("key", "minimum")
        return cls(key=options.text("key", "answer"), minimum=options.number("minimum", default=0, maximum=1))

    def applies(self, case: Case) -> bool:
        """Say whether the case expects a text."""
        return self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        """Compare the texts; raises ValueError for an expectation that is not text."""
        expected = expected_text(exhibit.case, self.key).strip()
        ratio = fuzz.ratio(exhibit.answer.text.strip(), expected) / 100
        if ratio < self.minimum:
            return failed(f"the answer is {ratio:.3f} like the expected text, less than {self.minimum:g}")
        return judged(ratio, f"the answer is {ratio:.3f} like the expected text")
