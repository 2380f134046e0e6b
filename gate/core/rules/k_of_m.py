"""k of m: at least so many dimensions shown not worse, by partial conjunction (Benjamini and Heller 2008).

Biometrics 64, 1215-1222: the k-th smallest of m p-values, times m - k + 1, is a p-value of the claim that at least k of
the m claims are true. Claim of a dimension: none of its suites lost the margin; its p-value is the largest of its
suites'. A suite's p-value is Phi(-(D_pop + margin) / SE_pop) at the first look that settles it, here at the level
alpha / (m - k + 1); a spent look is never reopened. Harm: more than m - k dimensions are shown worse (Holm, with the
levels of the looks), so that k can no longer be reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gate.core.evidence import FAIL, PASS, UNSCORED
from gate.core.finding import Act, Finding, Rule, Verdict, figures
from gate.core.model import Dimension, Scope
from gate.core.policy import AtLeast, Policy
from gate.core.rules.comparability import comparable
from gate.core.rules.completeness import RUN_AGAIN, is_complete
from gate.core.rules.context import DEFAULT_DEMANDS, SuiteContext
from gate.core.rules.regression import Z_FAIL, Z_PASS, check_regression, least_cases, nothing_changed
from gate.core.statistics import NORMAL, Comparison, compare, holm, settled, tail

ALPHA = NORMAL.cdf(-Z_PASS)
LEAST_SET_PASSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a suite or a dimension stands.

    `p` speaks for "not worse", `harm` for "worse" as a multiple of its look's level. `settled` says that no further
    look is asked for.
    """

    p: float = 1.0
    harm: float = math.inf
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """k and m."""

    wanted: int
    dimensions: int

    @property
    def spare(self) -> int:
        """How many dimensions need not be shown: m - k."""
        return self.dimensions - self.wanted

    def rated(self, p: float) -> float:
        """A p-value times m - k + 1."""
        return settled(min(1.0, (self.spare + 1) * p))


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """k of m for one target: where each dimension that counts stands, and what follows."""

    terms: Terms
    standings: tuple[tuple[Dimension, Standing], ...]
    rivals: int

    @property
    def adjusted(self) -> float:
        """The partial-conjunction p-value: (m - k + 1) times the k-th smallest."""
        return self.terms.rated(sorted(standing.p for _, standing in self.standings)[self.terms.wanted - 1])

    @property
    def shown(self) -> tuple[Dimension, ...]:
        """Dimensions shown not worse."""
        return tuple(dimension for dimension, standing in self.standings if self.terms.rated(standing.p) <= ALPHA)

    @property
    def worse(self) -> tuple[Dimension, ...]:
        """Dimensions shown worse, corrected over all of them and shared with the other rules that can roll back."""
        rejected = holm([standing.harm for _, standing in self.standings], 1 / self.rivals)
        both = zip(self.standings, rejected, strict=True)
        return tuple(dimension for (dimension, _), lost in both if lost)

    @property
    def verdict(self) -> Verdict:
        """PASS where k are shown not worse, FAIL where so many are shown worse that k cannot be reached."""
        if len(self.worse) > self.terms.spare:
            return Verdict.FAIL
        return Verdict.PASS if self.adjusted <= ALPHA else Verdict.INCONCLUSIVE


def check_comparison(context: SuiteContext) -> tuple[Finding, ...]:
    """The suite's own comparison; of a dimension that counts among k of m it is only shown."""
    found = check_regression(context)
    return tuple(replace(finding, blocking=False) for finding in found) if context.member else found


def check_k_of_m(policy: Policy, contexts: Sequence[SuiteContext]) -> tuple[Finding, ...]:
    """One finding a target with an adopted suite of these dimensions, where the policy asks for k of m."""
    wanted = policy.at_least
    if wanted is None:
        return ()
    names = sorted({context.evidence.identity.target for context in contexts if _counts(context)})
    groups = [[context for context in contexts if context.evidence.identity.target == name] for name in names]
    return tuple(_check(wanted, name, group) for name, group in zip(names, groups, strict=True))


def rival_targets(contexts: Sequence[SuiteContext]) -> int:
    """Targets for which this rule can call for ROLLBACK."""
    return len({context.evidence.identity.target for context in contexts if _counts(context)})


def undecided(context: SuiteContext, finding: Finding) -> bool:
    """Whether a further look at this suite could still move its p-value in a finding of this rule."""
    terms = Terms(wanted=int(finding.figure("wanted") or 1), dimensions=int(finding.figure("dimensions") or 1))
    usable = _counts(context) and is_complete(context) and comparable(context)
    return usable and not _standing(context, terms, UNSCORED).settled


def _counts(context: SuiteContext) -> bool:
    """A suite without history is decided for show, so it counts neither for nor against."""
    return context.member and context.reference.adopted


def _check(wanted: AtLeast, target: str, group: Sequence[SuiteContext]) -> Finding:
    count = count_of(wanted, group)
    if count.verdict is not Verdict.INCONCLUSIVE:
        fill = FAIL if count.verdict is Verdict.PASS else PASS
        if count_of(wanted, group, fill).verdict is not count.verdict:
            open_again = _finding(count, target, Verdict.INCONCLUSIVE)
            sentence = f"{open_again.sentence}; the result depends on unscored trials"
            return replace(open_again, sentence=sentence, settle=RUN_AGAIN, act=Act.RERUN)
    finding = _finding(count, target, count.verdict)
    return _settled_by(count, finding, group) if count.verdict is Verdict.INCONCLUSIVE else finding


def count_of(wanted: AtLeast, group: Sequence[SuiteContext], fill: str = UNSCORED) -> Count:
    """Count the dimensions of one target; unscored trials are left out, or filled with PASS or FAIL.

    A dimension with nothing but new suites is left out, one without any suite is not shown.
    """
    adopted = [context for context in group if _counts(context)]
    present = {context.evidence.dimension for context in group}
    known = {context.evidence.dimension for context in adopted}
    dimensions = [dimension for dimension in wanted.of if dimension in known or dimension not in present]
    terms = Terms(wanted=min(wanted.count, len(dimensions)), dimensions=len(dimensions))
    return Count(
        terms=terms,
        standings=tuple((dimension, _together(adopted, terms, dimension, fill=fill)) for dimension in dimensions),
        rivals=max(context.rivals for context in adopted),
    )


def _together(contexts: Sequence[SuiteContext], terms: Terms, dimension: Dimension, *, fill: str) -> Standing:
    """All suites of a dimension must be shown not worse; one that is shown worse is enough, corrected for looking."""
    own = [_standing(context, terms, fill) for context in contexts if context.evidence.dimension is dimension]
    if not own:
        return Standing()
    return Standing(p=max(one.p for one in own), harm=len(own) * min(one.harm for one in own))


def _standing(context: SuiteContext, terms: Terms, fill: str) -> Standing:
    """Where one suite stands at the first look that settles it, else at its last one."""
    found = Standing()
    if not (is_complete(context) and comparable(context)):
        return found
    for rank, look in enumerate(context.looks):
        pairs = context.pairs(look, fill)
        if pairs:
            change = compare(pairs)
            p, harm = _claim(context, change, look), min(found.harm, _harm(context, change, rank))
            done = terms.rated(p) <= ALPHA or harm * terms.dimensions * context.rivals <= 1.0
            found = Standing(p=p, harm=harm, settled=done)
            if done:
                break
    return found


def _claim(context: SuiteContext, change: Comparison, look: int) -> float:
    """p-value of "this suite did not lose the margin"; 1 where the regression rule could never pass either."""
    if nothing_changed(context, change):
        return 0.0
    if context.evidence.scope is Scope.SET:
        return change.set_p(context.margin) if look >= LEAST_SET_PASSES else 1.0
    return change.population_p(context.margin) if change.cases >= least_cases(context.margin) else 1.0


def _harm(context: SuiteContext, change: Comparison, rank: int) -> float:
    """p-value of "exactly these cases lost", as a multiple of the level of this look; infinite for a small loss."""
    if settled(change.estimate) > -context.margin:
        return math.inf
    return tail(change.estimate, change.set_error) / NORMAL.cdf(-Z_FAIL[min(rank, len(Z_FAIL) - 1)])


def _finding(count: Count, target: str, verdict: Verdict) -> Finding:
    chances = {f"p_{dimension}": standing.p for dimension, standing in count.standings}
    return Finding(
        rule=Rule.K_OF_M,
        verdict=verdict,
        demands=DEFAULT_DEMANDS[verdict],
        sentence=f"{target}: {_sentence(count, verdict)}",
        target=target,
        subject=f"{count.terms.wanted} of {count.terms.dimensions}",
        figures=figures(
            wanted=count.terms.wanted,
            dimensions=count.terms.dimensions,
            shown=len(count.shown),
            worse=len(count.worse),
            adjusted=count.adjusted,
            **chances,
        ),
    )


def _sentence(count: Count, verdict: Verdict) -> str:
    every, wanted = count.terms.dimensions, count.terms.wanted
    if verdict is Verdict.FAIL:
        lost = f"{len(count.worse)} of {every} dimensions are shown worse ({', '.join(count.worse)})"
        return f"{lost}, so {wanted} not worse cannot be reached"
    named = f" ({', '.join(count.shown)})" if count.shown else ""
    return f"{len(count.shown)} of {every} dimensions are shown not worse{named}; at least {wanted} must be"


def _settled_by(count: Count, finding: Finding, group: Sequence[SuiteContext]) -> Finding:
    """What would settle an open count: passes that are left, else better or more cases in the dimensions missing."""
    running = [context for context in group if undecided(context, finding) and context.looks != context.policy.looks]
    if running:
        last, now = running[0].policy.looks[-1], min(context.evidence.passes for context in running)
        return replace(finding, settle=f"run up to {last} passes (now {now})", act=Act.PASSES)
    rest = [dimension for dimension, _ in count.standings if dimension not in count.shown]
    missing = count.terms.wanted - len(count.shown)
    settle = f"show {missing} more of {', '.join(rest)} not worse: mend what lost there, or add cases"
    return replace(finding, settle=settle, act=Act.MEND)
