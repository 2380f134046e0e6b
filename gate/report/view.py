"""The view model: everything a report says, chosen and worded once, before any escaping."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from gate.core.evidence import UNSCORED, Evidence, Reference, SuiteBaseline
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict, count
from gate.core.policy import Mode, Policy
from gate.core.question import Origin
from gate.core.rules.flaky_cases import FLAKY
from gate.core.settling import cheapest
from gate.report import words
from gate.report.exclusions import exclusions
from gate.report.flags import doubts, gate_edits, recording_edits
from gate.report.rows import Row, metric_rows, slice_rows
from gate.report.small_print import small_print

MOST_REASONS = 4
UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a decision comes from.

    `key` is the target's name or `all`, `run` the CI run's id or empty, `head` a commit or empty, `base` the ref that
    the policy was read from. `changed` are the gate's own files that the change edits, `unfollowed` its edits of the
    policy, in words; `recordings` are the recorded answers that it edits. `reused` counts answers that were not asked
    for, by where they came from. `calls` is None and `reproduce`, a command line, is empty where nobody remembers them.
    `plan` says how far off the plan was; empty where nothing was planned. `rights` says in the small print whether code
    of the repository ran as user 0.
    """

    key: str = "all"
    run: str = ""
    head: str = ""
    base: str = ""
    version: str = ""
    calls: int | None = None
    reused: tuple[tuple[Origin, int], ...] = ()
    usd: float | None = None
    tokens: int | None = None
    advisory: bool = False
    changed: tuple[str, ...] = ()
    unfollowed: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    digest: str
    reproduce: str = ""
    plan: str = ""
    rights: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """One case worth reading: what was answered before and now, and why it was scored so.

    `before_marks` reads like `9/10`, `now_marks` like `PFF`; `scores` holds scorer, value (None: unscored), and why;
    `note` is empty or says in a word or two what kind of case it is.
    """

    suite: str
    case_id: str
    place: str
    before: str | None
    now: str | None
    before_marks: str
    now_marks: str
    tags: tuple[tuple[str, str], ...] = ()
    scores: tuple[tuple[str, float | None, str], ...] = ()
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """What every rendering shows; all strings are unescaped, `quoted words` in sentences are meant as code."""

    outcome: Outcome
    headline: str
    counts: str
    notes: tuple[str, ...]
    source: str
    reasons: tuple[str, ...]
    more_reasons: int
    action: str
    rows: tuple[Row, ...]
    power: str
    small_print: tuple[str, ...]
    excerpts: tuple[Excerpt, ...]
    slices: tuple[Row, ...]
    exclusions: tuple[str, ...]
    flags: tuple[str, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance


def build_view(  # noqa: PLR0913 the six inputs are the report's whole contract, all by name
    *,
    decision: Decision,
    evidence: Evidence,
    references: Sequence[Reference],
    provenance: Provenance,
    excerpts: Sequence[Excerpt],
    policy: Policy,
) -> ReportView:
    """Choose and word what the reports show; the same inputs give the same view."""
    demanding = demanding_findings(decision.findings)
    reasons = _reasons(decision, demanding)
    targets = len({suite.identity.target for suite in evidence.suites})
    return ReportView(
        outcome=decision.outcome,
        headline=f"{decision.outcome}: {_meaning(decision)}",
        counts=_counts(decision.findings, evidence),
        notes=_notes(provenance, policy),
        source=_source(decision, evidence, references, provenance=provenance),
        reasons=reasons[:MOST_REASONS],
        more_reasons=max(0, len(reasons) - MOST_REASONS),
        action=_action(decision, demanding, command=bool(provenance.reproduce)),
        rows=metric_rows(decision.findings, targets=targets),
        power=_power(decision.findings),
        small_print=small_print(evidence, references, compared=bool(_power(decision.findings)), told=provenance.rights),
        excerpts=tuple(excerpts),
        slices=slice_rows(decision.findings, targets=targets),
        exclusions=(
            *exclusions(evidence, references, policy=policy, as_of=decision.as_of),
            *_unscored_example(excerpts),
            *(f"{finding.sentence}." for finding in _about(decision.findings, FLAKY)),
        ),
        flags=(
            *gate_edits(provenance.changed, provenance.unfollowed),
            *recording_edits(provenance.recordings),
            *doubts(decision.findings, shown=reasons[:MOST_REASONS]),
        ),
        findings=decision.findings,
        provenance=provenance,
    )


def _reasons(decision: Decision, demanding: Sequence[Finding]) -> tuple[str, ...]:
    """Sentences of what demands more than PROMOTE; the worst slice stands second, because it says where to look.

    Nothing where the headline and the table say it all.
    """
    telling = demanding or [finding for finding in decision.findings if finding.rule is Rule.UNCHANGED]
    sentences = list(dict.fromkeys(finding.sentence for finding in telling))
    if not sentences and decision.outcome is not Outcome.PROMOTE:
        sentences = [decision.reason]
    slices = [finding for finding in decision.findings if finding.rule is Rule.SLICE and finding not in demanding]
    if demanding and slices:
        worst = min(slices, key=lambda finding: finding.figure("estimate") or 0.0)
        sentences.insert(1, worst.sentence)
    return tuple(sentences)


def _meaning(decision: Decision) -> str:
    """Say what the outcome means; nothing was shown where nothing had to be run."""
    return UNCHANGED if decision.reason == UNCHANGED else words.MEANING[decision.outcome]


def demanding_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Blocking findings that ask for more than PROMOTE: the worst outcome first, then what failed, then rule order."""
    order = (Rule.VETO, Rule.FLOOR, Rule.REGRESSION, Rule.K_OF_M, Rule.BROKEN_CASE, Rule.SLICE)
    ranks = {rule: rank for rank, rule in enumerate(order)}
    asking = [finding for finding in findings if finding.blocking and finding.demands is not Outcome.PROMOTE]
    return sorted(
        asking,
        key=lambda finding: (
            -finding.demands.weight,
            finding.verdict is not Verdict.FAIL,
            ranks.get(finding.rule, len(order)),
        ),
    )


def _counts(findings: Sequence[Finding], evidence: Evidence) -> str:
    verdicts = [finding.verdict for finding in findings if finding.blocking]
    numbers = (
        (verdicts.count(Verdict.FAIL), "failed"),
        (verdicts.count(Verdict.INCONCLUSIVE), "open"),
        (verdicts.count(Verdict.PASS), "passed"),
    )
    tiers = ", ".join(f"{number} {word}" for number, word in numbers if number)
    tiers = tiers.replace(" ", " rule " if tiers.startswith("1 ") else " rules ", 1)
    cases = sum(len(suite.cases) for suite in evidence.suites)
    return " · ".join(part for part in (tiers, count(cases, "case") if cases else "") if part)


def _notes(provenance: Provenance, policy: Policy) -> tuple[str, ...]:
    if not provenance.advisory:
        return ()
    if policy.mode is Mode.ADVISORY:
        return ("Advisory mode: shown, and fails nothing.",)
    return ("Advisory: shown, and fails nothing until a first baseline is accepted.",)


def _source(decision: Decision, evidence: Evidence, references: Sequence[Reference], *, provenance: Provenance) -> str:
    head = words.quoted(provenance.head[:7]) if provenance.head else "this working tree"
    passes = sorted({suite.passes for suite in evidence.suites})
    parts = (
        f"{head} against {words.quoted(provenance.base)}" if provenance.base else head,
        _age(decision.as_of, references),
        f"{_range(passes)} {'pass' if passes == [1] else 'passes'}" if passes else "",
        *_reuse(decision.findings, evidence),
        *_earlier(decision.findings),
        "" if provenance.calls is None else words.answers(provenance.calls, provenance.reused) + _judged(evidence),
        words.money(provenance.usd, provenance.tokens) if provenance.calls or provenance.reused else "",
    )
    return " · ".join(part for part in parts if part)


def _judged(evidence: Evidence) -> str:
    """How many of the calls went to judges, and what those took; empty where none did."""
    judges = [suite.judging for suite in evidence.suites if suite.judging is not None and suite.judging.calls]
    if not judges:
        return ""
    priced = [judge.usd for judge in judges if judge.usd is not None]
    cost = words.money(sum(priced) if priced else None, sum(judge.tokens for judge in judges))
    return f" ({count(sum(judge.calls for judge in judges), 'call')} to judges{', ' + cost if cost else ''})"


def _reuse(findings: Sequence[Finding], evidence: Evidence) -> tuple[str, ...]:
    """How many cases the baseline's trials stood for: those that were not asked, and those that were, for a floor."""
    own = [finding for finding in findings if finding.rule is Rule.COMPLETENESS]
    unchanged, unasked = (int(sum(one.figure(name) or 0 for one in own)) for name in ("unchanged", "unasked"))
    total = sum(len(suite.cases) for suite in evidence.suites)
    told = (
        (unasked, "not asked again"),
        (unchanged - unasked, "asked only for rules that need new answers"),
    )
    return tuple(f"{number} of {count(total, 'case')} unchanged, {how}" for number, how in told if number)


def _earlier(findings: Sequence[Finding]) -> tuple[str, ...]:
    """How many earlier runs count."""
    own = [finding for finding in findings if finding.rule is Rule.EVIDENCE_MISSING]
    return tuple(finding.sentence for finding in own if finding.verdict is Verdict.PASS)


def _age(as_of: str, references: Sequence[Reference]) -> str:
    """Date of the oldest baseline with its age in days at the date of the decision."""
    sound = [reference.baseline for reference in references if isinstance(reference.baseline, SuiteBaseline)]
    dates = sorted({baseline.as_of for baseline in sound})
    if not dates:
        return "no baseline"
    age = (date.fromisoformat(as_of) - date.fromisoformat(dates[0])).days
    return f"{'baseline' if len(dates) == 1 else 'oldest baseline'} {dates[0]} ({count(age, 'day')} old)"


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _action(decision: Decision, demanding: Sequence[Finding], *, command: bool) -> str:
    """What to do, and what the command below it is for where there is one."""
    if decision.outcome is Outcome.PROMOTE:
        return f"Nothing to do.{' The same run on your machine:' if command else ''}"
    if decision.outcome is Outcome.HOLD:
        return f"{_sentence(decision.settle or cheapest(decision.findings))}{' Then:' if command else ''}"
    end = ", then:" if command else "."
    if demanding and demanding[0].rule is Rule.VETO:
        return f"Do not merge: a failure of this severity cannot be released. Mend it{end}"
    return f"Do not merge. Mend what is named above{end}"


def _sentence(text: str) -> str:
    capital = text[:1].upper() + text[1:]
    return capital if capital.endswith((".", "!", "?")) else f"{capital}."


def _unscored_example(excerpts: Sequence[Excerpt]) -> tuple[str, ...]:
    """What happened to one case without any score: the counted reasons do not say which status, host or line."""
    unscored = (excerpt for excerpt in excerpts if excerpt.reason and set(excerpt.now_marks) == {UNSCORED})
    return tuple(f"For example {words.quoted(one.case_id)}: {one.reason}" for one in islice(unscored, 1))


def _power(findings: Sequence[Finding]) -> str:
    """Say what the comparisons could have seen; empty where nothing was compared."""
    compared = [finding for finding in findings if finding.rule is Rule.REGRESSION]
    drops = [(finding.figure("smallest_drop"), finding.suite) for finding in compared]
    seen = [f"{100 * drop:.1f} points in {words.quoted(suite)}" for drop, suite in drops if drop is not None]
    if not seen:
        return ""
    more = f" and {len(seen) - MOST_REASONS} more" if len(seen) > MOST_REASONS else ""
    return f"Smallest drop this run could see: {', '.join(seen[:MOST_REASONS])}{more}."


def _about(findings: Sequence[Finding], subject: str) -> list[Finding]:
    """Findings beside the one about broken cases, such as known flaky cases."""
    return [finding for finding in findings if finding.rule is Rule.BROKEN_CASE and finding.subject == subject]
