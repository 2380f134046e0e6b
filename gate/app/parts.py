"""The parts of a run that shards made: read, compared with what this run would have been, and joined to one evidence.

Every difference is a refusal that names the part: a merge that left something out could promote what nobody measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from itertools import chain
from pathlib import Path

from gate import __version__
from gate.app.project import Project
from gate.app.replay import read_text, require_distinct
from gate.app.request import CheckRequest
from gate.app.running import equals_baseline
from gate.app.shard import (
    commits_of,
    cut_project,
    digest_file,
    part_name,
    planned_cases,
    shared_policy_digest,
    trials_name,
)
from gate.core.aggregate import suite_evidence
from gate.core.evidence import Beside, CaseEvidence, Evidence, Identity, SuiteEvidence
from gate.core.finding import CORE_VERSION
from gate.core.judging import Judging, join_judging
from gate.core.window import WINDOW_DAYS, in_window, join_prices
from gate.errors import MismatchError, RecordError
from gate.runner.shards import Shard
from gate.store.records import Part, parse_part

PATTERN = "part-*-of-*.json"
ALIKE = "run all shards and the merge on the same commit, with the same options"
AGAIN = "take the part from the shard's job again, or run that shard again"
WORDS = {
    "version": "another version of the target",
    "family": "another version of the target",
    "suite_digest": "other cases",
    "scorer_digest": "other scorers",
}
SHOWN = 60
COUNTED = ("marks", "score", "usd", "tokens", "latency_ms", "missing", "values", "beside_ms", "base_ms", "by_judge")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPart:
    """A part, and the file that it was read from."""

    part: Part
    path: Path

    @property
    def shard(self) -> Shard:
        """Which one it is."""
        return Shard(number=self.part.shard, count=self.part.shards)

    @property
    def trials(self) -> Path | None:
        """The file with its trials in full text; None where it was not brought along."""
        path = self.path.parent / trials_name(self.shard)
        return path if path.is_file() else None


def load_parts(places: Sequence[Path]) -> tuple[FoundPart, ...]:
    """Read parts by shard number, from files and from all that folders hold; raises MismatchError for a damaged one.

    Refuses a set that is not exactly the shards 1 to n, once each.
    """
    paths = list(chain.from_iterable(sorted(at.rglob(PATTERN)) if at.is_dir() else [at] for at in places))
    if not paths:
        where = ", ".join(map(str, places))
        raise MismatchError(
            f"there is no part in {where}", hint=f"parts are files like {part_name(Shard(number=1, count=4))}"
        )
    found = sorted((_load(path) for path in paths), key=lambda one: one.part.shard)
    _require_one_set(found)
    return tuple(found)


def _load(path: Path) -> FoundPart:
    try:
        part = parse_part(read_text(path), str(path))
        require_distinct(part.evidence, str(path))
    except RecordError as error:
        raise MismatchError(str(error), hint=error.hint or AGAIN) from error
    if not 1 <= part.shard <= part.shards:
        raise MismatchError(f"{path}: there is no shard {part.shard} of {part.shards}", hint=AGAIN)
    return FoundPart(part=part, path=path)


def _require_one_set(found: Sequence[FoundPart]) -> None:
    count = found[0].part.shards
    for one in found:
        if one.part.shards != count:
            message = f"{one.path} is one of {one.part.shards} shards, and {found[0].path} one of {count}"
            raise MismatchError(message, hint=ALIKE)
    seen: dict[int, Path] = {}
    for one in found:
        if one.part.shard in seen:
            message = f"shard {one.part.shard} of {count} is given twice: {seen[one.part.shard]} and {one.path}"
            raise MismatchError(message, hint="keep the one of this run")
        seen[one.part.shard] = one.path
    missing = [number for number in range(1, count + 1) if number not in seen]
    if missing:
        named = ", ".join(part_name(Shard(number=number, count=count)) for number in missing[:5])
        raise MismatchError(
            f"{len(missing)} of {count} parts are missing: {named}", hint="see the jobs of these shards"
        )


def verify_parts(found: Sequence[FoundPart], project: Project, request: CheckRequest) -> None:
    """Compare each part with what its shard of this project is; raises MismatchError naming part and difference."""
    _require_apart(found)
    commits, policy = commits_of(request), shared_policy_digest(project.policy)
    for one in found:
        for what, theirs, ours in _settings(one.part, found[0].part):
            _require_equal(one, what, theirs=theirs, ours=ours)
        for what, theirs, ours in (
            ("lockgate", one.part.lockgate, __version__),
            ("rules", one.part.core, CORE_VERSION),
            ("commit", one.part.head, commits[0]),
            ("base", one.part.base, commits[1]),
            ("passes", one.part.passes, project.policy.looks[-1]),
            ("policy", one.part.policy, policy),
        ):
            _require_equal(one, what, theirs=theirs, ours=ours)
        _require_fresh(one, request.as_of)
        _require_unchanged(one, project)
        _require_suites(one, cut_project(project, one.shard))
        _require_trials(one)


def _settings(part: Part, first: Part) -> Iterator[tuple[str, object, object]]:
    yield "seed", part.seed, first.seed
    yield "unchanged targets", part.evidence.unchanged, first.evidence.unchanged


def _require_equal(one: FoundPart, what: str, *, theirs: object, ours: object) -> None:
    if theirs != ours:
        shown = f"{_short(theirs)}, here it is {_short(ours)}"
        raise MismatchError(f"{one.path} is of another run: {what} {shown}", hint=ALIKE)


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return repr(text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...")


def _require_apart(found: Sequence[FoundPart]) -> None:
    """No case may be in two parts: its trials would count twice."""
    owners: dict[tuple[str, str, str], Path] = {}
    for one in found:
        own = ((planned.target, planned.suite, case_id) for planned in one.part.planned for case_id in planned.case_ids)
        for key in own:
            if key in owners:
                message = f"case {key[2]!r} of suite {key[1]!r} is in two parts: {owners[key]} and {one.path}"
                raise MismatchError(message, hint=AGAIN)
            owners[key] = one.path


def _require_fresh(one: FoundPart, as_of: str) -> None:
    if not in_window([one.part.evidence], as_of=as_of):
        message = f"{one.path} is of {one.part.evidence.as_of!r}: not within {WINDOW_DAYS} days before {as_of}"
        raise MismatchError(message, hint="run the shards again")


def _require_unchanged(one: FoundPart, project: Project) -> None:
    """A shard may skip only what equals its baseline here, too."""
    same = {plan.definition.name for plan in project.targets if equals_baseline(project, plan)}
    for name in one.part.evidence.unchanged:
        if name not in same:
            raise MismatchError(f"{one.path} skipped target {name!r}, which is not its baseline's version", hint=ALIKE)


def _require_suites(one: FoundPart, mine: Project) -> None:
    """The part's suites and cases are exactly those of its shard, and only what was counted differs from nothing."""
    _require_equal_plan(one, mine)
    given = {(suite.identity.target, suite.name): suite for suite in one.part.evidence.suites}
    wanted = {
        (plan.definition.name, entry.suite.name): suite_evidence(
            suite=entry.suite, identity=entry.identity, trials={}, passes=one.part.passes
        )
        for plan in mine.targets
        for entry in plan.suites
        if plan.definition.name not in one.part.evidence.unchanged
    }
    if list(given) != list(wanted):
        raise MismatchError(f"{one.path} holds other suites than this run: {_suites(given)}", hint=ALIKE)
    for key, suite in given.items():
        _require_suite(one, suite, wanted[key])


def _suites(keys: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{target} / {suite}" for target, suite in keys) or "none"


def _require_equal_plan(one: FoundPart, mine: Project) -> None:
    ours = {(own.target, own.suite): set(own.case_ids) for own in planned_cases(mine, one.part.evidence)}
    theirs = {(own.target, own.suite): set(own.case_ids) for own in one.part.planned}
    for key in sorted(ours.keys() & theirs.keys()):
        for case_id in sorted(ours[key] ^ theirs[key]):
            what = "does not hold" if case_id in ours[key] else "holds"
            message = f"{one.path} {what} case {case_id!r} of suite {key[1]!r}, against the division into shards"
            raise MismatchError(message, hint=ALIKE)


def _require_suite(one: FoundPart, given: SuiteEvidence, wanted: SuiteEvidence) -> None:
    place = f"{given.identity.target} / {given.name}"
    for field in fields(Identity):
        if getattr(given.identity, field.name) != getattr(wanted.identity, field.name):
            what = WORDS.get(field.name, f"another {field.name}")
            raise MismatchError(f"{one.path} is of another run: {place} has {what}", hint=ALIKE)
    if _without_counts(given) != wanted:
        message = f"{one.path} does not hold the cases of {place} as they are here"
        raise MismatchError(message, hint=ALIKE)
    whole = not (one.part.evidence.stopped or one.part.evidence.interrupted)
    for case in given.cases:
        made = len(case.marks)
        if made > one.part.passes or (whole and made != one.part.passes):
            message = f"{one.path}: case {case.case_id!r} of {place} has {made} trials, {one.part.passes} were planned"
            raise MismatchError(message, hint=AGAIN)


def _without_counts(suite: SuiteEvidence) -> SuiteEvidence:
    empty = CaseEvidence(case_id="", digest="", marks="")
    nothing = {name: getattr(empty, name) for name in COUNTED}
    cases = tuple(replace(case, **nothing) for case in suite.cases)
    judging = suite.judging
    bare = None if judging is None else Judging(scorers=judging.scorers, decisive=judging.decisive)
    return replace(suite, cases=cases, modelled=False, beside=None, judging=bare, prices="", late="")


def _require_trials(one: FoundPart) -> None:
    if one.trials is not None and digest_file(one.trials) != one.part.trials:
        message = f"{one.trials} is not the file that {one.path} was made with"
        raise MismatchError(message, hint="keep each shard's two files together")


def join_parts(found: Sequence[FoundPart]) -> Evidence:
    """The evidence of one undivided run with the same passes; its date is the oldest of the parts'."""
    evidences = [one.part.evidence for one in found]
    sides = zip(*(evidence.suites for evidence in evidences), strict=True)
    return Evidence(
        suites=tuple(_join_suites(suites) for suites in sides),
        unchanged=evidences[0].unchanged,
        as_of=min(evidence.as_of for evidence in evidences),
        interrupted=any(evidence.interrupted for evidence in evidences),
        stopped=next((evidence.stopped for evidence in evidences if evidence.stopped), ""),
        unverified=next((evidence.unverified for evidence in evidences if evidence.unverified), ""),
    )


def _join_suites(suites: Sequence[SuiteEvidence]) -> SuiteEvidence:
    cases = sorted(chain.from_iterable(suite.cases for suite in suites), key=lambda case: case.case_id)
    sides = [suite.beside for suite in suites if suite.beside is not None and suite.cases]
    return replace(
        suites[0],
        cases=tuple(cases),
        modelled=any(suite.modelled for suite in suites),
        beside=_join_sides(sides) if sides else suites[0].beside,
        judging=reduce(join_judging, (suite.judging for suite in suites)),
        prices=join_prices(*(suite.prices for suite in suites)),
        late=next((suite.late for suite in suites if suite.late), ""),
    )


def _join_sides(sides: Sequence[Beside]) -> Beside:
    """One side that answered anywhere was not absent."""
    answered = any(not side.absent for side in sides)
    return replace(sides[0], absent="" if answered else sides[0].absent, modelled=any(side.modelled for side in sides))
