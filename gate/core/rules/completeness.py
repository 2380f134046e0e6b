"""Completeness: was enough measured? Missing evidence is never a pass and never a regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gate.core.evidence import Evidence, Reference
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, count, figures
from gate.core.model import Dimension
from gate.core.policy import Policy
from gate.core.rules.context import Particulars, SuiteContext, named

DERIVED = frozenset((Dimension.COST, Dimension.LATENCY))
UNVERIFIED = "unverified"
RUN_AGAIN = "run again: a few answered trials decide"


def check_stop(evidence: Evidence) -> tuple[Finding, ...]:
    """A run that was stopped is never judged as if it were whole."""
    reason = "the run was interrupted" if evidence.interrupted else evidence.stopped
    if not reason:
        return ()
    settle = "run `gate check` again, with `--resume` in the same out folder: what was answered is not asked again"
    return (_hold(f"the evidence is incomplete: {reason}", settle, act=Act.RERUN),)


def check_source(evidence: Evidence) -> tuple[Finding, ...]:
    """Counts that somebody else may have written are shown, and decide nothing."""
    if not evidence.unverified:
        return ()
    sentence = f"{UNVERIFIED}: {evidence.unverified}"
    return (_hold(sentence, "let a maintainer approve a run of this commit", act=Act.RERUN),)


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
                settle = f"add a suite with `dimension: {dimension}` to the target"
                found.append(_hold(sentence, settle, act=Act.CASES, target=target))
    return tuple(found)


def check_suites(evidence: Evidence, references: Sequence[Reference]) -> tuple[Finding, ...]:
    """A suite that has a history must be run: another one of the same dimension does not stand in for it."""
    run = {(suite.identity.target, suite.name) for suite in evidence.suites}
    return tuple(
        _hold(
            f"{one.target}: suite {one.suite} was not run",
            f"run it too: gate check --target {one.target} --suite {one.suite}, or without --suite",
            act=Act.RERUN,
            target=one.target,
        )
        for one in sorted(references, key=lambda reference: (reference.target, reference.suite))
        if one.adopted and one.target not in evidence.unchanged and (one.target, one.suite) not in run
    )


def check_anything(evidence: Evidence) -> tuple[Finding, ...]:
    """A run that measured nothing is not a pass; targets that equal their baselines need not be measured."""
    if not evidence.suites and not evidence.unchanged:
        return (_hold("no suite was run", "name at least one suite in gate.yaml", act=Act.CASES),)
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


def _hold(sentence: str, settle: str, *, act: Act, target: str = "") -> Finding:
    return Finding(
        rule=Rule.COMPLETENESS,
        verdict=Verdict.INCONCLUSIVE,
        demands=Outcome.HOLD,
        sentence=sentence,
        settle=settle,
        act=act,
        target=target,
    )


def check_completeness(context: SuiteContext) -> tuple[Finding, ...]:
    """Scored share of the planned trials, and the number of cases that can be compared."""
    suite = context.evidence
    planned, scored = context.trials
    numbers = figures(planned=planned, scored=scored, **_reuse(context))
    run = bool(suite.passes and suite.cases)
    if not run or scored < context.policy.scored_share * planned:
        return (_unscored(context, planned, scored),)
    compared = len(context.both) if context.baseline else len(suite.cases)
    if compared < context.policy.fewest_cases:
        sentence = f"{suite.name}: {compared} cases can be compared, {context.policy.fewest_cases} are needed"
        missing = context.policy.fewest_cases - compared
        particulars = Particulars(settle=f"add {missing} cases", act=Act.CASES, figures=numbers)
        return (context.finding(Rule.COMPLETENESS, Verdict.INCONCLUSIVE, sentence, **particulars),)
    told = f"{scored} of {planned} trials scored" if planned else ""
    sentence = f"{suite.name}: {'; '.join(part for part in (told, context.reuse) if part)}"
    return (context.finding(Rule.COMPLETENESS, Verdict.PASS, sentence, figures=numbers),)


def _reuse(context: SuiteContext) -> dict[str, int]:
    """How many cases are unchanged, and how many of them were not asked; nothing where there are none."""
    if not context.reused:
        return {}
    reused = [case for case in context.evidence.cases if case.case_id in context.reused]
    return {"unchanged": len(reused), "unasked": sum(not case.marks for case in reused)}


def is_complete(context: SuiteContext) -> bool:
    """Whether rates of this suite mean anything."""
    return not context.evidence.asked and all(
        finding.verdict is Verdict.PASS for finding in check_completeness(context)
    )


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
        act=Act.RERUN,
        figures=figures(planned=planned, scored=scored),
        cases=tuple(case.case_id for case in suite.cases if case.missing)[:50],
    )


def depends_on_missing(context: SuiteContext, cases: Sequence[str]) -> Finding:
    """The verdict would change if the unscored trials were known."""
    those = f"{count(len(cases), 'case')} with unscored trials"
    sentence = f"{context.evidence.name}: the result depends on {those}: {named(cases)}"
    return context.finding(
        Rule.COMPLETENESS, Verdict.INCONCLUSIVE, sentence, settle=RUN_AGAIN, act=Act.RERUN, cases=tuple(cases)
    )
