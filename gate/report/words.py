"""Numbers and verdicts as people read them: the same words in the comment, the summary and the terminal."""

import math
from collections.abc import Sequence

from gate.core.finding import Finding, Outcome, Rule, Verdict, count
from gate.core.question import Origin
from gate.report.escape import clip

NOTHING = "\u2013"
MINUS = "\u2212"
TIMES = "\u00d7"
CENT = 0.01
QUOTE = "'"
NOT_ENOUGH = "not shown"
SECOND_MS = 1_000.0

MEANING = {
    Outcome.PROMOTE: "shown not worse",
    Outcome.HOLD: "not shown either way",
    Outcome.ROLLBACK: "harm shown",
}

_WORDS = {
    (Rule.ABORT, Verdict.FAIL): "broken",
    (Rule.JUDGE, Verdict.INCONCLUSIVE): "not trusted",
    (Rule.FLOOR, Verdict.PASS): "above the floor",
    (Rule.FLOOR, Verdict.FAIL): "below the floor",
    (Rule.COST, Verdict.PASS): "within the limit",
    (Rule.COST, Verdict.FAIL): "over the limit",
    (Rule.LATENCY, Verdict.PASS): "within the budget",
    (Rule.LATENCY, Verdict.FAIL): "over the budget",
    (Rule.LATENCY, Verdict.INCONCLUSIVE): "not judged",
    (Rule.ANCHOR, Verdict.FAIL): "drifted",
}
_BESIDE = {Verdict.PASS: "not slower", Verdict.FAIL: "slower", Verdict.INCONCLUSIVE: NOT_ENOUGH}
_DEFAULT = {Verdict.PASS: "not worse", Verdict.FAIL: "regression", Verdict.INCONCLUSIVE: NOT_ENOUGH}


def verdict_word(finding: Finding) -> str:
    """Say a verdict in one of a few fixed words; `improved` only where the lower bound itself is above zero."""
    lower = finding.figure("lower")
    compared = finding.rule in {Rule.REGRESSION, Rule.SLICE, Rule.ANCHOR}
    if compared and finding.verdict is Verdict.PASS and lower is not None and lower > 0:
        return "improved"
    if finding.rule is Rule.LATENCY and finding.subject:
        return _BESIDE[finding.verdict]
    return _WORDS.get((finding.rule, finding.verdict), _DEFAULT[finding.verdict])


def share(value: float | None) -> str:
    """Show a share of 1 in percent with one decimal."""
    return NOTHING if value is None else f"{100 * value:.1f}%"


def points(value: float | None) -> str:
    """Show a difference of shares in points of 100 with its sign."""
    if value is None:
        return NOTHING
    if math.isinf(value):
        return f"{MINUS}∞" if value < 0 else "+∞"
    rounded = round(100 * value, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", MINUS) if rounded else "0.0"


def times(value: float | None) -> str:
    """Show a ratio."""
    return NOTHING if value is None else f"{TIMES}{value:.2f}"


def duration(milliseconds: float | None) -> str:
    """Milliseconds below a second, else seconds with one decimal."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < SECOND_MS:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / SECOND_MS:.1f} s"


def money(usd: float | None, tokens: int | None) -> str:
    """Show what was spent: dollars, or tokens where no price is known; nothing where no usage was reported."""
    if usd is not None:
        return "under $0.01" if 0 < usd < CENT else f"${usd:,.2f}"
    return f"{tokens:,} tokens" if tokens else ""


def answers(calls: int, reused: Sequence[tuple[Origin, int]]) -> str:
    """Show how many calls were made, and how many answers came from elsewhere."""
    told = {Origin.JOURNAL: "from the journal", Origin.RECORDING: "recorded", Origin.CACHE: "from the cache"}
    return ", ".join([count(calls, "call"), *(f"{number:,} {told[origin]}" for origin, number in reused)])


def span(low: str, high: str) -> str:
    """Show an interval in brackets; nothing where neither end is known."""
    return "" if low == high == NOTHING else f"[{low}, {high}]"


def quoted(name: str) -> str:
    """Mark a foreign name as code for `md_prose`, short enough that the sentence around it survives."""
    return f"`{clip(name, 60).replace('`', QUOTE)}`"


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Names as code, and how many more there are."""
    shown = ", ".join(quoted(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
