"""What GitHub sends about the stand-in's repository, and which commit a job of it starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.rigs.action import Job
from tests.rigs.github_hub.conversations import sync_pulls
from tests.rigs.pushed import Pushed

if TYPE_CHECKING:
    from tests.rigs.github_hub import GitHub

MAIN = "refs/heads/main"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: `ref` is what its jobs check out, `head` the commit that its run is listed under.

    `repository` is where that commit comes from, the repository itself or a fork of it.
    """

    name: str
    ref: str
    head: str
    branch: str = "main"
    repository: str = ""
    payload: dict[str, Any] = field(default_factory=dict)


def pull_request(hub: GitHub, number: int) -> Event:
    """A push to an open pull request."""
    sync_pulls(hub)
    pull = hub.pulls[number]
    owner, _, branch = pull.head.rpartition(":")
    slug, head = _slug(hub, owner), hub.bare.tip(pull.head_ref) or ""
    payload = {
        "action": "synchronize",
        "number": number,
        "pull_request": {
            "title": "::set-output name=outcome::PROMOTE",
            "head": {"sha": head, "ref": branch, "repo": {"full_name": slug}},
            "base": {"sha": hub.bare.tip(MAIN), "ref": pull.base, "repo": {"full_name": hub.slug}},
            "user": {"login": pull.login},
        },
        "repository": _repository(hub),
    }
    ref = f"refs/pull/{number}/merge"
    return Event(name="pull_request", ref=ref, head=head, branch=branch, repository=slug, payload=payload)


def merge_group(hub: GitHub, number: int) -> Event:
    """A pull request that has entered the merge queue, alone."""
    sync_pulls(hub)
    base, head = hub.bare.tip(MAIN) or "", hub.bare.tip(f"refs/pull/{number}/merge") or ""
    branch = f"gh-readonly-queue/main/pr-{number}-{base}"
    hub.bare.move(f"refs/heads/{branch}", head, hub.bare.tip(f"refs/heads/{branch}"))
    group = {"head_sha": head, "head_ref": f"refs/heads/{branch}", "base_sha": base, "base_ref": MAIN}
    payload = {"action": "checks_requested", "merge_group": group, "repository": _repository(hub)}
    return Event(name="merge_group", ref=f"refs/heads/{branch}", head=head, branch=branch,
                 repository=hub.slug, payload=payload)  # fmt: skip


def on_main(hub: GitHub, name: str) -> Event:
    """A push of the newest commit to the default branch, its schedule, or a workflow started on it by hand."""
    head = hub.bare.tip(MAIN) or ""
    payload = Pushed(job=Job(folder=Path(), head=head), github=hub).payload(name)
    return Event(name=name, ref=MAIN, head=head, repository=hub.slug, payload=payload)


def issue_comment(hub: GitHub, identifier: int) -> Event:
    """A comment that was written on a pull request; its jobs run on the default branch."""
    stored = next(item for item in hub.comments if item["id"] == identifier)
    payload = {
        "action": "created",
        "issue": {"number": stored["number"], "pull_request": {"url": f"{hub.url}/pull/{stored['number']}"}},
        "comment": {"id": identifier, "body": stored["body"], "user": stored["user"]},
        "repository": _repository(hub),
    }
    return Event(name="issue_comment", ref=MAIN, head=hub.bare.tip(MAIN) or "", repository=hub.slug, payload=payload)


def workflow_run(hub: GitHub, run_id: int) -> Event:
    """The end of a run, told to the default branch; of a fork's it names no pull request that could be believed."""
    run = max((one for one in hub.runs if one["id"] == run_id), key=lambda one: one["run_attempt"])
    told = {key: run[key] for key in ("id", "run_attempt", "event", "conclusion", "head_sha", "head_branch")}
    told |= {"head_repository": {"full_name": run["head_repository"]["full_name"]}, "pull_requests": [{"number": 999}]}
    payload = {"action": "completed", "workflow_run": told, "repository": _repository(hub)}
    return Event(name="workflow_run", ref=MAIN, head=hub.bare.tip(MAIN) or "", repository=hub.slug, payload=payload)


def _slug(hub: GitHub, owner: str) -> str:
    return f"{owner}/{hub.slug.partition('/')[2]}" if owner else hub.slug


def _repository(hub: GitHub) -> dict[str, str]:
    return {"full_name": hub.slug, "default_branch": "main"}
