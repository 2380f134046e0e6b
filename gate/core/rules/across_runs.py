"""Evidence missing: a run of this commit that left no record may have shown anything, so its silence is no pass."""

from __future__ import annotations

from gate.core.evidence import Evidence
from gate.core.finding import Act, Finding, Outcome, Rule, Verdict, figures
from gate.core.rules.context import named

SETTLE = (
    "wait until the workflow that keeps evidence has ended, then run this one again; "
    "where a record is lost, let somebody else approve this"
)


def check_runs(evidence: Evidence) -> tuple[Finding, ...]:
    """Name the runs of this head that left no evidence; where all left some, say how many runs count."""
    across = evidence.across
    if across is None or not evidence.suites:
        return ()
    if across.missing:
        sentence = f"{Rule.EVIDENCE_MISSING}: {named(across.missing)}"
        return (
            Finding(
                rule=Rule.EVIDENCE_MISSING,
                verdict=Verdict.INCONCLUSIVE,
                demands=Outcome.HOLD,
                sentence=sentence,
                settle=SETTLE,
                act=Act.RERUN,
            ),
        )
    if not across.counted:
        return ()
    # It shows nothing of the candidate, so by itself it must not promote.
    return (
        Finding(
            rule=Rule.EVIDENCE_MISSING,
            verdict=Verdict.PASS,
            demands=Outcome.PROMOTE,
            blocking=False,
            sentence=_also(len(across.counted)),
            figures=figures(runs=len(across.counted)),
        ),
    )


def _also(number: int) -> str:
    runs, count = ("run", "counts") if number == 1 else ("runs", "count")
    return f"{number} earlier {runs} of this version also {count}"
