"""How things look in answers: only what the stand-in knows; the rest is filled in from GitHub's description."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.rigs.github_hub.model import Answer, Call
from tests.rigs.github_hub.state import WEB_FLOW, GitHub, user_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.rigs.github_hub.bare import Commit, Person

REPOSITORY_ID = 4242
LONGEST_PAGE = 100


def user(hub: GitHub, login: str) -> dict[str, Any]:
    """A user or an app's bot."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {"login": login, "id": user_id(login), "node_id": f"U_{user_id(login)}", "type": kind, "site_admin": False,
            "url": f"{hub.url}/users/{login}", "html_url": f"{hub.url}/{login}"}  # fmt: skip


def repository(hub: GitHub, slug: str = "") -> dict[str, Any]:
    """This repository, or a fork of it."""
    slug = slug or hub.slug
    owner, _, name = slug.partition("/")
    identifier = REPOSITORY_ID if slug == hub.slug else user_id(slug)
    return {"id": identifier, "node_id": f"R_{identifier}", "name": name, "full_name": slug, "private": hub.private,
            "owner": user(hub, owner), "fork": slug != hub.slug, "url": f"{hub.url}/repos/{slug}",
            "html_url": f"{hub.url}/{slug}"}  # fmt: skip


def place(hub: GitHub, *parts: object) -> str:
    """An address of the API below the repository."""
    return "/".join((hub.url, "repos", hub.slug, *map(str, parts)))


def identity(person: Person) -> dict[str, str]:
    """An author or committer."""
    return {"name": person.name, "email": person.email, "date": person.date}


def verification(hub: GitHub, commit: Commit) -> dict[str, Any]:
    """Whether GitHub itself has signed a commit."""
    signed = commit.sha in hub.signed
    return {"verified": signed, "reason": "valid" if signed else "unsigned", "signature": "sig" if signed else None,
            "payload": None, "verified_at": commit.committer.date if signed else None}  # fmt: skip


def git_commit(hub: GitHub, commit: Commit) -> dict[str, Any]:
    """A commit as a git object."""
    page = f"{hub.url}/{hub.slug}/commit"
    return {
        "sha": commit.sha, "node_id": f"C_{commit.sha}", "url": place(hub, "git/commits", commit.sha),
        "html_url": f"{page}/{commit.sha}", "author": identity(commit.author), "committer": identity(commit.committer),
        "message": commit.message, "tree": {"sha": commit.tree, "url": place(hub, "git/trees", commit.tree)},
        "parents": [{"sha": sha, "url": place(hub, "git/commits", sha), "html_url": f"{page}/{sha}"}
                    for sha in commit.parents],
        "verification": verification(hub, commit),
    }  # fmt: skip


def repository_commit(hub: GitHub, sha: str) -> dict[str, Any]:
    """A commit as the repository shows it."""
    commit = hub.bare.commit(sha)
    inner = git_commit(hub, commit)
    web_flow = (commit.committer.name, commit.committer.email) == WEB_FLOW
    committer = user(hub, "web-flow" if web_flow else commit.committer.name)
    return {
        "sha": sha, "node_id": inner["node_id"], "url": place(hub, "commits", sha), "html_url": inner["html_url"],
        "comments_url": place(hub, "commits", sha, "comments"), "author": user(hub, commit.author.name),
        "committer": committer, "parents": inner["parents"],
        "commit": {key: inner[key] for key in ("author", "committer", "message", "tree", "verification", "url")},
    }  # fmt: skip


def diff_entries(hub: GitHub, base: str, head: str) -> list[dict[str, Any]]:
    """The changed files between two commits."""
    return [
        {**change, "contents_url": place(hub, f"contents/{change['filename']}?ref={head}"),
         "blob_url": f"{hub.url}/{hub.slug}/blob/{head}/{change['filename']}",
         "raw_url": f"{hub.url}/{hub.slug}/raw/{head}/{change['filename']}"}
        for change in hub.bare.changes(base, head)
    ]  # fmt: skip


def wrapped_base64(content: bytes) -> str:
    """Base64 in lines of 60, as GitHub sends it."""
    text = base64.b64encode(content).decode()
    return "".join(f"{text[at : at + 60]}\n" for at in range(0, len(text), 60))


def page(hub: GitHub, call: Call, items: Sequence[Any], name: str = "") -> Answer:
    """One page of a list with its links; `name` is the list's in an answer that also counts."""
    size = min(max(int(call.asked("per_page", "30")), 1), LONGEST_PAGE)
    number = max(int(call.asked("page", "1")), 1)
    last = max((len(items) - 1) // size + 1, 1)
    targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    shown = [name for name, target in targets.items()
             if (target >= 1 and number > 1 if name in ("prev", "first") else number < last)]  # fmt: skip
    # GitHub's own links name the repository by its number.
    path = call.seen.path.replace(f"/repos/{hub.slug}", f"/repositories/{REPOSITORY_ID}", 1)
    rest = "".join(f"&{key}={values[-1]}" for key, values in call.seen.query.items() if key not in ("page", "per_page"))
    links = [f'<{hub.url}{path}?per_page={size}&page={targets[kind]}{rest}>; rel="{kind}"' for kind in shown]
    found = list(items[(number - 1) * size : number * size])
    body = {"total_count": len(items), name: found} if name else found
    return Answer(body=body, headers={"Link": ", ".join(links)} if links else {})
