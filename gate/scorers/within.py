"""Numbers close enough to what is expected."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from gate.core.model import Case, Exhibit, Json, Score
from gate.scorers.answer_json import Unreadable, read_number, to_fraction
from gate.scorers.expected import expected_value, misfit
from gate.scorers.explanation import failed, passed, show
from gate.scorers.options import Options, last_segment

_BAND_ENDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The number at a JSON path of the answer is near `expected[key]`, a number or a band `[low, high]`.

    - `path`: where the number stands in the answer, such as `lead.score` or `items.0.price`
    - `key` (default: the last segment of `path`): where the number or band stands in `expected`
    - `tolerance` (default `0`): the largest difference that still passes, decimal and inclusive; widens a band
    """

    path: str
    key: str
    tolerance: Fraction

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("path", "key", "tolerance")
        path = options.text("path")
        tolerance = to_fraction(options.number("tolerance", default=0)) or Fraction(0)
        return cls(path=path, key=options.text("key", last_segment(path)), tolerance=tolerance)

    def applies(self, case: Case) -> bool:
        """Say whether the case expects a number."""
        return self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score:
        """Compare exactly, without binary rounding; raises ValueError for an expectation that is no number or band."""
        expected = expected_value(exhibit.case, self.key)
        band = _band(expected)
        if band is None:
            raise misfit(exhibit.case, self.key, "must be a number or a band [low, high]")
        number = read_number(exhibit.answer.text, self.path)
        if isinstance(number, Unreadable):
            return failed(number.reason)
        low, high = band
        if low - self.tolerance <= number.value <= high + self.tolerance:
            return passed(f"{number.shown} is within {float(self.tolerance):g} of {show(expected)}")
        return failed(f"{number.shown} is not within {float(self.tolerance):g} of {show(expected)}")


def _band(expected: Json) -> tuple[Fraction, Fraction] | None:
    ends = expected if isinstance(expected, list) else [expected, expected]
    numbers = [number for number in map(to_fraction, ends) if number is not None]
    if len(ends) != _BAND_ENDS or len(numbers) != _BAND_ENDS or numbers[0] > numbers[1]:
        return None
    return numbers[0], numbers[1]
