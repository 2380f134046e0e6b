"""Check runs and commit statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rigs.github_hub.model import Answer, Call, Refused, invalid, not_found
from tests.rigs.github_hub.shapes import page, place, repository, user

if TYPE_CHECKING:
    from tests.rigs.github_hub.state import GitHub

STATES = ("error", "failure", "pending", "success")
MOST_STATUSES = 1_000
KEPT = ("name", "details_url", "external_id", "status", "conclusion", "started_at", "completed_at")


def create_check(hub: GitHub, call: Call) -> Answer:
    """Create a check run; only apps may."""
    if not call.token.is_bot:
        raise Refused(403, "You must authenticate via a GitHub App.")
    if hub.bare.kind(call.body["head_sha"]) != "commit":
        raise Refused(422, f"No commit found for SHA: {call.body['head_sha']}")
    identifier = hub.next_id()
    check = {"id": identifier, "head_sha": call.body["head_sha"], "status": "queued", "conclusion": None,
             "started_at": None, "completed_at": None, "external_id": "", "details_url": None, "output": {}}  # fmt: skip
    _change(hub, check, call.body)
    with hub.lock:
        hub.checks.append(check)
    return Answer(status=201, body=_check(hub, check))


def update_check(hub: GitHub, call: Call) -> Answer:
    """Change a check run; its annotations are added to those that it has."""
    check = _stored(hub, call)
    changed = dict(check)
    _change(hub, changed, call.body)
    check.update(changed)
    return Answer(body=_check(hub, check))


def _change(hub: GitHub, check: dict[str, Any], said: dict[str, Any]) -> None:
    check.update({name: said[name] for name in KEPT if name in said})
    if "conclusion" in said:
        check["status"] = "completed"
    if check["status"] == "completed" and not check["conclusion"]:
        raise invalid("conclusion is missing for a completed check", resource="CheckRun", field="conclusion")
    if check["status"] == "completed" and not check["completed_at"]:
        check["completed_at"] = hub.now()
    output = dict(said.get("output") or {})
    hub.annotations.setdefault(check["id"], []).extend(output.pop("annotations", []))
    check["output"] = {**check["output"], **output}


def check(hub: GitHub, call: Call) -> Answer:
    """One check run."""
    return Answer(body=_check(hub, _stored(hub, call)))


def annotations(hub: GitHub, call: Call) -> Answer:
    """The annotations of a check run."""
    stored = _stored(hub, call)
    blob = f"{hub.url}/{hub.slug}/blob/{stored['head_sha']}"
    found = [{**item, "blob_href": f"{blob}/{item['path']}"} for item in hub.annotations[stored["id"]]]
    return page(hub, call, found)


def checks(hub: GitHub, call: Call) -> Answer:
    """The check runs of a commit: the latest of each name, or all with `filter=all`."""
    sha, name, status = _commit(hub, call), call.asked("check_name"), call.asked("status")
    found = [item for item in hub.checks
             if item["head_sha"] == sha and name in ("", item["name"]) and status in ("", item["status"])]  # fmt: skip
    if call.asked("filter", "latest") == "latest":
        found = list({item["name"]: item for item in found}.values())
    return page(hub, call, [_check(hub, item) for item in reversed(found)], "check_runs")


def _stored(hub: GitHub, call: Call) -> dict[str, Any]:
    found = next((item for item in hub.checks if item["id"] == call.number("check_run_id")), None)
    if found is None:
        raise not_found()
    return found


def _check(hub: GitHub, stored: dict[str, Any]) -> dict[str, Any]:
    url = place(hub, "check-runs", stored["id"])
    said = {name: stored["output"].get(name) for name in ("title", "summary", "text")}
    counted = {"annotations_count": len(hub.annotations[stored["id"]]), "annotations_url": f"{url}/annotations"}
    return {**stored, "node_id": f"CR_{stored['id']}", "url": url, "output": {**said, **counted},
            "html_url": f"{hub.url}/{hub.slug}/runs/{stored['id']}", "pull_requests": []}  # fmt: skip


def create_status(hub: GitHub, call: Call) -> Answer:
    """Set a commit status."""
    sha = call.parameters["sha"]
    if hub.bare.kind(sha) != "commit":
        raise Refused(422, f"No commit found for SHA: {sha}")
    context = call.body.get("context", "default")
    if sum((row["sha"], row["context"]) == (sha, context) for row in hub.statuses) >= MOST_STATUSES:
        raise invalid("This SHA and context has reached the maximum number of statuses.", resource="Status")
    at = hub.now()
    status = {"id": hub.next_id(), "sha": sha, "context": context, "state": call.body["state"], "created_at": at,
              "updated_at": at, "description": call.body.get("description"), "creator": call.token.login,
              "target_url": call.body.get("target_url")}  # fmt: skip
    with hub.lock:
        hub.statuses.append(status)
    return Answer(status=201, body=_status(hub, status))


def statuses(hub: GitHub, call: Call) -> Answer:
    """All statuses of a commit, the newest first."""
    sha = _commit(hub, call)
    return page(hub, call, [_status(hub, row) for row in reversed(hub.statuses) if row["sha"] == sha])


def combined_status(hub: GitHub, call: Call) -> Answer:
    """The latest status of each context, and what they come to."""
    sha = _commit(hub, call)
    latest = list({row["context"]: row for row in hub.statuses if row["sha"] == sha}.values())
    states = {row["state"] for row in latest}
    state = "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
    shown = page(hub, call, [_status(hub, row) for row in latest])
    url = place(hub, "commits", sha)
    rows = [{key: value for key, value in row.items() if key != "creator"} for row in shown.body]
    return Answer(headers=shown.headers, body={
        "state": state, "sha": sha, "total_count": len(latest), "statuses": rows, "repository": repository(hub),
        "commit_url": url, "url": f"{url}/status",
    })  # fmt: skip


def _status(hub: GitHub, row: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in row.items() if key != "sha"}
    return {**shown, "node_id": f"S_{row['id']}", "avatar_url": None, "creator": user(hub, row["creator"]),
            "url": place(hub, "statuses", row["sha"])}  # fmt: skip


def _commit(hub: GitHub, call: Call) -> str:
    sha = hub.bare.resolve(call.parameters["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.parameters['ref']}")
    return sha
