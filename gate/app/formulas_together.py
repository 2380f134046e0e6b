"""The arithmetic of what is judged over several dimensions or passes together: k of m, and repeating trials."""

from __future__ import annotations

from collections.abc import Sequence

from gate.app.need import Arithmetic, Need, need, share
from gate.core.finding import Finding
from gate.core.rules.context import SuiteContext
from gate.core.rules.k_of_m import ALPHA
from gate.core.rules.repeats import REPEATS_ALPHA


def of_k_of_m(finding: Finding, _: Sequence[SuiteContext]) -> Arithmetic:
    """The p-value of each dimension, and their partial conjunction."""
    wanted, dimensions = finding.figure("wanted"), finding.figure("dimensions")
    worse, adjusted = finding.figure("worse"), finding.figure("adjusted")
    if wanted is None or dimensions is None or worse is None or adjusted is None:
        return Arithmetic()
    spare = dimensions - wanted
    chances = [(name.removeprefix("p_"), value) for name, value in finding.figures if name.startswith("p_")]
    return Arithmetic(
        lines=(
            "p = Phi(-(D_pop + margin) / SE_pop) at the look that settles a suite; a dimension has its largest",
            *(f"p of {name} = {share(value)}" for name, value in chances),
            (
                f"at least {wanted:.0f} of {dimensions:.0f}: (m - k + 1) x p_(k) = {spare + 1:.0f} x the p-value of "
                f"rank {wanted:.0f} = {share(adjusted)}"
            ),
        ),
        passes=(need("(m - k + 1) x p_(k)", "<=", value=adjusted, limit=ALPHA),),
        fails=(Need(text=f"{worse:.0f} shown worse (Holm) > m - k = {spare:.0f}", met=worse > spare),),
    )


def of_repeats(finding: Finding) -> Arithmetic:
    """How many cases with mixed marks independent trials let expect."""
    mixed, expected, chance = finding.figure("mixed"), finding.figure("expected"), finding.figure("chance")
    if mixed is None or expected is None or chance is None:
        return Arithmetic()
    return Arithmetic(
        lines=(
            "expected = sum over cases of 1 - p^n - (1-p)^n, averaged over p by the baseline's counts",
            f"  = {share(expected)} cases with mixed marks; there are {mixed:.0f}",
            f"P(so few in independent trials) = {chance:.3g} < {REPEATS_ALPHA:g}",
        )
    )
