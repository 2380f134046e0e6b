"""Budgets: cost against the baseline, latency against a fixed budget (R17, R22, R23).

Cost is a paired ratio of means, in dollars, or in tokens where the baseline knows no price. A cost above the limit
holds and never rolls back: a person may want to pay for better answers. p95 is bounded by order statistics,
which need 59 cases; modelled latencies are shown and never decide. Where the policy says `concurrent`, latency is also
compared with the base's version (gate.core.rules.beside).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from gate.core.evidence import BaselineCase, CaseEvidence
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Dimension
from gate.core.policy import LatencyRule, Policy
from gate.core.rules.beside import QUANTILES, QUIETER, check_beside, percentiles
from gate.core.rules.context import SuiteContext
from gate.core.statistics import Ratio, nearest_rank, paired_ratio, quantile_bounds, settled

Z_COST = 1.95
# Dollars of one call are small: six digits would leave two of them.
COST_DIGITS = 9
LEAST_LATENCIES = 59
Both = tuple[CaseEvidence, BaselineCase]


def check_cost(policy: Policy, contexts: Sequence[SuiteContext]) -> tuple[Finding, ...]:
    """One finding a target where the policy names cost and there is a baseline to compare with."""
    if Dimension.COST not in dict(policy.requirements):
        return ()
    found = []
    for target, group in _by_target(contexts):
        paired = [both for context in group for both in context.costs]
        if paired:
            found.append(_cost(policy, target, paired, adopted=_adopted(group)))
    return tuple(found)


def _by_target(contexts: Sequence[SuiteContext]) -> Iterator[tuple[str, list[SuiteContext]]]:
    for target in sorted({context.evidence.identity.target for context in contexts}):
        yield target, [context for context in contexts if context.evidence.identity.target == target]


def _adopted(group: Sequence[SuiteContext]) -> bool:
    return any(context.reference.adopted for context in group)


def _cost(policy: Policy, target: str, paired: Sequence[Both], *, adopted: bool) -> Finding:
    unit, values, wanted = _priced(paired)
    blocking = policy.requirement(Dimension.COST).blocking and adopted
    try:
        ratio = paired_ratio(values if len(values) >= policy.scored_share * wanted else ())
    except ValueError:
        why = f"{len(values)} of {wanted} cases have it in {unit}" if wanted else "not both sides report usage"
        sentence = f"{target}: cost is not available, because {why}"
        found = _cost_finding(target, Verdict.INCONCLUSIVE, sentence, blocking=blocking)
        settle = "let the target report its usage, and promote a baseline that has it"
        return replace(found, settle=settle, act=Act.MEND)
    verdict = _cost_verdict(ratio, policy.cost_limit)
    three = percentiles(values)
    sentence = (
        f"{target}: cost {ratio.value:.2f} of the baseline's in {unit} "
        f"(at most {ratio.value + Z_COST * ratio.error:.2f}; the limit is {policy.cost_limit:g}); "
        f"p50, p95, p99 of a case: {_row(three)}, before {_row(three, 'base_')}"
    )
    finding = _cost_finding(target, verdict, sentence, blocking=blocking)
    return _with_figures(finding, ratio, policy.cost_limit, three=three)


def _row(three: Mapping[str, float], side: str = "") -> str:
    return ", ".join(_amount(three[f"{side}p{quantile}"]) for quantile in QUANTILES)


def _amount(value: float) -> str:
    return f"{value:.{COST_DIGITS if value < 1.0 else 1}f}".rstrip("0").rstrip(".")


def _priced(paired: Sequence[Both]) -> tuple[str, list[tuple[float, float]], int]:
    """Costs of both sides in the baseline's unit, and how many cases the baseline has them of.

    The baseline chooses the unit: a model without a known price must not turn dollars into tokens.
    """
    dollars = [
        (now.usd.mean, before.usd.mean)
        for now, before in paired
        if now.usd.mean is not None and before.usd.mean is not None
    ]
    tokens = [
        (now.tokens.mean, before.tokens.mean)
        for now, before in paired
        if now.tokens.mean is not None and before.tokens.mean is not None
    ]
    in_dollars = sum(before.usd.mean is not None for _, before in paired)
    in_tokens = sum(before.tokens.mean is not None for _, before in paired)
    return ("tokens", tokens, in_tokens) if in_tokens > in_dollars else ("dollars", dollars, in_dollars)


def _cost_verdict(ratio: Ratio, limit: float) -> Verdict:
    if settled(ratio.value + Z_COST * ratio.error) <= limit:
        return Verdict.PASS
    dearer = settled(ratio.value - Z_COST * ratio.error) > 1.0 and settled(ratio.value) > limit
    return Verdict.FAIL if dearer else Verdict.INCONCLUSIVE


def _cost_finding(target: str, verdict: Verdict, sentence: str, *, blocking: bool) -> Finding:
    return Finding(
        rule=Rule.COST,
        verdict=verdict,
        demands=Outcome.PROMOTE if verdict is Verdict.PASS else Outcome.HOLD,
        sentence=sentence,
        target=target,
        dimension=Dimension.COST,
        blocking=blocking,
        settle="" if verdict is Verdict.PASS else "shorten the prompt or the answers, or let a person accept the price",
        act=None if verdict is Verdict.PASS else Act.APPROVE,
    )


def _with_figures(finding: Finding, ratio: Ratio, limit: float, *, three: Mapping[str, float]) -> Finding:
    costs = tuple((name, round(value, COST_DIGITS)) for name, value in three.items())
    numbers = figures(
        ratio=ratio.value,
        lower=ratio.value - Z_COST * ratio.error,
        upper=ratio.value + Z_COST * ratio.error,
        limit=limit,
        cases=ratio.cases,
    )
    return replace(finding, figures=tuple(sorted((*numbers, *costs))))


def check_latency(policy: Policy, contexts: Sequence[SuiteContext]) -> tuple[Finding, ...]:
    """Findings of each target where the policy names latency: p50, p95, p99 of one latency per case.

    With `concurrent` the comparison with the base's version; a budget is judged beside it where one is set. A blocking
    latency that was not measured holds.
    """
    requirement = dict(policy.requirements).get(Dimension.LATENCY)
    if requirement is None:
        return ()
    concurrent = policy.latency is LatencyRule.CONCURRENT
    budget = policy.p95_ms or requirement.floor
    found = []
    for target, group in _by_target(contexts):
        blocking = requirement.blocking and _adopted(group)
        if budget is not None or not concurrent:
            found += _against_budget(policy, target, group, blocking=blocking)
        if concurrent:
            found.append(check_beside(policy, target, group, blocking=blocking))
    return tuple(found)


def _against_budget(policy: Policy, target: str, group: Sequence[SuiteContext], *, blocking: bool) -> list[Finding]:
    values = [median(case.latency_ms) for context in group for case in context.evidence.cases if case.latency_ms]
    if values:
        modelled = any(context.evidence.modelled for context in group)
        return [replace(_latency(policy, target, values, modelled=modelled), blocking=blocking)]
    late = next((context.evidence.late for context in group if context.evidence.late), "")
    if late:
        found = _unmeasured(target, f"is not known, because {late}")
        return [replace(found, blocking=blocking, settle=QUIETER, act=Act.RERUN)]
    return [_unmeasured(target, "is required and was not measured")] if blocking else []


def _unmeasured(target: str, why: str) -> Finding:
    return Finding(
        rule=Rule.LATENCY,
        verdict=Verdict.INCONCLUSIVE,
        demands=Outcome.HOLD,
        sentence=f"{target}: latency {why}",
        target=target,
        dimension=Dimension.LATENCY,
        settle="use a target that reports latency, or a profile that does not require it",
        act=Act.MEND,
    )


def _latency(policy: Policy, target: str, values: Sequence[float], *, modelled: bool) -> Finding:
    requirement = policy.requirement(Dimension.LATENCY)
    budget = policy.p95_ms or requirement.floor
    line = policy.p95_ms or requirement.rollback_below or budget
    lower, upper = quantile_bounds(values) if len(values) >= LEAST_LATENCIES else (None, None)
    p95 = nearest_rank(values, 0.95)
    low, high = (p95, p95) if requirement.point else (lower, upper)
    passed = budget is not None and high is not None and high <= budget
    failed = line is not None and low is not None and low > line
    verdict = Verdict.PASS if passed else Verdict.FAIL if failed else Verdict.INCONCLUSIVE
    note = "no budget is set" if budget is None else f"the budget is {budget:.0f} ms"
    if modelled:
        verdict, note = Verdict.INCONCLUSIVE, "modelled, not measured"
    p50, p99 = nearest_rank(values, 0.5), nearest_rank(values, 0.99)
    sentence = f"{target}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms ({note})"
    return Finding(
        rule=Rule.LATENCY,
        verdict=verdict,
        demands={Verdict.PASS: Outcome.PROMOTE, Verdict.FAIL: Outcome.ROLLBACK}.get(verdict, Outcome.HOLD),
        sentence=sentence,
        target=target,
        dimension=Dimension.LATENCY,
        figures=figures(
            p50=p50,
            p95=p95,
            p99=p99,
            budget=budget,
            cases=len(values),
        ),
        settle=""
        if verdict is not Verdict.INCONCLUSIVE
        else f"measure at least {LEAST_LATENCIES} cases, well below the budget",
        act=Act.CASES if verdict is Verdict.INCONCLUSIVE else None,
    )
