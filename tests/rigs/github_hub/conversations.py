"""Issue comments and pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rigs.github_hub.bare import Person
from tests.rigs.github_hub.model import ACTIONS_BOT, BODY_LIMIT, Answer, Call, Point, Refused, invalid, not_found
from tests.rigs.github_hub.shapes import diff_entries, page, place, repository, user

if TYPE_CHECKING:
    from tests.rigs.github_hub.state import GitHub, Pull

DENIED = "Resource not accessible by integration"


def comments(hub: GitHub, call: Call) -> Answer:
    """List a thread's comments, the oldest first."""
    number = _thread(hub, call)
    since = call.asked("since")
    found = [item for item in list(hub.comments) if item["number"] == number and item["updated_at"] >= since]
    return page(hub, call, [_comment(hub, item) for item in found])


def create_comment(hub: GitHub, call: Call) -> Answer:
    """Write a comment."""
    number, body = _thread(hub, call), _body(call)
    hub.reach(Point.COMMENT_CREATE)
    with hub.lock:
        identifier = hub.add(call.token.login, body, number=number)
        return Answer(status=201, body=_comment(hub, _stored(hub, identifier)))


def comment(hub: GitHub, call: Call) -> Answer:
    """One comment."""
    return Answer(body=_comment(hub, _stored(hub, call.number("comment_id"))))


def update_comment(hub: GitHub, call: Call) -> Answer:
    """Replace the text of an own comment."""
    with hub.lock:
        stored = _own(hub, call)
        stored |= {"body": _body(call), "updated_at": hub.now()}
        return Answer(body=_comment(hub, stored))


def delete_comment(hub: GitHub, call: Call) -> Answer:
    """Remove an own comment."""
    with hub.lock:
        hub.comments.remove(_own(hub, call))
    return Answer(status=204)


def _thread(hub: GitHub, call: Call) -> int:
    number = call.number("issue_number")
    if number not in hub.threads:
        raise not_found()
    return number


def _body(call: Call) -> str:
    body: str = call.body["body"]
    if not body.strip():
        raise invalid("body cannot be blank", resource="IssueComment", code="missing_field")
    if len(body) > BODY_LIMIT:
        raise invalid(f"body is too long (maximum is {BODY_LIMIT} characters)", resource="IssueComment")
    return body


def _stored(hub: GitHub, identifier: int) -> dict[str, Any]:
    found = next((item for item in list(hub.comments) if item["id"] == identifier), None)
    if found is None:
        raise not_found()
    return found


def _own(hub: GitHub, call: Call) -> dict[str, Any]:
    stored = _stored(hub, call.number("comment_id"))
    # Stricter than GitHub, where whoever may write may edit: nothing that lockgate writes to is another's.
    if stored["user"]["login"] != call.token.login:
        raise Refused(403, DENIED)
    return stored


def _comment(hub: GitHub, stored: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in stored.items() if key != "number"}
    return {**shown, "user": user(hub, stored["user"]["login"]), "node_id": f"IC_{stored['id']}",
            "url": place(hub, "issues/comments", stored["id"]),
            "issue_url": place(hub, "issues", stored["number"]), "author_association": "CONTRIBUTOR"}  # fmt: skip


def pulls(hub: GitHub, call: Call) -> Answer:
    """List pull requests, the newest first; a head without an owner filters nothing, as on GitHub."""
    state, base, head = call.asked("state", "open"), call.asked("base"), call.asked("head")
    found = [pull for pull in reversed(list(hub.pulls.values()))
             if state in ("all", pull.state) and base in ("", pull.base)
             and (":" not in head or head == _label(hub, pull))]  # fmt: skip
    return page(hub, call, [_simple(hub, pull) for pull in found])


def pull(hub: GitHub, call: Call) -> Answer:
    """One pull request, its test merge brought up to date."""
    return Answer(body=_detailed(hub, _pull(hub, call)))


def create_pull(hub: GitHub, call: Call) -> Answer:
    """Open a pull request between two branches that differ."""
    if call.token.login == ACTIONS_BOT and not hub.actions_may_open_pulls:
        raise Refused(403, "GitHub Actions is not permitted to create or approve pull requests.")
    said = call.body
    owner, _, branch = said["head"].rpartition(":")
    head = branch if owner in ("", hub.slug.partition("/")[0]) else said["head"]
    with hub.lock:
        standing = [found for found in hub.pulls.values() if found.state == "open"]
        if any((found.head, found.base) == (head, said["base"]) for found in standing):
            raise invalid(f"A pull request already exists for {owner or hub.slug.partition('/')[0]}:{branch}.",
                          resource="PullRequest")  # fmt: skip
        made = hub.open_pull(head, base=said["base"], login=call.token.login, title=said.get("title", ""))
        made.body, made.draft = said.get("body"), said.get("draft", False)
        try:
            _require_difference(hub, made)
        except Refused:
            del hub.pulls[made.number]
            hub.threads.discard(made.number)
            raise
    return Answer(status=201, body=_detailed(hub, made))


def _require_difference(hub: GitHub, pull: Pull) -> None:
    base, head = hub.bare.tip(f"refs/heads/{pull.base}"), hub.bare.tip(pull.head_ref)
    for name, found in (("base", base), ("head", head)):
        if found is None:
            raise invalid(f"{name} is invalid", resource="PullRequest", field=name, code="invalid")
    if base is not None and head is not None and hub.bare.merge_base(base, head) == head:
        raise invalid(f"No commits between {pull.base} and {pull.head}", resource="PullRequest")


def update_pull(hub: GitHub, call: Call) -> Answer:
    """Change title, body, base or state."""
    found = _pull(hub, call)
    for name in ("title", "body", "base", "state"):
        if name in call.body:
            setattr(found, name, call.body[name])
    return Answer(body=_detailed(hub, found))


def pull_files(hub: GitHub, call: Call) -> Answer:
    """The files that a pull request changes."""
    found = _pull(hub, call)
    base, head = _ends(hub, found)
    return page(hub, call, diff_entries(hub, hub.bare.merge_base(base, head) or base, head))


def pulls_of_commit(hub: GitHub, call: Call) -> Answer:
    """The pull request that brought a commit in, or the open ones that would."""
    sha = hub.bare.resolve(call.parameters["commit_sha"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.parameters['commit_sha']}")
    found = []
    for candidate in hub.pulls.values():
        base, head = _ends(hub, candidate)
        if candidate.merged and sha in hub.bare.git("rev-list", f"{candidate.merged}^1..{candidate.merged}").split():
            found.append(_simple(hub, candidate))
        if candidate.state == "open" and sha in hub.bare.git("rev-list", f"{base}..{head}").split():
            found.append(_simple(hub, candidate))
    return page(hub, call, found)


def sync_pulls(hub: GitHub) -> None:
    """Bring refs/pull/N/head and refs/pull/N/merge of all open pull requests up to date, as GitHub does."""
    for found in list(hub.pulls.values()):
        if found.state == "open" and hub.bare.tip(found.head_ref):
            _merge(hub, found)


def _merge(hub: GitHub, pull: Pull) -> str | None:
    """The test merge of a pull request; None where it conflicts."""
    base, head = _ends(hub, pull)
    hub.bare.git("update-ref", f"refs/pull/{pull.number}/head", head)
    try:
        tree = hub.bare.git("merge-tree", "--write-tree", base, head).splitlines()[0]
    except Exception:  # noqa: BLE001 a conflict, or no common history
        return None
    # The same two ends always make the same commit.
    person = Person("GitHub", "noreply@github.com", hub.bare.commit(head).committer.date)
    made = hub.bare.commit_tree(tree, (base, head), message=f"Merge {head} into {base}", people=(person, person))
    hub.bare.git("update-ref", f"refs/pull/{pull.number}/merge", made)
    return made


def _pull(hub: GitHub, call: Call) -> Pull:
    found = hub.pulls.get(call.number("pull_number"))
    if found is None:
        raise not_found()
    return found


def _ends(hub: GitHub, pull: Pull) -> tuple[str, str]:
    base = hub.bare.tip(f"refs/heads/{pull.base}") or ""
    return base, hub.bare.tip(pull.head_ref) or hub.bare.tip(f"refs/pull/{pull.number}/head") or base


def _label(hub: GitHub, pull: Pull) -> str:
    return pull.head if ":" in pull.head else f"{hub.slug.partition('/')[0]}:{pull.head}"


def _side(hub: GitHub, label: str, sha: str) -> dict[str, Any]:
    owner, _, branch = label.partition(":")
    slug = f"{owner}/{hub.slug.partition('/')[2]}"
    repo = None if owner in hub.deleted_forks else repository(hub, slug)
    return {"label": label, "ref": branch, "sha": sha, "user": user(hub, owner), "repo": repo}


def _simple(hub: GitHub, pull: Pull) -> dict[str, Any]:
    base, head = _ends(hub, pull)
    page = f"{hub.url}/{hub.slug}/pull/{pull.number}"
    return {
        "id": 500_000 + pull.number, "node_id": f"PR_{pull.number}", "number": pull.number, "state": pull.state,
        "title": pull.title, "body": pull.body, "draft": pull.draft, "locked": False, "user": user(hub, pull.login),
        "head": _side(hub, _label(hub, pull), head), "author_association": "CONTRIBUTOR",
        "base": _side(hub, f"{hub.slug.partition('/')[0]}:{pull.base}", base), "created_at": pull.at,
        "updated_at": pull.at, "url": place(hub, "pulls", pull.number), "html_url": page, "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch", "issue_url": place(hub, "issues", pull.number),
        "merged_at": pull.at if pull.merged else None, "closed_at": None if pull.state == "open" else pull.at,
    }  # fmt: skip


def _detailed(hub: GitHub, pull: Pull) -> dict[str, Any]:
    base, head = _ends(hub, pull)
    merge = _merge(hub, pull)
    files = hub.bare.changes(hub.bare.merge_base(base, head) or base, head)
    return {
        **_simple(hub, pull), "merged": False, "mergeable": merge is not None, "merge_commit_sha": merge,
        "mergeable_state": "dirty" if merge is None else "clean", "changed_files": len(files),
        "additions": sum(change["additions"] for change in files), "merged_by": None,
        "deletions": sum(change["deletions"] for change in files),
        "comments": sum(item["number"] == pull.number for item in hub.comments),
        "commits": int(hub.bare.git("rev-list", "--count", f"{base}..{head}")),
    }  # fmt: skip
