"""The arithmetic of judges: agreement with people, what it leaves of a margin, and agreement with themselves."""

from __future__ import annotations

from collections.abc import Iterator

from gate.app.need import Arithmetic, Need, need, share
from gate.core.agreement import FEWEST_LABELS, LEAST_KAPPA, Calibration
from gate.core.finding import Finding
from gate.core.rules.context import SuiteContext
from gate.core.rules.judges import LEAST_CONSISTENCY, calibrations
from gate.core.statistics import ONE_SIDED_95


def of_judges(_: Finding, context: SuiteContext) -> Arithmetic:
    """Kappa with its bound for each judge, J, and the consistency of comparisons."""
    judging = context.evidence.judging
    if judging is None:
        return Arithmetic()
    known = calibrations(context)
    own = [known.get(name, Calibration(scorer=name)) for name in judging.scorers]
    lines = [line for one in own for line in _agreement(one)]
    if context.margin != context.stated_margin:
        lines.append(
            f"margin = J x {share(context.stated_margin)} = {share(context.margin)}, J of the least exact judge"
        )
    needs = [entry for one in own for entry in _trusted(one)] if judging.decisive else []
    if judging.consistency is not None:
        lines.append(f"consistency = agreeing / pairs = {judging.agreeing} / {judging.pairs}")
        needs.append(need("consistency", ">=", value=judging.consistency, limit=LEAST_CONSISTENCY))
    return Arithmetic(lines=tuple(lines), passes=tuple(needs))


def _agreement(one: Calibration) -> Iterator[str]:
    counts = (
        f"both pass {one.hits}, people alone {one.misses}, judge alone {one.false_passes}, neither {one.rejections}"
    )
    yield f"{one.scorer}: {one.labels} labels: {counts}"
    if one.kappa is not None and one.error is not None and one.lower is not None:
        yield (
            f"kappa = (p_o - p_e) / (1 - p_e) = {share(one.kappa)}, SE = {share(one.error)}, "
            f"lower bound = kappa - {ONE_SIDED_95:g} SE = {share(one.lower)}"
        )
    if one.sensitivity is not None and one.specificity is not None and one.factor is not None:
        rates = f"{share(one.sensitivity)} + {share(one.specificity)}"
        yield f"J = sensitivity + specificity - 1 = {rates} - 1 = {share(one.factor)}"


def _trusted(one: Calibration) -> Iterator[Need]:
    yield Need(text=f"{one.labels} labels of {one.scorer} >= {FEWEST_LABELS}", met=one.labels >= FEWEST_LABELS)
    if one.lower is not None:
        yield need(f"lower bound of kappa of {one.scorer}", ">=", value=one.lower, limit=LEAST_KAPPA)
