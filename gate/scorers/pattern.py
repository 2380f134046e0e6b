"""Regular expressions, with a time limit."""

import math
import re
from dataclasses import dataclass
from typing import Self

import regex

from gate.core.model import Case, Exhibit, Missing, Score, Unscored
from gate.scorers.expected import expected_text, misfit
from gate.scorers.explanation import failed, passed, quote
from gate.scorers.options import Options

# A pattern may come from a case, which a pull request may edit. Compiling expands nested counts, so that
# `((a{1000}){1000}){1000}` takes all memory, and has no time limit: the product of all counts bounds the nesting.
_PATTERN_LIMIT = 2000
_COUNT_LIMIT = 100_000
_COUNT = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexMatch:
    """The answer matches a regular expression (syntax of the `regex` library); a timeout leaves the trial unscored.

    - exactly one of `pattern`: the expression, or `key`: the key of `expected` that holds it
    - `full` (default `false`): the whole answer must match, not a part of it
    - `timeout` (default `0.5`): seconds, at most 60
    """

    pattern: regex.Pattern[str] | None
    key: str
    full: bool
    timeout: float

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options and compile the pattern; raises ValueError."""
        options.allow("pattern", "key", "timeout", "full")
        own = options.exactly_one("pattern", "key") == "pattern"
        return cls(
            pattern=_compile_option(options) if own else None,
            key="" if own else options.text("key"),
            full=options.flag("full", default=False),
            timeout=options.seconds("timeout", default=0.5, maximum=60),
        )

    def applies(self, case: Case) -> bool:
        """Say whether there is a pattern for the case."""
        return self.pattern is not None or self.key in case.expected

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Match the answer; raises ValueError for a case whose pattern cannot be used."""
        pattern = self.pattern or _compile_expected(exhibit.case, self.key)
        match = pattern.fullmatch if self.full else pattern.search
        try:
            found = match(exhibit.answer.text, timeout=self.timeout)
        except TimeoutError:
            return Unscored(reason=Missing.TIMED_OUT, detail=f"the pattern took longer than {self.timeout:g} s")
        if found:
            return passed("the answer matches the pattern")
        return failed(f"the answer does not match the pattern {quote(pattern.pattern)}")


def _compile_option(options: Options) -> regex.Pattern[str]:
    try:
        return _compile(options.text("pattern"))
    except ValueError as error:
        raise ValueError(f'"pattern" {error}') from error


def _compile_expected(case: Case, key: str) -> regex.Pattern[str]:
    text = expected_text(case, key)
    try:
        return _compile(text)
    except ValueError as error:
        raise misfit(case, key, str(error)) from error


def _compile(pattern: str) -> regex.Pattern[str]:
    if len(pattern) > _PATTERN_LIMIT:
        raise ValueError(f"is longer than {_PATTERN_LIMIT} characters")
    if math.prod(_largest(braces) for braces in _COUNT.findall(pattern)) > _COUNT_LIMIT:
        raise ValueError(f"repeats too often: its counts such as {{3}} multiply to more than {_COUNT_LIMIT}")
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is not a regular expression: {error}") from error


def _largest(braces: str) -> int:
    return max((int(number) for number in re.findall(r"[0-9]+", braces)), default=1) or 1
