"""Rows of the metric table: one finding with figures becomes one line of short cells."""

from collections.abc import Iterable
from dataclasses import dataclass

from gate.core.finding import Finding, Rule, Verdict
from gate.core.model import Dimension
from gate.report import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table; `label` is foreign text, the cells hold numbers and fixed words only.

    `notable` marks a row that did not pass.
    """

    label: str
    before: str
    now: str
    change: str
    word: str
    notable: bool


def metric_rows(findings: Iterable[Finding], *, targets: int) -> tuple[Row, ...]:
    """One row per comparison, the demanding ones first.

    Floors and anchors that hold are left out where the suite has a comparison; the summary lists every finding.
    """
    shown = [finding for finding in findings if finding.figures]
    compared = {(finding.target, finding.suite) for finding in shown if finding.rule is Rule.REGRESSION}
    kept = [finding for finding in shown if _belongs(finding, compared)]
    kept.sort(key=lambda finding: (-finding.demands.weight, tuple(_CELLS).index(finding.rule)))
    return tuple(_row(finding, targets) for finding in kept)


def slice_rows(findings: Iterable[Finding], *, targets: int) -> tuple[Row, ...]:
    """Slices that dropped by their margin or more, or are shown to be worse; the largest drop first."""
    dropped = [finding for finding in findings if finding.rule is Rule.SLICE and _dropped(finding)]
    dropped.sort(key=lambda finding: finding.figure("estimate") or 0.0)
    return tuple(_row(finding, targets) for finding in dropped)


def _dropped(finding: Finding) -> bool:
    estimate, margin = finding.figure("estimate"), finding.figure("margin") or 0.0
    return finding.verdict is Verdict.FAIL or (estimate is not None and estimate < 0 and estimate <= -margin)


def _belongs(finding: Finding, compared: set[tuple[str, str]]) -> bool:
    if finding.rule not in _CELLS or finding.rule is Rule.SLICE:
        return False
    optional = finding.rule in {Rule.FLOOR, Rule.ANCHOR} and finding.verdict is Verdict.PASS
    return not optional or (finding.target, finding.suite) not in compared


def _row(finding: Finding, targets: int) -> Row:
    before, now, change = _CELLS[finding.rule](finding)
    word = words.verdict_word(finding)
    return Row(
        label=label(finding, targets=targets),
        before=before,
        now=now,
        change=change,
        word=word if finding.blocking else f"({word})",
        notable=finding.verdict is not Verdict.PASS,
    )


def label(finding: Finding, *, targets: int) -> str:
    """Name what a finding is about: its slice or suite, with the target in front where there are several."""
    own = finding.suite or _TITLES.get(finding.rule, finding.rule.value)
    if finding.rule is Rule.SLICE and finding.subject:
        own = f"{finding.subject} in {own}"
    if finding.rule is Rule.LATENCY and finding.subject:
        own = f"{own} {finding.subject}"
    if finding.rule is Rule.K_OF_M:
        own = f"{finding.subject} dimensions"
    if finding.rule is Rule.ANCHOR:
        own = f"{own} since anchor"
    if finding.rule is Rule.FLOOR and finding.dimension is not Dimension.LATENCY:
        own = f"{own} (floor)"
    return f"{finding.target} / {own}" if targets > 1 and finding.target else own


def _comparison(finding: Finding) -> tuple[str, str, str]:
    interval = words.span(words.points(finding.figure("lower")), words.points(finding.figure("upper")))
    change = f"{words.points(finding.figure('estimate'))} {interval}".strip()
    return words.share(finding.figure("before")), words.share(finding.figure("now")), change


def _slice(finding: Finding) -> tuple[str, str, str]:
    estimate = words.points(finding.figure("estimate"))
    return words.share(finding.figure("before")), words.share(finding.figure("now")), estimate


def _floor(finding: Finding) -> tuple[str, str, str]:
    is_time = finding.dimension is Dimension.LATENCY
    show, sign = (words.duration, "≤") if is_time else (words.share, "≥")
    interval = words.span(show(finding.figure("lower")), show(finding.figure("upper")))
    return f"{sign}\u00a0{show(finding.figure('floor'))}", show(finding.figure("estimate")), interval


def _k_of_m(finding: Finding) -> tuple[str, str, str]:
    wanted, shown = finding.figure("wanted") or 0.0, finding.figure("shown") or 0.0
    chance = finding.figure("adjusted")
    told = "" if chance is None else f"p\u00a0{chance:.2g}"
    return f"≥\u00a0{wanted:.0f}", f"{shown:.0f} not worse", told


def _cost(finding: Finding) -> tuple[str, str, str]:
    interval = words.span(words.times(finding.figure("lower")), words.times(finding.figure("upper")))
    return f"≤\u00a0{words.times(finding.figure('limit'))}", words.times(finding.figure("ratio")), interval


def _latency(finding: Finding) -> tuple[str, str, str]:
    if finding.subject:
        return _beside(finding)
    budget = finding.figure("budget")
    before = words.NOTHING if budget is None else f"≤\u00a0{words.duration(budget)}"
    return before, words.duration(finding.figure("p95")), f"p50 {words.duration(finding.figure('p50'))}"


def _beside(finding: Finding) -> tuple[str, str, str]:
    """p95 of both sides, and the ratio of the paired latencies."""
    interval = words.span(words.times(finding.figure("lower")), words.times(finding.figure("upper")))
    change = f"{words.times(finding.figure('ratio'))} {interval}".strip()
    return words.duration(finding.figure("base_p95")), words.duration(finding.figure("p95")), change


_TITLES = {Rule.LATENCY: "latency p95"}
_CELLS = {
    Rule.REGRESSION: _comparison,
    Rule.SLICE: _slice,
    Rule.ABORT: _slice,
    Rule.K_OF_M: _k_of_m,
    Rule.FLOOR: _floor,
    Rule.ANCHOR: _comparison,
    Rule.COST: _cost,
    Rule.LATENCY: _latency,
}
