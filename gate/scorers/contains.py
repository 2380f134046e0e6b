"""Texts that must, or must not, be in the answer."""

from dataclasses import dataclass
from typing import Self

from gate.core.model import Case, Exhibit, Score
from gate.scorers.expected import expected_texts
from gate.scorers.explanation import failed, passed, quote
from gate.scorers.normal import compose
from gate.scorers.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains:
    """The answer contains all, any or none of the texts in `expected`, compared after Unicode NFKC.

    - exactly one of `all`, `any`, `none`: the key of `expected` that holds a text or a list of texts
    - `case_sensitive` (default `false`)
    """

    mode: str
    key: str
    case_sensitive: bool

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("all", "any", "none", "case_sensitive")
        mode = options.exactly_one("all", "any", "none")
        sensitive = options.flag("case_sensitive", default=False)
        return cls(mode=mode, key=options.text(mode), case_sensitive=sensitive)

    def applies(self, case: Case) -> bool:
        """Say whether the case lists texts."""
        return self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        """Look for the texts; raises ValueError for an expectation that is not texts."""
        answer = self._normalise(exhibit.answer.text)
        texts = expected_texts(exhibit.case, self.key)
        present = [text for text in texts if self._normalise(text) in answer]
        absent = [text for text in texts if text not in present]
        if self.mode == "all":
            return failed(f"the answer lacks {quote(absent[0])}") if absent else passed("the answer contains all texts")
        wanted, unwanted = (failed, passed) if self.mode == "none" else (passed, failed)
        return (
            wanted(f"the answer contains {quote(present[0])}") if present else unwanted("the answer has no such text")
        )

    def _normalise(self, text: str) -> str:
        normal = compose(text)
        return normal if self.case_sensitive else compose(normal.casefold())
