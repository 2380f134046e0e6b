"""A plan in words: what the policy asks for, and for each suite what it takes, what it shows and how often it errs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gate.app.operating_points import OperatingPoint, Scenario
from gate.app.plan import Reach, SuiteOutlook
from gate.app.watched import render_watched
from gate.core.finding import Outcome, count
from gate.core.model import Dimension, Metric
from gate.core.policy import LOWER_IS_BETTER, Policy, Requirement
from gate.core.rules.context import percent
from gate.core.statistics import MINIMUM_CLUSTERS

HEAD = ("dimension", "better", "blocks", "floor", "rollback below", "margin", "vetoes", "broken cases")
NOTHING = "-"


def render_requirements(policy: Policy) -> str:
    """The profile, the looks, and a table with one line a dimension."""
    looks = ", ".join(map(str, policy.looks))
    rows = [HEAD, *(_row(policy, *entry) for entry in policy.requirements)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"profile {policy.profile}, looks after passes {looks}", *lines, *_together(policy)])


def _together(policy: Policy) -> Iterator[str]:
    if policy.at_least is not None:
        named = ", ".join(policy.at_least.of)
        yield f"at least {policy.at_least.count} of {named} must be shown not worse, and not each of them"


def _row(policy: Policy, dimension: Dimension, asked: Requirement) -> tuple[str, ...]:
    margin = policy.margin if asked.margin is None else asked.margin
    return (
        str(dimension),
        "lower" if dimension in LOWER_IS_BETTER else "higher",
        "yes" if asked.blocking else "reported",
        _floor(policy, dimension, asked),
        _line(dimension, asked),
        _points(margin) if asked.regression else NOTHING,
        "P0, P1" if asked.vetoes else NOTHING,
        str(policy.on_broken) if asked.broken else NOTHING,
    )


def _floor(policy: Policy, dimension: Dimension, asked: Requirement) -> str:
    if dimension is Dimension.COST:
        return f"at most x{policy.cost_limit:g}"
    if dimension is Dimension.LATENCY:
        budget = policy.p95_ms or asked.floor
        return "no budget set" if budget is None else f"p95 {budget:,.0f} ms"
    if asked.floor is None:
        return NOTHING
    return percent(asked.floor) + (" (estimate)" if asked.point else "")


def _line(dimension: Dimension, asked: Requirement) -> str:
    if asked.rollback_below is None:
        return NOTHING
    return f"{asked.rollback_below:,.0f} ms" if dimension is Dimension.LATENCY else percent(asked.rollback_below)


def _points(share: float) -> str:
    points = f"{share * 100:g}"
    return f"{points} point{'' if points == '1' else 's'}"


def render_outlook(suite: SuiteOutlook) -> str:
    """One suite."""
    lines = [f"{suite.target} / {suite.suite}: {suite.cases:,} cases, {suite.dimension}, scope {suite.scope}"]
    lines[0] += "" if suite.metric is Metric.PASS else f", metric {suite.metric}"
    lines += _reach(suite.reach, suite.cases) if suite.reach else ["no comparison with the baseline is asked for"]
    lines += render_watched(suite.watched) if suite.watched else []
    beside = f" ({suite.beside:,} of them to the base's version, for its latency)" if suite.beside else ""
    lines += _unchanged(suite)
    lines += _edited(suite)
    lines.append(f"calls: {suite.least_calls:,} to {suite.most_calls:,}{beside}; {_cost(suite)} a pass; {_time(suite)}")
    lines += _judges(suite)
    lines += _rates(suite)
    return "\n".join([lines[0], *(f"  {line}" for line in lines[1:])])


def _unchanged(suite: SuiteOutlook) -> Iterator[str]:
    if suite.unchanged:
        how = "not asked again" if suite.rests else "asked only for rules that need new answers"
        yield f"{suite.unchanged:,} of {suite.cases:,} cases unchanged, {how}"


def _edited(suite: SuiteOutlook) -> Iterator[str]:
    if suite.edited:
        yield f"{count(suite.edited, 'case')} edited: asked as the base has them, and as they are now"
    if suite.removed:
        yield f"{count(suite.removed, 'case')} removed: asked as the base has them"
    if suite.unasked:
        yield f"edited or removed cases are not asked as the base has them, which ends in HOLD: {suite.unasked}"


def _reach(reach: Reach, cases: int) -> Iterator[str]:
    if math.isinf(reach.supported):
        needed = f"name at least {MINIMUM_CLUSTERS} clusters (now {reach.clusters})"
        yield f"can show no drop: {needed}; a harmless change ends in HOLD"
        return
    source = "by the baseline's counts" if reach.measured else "assuming usual flakiness: there is no baseline yet"
    source += f"; {reach.clusters} clusters" if reach.clusters else ""
    yield f"can show a drop of {reach.supported * 100:.1f} points ({source}); wanted: {_points(reach.wanted)}"
    if reach.enough:
        yield "the wanted margin can be shown: 90 % of harmless changes pass"
        return
    verb = "needs" if reach.wanted * 100 == 1 else "need"
    if reach.cases is None:
        yield f"{_points(reach.wanted)} cannot be shown by any sensible number of cases like these; you have {cases:,}"
    elif reach.cases > cases:
        yield f"{_points(reach.wanted)} {verb} {reach.cases:,} cases like these; you have {cases:,}"
    more = "no number of passes helps" if reach.passes is None else f"or {reach.passes} passes of these cases"
    yield f"{more}; a harmless change may well end in HOLD"


def _judges(suite: SuiteOutlook) -> Iterator[str]:
    if suite.judged:
        yield f"judges take {suite.judged} of {suite.judged + 1} calls; tokens and dollars are the target's alone"
    if suite.uncalibrated:
        yield f"judge not calibrated: {', '.join(suite.uncalibrated)}; whatever it says ends in HOLD at best"


def _cost(suite: SuiteOutlook) -> str:
    tokens = f"{suite.tokens:,} tokens"
    return tokens if suite.usd is None else f"{tokens}, ${suite.usd:.2f}"


def _time(suite: SuiteOutlook) -> str:
    if suite.seconds is None:
        return "time unknown before the first run"
    return f"about {suite.seconds:.0f} s a pass by the baseline's latency"


def _rates(suite: SuiteOutlook) -> Iterator[str]:
    for point in suite.points:
        shares = ", ".join(f"{outcome} {_share(point, outcome)}" for outcome in Outcome)
        yield f"{point.scenario}: about {_spent(suite, point.calls + suite.beside)}; {shares}"
    for point in suite.points:
        if point.scenario is Scenario.NO_OP:
            wrong = ((name, _wrong(point, name)) for name in (Outcome.HOLD, Outcome.ROLLBACK))
            told = ", ".join(f"false {name} {text}" for name, text in wrong)
            yield f"{told}; simulated, {point.draws} draws, this suite alone, independent trials"
            if suite.metric is Metric.SCORE:
                yield "values are drawn from beta distributions with each case's mean and variance, apart from passes"


def _share(point: OperatingPoint, outcome: Outcome) -> str:
    reasons = point.reasons(outcome) if outcome is not Outcome.PROMOTE else ()
    return percent(point.share(outcome)) + (f" ({', '.join(reasons)})" if reasons else "")


def _wrong(point: OperatingPoint, outcome: Outcome) -> str:
    return f"{percent(point.share(outcome))} (at most {percent(point.at_most(outcome))})"


def _spent(suite: SuiteOutlook, calls: float) -> str:
    dollars = suite.dollars(calls)
    every = calls + (calls - suite.beside) * suite.judged
    return f"{every:,.0f} calls" + ("" if dollars is None else f", ${dollars:.2f}")
