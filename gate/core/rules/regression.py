"""Regression against the baseline, for a suite and for its slices, with looks after passes 1, 2, 3 and 5.

PASS: the lower bound for inputs like these is above -margin (z 1.95). FAIL: the upper bound for exactly these cases is
below 0 and the estimate is at or below -margin (z 3.1, 3.0, 2.8, 2.5 at the four looks). Otherwise
INCONCLUSIVE. The first look that settles the question stands: a spent look is never reopened.
Constants: simulated operating points in docs/explanation/statistics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from gate.core.evidence import FAIL, PASS, UNSCORED, BaselineCase, CaseEvidence
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Metric, Scope
from gate.core.planning import MOST_CASES, cases_for_margin, smallest_drop
from gate.core.policy import SliceRule
from gate.core.rules.completeness import RUN_AGAIN, depends_on_missing
from gate.core.rules.context import Settling, SuiteContext, named, points
from gate.core.rules.pairing import counts
from gate.core.statistics import MINIMUM_CLUSTERS, NORMAL, Comparison, Pair, compare, holm, settled, tail

Z_PASS = 1.95
Z_FAIL = (3.1, 3.0, 2.8, 2.5)
SMALLEST_SLICE = 8
# Chosen, not derived: which cases a finding names for people to read; no verdict rests on it.
NAMED_FROM = -0.5
MOST_SENSIBLE_CASES = 20_000
SLICE_ALPHA = {SliceRule.WARN: 0.05, SliceRule.BLOCK: 0.003}


def check_regression(context: SuiteContext) -> tuple[Finding, ...]:
    """One finding for the suite, and one more where unscored trials could turn its verdict."""
    if not context.requirement.regression:
        return ()
    settled_at = _first_settled(context, UNSCORED)
    if settled_at is None:
        return (_nothing(context),)
    look = settled_at.look
    asked = (now for now, _ in context.both if now.case_id not in context.reused)
    unscored = tuple(now.case_id for now in asked if counts(now.marks, look, UNSCORED)[1] < look)
    if unscored and settled_at.verdict is not Verdict.INCONCLUSIVE:
        worst = _first_settled(context, FAIL if settled_at.verdict is Verdict.PASS else PASS)
        if worst is None or worst.verdict is not settled_at.verdict:
            open_again = replace(settled_at, verdict=Verdict.INCONCLUSIVE)
            found = replace(_finding(context, open_again), settle=RUN_AGAIN, act=Act.RERUN)
            return (found, depends_on_missing(context, unscored))
    return (_finding(context, settled_at),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the first `look` trials of each case showed."""

    look: int
    pairs: tuple[Pair, ...]
    comparison: Comparison
    verdict: Verdict


def _first_settled(context: SuiteContext, fill: str) -> Look | None:
    """The first look that settles the question, else the last one; None where no look has anything to compare."""
    found = None
    for rank, look in enumerate(context.looks):
        pairs = context.pairs(look, fill)
        if pairs:
            comparison = compare(pairs)
            verdict = _verdict(context, comparison, look=look, z_fail=Z_FAIL[min(rank, len(Z_FAIL) - 1)])
            found = Look(look=look, pairs=pairs, comparison=comparison, verdict=verdict)
            if verdict is not Verdict.INCONCLUSIVE:
                break
    return found


def _nothing(context: SuiteContext) -> Finding:
    sentence = f"{context.evidence.name}: no look at {context.evidence.passes} passes has anything to compare"
    particulars = Settling(settle="give the policy a look", act=Act.MEND)
    if context.policy.looks:
        particulars = Settling(settle=f"run {context.policy.looks[0]} passes", act=Act.PASSES)
    return context.finding(Rule.REGRESSION, Verdict.INCONCLUSIVE, sentence, **particulars)


def shared_z(z: float, rivals: int) -> float:
    """Split the one-sided error of z over rival suites: the first step of Holm, which alone decides the outcome."""
    if rivals <= 1:
        return z
    return -NORMAL.inv_cdf(NORMAL.cdf(-z) / rivals)


def _verdict(context: SuiteContext, comparison: Comparison, *, look: int, z_fail: float) -> Verdict:
    margin = context.margin
    if nothing_changed(context, comparison):
        return Verdict.PASS
    dropped = settled(comparison.estimate) <= -margin
    if dropped and comparison.set_upper(shared_z(z_fail, context.rivals)) < 0.0:
        return Verdict.FAIL
    if context.evidence.scope is Scope.SET:
        shown = look >= 2 and comparison.set_lower(Z_PASS) > -margin  # noqa: PLR2004 set needs k >= 2
    else:
        shown = comparison.cases >= least_cases(margin) and comparison.population_lower(Z_PASS) > -margin
    return Verdict.PASS if shown else Verdict.INCONCLUSIVE


def nothing_changed(context: SuiteContext, comparison: Comparison) -> bool:
    """Whether no compared case can differ, and no input beside them either: the same version, or no claim about such.

    Of another version only these cases are known to be asked the same, which says little about few of them.
    """
    baseline = context.baseline
    same_version = baseline is not None and baseline.identity.version == context.evidence.identity.version
    return comparison.same == comparison.cases and (same_version or context.evidence.scope is Scope.SET)


def least_cases(margin: float) -> int:
    """Cases without which no drop of this size can be ruled out for inputs like these, even if none changes: 3/m."""
    if margin <= 0.0:
        return MOST_CASES
    return ceil(Fraction(3) / Fraction(str(margin)))


def _finding(context: SuiteContext, settled_at: Look) -> Finding:
    verdict, comparison, pairs = settled_at.verdict, settled_at.comparison, settled_at.pairs
    numbers = _figures(context, comparison, pairs, look=settled_at.look)
    sentence = _sentence(context, verdict, dict(numbers)) + _unchanged(comparison)
    return context.finding(
        Rule.REGRESSION,
        verdict,
        sentence,
        figures=numbers,
        cases=worst_cases(pairs),
        **(_settle(context, comparison, pairs) if verdict is Verdict.INCONCLUSIVE else Settling()),
    )


def _unchanged(comparison: Comparison) -> str:
    if not comparison.same:
        return ""
    if comparison.same == comparison.cases:
        return f"; unchanged: all {comparison.cases} cases are asked what the baseline was asked"
    return f"; {comparison.same} of {comparison.cases} cases unchanged, which is no difference"


def _figures(
    context: SuiteContext, comparison: Comparison, pairs: Sequence[Pair], *, look: int
) -> tuple[tuple[str, float], ...]:
    lower = comparison.population_lower(Z_PASS)
    if context.evidence.scope is Scope.SET:
        lower = comparison.set_lower(Z_PASS)
    return figures(
        estimate=comparison.estimate,
        lower=max(lower, -1.0),
        upper=comparison.set_upper(Z_PASS),
        margin=context.margin,
        before=sum(pair.x / pair.kb for pair in pairs) / len(pairs),
        now=sum(pair.y / pair.k for pair in pairs) / len(pairs),
        cases=len(pairs),
        passes=look,
        unchanged=comparison.same or None,
        smallest_drop=smallest_drop(comparison, context.evidence.scope),
    )


def worst_cases(pairs: Sequence[Pair], most: int = 20) -> tuple[str, ...]:
    """Cases that lost at least half of their trials, or of their value, worst first."""
    failing = [pair for pair in pairs if pair.y < pair.k]
    lost = sorted((pair.difference, pair.case_id) for pair in failing if settled(pair.difference) <= NAMED_FROM)
    return tuple(case_id for _, case_id in lost[:most])


def _sentence(context: SuiteContext, verdict: Verdict, numbers: dict[str, float]) -> str:
    name, margin = context.evidence.name, f"{context.margin * 100:g}"
    moved = f"{numbers['before'] * 100:.1f} -> {numbers['now'] * 100:.1f} ({points(numbers['estimate'])} points)"
    if context.evidence.metric is Metric.SCORE:
        moved = f"mean score {moved}"
    if verdict is Verdict.FAIL:
        return f"{name}: shown worse, {moved}, at least {points(-numbers['upper'])[1:]} lost on exactly these cases"
    if verdict is Verdict.PASS:
        return f"{name}: a drop of {margin} points is ruled out, {moved}, at worst {points(numbers['lower'])}"
    return (
        f"{name}: {moved}; the true change may be as low as {points(numbers['lower'])}, "
        f"and a drop of {margin} points had to be ruled out"
    )


def _settle(context: SuiteContext, comparison: Comparison, pairs: Sequence[Pair]) -> Settling:
    """What would settle an open comparison: passes that are left, a better candidate, or more cases."""
    last = context.policy.looks[-1]
    if (few := _too_few_clusters(context, comparison)) is not None:
        return few
    if context.evidence.passes < last and comparison.same < comparison.cases:
        return Settling(settle=f"run up to {last} passes (now {context.evidence.passes})", act=Act.PASSES)
    if settled(comparison.estimate) <= -context.margin:
        loss = "the loss is as large as the margin, and more of the same passes will not help"
        return Settling(settle=f"look at the cases below: {loss}", act=Act.MEND)
    room = context.margin + min(settled(comparison.estimate), 0.0)
    needed = max(cases_for_margin(pairs, room), least_cases(context.margin))
    told = (
        "would settle it"
        if room == context.margin
        else f"would tell this loss from one of {context.margin * 100:g} points"
    )
    if needed > MOST_SENSIBLE_CASES:
        settle = "no sensible number of cases would tell the two apart: look at the cases below"
        return Settling(settle=settle, act=Act.MEND)
    settle = f"{needed} cases like these {told} ({max(needed - len(pairs), 1)} more); this version has used its looks"
    return Settling(settle=settle, act=Act.CASES)


def _too_few_clusters(context: SuiteContext, comparison: Comparison) -> Settling | None:
    """What stands in the way of PASS whatever the cases show; a loss as large as the margin is looked at first."""
    few = context.evidence.scope is Scope.POPULATION and 0 < comparison.clusters < MINIMUM_CLUSTERS
    if not few or settled(comparison.estimate) <= -context.margin:
        return None
    least = f"name at least {MINIMUM_CLUSTERS} clusters (now {comparison.clusters})"
    settle = f"{least}: with fewer, no drop can be ruled out for inputs like these"
    return Settling(settle=settle, act=Act.CASES)


def check_slices(context: SuiteContext) -> tuple[Finding, ...]:
    """Slices that lost, corrected over all values of one tag (Holm); silent where nothing is shown."""
    found: list[Finding] = []
    for tag, rule in context.policy.slices:
        groups = dict(_groups(context, tag, UNSCORED))
        worst, best = _lost(context, tag, rule, fill=FAIL), _lost(context, tag, rule, fill=PASS)
        lost = _lost(context, tag, rule, fill=UNSCORED)
        found += [_slice_finding(context, rule, f"{tag}={value}", pairs=groups[value]) for value in sorted(lost & best)]
        doubtful = sorted((lost | worst) - (lost & best)) if rule is SliceRule.BLOCK else []
        found += [_doubtful_slice(context, f"{tag}={value}") for value in doubtful]
    return tuple(found)


def _lost(context: SuiteContext, tag: str, rule: SliceRule, *, fill: str) -> frozenset[str]:
    """Values of a tag that are shown to have lost, with unscored trials left out or filled."""
    groups = _groups(context, tag, fill)
    results = [compare(pairs) for _, pairs in groups]
    rejected = holm([tail(result.estimate, result.set_error) for result in results], SLICE_ALPHA[rule])
    return frozenset(
        value
        for (value, _), result, lost in zip(groups, results, rejected, strict=True)
        if lost and settled(result.estimate) <= -context.margin
    )


def _doubtful_slice(context: SuiteContext, subject: str) -> Finding:
    sentence = f"{context.evidence.name}: whether {subject} lost depends on unscored trials"
    return context.finding(Rule.SLICE, Verdict.INCONCLUSIVE, sentence, subject=subject, settle=RUN_AGAIN, act=Act.RERUN)


def _groups(context: SuiteContext, tag: str, fill: str) -> list[tuple[str, tuple[Pair, ...]]]:
    members: dict[str, list[tuple[CaseEvidence, BaselineCase]]] = {}
    for now, before in context.both:
        value = dict(now.tags).get(tag)
        if value is not None:
            members.setdefault(value, []).append((now, before))
    pairs = {value: context.pairs(context.evidence.passes, fill, both=group) for value, group in members.items()}
    return sorted((value, group) for value, group in pairs.items() if len(group) >= SMALLEST_SLICE)


def _slice_finding(context: SuiteContext, rule: SliceRule, subject: str, *, pairs: Sequence[Pair]) -> Finding:
    result = compare(pairs)
    ids = worst_cases(pairs)
    sentence = (
        f"{context.evidence.name}: {subject} lost {-result.estimate * 100:.1f} points on {len(pairs)} cases"
        f"{': ' + named(ids) if ids else ''}"
    )
    return context.finding(
        Rule.SLICE,
        Verdict.FAIL,
        sentence,
        subject=subject,
        blocking=context.blocking and rule is SliceRule.BLOCK,
        demands=Outcome.ROLLBACK,
        cases=ids,
        figures=figures(
            estimate=result.estimate,
            upper=result.set_upper(Z_PASS),
            cases=len(pairs),
            before=sum(pair.x / pair.kb for pair in pairs) / len(pairs),
            now=sum(pair.y / pair.k for pair in pairs) / len(pairs),
        ),
    )
