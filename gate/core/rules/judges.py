"""Judges: a suite that rests on a model's word must rest on one that agrees with people, and with itself.

A judge decides where a trial can pass by its word only. Then its agreement with people must be shown: Cohen's kappa of
at least 0.4 (one-sided 95 % bound) on at least 50 labels. A judge that compares two answers must say the same in both
orders for at least 70 % of the pairs. What it says is shown else, and promotes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from gate.core.agreement import FEWEST_LABELS, LEAST_KAPPA, Calibration
from gate.core.finding import Act, Finding, Rule, Verdict, figures
from gate.core.judging import Judging, untrusted
from gate.core.rules.context import Particulars, SuiteContext, percent

LEAST_CONSISTENCY = 0.7


def check_judges(context: SuiteContext) -> tuple[Finding, ...]:
    """What stands against the judges of a suite, else one finding about them that asks for nothing."""
    judging = context.evidence.judging
    if judging is None:
        return ()
    found = (*_uncalibrated(context, judging), *_inconsistent(context, judging))
    return found or (_sound(context, judging),)


def calibrations(context: SuiteContext) -> dict[str, Calibration]:
    """What the baseline knows about each judge, by its name."""
    known = context.baseline.calibration if context.baseline else ()
    return {one.scorer: one for one in known}


def _uncalibrated(context: SuiteContext, judging: Judging) -> Iterator[Finding]:
    known = calibrations(context)
    open_judges = untrusted(judging, known.values()) if judging.decisive else ()
    if not open_judges:
        return
    told = [render_calibration(known.get(name, Calibration(scorer=name))) for name in open_judges]
    sentence = f"{context.evidence.name}: judge not calibrated, so its word promotes nothing: {'; '.join(told)}"
    particulars = Particulars(
        settle=f"let people label at least {FEWEST_LABELS} answers (`calibration`), then promote a fresh baseline",
        act=Act.CASES,
        subject="calibration",
        figures=_figures(context, judging),
    )
    yield context.finding(Rule.JUDGE, Verdict.INCONCLUSIVE, sentence, **particulars)


def _inconsistent(context: SuiteContext, judging: Judging) -> Iterator[Finding]:
    consistency = judging.consistency
    if consistency is None or judging.agreeing >= LEAST_CONSISTENCY * judging.pairs:
        return
    sentence = (
        f"{context.evidence.name}: the judge contradicts itself: it prefers the same answer in both orders in only "
        f"{percent(consistency)} of {judging.pairs} pairs ({percent(LEAST_CONSISTENCY)} are needed), "
        f"and the one that stands first in {percent(judging.first / (2 * judging.pairs))} of the comparisons"
    )
    particulars = Particulars(
        settle="sharpen the rubric or take another judge, then promote a fresh baseline",
        act=Act.BASELINE,
        subject="consistency",
        figures=_figures(context, judging),
    )
    yield context.finding(Rule.JUDGE, Verdict.INCONCLUSIVE, sentence, **particulars)


def _sound(context: SuiteContext, judging: Judging) -> Finding:
    known = calibrations(context)
    told = [render_calibration(known[name]) for name in judging.scorers if name in known]
    if not judging.decisive:
        told.append("no trial passes by a judge's word alone")
    if context.margin != context.stated_margin:
        asked, used = context.stated_margin * 100, context.margin * 100
        told.append(f"a margin of {asked:g} points is {used:g} points as judged")
    if judging.consistency is not None:
        told.append(f"the same answer is preferred in both orders in {percent(judging.consistency)} of the pairs")
    sentence = f"{context.evidence.name}: {'; '.join(told)}"
    particulars = Particulars(blocking=False, figures=_figures(context, judging))
    return context.finding(Rule.JUDGE, Verdict.PASS, sentence, **particulars)


def render_calibration(one: Calibration) -> str:
    """A judge's agreement with people in words."""
    if not one.labels + one.unjudged:
        return f"{one.scorer} has no labels of people"
    if one.labels < FEWEST_LABELS or one.kappa is None:
        return f"{one.scorer} was compared with people on {one.labels} labels"
    bound = "" if one.trusted else f" (at least {LEAST_KAPPA:g} must be shown)"
    rates = f", sensitivity {_rate(one.sensitivity)}, specificity {_rate(one.specificity)}"
    return (
        f"{one.scorer} agrees with people with kappa {one.kappa:.2f}, at least {one.lower or 0.0:.2f}{bound}, "
        f"on {one.labels} labels{rates}"
    )


def _rate(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _figures(context: SuiteContext, judging: Judging) -> tuple[tuple[str, float], ...]:
    """Figures of the least exact judge, and of all comparisons."""
    known = [one for name, one in calibrations(context).items() if name in judging.scorers]
    worst = min(known, key=lambda one: (one.lower is not None, one.lower or 0.0), default=None)
    return figures(
        labels=worst.labels if worst else 0,
        kappa=worst.kappa if worst else None,
        kappa_error=worst.error if worst else None,
        kappa_lower=worst.lower if worst else None,
        sensitivity=worst.sensitivity if worst else None,
        specificity=worst.specificity if worst else None,
        factor=worst.factor if worst else None,
        margin=context.margin,
        stated_margin=context.stated_margin,
        pairs=judging.pairs,
        consistency=judging.consistency,
        first_slot=judging.first / (2 * judging.pairs) if judging.pairs else None,
    )
