"""Completeness: was enough measured? Missing evidence is never a pass and never a regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gate.core.evidence import UNSCORED, Evidence, Reference
from gate.core.finding import Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Dimension
from gate.core.policy import Policy
from gate.core.rules.context import SuiteContext, counts, named

DERIVED = frozenset((Dimension.COST, Dimension.LATENCY))


def check_stop(evidence: Evidence) -> tuple[Finding, ...]:
    """A run that was stopped is never judged as if it were whole."""
    reason = "the run was interrupted" if evidence.interrupted else evidence.stopped
    if not reason:
        return ()
    settle = "run `gate check` again; the evidence of this run is kept in the out folder"
    return (_hold(f"the evidence is incomplete: {reason}", settle),)


def check_dimensions(policy: Policy, contexts: Sequence[SuiteContext]) -> tuple[Finding, ...]:
    """Every blocking dimension needs a suite, in every target: a deleted suite must not open the gate."""
    found = []
    for target in sorted({context.evidence.identity.target for context in contexts}):
        covered = {c.evidence.dimension for c in contexts if c.evidence.identity.target == target}
        for dimension, requirement in policy.requirements:
            if requirement.blocking and dimension not in covered | DERIVED:
                sentence = (
                    f"{target}: profile {policy.profile} requires {dimension}, and no suite of this run covers it"
                )
                found.append(_hold(sentence, f"add a suite with `dimension: {dimension}` to the target", target=target))
    return tuple(found)


def check_suites(evidence: Evidence, references: Sequence[Reference]) -> tuple[Finding, ...]:
    """A suite that has a history must be run: another one of the same dimension does not stand in for it."""
    run = {(suite.identity.target, suite.name) for suite in evidence.suites}
    return tuple(
        _hold(
            f"{one.target}: suite {one.suite} was not run", f"run it: gate check --suite {one.suite}", target=one.target
        )
        for one in sorted(references, key=lambda reference: (reference.target, reference.suite))
        if one.adopted and one.target not in evidence.unchanged and (one.target, one.suite) not in run
    )


def check_anything(evidence: Evidence) -> tuple[Finding, ...]:
    """A run that measured nothing is not a pass; targets that equal their baselines need not be measured."""
    if not evidence.suites and not evidence.unchanged:
        return (_hold("no suite was run", "name at least one suite in gate.yaml"),)
    return tuple(
        Finding(
            rule=Rule.UNCHANGED,
            verdict=Verdict.PASS,
            demands=Outcome.PROMOTE,
            target=target,
            sentence=f"{target}: nothing that shapes its answers changed since its baseline",
        )
        for target in sorted(evidence.unchanged)
    )


def _hold(sentence: str, settle: str, *, target: str = "") -> Finding:
    return Finding(
        rule=Rule.COMPLETENESS,
        verdict=Verdict.INCONCLUSIVE,
        demands=Outcome.HOLD,
        sentence=sentence,
        settle=settle,
        target=target,
    )


def check_completeness(context: SuiteContext) -> tuple[Finding, ...]:
    """Scored share of the planned trials, and the number of cases that can be compared."""
    suite = context.evidence
    planned = len(suite.cases) * suite.passes
    scored = sum(counts(case.marks, suite.passes, UNSCORED)[1] for case in suite.cases)
    numbers = figures(planned=planned, scored=scored)
    if planned == 0 or scored < context.policy.scored_share * planned:
        return (_unscored(context, planned, scored),)
    compared = len(context.both) if context.baseline else len(suite.cases)
    if compared < context.policy.fewest_cases:
        sentence = f"{suite.name}: {compared} cases can be compared, {context.policy.fewest_cases} are needed"
        missing = context.policy.fewest_cases - compared
        settle = f"add {missing} cases"
        finding = context.finding(Rule.COMPLETENESS, Verdict.INCONCLUSIVE, sentence, settle=settle, figures=numbers)
        return (finding,)
    sentence = f"{suite.name}: {scored} of {planned} trials scored"
    return (context.finding(Rule.COMPLETENESS, Verdict.PASS, sentence, figures=numbers),)


def _unscored(context: SuiteContext, planned: int, scored: int) -> Finding:
    suite = context.evidence
    reasons = Counter(reason for case in suite.cases for reason in case.missing)
    why = ", ".join(
        f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    )
    sentence = f"{suite.name}: {planned - scored} of {planned} trials have no score ({why or 'never run'})"
    if not planned:
        sentence = f"{suite.name}: not run, because the run was ended before"
    return context.finding(
        Rule.COMPLETENESS,
        Verdict.INCONCLUSIVE,
        sentence,
        settle="this says nothing about the candidate: mend the cause and run again",
        figures=figures(planned=planned, scored=scored),
        cases=tuple(case.case_id for case in suite.cases if case.missing)[:50],
    )


def depends_on_missing(context: SuiteContext, cases: Sequence[str]) -> Finding:
    """The verdict would change if the unscored trials were known."""
    sentence = f"{context.evidence.name}: the result depends on {len(cases)} cases with unscored trials: {named(cases)}"
    settle = "run again: a few answered trials decide"
    return context.finding(Rule.COMPLETENESS, Verdict.INCONCLUSIVE, sentence, settle=settle, cases=tuple(cases))
