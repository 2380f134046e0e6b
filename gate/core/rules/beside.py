"""Latency against the base's version, which was asked side by side with the candidate in the same run (R22).

A latency of another day says nothing, because providers move. Each case gives one ratio of two medians; the mean of
their logarithms is far sharper than any quantile. Slower answers hold and never roll back: like a price, a person may
accept them, and the error budget of ROLLBACK stays with quality and safety.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Dimension
from gate.core.policy import Policy
from gate.core.rules.context import SuiteContext
from gate.core.statistics import NORMAL, nearest_rank, settled, t_quantile

Z_BESIDE = 1.95
LIMIT = 1.10
LEAST_PAIRED = 30
SUBJECT = "against the base"
ANSWERING = "run again with a base whose version answers; calls that were repeated are not timed"
QUIETER = "run again on a machine that does less beside it, or with a lower `concurrency`"
# The largest exponent whose power is still a number: evidence from elsewhere may hold any latency.
MOST_LOG = 700.0
QUANTILES = (50, 95, 99)
Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRatio:
    """A mean of logarithms of ratios with its standard error; `t` is the quantile that its bounds use."""

    cases: int
    value: float
    error: float
    t: float

    @property
    def lower(self) -> float:
        """One-sided lower bound, as a logarithm."""
        return settled(self.value - self.t * self.error)

    @property
    def upper(self) -> float:
        """One-sided upper bound, as a logarithm."""
        return settled(self.value + self.t * self.error)


def paired_log_ratio(pairs: Pairs) -> LogRatio:
    """Mean of log(now / base) with a t interval at the level of z 1.95; raises ValueError for fewer than two pairs."""
    if len(pairs) <= 1:
        message = "one pair has no spread"
        raise ValueError(message)
    logs = [math.log(now) - math.log(base) for now, base in pairs]
    mean = math.fsum(logs) / len(logs)
    variance = math.fsum((value - mean) ** 2 for value in logs) / (len(logs) - 1)
    return LogRatio(
        cases=len(logs),
        value=mean,
        error=math.sqrt(variance / len(logs)),
        t=t_quantile(NORMAL.cdf(Z_BESIDE), len(logs) - 1),
    )


def as_times(logarithm: float) -> float:
    """A logarithm of a ratio as the ratio."""
    return math.exp(min(logarithm, MOST_LOG))


def paired_latencies(group: Sequence[SuiteContext]) -> list[tuple[float, float]]:
    """One latency a case on both sides (candidate, base), each the median of its trials in milliseconds."""
    pairs = [
        (median(case.beside_ms), median(case.base_ms))
        for context in group
        for case in context.evidence.cases
        if case.base_ms
    ]
    return [pair for pair in pairs if min(pair) > 0.0 and max(pair) < math.inf]


def missing_pairs(policy: Policy, group: Sequence[SuiteContext], pairs: Pairs) -> str:
    """Why the two sides cannot be compared, or an empty text."""
    sides = [context.evidence.beside for context in group]
    absent = next((side.absent for side in sides if side is not None and side.absent), "")
    total = sum(len(context.evidence.cases) for context in group)
    if absent:
        return f"the base's version could not be asked: {absent}"
    if not any(sides):
        return "the base's version was not asked in this run"
    late = next((context.evidence.late for context in group if context.evidence.late), "")
    if late and len(pairs) < max(LEAST_PAIRED, policy.scored_share * total):
        return late
    if len(pairs) < LEAST_PAIRED:
        return f"{len(pairs)} cases were timed on both sides, and {LEAST_PAIRED} are needed"
    if len(pairs) < policy.scored_share * total:
        return f"only {len(pairs)} of {total} cases were timed on both sides"
    return ""


def modelled_sides(group: Sequence[SuiteContext]) -> str:
    """Which sides' latencies come from a model of a model, in words; empty where all were measured."""
    now = any(context.evidence.modelled for context in group)
    base = any(context.evidence.beside is not None and context.evidence.beside.modelled for context in group)
    if not (now or base):
        return ""
    return "modelled on both sides, not measured" if now and base else "modelled on one side, not measured"


def check_beside(policy: Policy, target: str, group: Sequence[SuiteContext], *, blocking: bool) -> Finding:
    """Compare the latencies of both sides; neither PASS nor FAIL from too few pairs, or from modelled ones."""
    pairs = paired_latencies(group)
    why = missing_pairs(policy, group, pairs)
    if why:
        unknown = f"{target}: latency against the base is not known, because {why}"
        found = _finding(target, Verdict.INCONCLUSIVE, unknown, blocking=blocking)
        settle = QUIETER if any(context.evidence.late == why for context in group) else ANSWERING
        return replace(found, figures=figures(**percentiles(pairs)), settle=settle, act=Act.RERUN)
    ratio, modelled = paired_log_ratio(pairs), modelled_sides(group)
    verdict = Verdict.INCONCLUSIVE if modelled else _verdict(ratio)
    found = _finding(target, verdict, f"{target}: {_told(ratio, pairs, modelled)}", blocking=blocking)
    found = replace(found, figures=_figures(ratio, percentiles(pairs)))
    if modelled:
        return replace(found, settle="use a target whose latency is measured", act=Act.MEND)
    if verdict is Verdict.FAIL:
        return replace(found, settle="make the answers faster, or let a person accept the wait", act=Act.APPROVE)
    if verdict is Verdict.INCONCLUSIVE:
        return replace(found, settle="make the answers faster, add cases, or let a person accept it", act=Act.APPROVE)
    return found


def _verdict(ratio: LogRatio) -> Verdict:
    limit = settled(math.log(LIMIT))
    if ratio.upper <= limit:
        return Verdict.PASS
    slower = ratio.lower > 0.0 and settled(ratio.value) > limit
    return Verdict.FAIL if slower else Verdict.INCONCLUSIVE


def _told(ratio: LogRatio, pairs: Pairs, modelled: str) -> str:
    note = modelled or f"the limit is {LIMIT:g}"
    three = percentiles(pairs)
    now, base = (", ".join(f"{three[f'{side}p{quantile}']:.0f}" for quantile in QUANTILES) for side in ("", "base_"))
    return (
        f"latency {as_times(ratio.value):.2f} of the base's, asked side by side "
        f"(at most {as_times(ratio.upper):.2f}; {note}); p50, p95, p99: {now} ms, of the base {base} ms"
    )


def percentiles(pairs: Pairs) -> dict[str, float]:
    """p50, p95, p99 of the first values, and base_p50, base_p95, base_p99 of the second; empty for no pairs."""
    return {
        f"{prefix}p{quantile}": nearest_rank(side, quantile / 100)
        for prefix, side in zip(("", "base_"), zip(*pairs, strict=True), strict=False)
        for quantile in QUANTILES
    }


def _figures(ratio: LogRatio, three: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    lower, upper = as_times(ratio.lower), as_times(ratio.upper)
    return figures(cases=ratio.cases, ratio=as_times(ratio.value), lower=lower, upper=upper, limit=LIMIT, **three)


def _finding(target: str, verdict: Verdict, sentence: str, *, blocking: bool) -> Finding:
    return Finding(
        rule=Rule.LATENCY,
        verdict=verdict,
        demands=Outcome.PROMOTE if verdict is Verdict.PASS else Outcome.HOLD,
        sentence=sentence,
        target=target,
        subject=SUBJECT,
        dimension=Dimension.LATENCY,
        blocking=blocking,
    )
