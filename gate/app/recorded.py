"""Records of other jobs: read back, judged again by this base, and whether a HOLD in them can be released."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from gate.app.changed import changed_judges
from gate.app.project import load_project
from gate.app.record import Checked, Found, record
from gate.app.replay import decide_texts, read_text
from gate.app.request import CheckRequest
from gate.app.running import references_of
from gate.core.canonical import digest_text
from gate.core.decision import decide, suite_contexts
from gate.core.evidence import Evidence
from gate.core.finding import Decision, Outcome, Rule
from gate.core.model import Severity
from gate.core.question import Origin
from gate.errors import MismatchError, RecordError
from gate.store.records import parse_decision, parse_evidence, parse_policy, parse_references, render_decision

Read: TypeAlias = Callable[[str], str]

NAMES = {"policy": "inputs/policy.json", "references": "inputs/references.json", "evidence": "evidence.json"}
CHANGED = "take the out folder from the artifact of the run again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recorded decision that was recomputed from its own inputs and matches; `why` says why it cannot be released.

    `why` is empty for a HOLD on complete evidence without an open P0 failure.
    """

    decision: Decision
    evidence: Evidence
    digest: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _NothingSpent:
    calls: int = 0
    tokens: int = 0
    usd: float | None = None
    reused: tuple[tuple[Origin, int], ...] = ()


def reader_of(folder: Path) -> Read:
    """Read files of an out folder by name."""
    return lambda name: read_text(folder / name)


def read_recorded(read: Read) -> Recorded:
    """Read a record and recompute it; raises RecordError or MismatchError for one that is not whole."""
    text = read("decision.json")
    recorded, named = parse_decision(text, "decision.json")
    if {name: place for name, (place, _) in named.items()} != NAMES:
        raise RecordError("decision.json: its inputs are not those of a run", hint=CHANGED)
    texts = {name: (place, read(place)) for name, place in NAMES.items()}
    for name, (place, content) in texts.items():
        if digest_text(content).removeprefix("sha256:") != named[name][1]:
            raise MismatchError(f"{place} is not the file that the decision was made from", hint=CHANGED)
    again = decide_texts(texts, recorded.as_of)
    if render_decision(again, texts) != text:
        raise MismatchError("decision.json: recomputing gives another decision", hint=CHANGED)
    evidence = parse_evidence(texts["evidence"][1], "evidence.json")
    why = _why_not(again, evidence) or _open_p0(again, evidence, texts)
    return Recorded(decision=again, evidence=evidence, digest=digest_text(text), why=why)


def _why_not(decision: Decision, evidence: Evidence) -> str:
    """Why a decision cannot be released, as far as its findings say it."""
    if decision.outcome is not Outcome.HOLD:
        return f"the decision is {decision.outcome}, and only a HOLD can be released"
    if evidence.unverified:
        return f"the evidence is unverified: {evidence.unverified}"
    if evidence.interrupted or evidence.stopped or any(suite.asked for suite in evidence.suites):
        return "the run did not come to its end, so the evidence is incomplete: run it again"
    open_points = [
        finding
        for finding in decision.findings
        if finding.rule is Rule.COMPLETENESS and finding.blocking and finding.demands is not Outcome.PROMOTE
    ]
    return f"the evidence is incomplete: {open_points[0].sentence}" if open_points else ""


def _open_p0(decision: Decision, evidence: Evidence, texts: Mapping[str, tuple[str, str]]) -> str:
    contexts = suite_contexts(
        parse_policy(texts["policy"][1], "policy.json"),
        evidence,
        parse_references(texts["references"][1], "references.json"),
        as_of=decision.as_of,
    )
    severe = {
        (context.evidence.identity.target, context.evidence.name, case.case_id)
        for context in contexts
        for case in context.evidence.cases
        if context.severity(case) is Severity.P0
    }
    for finding in decision.findings:
        named = ((finding.target, finding.suite, case_id) for case_id in finding.cases)
        if finding.rule is Rule.VETO and finding.demands is not Outcome.PROMOTE and not severe.isdisjoint(named):
            return f"a P0 failure is open, which nobody can release: {finding.sentence}"
    return ""


def judge_again(request: CheckRequest, evidence: Evidence) -> Checked:
    """Decide on counts of another job by the policy and baselines of this base, and record that; makes no call."""
    project = load_project(request)
    references = references_of(project)
    decision = decide(policy=project.policy, evidence=evidence, references=references, as_of=request.as_of)
    changed = changed_judges(request, project)
    return record(request, Found(project, evidence, references, decision, (), changed), _NothingSpent())


def judge_recorded(request: CheckRequest, recorded: Recorded) -> Checked:
    """Decide on a recorded run's counts again; raises MismatchError where this base decides anything else."""
    checked = judge_again(replace(request, as_of=recorded.decision.as_of), recorded.evidence)
    if checked.result.digest != recorded.digest:
        message = (
            f"the recorded decision is {recorded.digest[:19]}, and this base makes {checked.result.digest[:19]} of it"
        )
        raise MismatchError(message, hint="policy, baselines or options are not those of that run: run the check again")
    return checked
