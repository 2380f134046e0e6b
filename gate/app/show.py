"""Looks into a run that is on disk: the decision, or one case with its prompt, answers and scores, before and now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from gate.app.excerpts import load_answers, marks_before
from gate.app.replay import input_paths, read_text
from gate.app.watched import render_watched, watched_cases
from gate.core.canonical import NotJsonError, digest_text, parse_json
from gate.core.codec import DecodeError, decode
from gate.core.evidence import SuiteBaseline
from gate.core.finding import Rule
from gate.core.judging import Opinion
from gate.core.model import Json, Score, Trial
from gate.core.policy import Mode
from gate.documents.tree import Tree
from gate.errors import NothingToDoError, RecordError
from gate.report.view import Provenance, ReportView, build_view
from gate.store.records import parse_decision, parse_evidence, parse_policy, parse_references


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTrial:
    """One line of `trials.jsonl`."""

    target: str
    suite: str
    prompt: str
    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHistory:
    """One case of a run: its trials, the baseline's counts (`9/10`), and the baseline's typical answer."""

    case_id: str
    target: str
    suite: str
    prompt: str
    trials: tuple[Trial, ...]
    before_marks: str
    before: str | None


def load_view(folder: Path) -> ReportView:
    """The report of a recorded run; raises RecordError for files that are not what they say."""
    text = read_text(folder / "decision.json")
    decision, named = parse_decision(text, str(folder / "decision.json"))
    places = input_paths(folder / "decision.json", {name: path for name, (path, _) in named.items()})
    policy = parse_policy(read_text(places["policy"]), str(places["policy"]))
    digest = digest_text(text)
    return build_view(
        decision=decision,
        evidence=parse_evidence(read_text(places["evidence"]), str(places["evidence"])),
        references=parse_references(read_text(places["references"]), str(places["references"])),
        provenance=Provenance(digest=digest, advisory=policy.mode is Mode.ADVISORY),
        excerpts=(),
        policy=policy,
    )


def load_watched(folder: Path) -> Iterator[str]:
    """Lines about the critical values that a recorded decision used, suite by suite; none where none were asked for.

    Raises RecordError for files that are not what they say.
    """
    path = folder / "decision.json"
    decision, named = parse_decision(read_text(path), str(path))
    place = input_paths(path, {name: own for name, (own, _) in named.items()})["references"]
    references = {(one.target, one.suite): one for one in parse_references(read_text(place), str(place))}
    asked = [one for one in decision.findings if one.rule is Rule.BROKEN_CASE and not one.subject]
    for finding in asked:
        baseline = references[finding.target, finding.suite].baseline
        if isinstance(baseline, SuiteBaseline):
            yield f"{finding.target} / {finding.suite}"
            yield from (f"  {line}" for line in render_watched(watched_cases(baseline, baseline.cases)))


def load_histories(folder: Path, case_id: str, tree: Tree) -> tuple[CaseHistory, ...]:
    """A case of a recorded run, once for each target and suite that has one of that id.

    Raises NothingToDoError where it has no trial, naming near ids.
    """
    own: dict[tuple[str, str], list[RecordedTrial]] = {}
    seen: dict[str, None] = {}
    for recorded in load_trials(folder / "trials.jsonl"):
        seen[recorded.trial.case_id] = None
        if recorded.trial.case_id == case_id:
            own.setdefault((recorded.target, recorded.suite), []).append(recorded)
    if not own:
        alike = sorted(other for other in seen if other[:3] == case_id[:3]) or sorted(seen)
        near = ", ".join(alike[:5])
        raise NothingToDoError(
            f"no trial of case {case_id!r} in {folder}", hint=f"known ids are like {near}" if near else ""
        )
    path = folder / "inputs" / "references.json"
    references = parse_references(read_text(path), str(path)) if path.exists() else ()
    known = {(reference.target, reference.suite): reference for reference in references}
    return tuple(
        CaseHistory(
            case_id=case_id,
            target=target,
            suite=suite,
            prompt=trials[0].prompt,
            trials=tuple(recorded.trial for recorded in trials),
            before_marks=marks_before(known.get((target, suite)), case_id),
            before=load_answers(tree, target, suite).get(case_id),
        )
        for (target, suite), trials in own.items()
    )


# What a judge's score holds beside value and explanation; its sentence stands in the explanation.
OWN_WORDS = tuple({field.name for field in fields(Opinion)} - {field.name for field in fields(Score)})


def load_trials(path: Path) -> Iterator[RecordedTrial]:
    """Trials in the order they were recorded; a torn last line is left out, another bad line raises RecordError."""
    lines = read_text(path).split("\n")
    for number, line in enumerate(lines, 1):
        if line:
            try:
                yield _recorded(parse_json(line))
            except (NotJsonError, DecodeError, KeyError) as error:
                if number == len(lines):
                    return
                raise RecordError(f"{path}:{number}: {error}", hint="the file was changed after the run") from error


def _recorded(plain: Json) -> RecordedTrial:
    if not isinstance(plain, dict):
        message = "an object was expected"
        raise DecodeError(message)
    outer = {name: str(plain.pop(name)) for name in ("target", "suite", "prompt")}
    for score in _objects(plain.get("scores")):
        for result in _objects([score.get("result")]):
            result["type"] = "Score" if "value" in result else "Unscored"
            for name in OWN_WORDS:
                result.pop(name, None)
    return RecordedTrial(**outer, trial=decode(Trial, plain))


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
