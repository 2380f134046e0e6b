"""The length of an answer."""

from dataclasses import dataclass
from typing import Self

from gate.core.model import Case, Exhibit, Score
from gate.scorers.explanation import failed, passed
from gate.scorers.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """The answer's text is neither shorter than a minimum nor longer than a maximum, both inclusive.

    - `minimum`, `maximum`: at least one of them
    - `unit` (default `characters`): `characters` (Unicode code points) or `words` (separated by whitespace)
    """

    minimum: int | None
    maximum: int | None
    unit: str

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("minimum", "maximum", "unit")
        minimum, maximum = options.count("minimum"), options.count("maximum")
        if minimum is None and maximum is None:
            raise ValueError('"minimum" or "maximum" is missing')
        if minimum is not None and maximum is not None and minimum > maximum:
            raise ValueError('"minimum" is greater than "maximum"')
        return cls(minimum=minimum, maximum=maximum, unit=options.choice("unit", "characters", "words"))

    def applies(self, case: Case) -> bool:  # noqa: ARG002 - every answer has a length
        """Say yes: every answer has a length."""
        return True

    def score(self, exhibit: Exhibit) -> Score:
        """Measure the answer."""
        text = exhibit.answer.text
        size = len(text.split()) if self.unit == "words" else len(text)
        if self.minimum is not None and size < self.minimum:
            return failed(f"the answer has {size} {self.unit}, at least {self.minimum} are needed")
        if self.maximum is not None and size > self.maximum:
            return failed(f"the answer has {size} {self.unit}, at most {self.maximum} are allowed")
        return passed(f"the answer has {size} {self.unit}")
