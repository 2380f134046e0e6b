"""The arithmetic of the rules beside the comparison with the baseline: cost, latency, anchor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from gate.app.need import Arithmetic, Need, need, share
from gate.core.evidence import SuiteBaseline
from gate.core.finding import Finding, Verdict
from gate.core.model import Dimension
from gate.core.rules.anchor import Z_ANCHOR
from gate.core.rules.beside import (
    LIMIT,
    SUBJECT,
    as_times,
    missing_pairs,
    modelled_sides,
    paired_latencies,
    paired_log_ratio,
)
from gate.core.rules.budgets import LEAST_LATENCIES, Z_COST
from gate.core.rules.context import SuiteContext
from gate.core.rules.pairing import pair_cases
from gate.core.statistics import compare, nearest_rank, quantile_bounds, settled

_PERCENTILES = ("p50", "p95", "p99", "base_p50", "base_p95", "base_p99")


def of_cost(finding: Finding, _: Sequence[SuiteContext]) -> Arithmetic:
    """Ratio of mean costs with its bounds."""
    ratio, lower, upper = finding.figure("ratio"), finding.figure("lower"), finding.figure("upper")
    limit = finding.figure("limit")
    if ratio is None or lower is None or upper is None or limit is None:
        return Arithmetic()
    error = (upper - ratio) / Z_COST
    three = ", ".join(f"{name} {finding.figure(name):.9g}" for name in _PERCENTILES if finding.figure(name) is not None)
    return Arithmetic(
        lines=(
            f"R = mean now / mean before, paired by case = {share(ratio)}, SE = {share(error)}",
            f"bounds = R -+ z x SE = {share(ratio)} -+ {Z_COST:g} x {share(error)} = {share(lower)} and {share(upper)}",
            *((f"of one mean cost a case (base_: the baseline's): {three}",) if three else ()),
        ),
        passes=(need("upper bound", "<=", value=upper, limit=limit),),
        fails=(need("lower bound", ">", value=lower, limit=1.0), need("R", ">", value=ratio, limit=limit)),
    )


def of_latency(finding: Finding, contexts: Sequence[SuiteContext]) -> Arithmetic:
    """p95 of one latency a case, with its bounds by order statistics; or the comparison with the base's version."""
    if finding.subject == SUBJECT:
        return _of_beside(contexts)
    cases = [case for context in contexts for case in context.evidence.cases if case.latency_ms]
    if not cases or finding.figure("p95") is None:
        return Arithmetic()
    policy = contexts[0].policy
    asked = policy.requirement(Dimension.LATENCY)
    values = [median(case.latency_ms) for case in cases]
    budget = policy.p95_ms or asked.floor
    line = policy.p95_ms or asked.rollback_below or budget
    p95 = nearest_rank(values, 0.95)
    lower, upper = quantile_bounds(values) if len(values) >= LEAST_LATENCIES else (None, None)
    low, high = (p95, p95) if asked.point else (lower, upper)
    measured = Need(text="latencies that were measured", met=not any(one.evidence.modelled for one in contexts))
    return Arithmetic(
        lines=(
            f"p95 = the smallest latency with 95 % of {len(values)} cases at or below it = {p95:,.1f} ms",
            f"one-sided 95 % bounds by order statistics = {_ms(lower)} and {_ms(upper)}",
        ),
        passes=(_within("upper bound" if not asked.point else "p95", high, "<=", budget), measured),
        fails=(_within("lower bound" if not asked.point else "p95", low, ">", line), measured),
    )


def _of_beside(contexts: Sequence[SuiteContext]) -> Arithmetic:
    """The paired log ratio of latencies, computed again from the evidence."""
    policy, pairs = contexts[0].policy, paired_latencies(contexts)
    why, modelled = missing_pairs(policy, contexts, pairs), modelled_sides(contexts)
    known = Need(text=f"enough cases timed on both sides ({why or f'there are {len(pairs)}'})", met=not why)
    measured = Need(text=f"latencies that were measured{f' ({modelled})' if modelled else ''}", met=not modelled)
    if why:
        return Arithmetic(passes=(known, measured), fails=(known, measured))
    ratio, limit = paired_log_ratio(pairs), settled(math.log(LIMIT))
    return Arithmetic(
        lines=(
            f"L = mean of ln(now / base), one ratio of medians a case, {ratio.cases} cases = {share(ratio.value)}",
            f"SE = sd / sqrt(n) = {share(ratio.error)}, t = {ratio.t:.4f} with {ratio.cases - 1} degrees of freedom",
            f"bounds = L -+ t x SE = {share(ratio.lower)} and {share(ratio.upper)}",
            f"as ratios: {as_times(ratio.value):.4f}, {as_times(ratio.lower):.4f} and {as_times(ratio.upper):.4f}",
        ),
        passes=(need("upper bound", "<=", value=ratio.upper, limit=limit), measured),
        fails=(
            need("lower bound", ">", value=ratio.lower, limit=0.0),
            need("L", ">", value=settled(ratio.value), limit=limit),
            measured,
        ),
    )


def _ms(value: float | None) -> str:
    return f"none (fewer than {LEAST_LATENCIES} cases)" if value is None else f"{value:,.1f} ms"


def _within(name: str, value: float | None, *limit: str | float | None) -> Need:
    sign, most = str(limit[0]), limit[1]
    if value is None or not isinstance(most, int | float):
        return Need(text=f"a known {name} and a budget", met=False)
    return need(f"{name} in ms", sign, value=value, limit=most)


def of_anchor(finding: Finding, context: SuiteContext) -> Arithmetic:
    """The change since a pinned version."""
    anchor = context.reference.anchor
    if not isinstance(anchor, SuiteBaseline) or finding.figure("estimate") is None:
        return Arithmetic()
    known = {case.case_id: case for case in anchor.cases}
    both = pair_cases(context.evidence.cases, known, context.evidence.metric)
    change = compare(context.fresh_pairs(both=both))
    upper = change.set_upper(Z_ANCHOR)
    fails = (
        need("upper bound", "<", value=upper, limit=0.0),
        need("D", "<=", value=settled(change.estimate), limit=-context.policy.anchor_drop),
    )
    return Arithmetic(
        lines=(
            f"D = mean change since {anchor.tag or anchor.as_of} over {change.cases} cases = {share(change.estimate)}",
            (
                f"upper bound = D + z x SE_set = {share(change.estimate)} + {Z_ANCHOR:g} x {share(change.set_error)}"
                f" = {share(upper)}"
            ),
        ),
        passes=(Need(text="no drift that is shown", met=finding.verdict is Verdict.PASS),),
        fails=fails,
    )
