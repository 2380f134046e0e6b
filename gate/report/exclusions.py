"""What a decision left out: unscored trials, cases without a partner, waived failures, and an early end."""

from collections import Counter
from collections.abc import Iterator, Sequence

from gate.core.evidence import Evidence, Reference, SuiteBaseline, SuiteEvidence
from gate.core.finding import count
from gate.core.policy import Policy
from gate.core.rules.pairing import known_cases
from gate.report import words

REASON_LIMIT = 80


def exclusions(evidence: Evidence, references: Sequence[Reference], *, policy: Policy, as_of: str) -> tuple[str, ...]:
    """Sentences about everything that did not count, always shown when there is any."""
    return (
        *_stop(evidence),
        *_unscored(evidence),
        *_unpaired(evidence, references),
        *_waived(policy, as_of),
    )


def _stop(evidence: Evidence) -> Iterator[str]:
    if evidence.stopped:
        yield f"The run ended early: {evidence.stopped}"
    elif evidence.interrupted:
        yield "The run was interrupted."


def _unscored(evidence: Evidence) -> Iterator[str]:
    for suite in evidence.suites:
        reasons = Counter(reason for case in suite.cases for reason in case.missing)
        if reasons:
            ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
            why = ", ".join(f"{number} {reason}" for reason, number in ranked)
            yield f"{words.quoted(suite.name)}: {count(reasons.total(), 'trial')} unscored ({why})."


def _unpaired(evidence: Evidence, references: Sequence[Reference]) -> Iterator[str]:
    baselines = {(reference.target, reference.suite): reference.baseline for reference in references}
    for suite in evidence.suites:
        baseline = baselines.get((suite.identity.target, suite.name))
        if isinstance(baseline, SuiteBaseline):
            yield from _partnerless(suite, baseline)


def _partnerless(suite: SuiteEvidence, baseline: SuiteBaseline) -> Iterator[str]:
    known = known_cases(suite.cases, baseline.cases)
    partners = [(case, known.get(case.case_id)) for case in suite.cases]
    found = {before.case_id for _, before in partners if before}
    other = [case for case, before in partners if before is not None and before.digest != case.digest]
    numbers = (
        (sum(before is None for _, before in partners), "new (no baseline yet)"),
        (sum(bool(case.edits) for case in other), "edited (new version, no baseline yet)"),
        (sum(not case.edits for case in other), "edited"),
        (sum(before.case_id not in found for before in baseline.cases), "only in the baseline"),
    )
    what = ", ".join(f"{number} {word}" for number, word in numbers if number)
    if what:
        yield f"{words.quoted(suite.name)}: cases not compared: {what}."


def _waived(policy: Policy, as_of: str) -> Iterator[str]:
    for waiver in policy.waivers:
        state = f"until {waiver.expires}" if waiver.expires >= as_of else f"ended on {waiver.expires}, not applied"
        reason = waiver.reason[:REASON_LIMIT]
        what = f"{words.quoted(waiver.suite)}: {words.quoted(waiver.case)}"
        yield f"{what} waived by {waiver.by[:REASON_LIMIT]} {state}: {reason}"
