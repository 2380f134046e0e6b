"""Cases worth reading beside a decision: what was answered before and now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from gate.core.canonical import NotJsonError, parse_json
from gate.core.evidence import Identity, Reference, SuiteBaseline
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.core.model import Case, Score, Suite, Trial
from gate.core.rules.flaky_cases import FLAKY, SUSPECTS
from gate.documents.tree import Tree
from gate.report.view import Excerpt
from gate.store.baselines import answers_path

MOST = 20
NEW = "new"
NOTES = {FLAKY: "known flaky", SUSPECTS: "suspect"}
ANSWER_LIMIT = 4_000


class Asked(Protocol):
    """A suite with trials and their full text, by case id."""

    @property
    def identity(self) -> Identity:
        """Who was asked, with what."""
        ...

    @property
    def suite(self) -> Suite:
        """The suite."""
        ...

    @property
    def trials(self) -> Mapping[str, Sequence[Trial]]:
        """Its trials."""
        ...


def load_answers(tree: Tree, target: str, suite: str) -> Mapping[str, str]:
    """One typical answer per case of the baseline; empty where none is there or can be read, as only people see it."""
    content = tree.read(answers_path(target, suite))
    try:
        plain = parse_json((content or b"{}").decode("utf-8"))
    except (NotJsonError, UnicodeDecodeError):
        return {}
    return {key: text for key, text in plain.items() if isinstance(text, str)} if isinstance(plain, dict) else {}


def typical_answers(run: Asked) -> dict[str, str]:
    """For each case the first passing answer, else the first one."""
    found = {}
    for case_id, trials in run.trials.items():
        answered = sorted(
            (trial for trial in trials if trial.answer), key=lambda trial: (not trial.passed, trial.index)
        )
        if answered and answered[0].answer:
            found[case_id] = answered[0].answer.text[:ANSWER_LIMIT]
    return found


def collect_excerpts(
    decision: Decision, runs: Sequence[Asked], references: Sequence[Reference], *, base: Tree
) -> tuple[Excerpt, ...]:
    """Cases that findings name, the decisive findings first; at most 20."""
    by_name = {(run.identity.target, run.suite.name): run for run in runs}
    states = {(reference.target, reference.suite): reference for reference in references}
    wanted = dict.fromkeys(_named_cases(decision.findings))
    excerpts: list[Excerpt] = []
    for target, suite, case_id in wanted:
        run = by_name.get((target, suite))
        case = next((case for case in run.suite.cases if case.id == case_id), None) if run else None
        if run and case and len(excerpts) < MOST:
            before = load_answers(base, target, suite).get(case_id)
            made = _excerpt(run, case, states[target, suite], before=before)
            notes = (_edition(run.suite, case), _note(decision.findings, (target, suite, case_id)))
            excerpts.append(replace(made, note=", ".join(filter(None, notes))))
    return tuple(excerpts)


def _named_cases(findings: Sequence[Finding]) -> Iterator[tuple[str, str, str]]:
    interesting = [finding for finding in findings if finding.verdict is not Verdict.PASS and finding.suite]
    for finding in sorted(interesting, key=lambda one: (not one.blocking, one.demands is Outcome.PROMOTE)):
        for case_id in finding.cases:
            yield finding.target, finding.suite, case_id


def _edition(suite: Suite, case: Case) -> str:
    """Which version of a case this is, where the change edits or removes it."""
    if case.edits:
        return "edited, as it is now"
    if case.removed:
        return "removed by this change"
    return "edited, as the base has it" if any(other.edits == case.id for other in suite.cases) else ""


def _note(findings: Sequence[Finding], case: tuple[str, str, str]) -> str:
    """What kind of failing case this is, where its baseline says so: a reader wants to know which red to ignore."""
    for finding in findings:
        own = finding.rule is Rule.BROKEN_CASE and (finding.target, finding.suite) == case[:2]
        if own and finding.subject in NOTES and case[2] in finding.cases:
            return NOTES[finding.subject]
    return ""


def _excerpt(run: Asked, case: Case, reference: Reference, *, before: str | None) -> Excerpt:
    trials = sorted(run.trials.get(case.id, ()), key=lambda trial: trial.index)
    shown = next((trial for trial in trials if trial.value is not None and not trial.passed), None)
    shown = shown or next(iter(trials), None)
    return Excerpt(
        suite=run.suite.name,
        case_id=case.id,
        place=case.place,
        before=before,
        now=shown.answer.text if shown and shown.answer else None,
        before_marks=marks_before(reference, case.id),
        now_marks="".join("U" if trial.value is None else "P" if trial.passed else "F" for trial in trials),
        tags=tuple(sorted(case.tags.items())),
        scores=_scores(shown),
        reason=shown.detail if shown else "never run",
    )


def marks_before(reference: Reference | None, case_id: str) -> str:
    """Passes and trials of a case in the baseline, as in `9/10`; `new` where it has none."""
    baseline = reference.baseline if reference else None
    cases = baseline.cases if isinstance(baseline, SuiteBaseline) else ()
    return next((f"{case.passes}/{case.trials}" for case in cases if case.case_id == case_id), NEW)


def _scores(trial: Trial | None) -> tuple[tuple[str, float | None, str], ...]:
    if trial is None:
        return ()
    return tuple(
        (result.scorer, result.result.value, result.result.explanation)
        if isinstance(result.result, Score)
        else (result.scorer, None, result.result.detail)
        for result in trial.scores
    )
