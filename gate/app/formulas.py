"""The arithmetic of one finding: formulas with their numbers filled in, and what PASS and FAIL would have needed.

Everything is computed again from the counts, by the same functions as in the rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gate.app.formulas_beside import of_anchor, of_cost, of_latency
from gate.app.formulas_cases import of_broken
from gate.app.formulas_judges import of_judges
from gate.app.formulas_together import of_k_of_m, of_repeats
from gate.app.need import Arithmetic, Need, need, share
from gate.core.evidence import PASS, SuiteBaseline
from gate.core.finding import Finding, Rule, Verdict
from gate.core.model import Metric, Scope, Severity
from gate.core.rules.abort import BETS, CHECK_EVERY, THRESHOLD, watch_for
from gate.core.rules.context import SuiteContext
from gate.core.rules.regression import SLICE_ALPHA, Z_FAIL, Z_PASS, least_cases, nothing_changed, shared_z
from gate.core.rules.repeats import SUBJECT as REPEATS
from gate.core.rules.vetoes import CONFIRM_FAILURES
from gate.core.statistics import ONE_SIDED_95, Comparison, augmented, compare, exact_lower, exact_upper, settled, tail

MOST_CASES_SHOWN = 5


def arithmetic_of(finding: Finding, contexts: Sequence[SuiteContext]) -> Arithmetic:
    """The arithmetic of a finding, from its suite or all suites of its target; empty where nothing is computed."""
    if finding.rule in _OF_TARGET:
        found = _OF_TARGET[finding.rule](finding, contexts)
    elif finding.rule in _OF_SUITE and len(contexts) == 1 and finding.suite:
        found = _OF_SUITE[finding.rule](finding, contexts[0])
    else:
        found = Arithmetic()
    return _with_missing(finding, found)


def _with_missing(finding: Finding, found: Arithmetic) -> Arithmetic:
    """An answer that the numbers give and the finding does not is one that unscored trials could turn."""
    if finding.verdict is not Verdict.INCONCLUSIVE:
        return found
    text = "the same answer with every unscored trial taken as a failure and as a pass"
    same = Need(text=text, met=False)
    passes = (*found.passes, same) if found.passes and all(one.met for one in found.passes) else found.passes
    fails = (*found.fails, same) if found.fails and all(one.met for one in found.fails) else found.fails
    return replace(found, passes=passes, fails=fails)


def _completeness(finding: Finding, context: SuiteContext) -> Arithmetic:
    planned, scored = finding.figure("planned"), finding.figure("scored")
    if finding.subject == REPEATS:
        return of_repeats(finding)
    if planned is None or scored is None:
        return Arithmetic()
    part = scored / planned if planned else float(bool(context.reused))
    compared = len(context.both) if context.baseline else len(context.evidence.cases)
    asked = context.policy.scored_share
    return Arithmetic(
        lines=(
            *((f"{context.reuse}: what they are asked with is in the baseline",) if context.reused else ()),
            f"scored share = scored / planned = {scored:.0f} / {planned:.0f} = {share(part)}",
        ),
        passes=(
            need("a scored share", ">=", value=part, limit=asked),
            Need(
                text=f"{compared} comparable cases >= {context.policy.fewest_cases}",
                met=compared >= context.policy.fewest_cases,
            ),
        ),
    )


def _comparability(_: Finding, context: SuiteContext) -> Arithmetic:
    state, now = context.reference.baseline, context.evidence.identity
    if not isinstance(state, SuiteBaseline):
        return Arithmetic(passes=(Need(text="a baseline that is there and sound", met=False),))
    same = state.identity.scorer_digest == now.scorer_digest
    return Arithmetic(
        lines=(
            f"version: {_short(state.identity.version)} in the baseline of {state.as_of}, {_short(now.version)} now",
            f"cases: {len(state.cases)} before, {len(context.evidence.cases)} now, {len(context.both)} in common",
        ),
        passes=(
            Need(
                text=f"equal scorers: {_short(state.identity.scorer_digest)} before, {_short(now.scorer_digest)} now",
                met=same,
            ),
            Need(text="a baseline that is not stale", met=not state.stale),
        ),
    )


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _abort(finding: Finding, context: SuiteContext) -> Arithmetic:
    value, cases = finding.figure("e_value"), finding.figure("cases")
    if value is None or cases is None:
        return Arithmetic()
    bets = ", ".join(f"{bet:g}" for bet in BETS)
    return Arithmetic(
        lines=(
            f"E = mean over b in {bets} of the product of 1 - b (d + m) / (1 + m) over the cases asked",
            f"  with d = result - x/kb and m = {watch_for(context).margin:g}; after {cases:.0f} cases E = {value:,.1f}",
            f"  an unchanged version reaches {THRESHOLD:g} with a chance of at most 1/{THRESHOLD:g}",
        ),
        fails=(
            need("E", ">=", value=value, limit=THRESHOLD),
            Need(text=f"a look after a multiple of {CHECK_EVERY} cases: {cases:.0f}", met=cases % CHECK_EVERY == 0),
        ),
    )


def _veto(finding: Finding, context: SuiteContext) -> Arithmetic:
    named = [case for case in context.evidence.cases if case.case_id in finding.cases]
    lines = []
    for case in named[:MOST_CASES_SHOWN]:
        before = context.known.get(case.case_id)
        told = f"{before.passes}/{before.trials} before" if before else "not in the baseline"
        lines.append(
            f"{case.case_id}: {context.severity(case)}, {told}, {case.failed} of {len(case.scored)} failed now"
        )
    watched = [context.severity(case) for case in context.evidence.cases]
    if not named:
        lines.append(f"{watched.count(Severity.P0)} P0 and {watched.count(Severity.P1)} P1 cases, none failed anew")
    failed = finding.verdict is Verdict.FAIL
    return Arithmetic(
        lines=tuple(lines),
        passes=(Need(text="no new P0 or P1 failure that is not waived", met=finding.verdict is Verdict.PASS),),
        fails=(Need(text=f"one failing trial of a new P0, or {CONFIRM_FAILURES} of a new P1", met=failed),),
    )


def _floor(_: Finding, context: SuiteContext) -> Arithmetic:
    asked, passes = context.requirement, context.evidence.passes
    marks = [kept for case in context.evidence.cases if (kept := case.first(passes))]
    if asked.floor is None or not marks:
        return Arithmetic()
    means = sorted(kept.count(PASS) / len(kept) for kept in marks)
    estimate = settled(math.fsum(means) / len(means))
    lines, lower, upper = _floor_bounds(means, exact=passes == 1)
    low_name, high_name = ("estimate", "estimate") if asked.point else ("lower bound", "upper bound")
    low, high = (estimate, estimate) if asked.point else (lower, upper)
    line = asked.rollback_below
    return Arithmetic(
        lines=(f"estimate = mean pass rate of {len(means)} cases = {share(estimate)}", *lines),
        passes=(need(low_name, ">=", value=low, limit=asked.floor),),
        fails=() if line is None else (need(high_name, "<", value=high, limit=line),),
    )


def _floor_bounds(means: Sequence[float], *, exact: bool) -> tuple[tuple[str, ...], float, float]:
    if exact:
        passed, count = round(math.fsum(means)), len(means)
        lower, upper = settled(exact_lower(passed, count)), settled(exact_upper(passed, count))
        told = f"one-sided 95 % bounds of Clopper and Pearson for {passed} of {count}"
        return (f"{told} = {share(lower)} and {share(upper)}",), lower, upper
    mean, error = augmented(means, low=0.0, high=1.0)
    lower, upper = settled(max(0.0, mean - ONE_SIDED_95 * error)), settled(min(1.0, mean + ONE_SIDED_95 * error))
    return (
        (
            f"with an imaginary 0 and an imaginary 1: M = {share(mean)}, SE = {share(error)}",
            f"lower bound = M - z x SE = {share(mean)} - {ONE_SIDED_95:g} x {share(error)} = {share(lower)}",
            f"upper bound = M + z x SE = {share(mean)} + {ONE_SIDED_95:g} x {share(error)} = {share(upper)}",
        ),
        lower,
        upper,
    )


def _regression(finding: Finding, context: SuiteContext) -> Arithmetic:
    look = finding.figure("passes")
    pairs = context.pairs(int(look)) if look is not None else ()
    if look is None or not pairs:
        return Arithmetic()
    change = compare(pairs)
    rank = context.looks.index(int(look))
    z_fail = shared_z(Z_FAIL[min(rank, len(Z_FAIL) - 1)], context.rivals)
    lower_line, lower, more = _lower(context, change, look=int(look))
    upper = change.set_upper(z_fail)
    shared = f", shared by {context.rivals} suites" if context.rivals > 1 else ""
    return Arithmetic(
        lines=(
            (
                f"D = mean of y/k - x/kb, first {look:.0f} trials of {change.cases} cases = {share(change.estimate)}"
                f"{', x and y being sums of values' if context.evidence.metric is Metric.SCORE else ''}"
            ),
            *_unchanged(change),
            f"exactly these cases: SE_set = {share(change.set_error)}",
            (
                "inputs like these, with an imaginary win and an imaginary loss: "
                f"D_pop = {share(change.population_estimate)}, SE_pop = {share(change.population_error)}"
            ),
            lower_line,
            (
                f"upper bound = D + z x SE_set = {share(change.estimate)} + {z_fail:.4g} x {share(change.set_error)} "
                f"= {share(upper)} (z of look {rank + 1}{shared})"
            ),
        ),
        passes=_passes(context, change, (need("lower bound", ">", value=lower, limit=-context.margin), *more)),
        fails=(
            need("upper bound", "<", value=upper, limit=0.0),
            need("D", "<=", value=settled(change.estimate), limit=-context.margin),
        ),
    )


def _unchanged(change: Comparison) -> tuple[str, ...]:
    """What cases that are asked the same add to the comparison."""
    same = f"{change.same} of {change.cases} cases are asked what the baseline was asked: d = 0, without noise"
    return (same,) if change.same else ()


def _passes(context: SuiteContext, change: Comparison, otherwise: tuple[Need, ...]) -> tuple[Need, ...]:
    """What PASS needs; nothing more where nothing can differ."""
    same = Need(text="no case that is asked anything else than the baseline was", met=True)
    return (same,) if nothing_changed(context, change) else otherwise


def _lower(context: SuiteContext, change: Comparison, *, look: int) -> tuple[str, float, tuple[Need, ...]]:
    """The lower bound in words, its value, and what PASS needs beside it."""
    if context.evidence.scope is Scope.SET:
        lower = change.set_lower(Z_PASS)
        text = f"D - z x SE_set = {share(change.estimate)} - {Z_PASS:g} x {share(change.set_error)}"
        twice = Need(text=f"{look} passes >= 2, because the scope is these cases", met=look >= 2)  # noqa: PLR2004 set
        return f"lower bound = {text} = {share(lower)}", lower, (twice,)
    lower, least = change.population_lower(Z_PASS), least_cases(context.margin)
    text = f"D_pop - z x SE_pop = {share(change.population_estimate)} - {Z_PASS:g} x {share(change.population_error)}"
    if change.clusters:
        text += f" (z widened for {change.clusters} clusters)"
    enough = Need(text=f"{change.cases} cases >= 3 / margin = {least}", met=change.cases >= least)
    return f"lower bound = {text} = {share(lower)}", lower, (enough,)


def _slice(finding: Finding, context: SuiteContext) -> Arithmetic:
    tag, _, value = finding.subject.partition("=")
    rule = dict(context.policy.slices).get(tag)
    both = [sides for sides in context.both if dict(sides[0].tags).get(tag) == value]
    pairs = context.pairs(context.evidence.passes, both=both)
    if rule is None or not pairs:
        return Arithmetic()
    change = compare(pairs)
    chance = tail(change.estimate, change.set_error)
    return Arithmetic(
        lines=(
            (
                f"D = mean of y/k - x/kb over {change.cases} cases = {share(change.estimate)}, "
                f"SE_set = {share(change.set_error)}"
            ),
            f"p = P(no change gives D or less) = Phi(D / SE_set) = {chance:.3g}",
        ),
        fails=(
            Need(
                text=f"p rejected by Holm at {SLICE_ALPHA[rule]:g} among the values of {tag}",
                met=finding.verdict is Verdict.FAIL,
            ),
            need("D", "<=", value=settled(change.estimate), limit=-context.margin),
        ),
    )


_OF_SUITE: Mapping[Rule, Callable[[Finding, SuiteContext], Arithmetic]] = {
    Rule.COMPLETENESS: _completeness,
    Rule.COMPARABILITY: _comparability,
    Rule.ABORT: _abort,
    Rule.VETO: _veto,
    Rule.JUDGE: of_judges,
    Rule.FLOOR: _floor,
    Rule.REGRESSION: _regression,
    Rule.SLICE: _slice,
    Rule.BROKEN_CASE: of_broken,
    Rule.ANCHOR: of_anchor,
}
_OF_TARGET: Mapping[Rule, Callable[[Finding, Sequence[SuiteContext]], Arithmetic]] = {
    Rule.K_OF_M: of_k_of_m,
    Rule.COST: of_cost,
    Rule.LATENCY: of_latency,
}
