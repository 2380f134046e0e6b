"""What to look out for: edits to the gate itself, and whatever makes the result say less than it seems to."""

from collections.abc import Sequence

from gate.core.finding import Finding, Rule, Verdict, count
from gate.core.rules.flaky_cases import SUSPECTS
from gate.core.rules.repeats import SUBJECT as REPEATS
from gate.report import words

MOST_FLAGS = 6


def gate_edits(changed: Sequence[str], unfollowed: Sequence[str]) -> tuple[str, ...]:
    """The gate's own files that the change edits, and each figure of the policy that was not followed."""
    if not changed:
        return tuple(unfollowed)
    edited = words.listed(tuple(changed))
    return (f"This change edits the gate itself: {edited}. The base's version was used.", *unfollowed)


def recording_edits(changed: Sequence[str]) -> tuple[str, ...]:
    """Recorded answers that the change brings along: nobody may answer for the model that judges them."""
    if not changed:
        return ()
    number = count(len(changed), "recording")
    return (f"This change edits {number}, which are not believed: {words.listed(tuple(changed))}.",)


def doubts(findings: Sequence[Finding], *, shown: Sequence[str]) -> tuple[str, ...]:
    """Findings that make the two sides less comparable or the trials less telling; at most 6, and how many more.

    Those that are `shown` elsewhere are left out.
    """
    repeats = [finding for finding in findings if finding.rule is Rule.COMPLETENESS and finding.subject == REPEATS]
    facts = [finding for finding in findings if finding.rule is Rule.COMPARABILITY]
    facts.sort(key=lambda finding: finding.verdict is Verdict.PASS)
    suspects = [finding for finding in findings if finding.rule is Rule.BROKEN_CASE and finding.subject == SUSPECTS]
    telling = [*repeats, *(fact for fact in facts if fact.figures or not _plain_pass(fact)), *suspects]
    kept = [flag for flag in dict.fromkeys(finding.sentence for finding in telling) if flag not in shown]
    return (*kept[:MOST_FLAGS], *((f"{len(kept) - MOST_FLAGS} more.",) if len(kept) > MOST_FLAGS else ()))


def _plain_pass(finding: Finding) -> bool:
    """Say whether a finding only confirms that both sides are comparable."""
    return finding.blocking and finding.verdict is Verdict.PASS
