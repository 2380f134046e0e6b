"""Files, refs, objects, comparisons: everything that is in the repository."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from tests.rigs.github_hub.bare import FILE, GitError, Person
from tests.rigs.github_hub.model import Answer, Call, Point, Refused, Token, not_found
from tests.rigs.github_hub.shapes import (
    diff_entries,
    git_commit,
    page,
    place,
    repository_commit,
    wrapped_base64,
)
from tests.rigs.github_hub.state import WEB_FLOW, GitHub

if TYPE_CHECKING:
    from tests.rigs.github_hub.bare import Entry

RULES = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
INLINE_LIMIT = 1_000_000
MOST_FILES = 1_000
MOST_COMPARED = 300


def contents(hub: GitHub, call: Call) -> Answer:
    """A file, raw where the request accepts only that, or the list of a folder."""
    ref, path = call.asked("ref", "main"), call.parameters["path"].strip("/")
    commit = hub.bare.resolve(ref)
    if commit is None:
        raise Refused(404, f"No commit found for the ref {ref}")
    found = next(iter(hub.bare.entries(commit, path)), None)
    if found is None:
        raise not_found()
    if found.kind == "tree":
        below = hub.bare.entries(commit, f"{path}/")[:MOST_FILES]
        return Answer(body=[_content(hub, entry, ref) for entry in below])
    content = hub.bare.content(found.sha)
    if "raw" in call.seen.headers.get("accept", ""):
        return Answer(body=content, headers={"Content-Type": "application/vnd.github.raw+json"})
    inline = len(content) <= INLINE_LIMIT
    text = {"content": wrapped_base64(content) if inline else "", "encoding": "base64" if inline else "none"}
    return Answer(body={**_content(hub, found, ref), **text})


def _content(hub: GitHub, entry: Entry, ref: str) -> dict[str, Any]:
    url = place(hub, f"contents/{entry.path}?ref={ref}")
    kind = "tree" if entry.kind == "tree" else "blob"
    html, git = f"{hub.url}/{hub.slug}/{kind}/{ref}/{entry.path}", place(hub, f"git/{kind}s", entry.sha)
    return {
        "type": "dir" if kind == "tree" else "file", "name": entry.path.rpartition("/")[2], "path": entry.path,
        "sha": entry.sha, "size": entry.size or 0, "url": url, "html_url": html, "git_url": git,
        "download_url": None if kind == "tree" else f"{hub.url}/{hub.slug}/raw/{ref}/{entry.path}",
        "_links": {"self": url, "git": git, "html": html},
    }  # fmt: skip


def put_contents(hub: GitHub, call: Call) -> Answer:
    """Create or replace one file in one commit; the branch is compared and swapped."""
    said, path = call.body, call.parameters["path"].strip("/")
    ref = f"refs/heads/{said.get('branch', 'main')}"
    head = hub.bare.tip(ref)
    if head is None:
        raise Refused(404, f"Branch {said['branch']} not found")
    standing = next(iter(hub.bare.entries(head, path)), None)
    if standing is not None and "sha" not in said:
        raise Refused(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if standing is not None and standing.sha != said["sha"]:
        raise Refused(409, f"{path} does not match {said['sha']}")
    if (rules := hub.refuses(ref, call.token)) is not None:
        verb = "create" if standing is None else "update"
        classic = f"Could not {verb} file: Changes must be made through a pull request."
        raise Refused(409, classic if rules.classic else RULES)
    blob = hub.bare.blob(decoded(said["content"]))
    tree = hub.bare.tree(head, {path: (standing.mode if standing else FILE, blob)})
    new = commit_as(hub, call.token, tree=tree, parents=(head,), said=said)
    swap(hub, ref, new=new, old=head)
    made = next(iter(hub.bare.entries(new, path)))
    status = 201 if standing is None else 200
    return Answer(status=status, body={"content": _content(hub, made, ref.removeprefix("refs/heads/")),
                                       "commit": git_commit(hub, hub.bare.commit(new))})  # fmt: skip


def decoded(text: str) -> bytes:
    """Base64 with or without line ends."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise Refused(422, "content is not valid Base64") from None


def commit_as(hub: GitHub, token: Token, *, tree: str, parents: tuple[str, ...], said: dict[str, Any]) -> str:
    """Make a commit; GitHub signs it when it is an app's and names nobody else."""
    own, web = hub.person(token.login), Person(*WEB_FLOW, hub.now())
    author = _named(said.get("author"), own)
    committer = _named(said.get("committer") or said.get("author"), web)
    new = hub.bare.commit_tree(tree, parents, message=said["message"], people=(author, committer))
    if token.is_bot and "author" not in said and "committer" not in said:
        hub.signed.add(new)
    return new


def _named(said: dict[str, str] | None, default: Person) -> Person:
    return Person(said["name"], said["email"], said.get("date", default.date)) if said else default


def swap(hub: GitHub, ref: str, *, new: str, old: str) -> None:
    """Move a ref from where it was read; 409 where somebody else was quicker."""
    hub.reach(Point.REF_UPDATE)
    if not hub.bare.move(ref, new, old):
        raise Refused(409, f"is at {hub.bare.tip(ref)} but expected {old}")


def ref(hub: GitHub, call: Call) -> Answer:
    """One ref by its exact name."""
    name = f"refs/{call.parameters['ref']}"
    found = next((row for row in hub.bare.refs(name) if row[0] == name), None)
    if found is None:
        raise not_found()
    return Answer(body=_ref(hub, *found))


def matching_refs(hub: GitHub, call: Call) -> Answer:
    """All refs that start with a name."""
    return Answer(body=[_ref(hub, *row) for row in hub.bare.refs(f"refs/{call.parameters['ref']}")])


def create_ref(hub: GitHub, call: Call) -> Answer:
    """Create a ref that is not there yet."""
    name, sha = call.body["ref"], call.body["sha"]
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Refused(422, f"{name} is not a valid ref name.")
    kind = hub.bare.kind(sha)
    if kind is None:
        raise Refused(422, "Object does not exist")
    if hub.bare.tip(name) is not None:
        raise Refused(422, "Reference already exists")
    _require_open(hub, name, call.token)
    hub.reach(Point.REF_UPDATE)
    if not hub.bare.move(name, sha, None):
        raise Refused(422, "Reference already exists")
    return Answer(status=201, body=_ref(hub, name, sha, kind))


def update_ref(hub: GitHub, call: Call) -> Answer:
    """Move a ref, forward only where not forced."""
    name, sha = f"refs/{call.parameters['ref']}", call.body["sha"]
    old, kind = hub.bare.tip(name), hub.bare.kind(sha)
    if old is None:
        raise Refused(422, "Reference does not exist")
    if kind is None:
        raise Refused(422, "Object does not exist")
    _require_open(hub, name, call.token)
    hub.reach(Point.REF_UPDATE)
    now = hub.bare.tip(name)
    if not call.body.get("force", False) and (now is None or hub.bare.merge_base(now, sha) != now):
        raise Refused(422, "Update is not a fast forward")
    if now is None or not hub.bare.move(name, sha, now):
        raise Refused(422, "Reference cannot be updated")
    return Answer(body=_ref(hub, name, sha, kind))


def delete_ref(hub: GitHub, call: Call) -> Answer:
    """Delete a ref."""
    name = f"refs/{call.parameters['ref']}"
    old = hub.bare.tip(name)
    if old is None:
        raise Refused(422, "Reference does not exist")
    _require_open(hub, name, call.token)
    hub.bare.git("update-ref", "-d", name, old)
    return Answer(status=204)


def _require_open(hub: GitHub, name: str, token: Token) -> None:
    if (rules := hub.refuses(name, token)) is not None:
        raise Refused(422, "Cannot update this protected ref." if rules.classic else RULES)


def _ref(hub: GitHub, name: str, sha: str, kind: str) -> dict[str, Any]:
    return {"ref": name, "node_id": f"REF_{name}", "url": place(hub, "git", name),
            "object": {"type": kind, "sha": sha, "url": place(hub, f"git/{kind}s", sha)}}  # fmt: skip


def create_blob(hub: GitHub, call: Call) -> Answer:
    """Store a blob."""
    text = call.body["content"]
    content = decoded(text) if call.body.get("encoding") == "base64" else text.encode()
    sha = hub.bare.blob(content)
    return Answer(status=201, body={"sha": sha, "url": place(hub, "git/blobs", sha)})


def blob(hub: GitHub, call: Call) -> Answer:
    """A blob in base64."""
    sha = _object(hub, call.parameters["file_sha"], "blob")
    content = hub.bare.content(sha)
    return Answer(body={"sha": sha, "node_id": f"B_{sha}", "url": place(hub, "git/blobs", sha), "size": len(content),
                        "content": wrapped_base64(content), "encoding": "base64"})  # fmt: skip


def create_tree(hub: GitHub, call: Call) -> Answer:
    """Store a tree from another one and changes."""
    changes = {}
    for item in call.body["tree"]:
        if "content" in item:
            changes[item["path"]] = (item.get("mode", FILE), hub.bare.blob(item["content"].encode()))
        else:
            changes[item["path"]] = None if item["sha"] is None else (item.get("mode", FILE), item["sha"])
    try:
        sha = hub.bare.tree(call.body.get("base_tree"), changes)
    except GitError as error:
        raise Refused(422, f"tree could not be made: {error}") from None
    return Answer(status=201, body=_tree(hub, sha, recursive=False))


def tree(hub: GitHub, call: Call) -> Answer:
    """A tree by its hash, or that of a branch's commit; whole where `recursive` is given at all."""
    name = call.parameters["tree_sha"]
    sha = hub.bare.resolve(name)
    found = hub.bare.commit(sha).tree if sha else _object(hub, name, "tree")
    return Answer(body=_tree(hub, found, recursive="recursive" in call.seen.query))


def _tree(hub: GitHub, sha: str, *, recursive: bool) -> dict[str, Any]:
    rows = [
        {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha,
         "url": place(hub, f"git/{entry.kind}s", entry.sha), **({} if entry.size is None else {"size": entry.size})}
        for entry in hub.bare.entries(sha, recursive=recursive)
    ]  # fmt: skip
    return {"sha": sha, "url": place(hub, "git/trees", sha), "tree": rows, "truncated": False}


def create_commit(hub: GitHub, call: Call) -> Answer:
    """Store a commit; no ref moves."""
    tree = call.body["tree"]
    if hub.bare.kind(tree) != "tree":
        raise Refused(422, "Tree SHA does not exist")
    parents = tuple(call.body.get("parents", ()))
    if any(hub.bare.kind(parent) != "commit" for parent in parents):
        raise Refused(422, "Parent SHA does not exist or is not a commit object")
    new = commit_as(hub, call.token, tree=tree, parents=parents, said=call.body)
    return Answer(status=201, body=git_commit(hub, hub.bare.commit(new)))


def git_commit_of(hub: GitHub, call: Call) -> Answer:
    """A commit as an object."""
    return Answer(body=git_commit(hub, hub.bare.commit(_object(hub, call.parameters["commit_sha"], "commit"))))


def _object(hub: GitHub, sha: str, kind: str) -> str:
    if hub.bare.kind(sha) != kind:
        raise not_found()
    return sha


def commit(hub: GitHub, call: Call) -> Answer:
    """A commit by branch, tag or hash, with what it changes."""
    sha = hub.bare.resolve(call.parameters["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.parameters['ref']}")
    parents = hub.bare.commit(sha).parents
    files = {"files": diff_entries(hub, parents[0], sha)} if parents else {}
    return Answer(body={**repository_commit(hub, sha), **files})


def compare(hub: GitHub, call: Call) -> Answer:
    """What one commit has that another has not; at most 300 files."""
    names = call.parameters["basehead"].split("...")
    ends = [hub.bare.resolve(name.rpartition(":")[2]) for name in names]
    if len(ends) != 2 or None in ends:
        raise not_found()
    base, head = str(ends[0]), str(ends[1])
    common = hub.bare.merge_base(base, head)
    if common is None:
        raise Refused(404, f"No common ancestor between {names[0]} and {names[1]}.")
    ahead = hub.bare.git("rev-list", "--reverse", f"{base}..{head}").split()
    behind = int(hub.bare.git("rev-list", "--count", f"{head}..{base}"))
    status = ("diverged" if behind else "ahead") if ahead else ("behind" if behind else "identical")
    shown = page(hub, call, ahead)
    url = f"{hub.url}/{hub.slug}/compare/{call.parameters['basehead']}"
    return Answer(headers=shown.headers, body={
        "url": place(hub, "compare", call.parameters["basehead"]), "html_url": url, "permalink_url": url,
        "diff_url": f"{url}.diff", "patch_url": f"{url}.patch", "base_commit": repository_commit(hub, base),
        "merge_base_commit": repository_commit(hub, common), "status": status, "ahead_by": len(ahead),
        "behind_by": behind, "total_commits": len(ahead),
        "commits": [repository_commit(hub, sha) for sha in shown.body],
        "files": diff_entries(hub, common, head)[:MOST_COMPARED],
    })  # fmt: skip
