"""What would settle a HOLD: of all that is open, the one thing that costs a person least."""

from __future__ import annotations

from collections.abc import Sequence

from gate.core.finding import Act, Finding, Outcome, Rule, Verdict

NOTHING_BLOCKS = (
    "nothing here blocks: accept a first baseline with `gate promote` on the default branch, "
    "or let a dimension block in gate.yaml"
)


def cheapest(findings: Sequence[Finding]) -> str:
    """The cheapest act that settles a point which holds, with how many other points stay open; never empty.

    Findings that settle by the same sentence count as one. Only blocking findings that demand HOLD are looked at, in
    their order; of equally cheap acts the first is named.
    """
    points = [finding for finding in findings if finding.blocking and finding.demands is Outcome.HOLD]
    if not points:
        return NOTHING_BLOCKS
    # Nobody makes a further pass once a case is confirmed broken, so nothing is settled by asking for one.
    ended = any(point.rule is Rule.BROKEN_CASE and point.verdict is Verdict.FAIL for point in points)
    first = min(points, key=lambda point: (ended and _act(point) is Act.PASSES, _act(point).cost))
    told = settle_sentence(first)
    others = [point for point in points if settle_sentence(point) != told]
    if not others:
        return told
    alike = all(_act(point) is _act(first) for point in others)
    return f"{told}; {_likewise(len(others)) if alike else _open(len(others))}"


def settle_sentence(finding: Finding) -> str:
    """How one finding is settled, in its own words; where it has none, what it found must be mended."""
    return finding.settle or f"mend what the rule {finding.rule} found"


def _act(finding: Finding) -> Act:
    return finding.act or Act.MEND


def _likewise(number: int) -> str:
    return f"likewise for {number} other open point{'' if number == 1 else 's'}"


def _open(number: int) -> str:
    return f"and {number} other point{' is' if number == 1 else 's are'} open"
