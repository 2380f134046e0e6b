"""Attempts of workflow runs as the API lists them: what ended, when, and whether its job got as far as to ask anything.

All of it needs `actions: read`, which is what PublishError then says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gate.core.chain import Attempt
from gate.core.model import Json
from gate.errors import PublishError
from gate.forge.pulls import PAGE, RUN_HINT, Repository

T = TypeVar("T", int, str)

CHANGES = ("pull_request", "merge_group")
MOST_PAGES = 10
MOST_LOOKUPS = 50
# What the runner adds to every job, and the actions of GitHub itself, ask no model.
SETUP = ("Set up job", "Complete job", "Build ", "Pull ", "Pre ", "Post ", "Run actions/")
NOT_RUN = (None, "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One attempt of a run with what it was about: `repository` is where its head lies, `workflow` its file's path."""

    attempt: Attempt
    head: str
    event: str
    workflow: str
    repository: str


def fetch_attempt(repository: Repository, run: int, attempt: int) -> Ran:
    """Read one attempt of a run; raises PublishError."""
    doing = f"attempt {attempt} of run {run} could not be read"
    return _ran(_read(repository, f"/actions/runs/{run}/attempts/{attempt}", doing), doing)


def fetch_attempts(
    repository: Repository, *, head: str, workflow: str, known: frozenset[tuple[int, int]]
) -> tuple[Attempt, ...]:
    """Attempts of a workflow's runs about a commit, without the earlier attempts that are `known` already.

    Raises PublishError, also where more than 50 must be looked up one by one.
    """
    found: list[Attempt] = []
    earlier: list[tuple[int, int]] = []
    for ran in _runs(repository, head):
        if ran.workflow == workflow and ran.event in CHANGES and ran.repository == repository.name:
            latest = ran.attempt
            found.append(latest)
            earlier += [(latest.run, number) for number in range(1, latest.attempt)]
    open_ones = [one for one in earlier if one not in known]
    if len(open_ones) > MOST_LOOKUPS:
        raise PublishError(f"{len(open_ones)} attempts of runs of {head[:12]} have left no record")
    found += [fetch_attempt(repository, *one).attempt for one in open_ones]
    return tuple(sorted(found, key=lambda one: (one.run, one.attempt)))


def may_have_asked(repository: Repository, attempt: Attempt, job: str) -> bool:
    """Whether the job got past what the runner and GitHub's own actions do; a job of another name stands for any.

    A job that an attempt only took over from an earlier one does not count. Raises PublishError.
    """
    doing = f"the jobs of {attempt.name} could not be read"
    # Of all attempts, because one that was taken over is not listed with the later attempt.
    listed = [*_pages(repository, f"/actions/runs/{attempt.run}/jobs", "jobs", doing=doing, filter="all")]
    own = [one for one in listed if job and _named(one, job)] or listed
    return any(one.get("run_attempt") == attempt.attempt and _got_far(one) for one in own)


def _named(found: Mapping[str, Json], job: str) -> bool:
    name = found.get("name")
    # A matrix adds its values in brackets.
    return isinstance(name, str) and (name == job or name.startswith(f"{job} ("))


def _got_far(job: Mapping[str, Json]) -> bool:
    ran = (step for step in _entries(job, "steps") if step.get("conclusion") not in NOT_RUN)
    return any(not str(step.get("name", "")).startswith(SETUP) for step in ran)


def _runs(repository: Repository, head: str) -> Iterator[Ran]:
    doing = f"the runs of {head[:12]} could not be listed"
    found = _pages(repository, "/actions/runs", "workflow_runs", doing=doing, head_sha=head)
    yield from (_ran(one, doing) for one in found)


def _pages(repository: Repository, path: str, key: str, *, doing: str, **params: str) -> Iterator[Mapping[str, Json]]:
    for page in range(1, MOST_PAGES + 1):
        listed = _entries(_read(repository, path, doing, per_page=PAGE, page=page, **params), key)
        yield from listed
        if len(listed) < PAGE:
            return
    raise PublishError(f"{doing}: there are over {PAGE * MOST_PAGES}")


def _read(repository: Repository, path: str, doing: str, **params: int | str) -> Mapping[str, Json]:
    reply = repository.api.get(f"/repos/{repository.name}{path}", params)
    if reply.status in (401, 403, 404):
        raise PublishError(f"{doing}: HTTP {reply.status}, {reply.detail}", hint=RUN_HINT)
    body = reply.expect(doing).body
    if not isinstance(body, dict):
        raise PublishError(f"{doing}: the API's answer is not what it should be")
    return body


def _entries(body: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    listed = body.get(key)
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _ran(body: Mapping[str, Json], doing: str) -> Ran:
    where, conclusion = body.get("head_repository"), body.get("conclusion")
    ended = body.get("status") == "completed"
    attempt = Attempt(
        run=_field(body, "id", int, doing=doing),
        attempt=_field(body, "run_attempt", int, doing=doing),
        started=_field(body, "run_started_at", str, doing=doing),
        ended=_field(body, "updated_at", str, doing=doing),
        conclusion=str(conclusion or "unknown") if ended else "",
    )
    return Ran(
        attempt=attempt,
        head=_field(body, "head_sha", str, doing=doing),
        event=_field(body, "event", str, doing=doing),
        # A required workflow carries the ref that it was taken from.
        workflow=_field(body, "path", str, doing=doing).partition("@")[0],
        repository=str(where.get("full_name", "")) if isinstance(where, dict) else "",
    )


def _field(body: Mapping[str, Json], key: str, kind: type[T], *, doing: str) -> T:
    found = body.get(key)
    if not isinstance(found, kind):
        raise PublishError(f"{doing}: the API's answer has no {key}")
    return found
