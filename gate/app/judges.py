"""Judges of a suite: their models, the answers that they compare with, and how far they agree with people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from gate.app.bench import Bench, Unasked, may_ask, prices_from
from gate.app.model_settings import with_model
from gate.app.project import Project
from gate.app.references import compares, judged_with
from gate.core.agreement import Calibration
from gate.core.judging import Ask, Desk, Judge, is_judge
from gate.core.model import Answer, Call, Case, Suite, Target
from gate.core.question import Role
from gate.errors import SuiteError
from gate.runner.calibration import measure_judge
from gate.runner.judge_calls import JudgeCalls
from gate.runner.order import trial_seed
from gate.runner.suite_run import SuiteRun
from gate.scorers.judge_prompt import LONGEST, shown
from gate.suites.settings import ModelSettings
from gate.targets.definition import TargetDefinition
from gate.targets.request import request_of
from gate.targets.table import build_target
from gate.targets.version import Coverage, VersionHash

# No trial has this index, so that the answer is a draw of its own.
REFERENCE = -1


def judges_of(suite: Suite) -> dict[str, Judge]:
    """The judges among a suite's scorers, by the scorers' names."""
    return {entry.name: entry.scorer for entry in suite.scorers if is_judge(entry.scorer)}


def bind_judges(run: SuiteRun, project: Project, bench: Bench, *, references: Mapping[str, str]) -> None:
    """Give the judges of a run's suite their models, and the answers that they compare with.

    Calls to them are part of the run's budget, journal, cache and recordings. Raises ConfigurationError for a model
    that cannot be used.
    """
    if not judges_of(run.suite):
        return
    run.judge_calls = JudgeCalls()
    mark = run.suite.pass_mark
    scorers = tuple(
        replace(
            entry,
            scorer=entry.scorer.bound(
                Desk(ask=_ask(run, project, bench, name=entry.name), pass_mark=mark, references=references)
            ),
        )
        if is_judge(entry.scorer)
        else entry
        for entry in run.suite.scorers
    )
    run.suite = replace(run.suite, scorers=scorers)


def _ask(run: SuiteRun, project: Project, bench: Bench, *, name: str) -> Ask:
    """How one judge asks its model."""
    settings = ModelSettings.model_validate_json(json.dumps(dict(judges_of(run.suite)[name].model)))
    bare = TargetDefinition(name=f"{name} of {run.suite.name}", allowed_hosts=project.settings.credentials)
    definition = with_model(bare, settings, project.base)
    target: Target = Unasked()
    if may_ask(definition, bench):
        prices = prices_from(project.settings)
        target = build_target(definition, environ=bench.environ, root=bench.root, prices=prices, paces=bench.paces)
    # Votes on one answer differ in their seed alone.
    request = replace(request_of(definition, VersionHash(digest="", coverage=Coverage.COMPLETE), ""), seeded=True)
    calls = run.judge_calls or JudgeCalls()
    return calls.ask_of(replace(run.asking, role=Role.JUDGE, request=request), target)


def take_references(run: SuiteRun, project: Project, bench: Bench) -> dict[str, str]:
    """Ask for one answer to each case, for judges to compare others with, and bind the run's judges to them.

    Empty where no judge compares. No trial is made of these answers: compared with itself, an answer says nothing.
    """
    if not compares(run.suite):
        return {}
    with ThreadPoolExecutor(max_workers=run.workers, thread_name_prefix="reference") as pool:
        answers = list(pool.map(lambda case: _reference(run, case), run.suite.cases))
    both = zip(run.suite.cases, answers, strict=True)
    references = {case.id: text for case, text in both if text is not None and len(text) <= LONGEST}
    bind_judges(run, project, bench, references=references)
    run.identity = replace(run.identity, scorer_digest=judged_with(run.suite, references))
    return references


def _reference(run: SuiteRun, case: Case) -> str | None:
    call = Call(
        case_id=case.id,
        prompt=run.prompts.get(case.id, ""),
        variables=case.input,
        seed=trial_seed(run.seed, run.suite.name, case.id, REFERENCE),
        index=REFERENCE,
    )
    answer = run.asking.ask(run.target, call)
    return shown(answer) if isinstance(answer, Answer) else None


def require_labelled_cases(run: SuiteRun) -> None:
    """Raise SuiteError for a label of a case that the suite does not have."""
    known = {case.id for case in run.suite.cases}
    for name, judge in judges_of(run.suite).items():
        for label in judge.labels:
            if label.case_id not in known:
                message = f"{run.suite.path}/suite.yaml: {name}: there is no case {label.case_id!r} that a label names"
                raise SuiteError(message, hint="remove the label from its calibration file, or correct the id")


def calibrate(run: SuiteRun) -> Iterator[Calibration]:
    """How far each judge with labels agrees with people; asks it about every label."""
    cases = {case.id: case for case in run.suite.cases}
    for name, judge in judges_of(run.suite).items():
        if judge.labels:
            yield measure_judge(name, judge, cases, workers=run.workers)
