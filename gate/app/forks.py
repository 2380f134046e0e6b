"""The trusted half of a pull request from a fork: its record is hostile counts, and decides nothing but HOLD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gate.app.fork_data import take_change
from gate.app.recorded import judge_again
from gate.app.replay import require_distinct
from gate.app.request import CheckRequest, CheckResult
from gate.core.evidence import Evidence
from gate.core.finding import Outcome
from gate.errors import ConfigurationError, GateError, RecordError
from gate.forge.artifacts import HOSTILE_HINT, artifact_name, fetch_artifact
from gate.forge.event import Activity, FinishedRun
from gate.forge.pulls import Pull, Repository, find_pull
from gate.forge.statuses import Mark
from gate.store.records import parse_evidence

MOST_PASSES = 200
WHY = "a job that the fork's own workflow could change wrote these counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A fork's pull request with what was decided about it, for its comment and its head commit."""

    pull: Pull
    result: CheckResult


def mirror(activity: Activity, url: str) -> Mark | None:
    """The mark of a run of this repository itself, which was decided where it ran; None for a fork's run."""
    origin = _origin(activity)
    if origin.is_fork:
        return None
    line = f"the run of the gate ended with {origin.conclusion or 'nothing'}"
    return Mark(sha=activity.head, is_green=origin.conclusion == "success", line=line, url=url)


def find_fork(repository: Repository, activity: Activity) -> Pull:
    """The fork's pull request, by its head commit; raises GateError where it cannot be judged here."""
    origin = _origin(activity)
    pull = find_pull(repository, head=activity.head, head_repository=origin.repository, branch=origin.branch)
    if pull.base != origin.default_branch:
        message = (
            f"pull request {pull.number} is for {pull.base!r}; lockgate judges forks against the default branch only"
        )
        raise ConfigurationError(message, hint="let a maintainer push the change to a branch of this repository")
    return pull


def verify_fork(request: CheckRequest, repository: Repository, *, activity: Activity, pull: Pull) -> Judged:
    """Judge the fork's counts by the policy and baselines of the checkout; never more, and never less, than HOLD.

    Raises GateError for a record that is none.
    """
    origin = _origin(activity)
    text = fetch_artifact(repository, origin.id, artifact_name(origin.attempt)).read("evidence.json")
    evidence = parse_evidence(text, "artifact: evidence.json")
    require_distinct(evidence, "artifact: evidence.json")
    require_plausible(evidence)
    evidence = replace(evidence, unverified=WHY, as_of=request.as_of, across=None)
    try:
        checked = judge_again(_about(request, pull), evidence)
    except GateError:
        raise
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise RecordError("artifact: no run writes such counts", hint=HOSTILE_HINT) from error
    return Judged(pull=pull, result=checked.result)


def check_fork(
    request: CheckRequest, repository: Repository, *, pull: Pull, run: Callable[[CheckRequest], CheckResult]
) -> Judged:
    """Run the checkout's own suites on the prompts and cases of the fork, which are taken as data by their commit.

    What else the fork changes and would shape answers is not taken, and then the decision is HOLD. Raises GateError.
    """
    left = take_change(request, repository, pull)
    why = f"an approved run takes prompts and cases only, and this change needs {', '.join(left)}" if left else ""
    return Judged(pull=pull, result=run(replace(_about(request, pull), unverified=why)))


def mark_of(judged: Judged, url: str) -> Mark:
    """What stands on the head commit; a HOLD is never green here, whatever `fail-on` says."""
    decision = judged.result.decision
    line = f"{decision.outcome}: {decision.reason}"
    is_green = decision.outcome is Outcome.PROMOTE or judged.result.advisory
    return Mark(sha=judged.pull.head, is_green=is_green, line=line, url=url)


def refused_mark(pull: Pull, error: GateError, url: str) -> Mark:
    """What stands on the head commit where nothing could be decided."""
    return Mark(sha=pull.head, is_green=False, line=f"HOLD: unverified, {error}", url=url)


def _about(request: CheckRequest, pull: Pull) -> CheckRequest:
    return replace(request, head=pull.head, author=pull.author)


def _origin(activity: Activity) -> FinishedRun:
    if activity.origin is None:
        raise ConfigurationError("the event names no finished run", hint="run this command on `workflow_run`")
    return activity.origin


def require_plausible(evidence: Evidence) -> None:
    """Refuse counts that would only cost time, since rules read every mark; raises RecordError."""
    for suite in evidence.suites:
        longest = max((len(case.marks) for case in suite.cases), default=0)
        if not 0 <= suite.passes <= MOST_PASSES or longest > MOST_PASSES:
            raise RecordError(
                f"artifact: suite {suite.name[:60]!r} has more trials than any run makes", hint=HOSTILE_HINT
            )
