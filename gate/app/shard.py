"""One shard of a run: a share of the cases, a fixed number of passes, and a part to be merged. It decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gate import __version__
from gate.app.bench import Bench, Outfit, ceilings_from, open_bench
from gate.app.check import check_sizes
from gate.app.project import Project, TargetPlan, load_project
from gate.app.request import CheckRequest
from gate.app.running import prepare_runs
from gate.core.canonical import digest
from gate.core.codec import encode
from gate.core.evidence import Evidence
from gate.core.finding import CORE_VERSION
from gate.core.policy import Policy
from gate.errors import ConfigurationError, ExitCode
from gate.forge.git import Git
from gate.runner.budget import Ceilings
from gate.runner.progress import Progress
from gate.runner.shards import Shard, cut_ceilings, cut_suite
from gate.runner.suite_run import SuiteRun
from gate.store.outputs import write_files
from gate.store.records import Part, Planned, render_part

PASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """What one shard left behind: its part, where it lies, and the exit code, 0 for a part that is complete."""

    part: Part
    path: Path
    exit_code: ExitCode

    @property
    def sentence(self) -> str:
        """What was run, without a verdict."""
        cases = sum(len(suite.case_ids) for suite in self.part.planned)
        own = f"part {self.part.shard} of {self.part.shards}: {cases} cases, {self.part.calls} calls"
        evidence = self.part.evidence
        why = "the run was interrupted" if evidence.interrupted else evidence.stopped
        return f"{own}; incomplete: {why}" if why else own


def run_shard(request: CheckRequest, shard: Shard, *, progress: Progress, now: Callable[[], float]) -> ShardResult:
    """Run a shard's cases and write its part; `now` returns seconds of a steady clock.

    There are no looks in between, no early end and no confirmations, because these need all cases. Raises GateError for
    what a user must mend.
    """
    request = fixed_passes(request)
    _require_undivided(request)
    whole = load_project(request)
    check_sizes(whole)
    project = cut_project(whole, shard)
    commits = commits_of(request)
    ceilings = cut_ceilings(ceilings_from(whole.settings, request.budget_usd), _share(project, whole))
    outfit = _outfit(shard, ceilings, progress=progress, now=now)
    with open_bench(request, project, outfit) as bench:
        evidence = _run(request, project, bench)
    part = Part(
        shard=shard.number,
        shards=shard.count,
        lockgate=__version__,
        core=CORE_VERSION,
        head=commits[0],
        base=commits[1],
        policy=shared_policy_digest(whole.policy),
        passes=whole.policy.looks[-1],
        seed=request.seed,
        planned=planned_cases(project, evidence),
        evidence=evidence,
        calls=bench.calls,
        tokens=bench.tokens,
        usd=bench.usd,
        trials=digest_file(request.out / trials_name(shard)),
    )
    write_files(request.out, {part_name(shard): render_part(part)})
    return ShardResult(part=part, path=request.out / part_name(shard), exit_code=_exit_code(evidence))


def _outfit(shard: Shard, ceilings: Ceilings, *, progress: Progress, now: Callable[[], float]) -> Outfit:
    return Outfit(
        purpose=f"check --shard {shard.name}",
        ceilings=ceilings,
        progress=progress,
        now=now,
        answers=f"answers-{shard.name}.jsonl",
        trials=trials_name(shard),
    )


def _run(request: CheckRequest, project: Project, bench: Bench) -> Evidence:
    runs, same = prepare_runs(project, bench, every=request.every)
    evidence = _evidence(runs, request, passes=project.policy.looks[-1], unchanged=same)
    if not (evidence.interrupted or evidence.stopped):
        bench.answers.end()
    return evidence


def fixed_passes(request: CheckRequest) -> CheckRequest:
    """The request with the number of passes that every shard makes."""
    return replace(request, passes=request.passes or PASSES)


def part_name(shard: Shard) -> str:
    """The file name of a shard's part."""
    return f"part-{shard.name}.json"


def trials_name(shard: Shard) -> str:
    """The file name of a shard's trials in full text."""
    return f"trials-{shard.name}.jsonl"


def cut_project(project: Project, shard: Shard) -> Project:
    """The project with the shard's cases only; identities and references stay those of the whole."""
    return replace(project, targets=tuple(_cut_target(plan, shard) for plan in project.targets))


def _cut_target(plan: TargetPlan, shard: Shard) -> TargetPlan:
    return replace(plan, suites=tuple(replace(entry, suite=cut_suite(entry.suite, shard)) for entry in plan.suites))


def planned_cases(project: Project, evidence: Evidence) -> tuple[Planned, ...]:
    """The cases of a cut project, without those of targets that equal their baselines."""
    return tuple(
        Planned(
            target=plan.definition.name,
            suite=entry.suite.name,
            case_ids=tuple(sorted(case.id for case in entry.suite.cases)),
        )
        for plan in project.targets
        for entry in plan.suites
        if plan.definition.name not in evidence.unchanged
    )


def shared_policy_digest(policy: Policy) -> str:
    """What all shards of a run and their merge must agree on: all of the policy but who wrote the change."""
    return digest(encode(replace(policy, author="")))


def commits_of(request: CheckRequest) -> tuple[str, str]:
    """The commits of the working copy and of the base; empty where there are none."""
    git = Git(request.root)
    try:
        head = git.commit("HEAD")
    except ConfigurationError:
        head = ""
    return head, git.commit(request.base) if request.base else ""


def digest_file(path: Path) -> str:
    """The SHA-256 of a file, tagged; read in pieces."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def _require_undivided(request: CheckRequest) -> None:
    """Refuse what needs all cases at once."""
    for given, option in ((request.evidence, "--evidence"), (request.aa, "--aa")):
        if given:
            raise ConfigurationError(f"`--shard` and `{option}` cannot go together", hint="run without `--shard`")


def _share(project: Project, whole: Project) -> float:
    """The shard's share of all cases."""
    return _count(project) / _count(whole)


def _count(project: Project) -> int:
    return sum(len(entry.suite.cases) for plan in project.targets for entry in plan.suites)


def _evidence(runs: Sequence[SuiteRun], request: CheckRequest, *, passes: int, unchanged: Sequence[str]) -> Evidence:
    for run in runs:
        run.watch, run.reused = None, {}
        run.interrupted = any(other.interrupted for other in runs)
        run.run_passes(passes)
    return Evidence(
        suites=tuple(run.evidence() for run in runs),
        unchanged=tuple(unchanged),
        as_of=request.as_of,
        interrupted=any(run.interrupted for run in runs),
        stopped=next((run.stopped for run in runs if run.stopped), ""),
    )


def _exit_code(evidence: Evidence) -> ExitCode:
    if evidence.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.HOLD if evidence.stopped else ExitCode.PROMOTE
