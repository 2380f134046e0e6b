"""Workflow runs, their jobs and artifacts, and starting a workflow by hand."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import yaml

from tests.rigs.github_hub.bare import GitError
from tests.rigs.github_hub.model import Answer, Call, Refused, not_found
from tests.rigs.github_hub.shapes import REPOSITORY_ID, page, place, repository, user

if TYPE_CHECKING:
    from tests.rigs.github_hub.state import Artifact, GitHub

FILTERS = {"head_sha": "head_sha", "branch": "head_branch", "event": "event"}


def runs(hub: GitHub, call: Call) -> Answer:
    """List runs by their latest attempts, the newest first."""
    latest = {run["id"]: run for run in sorted(hub.runs, key=lambda run: run["run_attempt"])}
    wanted = {field: call.asked(name) for name, field in FILTERS.items() if call.asked(name)}
    status = call.asked("status")
    found = [
        _run(hub, run) for run in sorted(latest.values(), key=lambda run: -run["id"])
        if all(run[field] == value for field, value in wanted.items())
        and status in ("", run["status"], run["conclusion"])
    ]  # fmt: skip
    return page(hub, call, found, "workflow_runs")


def run(hub: GitHub, call: Call) -> Answer:
    """A run's latest attempt."""
    return Answer(body=_run(hub, _attempts(hub, call)[-1]))


def attempt(hub: GitHub, call: Call) -> Answer:
    """One attempt of a run."""
    return Answer(body=_run(hub, _attempt(hub, call)))


def _attempts(hub: GitHub, call: Call) -> list[dict[str, Any]]:
    found = [run for run in hub.runs if run["id"] == call.number("run_id")]
    if not found:
        raise not_found()
    return sorted(found, key=lambda run: run["run_attempt"])


def _attempt(hub: GitHub, call: Call) -> dict[str, Any]:
    wanted = call.number("attempt_number")
    found = next((run for run in _attempts(hub, call) if run["run_attempt"] == wanted), None)
    if found is None:
        raise not_found()
    return found


def _run(hub: GitHub, run: dict[str, Any]) -> dict[str, Any]:
    url, earlier = place(hub, "actions/runs", run["id"]), run["run_attempt"] - 1
    links = {f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")}
    previous = f"{url}/attempts/{earlier}" if earlier else None
    # An empty list for a fork's run, as on GitHub: whoever wants the pull request must look for it.
    return {
        "node_id": f"WFR_{run['id']}", "url": url, "html_url": f"{hub.url}/{hub.slug}/actions/runs/{run['id']}",
        "previous_attempt_url": previous, "pull_requests": [], "repository": repository(hub),
        "head_repository": repository(hub), "actor": user(hub, "dana"), "triggering_actor": user(hub, "dana"),
        "display_title": run["name"], **links, **run,
    }  # fmt: skip


def rerun(hub: GitHub, call: Call) -> Answer:
    """Start a further attempt of a run with its failed jobs; one that has none, or has not ended, is refused."""
    latest = _attempts(hub, call)[-1]
    if latest["status"] != "completed" or latest["conclusion"] == "success":
        raise Refused(403, "This workflow run cannot be retried")
    again = {"run_attempt": latest["run_attempt"] + 1, "status": "queued", "conclusion": None}
    with hub.lock:
        hub.runs.append({**latest, **again, "updated_at": hub.now()})
    return Answer(status=201, body={})


def jobs(hub: GitHub, call: Call) -> Answer:
    """A run's jobs: of the latest attempt, or of all with `filter=all`."""
    latest = _attempts(hub, call)[-1]
    return _jobs(hub, call, None if call.asked("filter") == "all" else latest["run_attempt"])


def jobs_of_attempt(hub: GitHub, call: Call) -> Answer:
    """The jobs of one attempt."""
    return _jobs(hub, call, _attempt(hub, call)["run_attempt"])


def _jobs(hub: GitHub, call: Call, attempt: int | None) -> Answer:
    found = [
        {**job, "run_url": place(hub, "actions/runs", job["run_id"]), "node_id": f"JOB_{job['id']}",
         "url": place(hub, "actions/jobs", job["id"]), "check_run_url": place(hub, "check-runs", job["id"]),
         "html_url": f"{hub.url}/{hub.slug}/actions/runs/{job['run_id']}/job/{job['id']}"}
        for job in hub.jobs if job["run_id"] == call.number("run_id") and attempt in (None, job["run_attempt"])
    ]  # fmt: skip
    return page(hub, call, found, "jobs")


def artifacts(hub: GitHub, call: Call) -> Answer:
    """A run's artifacts, or all of the repository, the newest first; `name` filters."""
    if "run_id" in call.parameters:
        _attempts(hub, call)
    name, wanted = call.asked("name"), call.parameters.get("run_id")
    found = [_artifact(hub, item) for item in reversed(hub.artifacts)
             if name in ("", item.name) and wanted in (None, str(item.run_id))]  # fmt: skip
    return page(hub, call, found, "artifacts")


def artifact(hub: GitHub, call: Call) -> Answer:
    """What an artifact is."""
    return Answer(body=_artifact(hub, _found(hub, call)))


def download(hub: GitHub, call: Call) -> Answer:
    """Where an artifact's zip lies: a signed address at another host, which refuses the API's token."""
    found = _found(hub, call)
    if call.parameters["archive_format"] != "zip":
        raise not_found()
    if found.expired:
        raise Refused(410, "Artifact has expired")
    return Answer(status=302, headers={"Location": f"{hub.storage_url}/artifacts/{found.id}.zip?sig=signature"})


def _found(hub: GitHub, call: Call) -> Artifact:
    found = next((item for item in hub.artifacts if item.id == call.number("artifact_id")), None)
    if found is None:
        raise not_found()
    return found


def _artifact(hub: GitHub, item: Artifact) -> dict[str, Any]:
    url = place(hub, "actions/artifacts", item.id)
    run = next(run for run in reversed(hub.runs) if run["id"] == item.run_id)
    origin = {"id": run["id"], "repository_id": REPOSITORY_ID, "head_repository_id": REPOSITORY_ID,
              "head_branch": run["head_branch"], "head_sha": run["head_sha"]}  # fmt: skip
    return {"id": item.id, "node_id": f"A_{item.id}", "name": item.name, "size_in_bytes": len(item.content), "url": url,
            "archive_download_url": f"{url}/zip", "expired": item.expired, "created_at": item.at,
            "updated_at": item.at, "expires_at": "2027-02-18T12:00:00Z", "workflow_run": origin,
            "digest": f"sha256:{hashlib.sha256(item.content).hexdigest()}"}  # fmt: skip


def dispatch(hub: GitHub, call: Call) -> Answer:
    """Start a workflow of a ref; inputs that its file does not declare are refused."""
    ref, inputs = call.body["ref"].removeprefix("refs/heads/"), call.body.get("inputs", {})
    sha = hub.bare.resolve(ref)
    if sha is None:
        raise Refused(422, f"No ref found for: {ref}")
    path = f".github/workflows/{call.parameters['workflow_id']}"
    _require_inputs(_declared(hub, sha, path), inputs)
    hub.dispatches.append({"workflow": call.parameters["workflow_id"], "ref": ref, "inputs": inputs})
    run = hub.add_run(sha, event="workflow_dispatch", head_branch=ref, path=path, status="queued", conclusion=None)
    if not call.body.get("return_run_details"):
        return Answer(status=204)
    url = place(hub, "actions/runs", run)
    page = f"{hub.url}/{hub.slug}/actions/runs/{run}"
    return Answer(body={"workflow_run_id": run, "run_url": url, "html_url": page})


def _declared(hub: GitHub, sha: str, path: str) -> dict[str, Any]:
    try:
        content = hub.bare.run("cat-file", "blob", f"{sha}:{path}")
    except GitError:
        raise not_found() from None
    # YAML 1.1 reads the key `on` as true.
    trigger = yaml.safe_load(content).get(True) or {}
    if "workflow_dispatch" not in trigger:
        raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
    said = trigger["workflow_dispatch"] if isinstance(trigger, dict) else None
    return (said or {}).get("inputs") or {}


def _require_inputs(declared: dict[str, Any], given: dict[str, Any]) -> None:
    if strange := sorted(given.keys() - declared.keys()):
        raise Refused(422, f"Unexpected inputs provided: {strange}")
    for name, about in declared.items():
        if about.get("required") and "default" not in about and name not in given:
            raise Refused(422, f"Required input '{name}' not provided")
