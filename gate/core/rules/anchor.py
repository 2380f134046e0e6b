"""Anchor: slow decay. Each merge may lose a little; the sum is compared with a pinned older release.

HOLD when the drop since the anchor is shown (upper bound for exactly these cases below 0 at z 2.33) and reaches 3
points.
"""

from __future__ import annotations

from collections.abc import Sequence

from gate.core.evidence import FAIL, Absent, Corrupt, SuiteBaseline
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
from gate.core.rules.completeness import RUN_AGAIN
from gate.core.rules.context import Settling, SuiteContext, points
from gate.core.rules.pairing import known_cases, pair_cases
from gate.core.statistics import Comparison, Pair, compare, settled

Z_ANCHOR = 2.33


def check_anchor(context: SuiteContext) -> tuple[Finding, ...]:
    """One finding where an anchor is pinned."""
    anchor = context.reference.anchor
    if anchor is None or isinstance(anchor, Absent):
        return ()
    if isinstance(anchor, Corrupt):
        sentence = f"{context.evidence.name}: the anchor cannot be believed: {anchor.reason}"
        particulars = Settling(settle="restore the anchor file", act=Act.BASELINE)
        return (context.finding(Rule.ANCHOR, Verdict.INCONCLUSIVE, sentence, **particulars),)
    both = pair_cases(
        context.evidence.cases, known_cases(context.evidence.cases, anchor.cases), context.evidence.metric
    )
    pairs = context.fresh_pairs(both=both)
    same_scorers = anchor.identity.scorer_digest == context.evidence.identity.scorer_digest
    if not pairs or not same_scorers:
        sentence = f"{context.evidence.name}: the anchor {anchor.tag} has nothing in common with this suite"
        particulars = Settling(settle="pin a newer anchor with `gate promote --anchor TAG`", act=Act.BASELINE)
        return (context.finding(Rule.ANCHOR, Verdict.INCONCLUSIVE, sentence, **particulars),)
    worst = context.fresh_pairs(FAIL, both=both)
    return (_compared(context, anchor, pairs, doubtful=_drifted(context, compare(worst))),)


def _drifted(context: SuiteContext, change: Comparison) -> bool:
    return change.set_upper(Z_ANCHOR) < 0.0 and settled(change.estimate) <= -context.policy.anchor_drop


def _compared(context: SuiteContext, anchor: SuiteBaseline, pairs: Sequence[Pair], *, doubtful: bool) -> Finding:
    """What the comparison shows; `doubtful` says that unscored trials, taken as failures, would make it a drift."""
    change = compare(pairs)
    since = f"since {anchor.tag or anchor.as_of}"
    sentence = f"{context.evidence.name}: {points(change.estimate)} points {since}"
    verdict, note, particulars = Verdict.PASS, "", Settling()
    if _drifted(context, change):
        verdict, note = Verdict.FAIL, ": drifted"
        settle = f"win back what was lost {since}, or pin a new anchor on purpose: `gate promote --anchor TAG`"
        particulars = Settling(settle=settle, act=Act.BASELINE)
    elif doubtful:
        verdict, note = Verdict.INCONCLUSIVE, ": unscored trials may hide a drift"
        particulars = Settling(settle=RUN_AGAIN, act=Act.RERUN)
    return context.finding(
        Rule.ANCHOR,
        verdict,
        sentence + note,
        demands=Outcome.PROMOTE if verdict is Verdict.PASS else Outcome.HOLD,
        figures=figures(estimate=change.estimate, upper=change.set_upper(Z_ANCHOR), cases=len(pairs)),
        **particulars,
    )
