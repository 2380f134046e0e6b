"""A recorded decision explained: every finding with its formula, its numbers, and what would have changed it.

The record is replayed first, so that nothing is explained that was changed since; all numbers are computed again from
its inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.app.formulas import arithmetic_of
from gate.app.need import Arithmetic, Need
from gate.app.replay import read_text, replay
from gate.core.decision import suite_contexts
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.rules.context import SuiteContext
from gate.errors import NothingToDoError
from gate.store.records import parse_decision, parse_evidence, parse_policy, parse_references

REFERENCE = "docs/reference/rules.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision with its findings in rule order, each with its arithmetic."""

    decision: Decision
    digest: str
    steps: tuple[tuple[Finding, Arithmetic], ...]


def explain(path: Path, *, rule: Rule | None = None) -> Explanation:
    """Explain `decision.json`, or only its findings of one rule.

    Raises MismatchError for a record that was changed, RecordError where there is none, NothingToDoError where no
    finding is of this rule.
    """
    again = replay(path)
    _, named = parse_decision(read_text(path), str(path))
    places = {name: path.parent / place for name, (place, _) in named.items()}
    policy = parse_policy(read_text(places["policy"]), str(places["policy"]))
    contexts = suite_contexts(
        policy,
        parse_evidence(read_text(places["evidence"]), str(places["evidence"])),
        parse_references(read_text(places["references"]), str(places["references"])),
        as_of=again.decision.as_of,
    )
    findings = [finding for finding in again.decision.findings if rule in (None, finding.rule)]
    if not findings:
        known = ", ".join(dict.fromkeys(str(finding.rule) for finding in again.decision.findings))
        raise NothingToDoError(f"{path}: no finding of rule {rule}", hint=f"rules of this decision: {known}")
    steps = tuple((finding, arithmetic_of(finding, _own(contexts, finding))) for finding in findings)
    return Explanation(decision=again.decision, digest=again.digest, steps=steps)


def _own(contexts: Sequence[SuiteContext], finding: Finding) -> tuple[SuiteContext, ...]:
    """The suite of a finding, or all suites of its target."""
    return tuple(
        context
        for context in contexts
        if context.evidence.identity.target == finding.target and finding.suite in ("", context.evidence.name)
    )


def render_explanation(explained: Explanation) -> Iterator[str]:
    """Lines of plain words; foreign names in them are not escaped yet."""
    decision = explained.decision
    yield f"{decision.outcome} as of {decision.as_of}: {decision.reason}"
    yield f"decision {explained.digest}"
    yield "The outcome is the worst demand of the findings that block."
    if decision.settle:
        yield f"To settle it: {decision.settle}."
    where: tuple[str, str] | None = None
    for finding, arithmetic in explained.steps:
        place = (finding.target, finding.suite)
        if place != where:
            where = place
            yield ""
            yield " / ".join(part for part in place if part) or "the whole run"
        yield from (f"  {line}" for line in _finding(finding, arithmetic))


def _finding(finding: Finding, arithmetic: Arithmetic) -> Iterator[str]:
    yield f"{finding.rule}{f' {finding.subject}' if finding.subject else ''}: {finding.verdict}"
    yield f"  {finding.sentence}"
    yield from (f"  {line}" for line in arithmetic.lines)
    yield from (f"  {line}" for line in _needs(Verdict.PASS, arithmetic.passes))
    yield from (f"  {line}" for line in _needs(Verdict.FAIL, arithmetic.fails))
    yield f"  demands: {_demand(finding)}"
    if finding.settle:
        yield f"  to settle: {finding.settle}"
    yield f"  {REFERENCE}#{finding.rule}"


def _needs(verdict: Verdict, needs: Sequence[Need]) -> Iterator[str]:
    for need in needs:
        yield f"{verdict} needs {need.text}: {'yes' if need.met else 'no'}"


def _demand(finding: Finding) -> str:
    if not finding.blocking:
        return "nothing, it is only shown"
    why = {
        (Verdict.FAIL, Outcome.HOLD): "it is shown, and a person may accept it",
        (Verdict.INCONCLUSIVE, Outcome.HOLD): "it is not shown either way",
        (Verdict.FAIL, Outcome.ROLLBACK): "harm is shown",
    }.get((finding.verdict, finding.demands), "nothing here stands against it")
    return f"{finding.demands}, because {why}"
