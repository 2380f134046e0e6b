"""The required result on a commit that no job of ours stands for: a commit status, or a check run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.core.model import Json
from gate.errors import PublishError
from gate.forge.comments import NotPublished, Published
from gate.forge.pulls import Repository

CONTEXT = "lockgate"
LONGEST = 140


class Publish(StrEnum):
    """How an outcome is put on a commit, beside the result of the job."""

    NONE = "none"
    STATUS = "status"
    CHECK_RUN = "check-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What stands on a commit: green or red, with one plain line that says why; `url` leads to the run."""

    sha: str
    is_green: bool
    line: str
    url: str


def publish_mark(repository: Repository, mark: Mark, how: Publish) -> Published | NotPublished:
    """Put a mark on its commit; never raises for what the API does."""
    if how is Publish.NONE:
        return NotPublished(reason="not asked for")
    permission = "statuses" if how is Publish.STATUS else "checks"
    path, body = _status(mark) if how is Publish.STATUS else _check_run(mark)
    reply = repository.api.post(f"/repos/{repository.name}{path}", body)
    try:
        reply.expect("the result could not be put on the commit")
    except PublishError as error:
        hint = f"give the job this in its workflow file:\npermissions:\n  {permission}: write"
        return NotPublished(reason=str(error), hint=hint)
    return Published(url=mark.url)


def _status(mark: Mark) -> tuple[str, dict[str, Json]]:
    # A fork's workflow can name a job as it likes, and never set a status.
    return f"/statuses/{mark.sha}", {
        "state": "success" if mark.is_green else "failure",
        "context": CONTEXT,
        "description": _shortened(mark.line),
        "target_url": mark.url,
    }


def _check_run(mark: Mark) -> tuple[str, dict[str, Json]]:
    return "/check-runs", {
        "name": CONTEXT,
        "head_sha": mark.sha,
        "status": "completed",
        # Neutral would count as green.
        "conclusion": "success" if mark.is_green else "failure",
        "details_url": mark.url,
        "output": {"title": _shortened(mark.line), "summary": mark.line},
    }


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
