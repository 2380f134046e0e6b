"""Single files of a commit, read through the API: bounded, by the commit's id, and only regular ones."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote

from gate.core.model import Json
from gate.errors import PublishError
from gate.forge.event import COMMIT
from gate.forge.pulls import PAGE, Repository

MOST_FILES = 3_000
LARGEST_FILE = 16 * 2**20
BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
GONE = 404


def fetch_commit(repository: Repository, ref: str) -> str:
    """The id of the commit that a branch, tag or id names; raises PublishError."""
    body = repository.get(f"/commits/{quote(ref, safe='')}", f"the commit {ref!r} could not be read")
    sha = body.get("sha") if isinstance(body, dict) else None
    if not isinstance(sha, str) or COMMIT.fullmatch(sha) is None:
        raise PublishError(f"the commit {ref!r} could not be read: the API's answer is no commit")
    return sha


def fetch_blob(repository: Repository, path: str, sha: str) -> bytes | None:
    """A file's content at a commit; None where it is not there. Raises PublishError for what is no regular file."""
    doing = f"{path} of {sha[:12]} could not be read"
    reply = repository.api.get(f"/repos/{repository.name}/contents/{quote(path)}", {"ref": sha})
    if reply.status == GONE:
        return None
    body = reply.expect(doing).body
    kind, size, blob = (body.get(key) for key in ("type", "size", "sha")) if isinstance(body, dict) else (None,) * 3
    if kind != "file" or not isinstance(size, int) or not isinstance(blob, str) or BLOB.fullmatch(blob) is None:
        raise PublishError(f"{doing}: it is not a regular file")
    if size > LARGEST_FILE:
        raise PublishError(f"{doing}: it is larger than {LARGEST_FILE} bytes")
    return _decoded(repository.get(f"/git/blobs/{blob}", doing), doing)


def fetch_object(repository: Repository, blob: str) -> bytes:
    """A file's content by git's id of it; raises PublishError."""
    doing = f"the file {blob[:12]} could not be read"
    if BLOB.fullmatch(blob) is None:
        raise PublishError(f"{doing}: that is no id of git")
    return _decoded(repository.get(f"/git/blobs/{blob}", doing), doing)


def _decoded(body: Json, doing: str) -> bytes:
    content = body.get("content") if isinstance(body, dict) and body.get("encoding") == "base64" else None
    if not isinstance(content, str):
        raise PublishError(f"{doing}: the API's answer is no file")
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except binascii.Error:
        raise PublishError(f"{doing}: the API's answer is damaged") from None


def fetch_changed(repository: Repository, number: int) -> tuple[str, ...]:
    """Paths that a pull request changes, both names of a renamed file; raises PublishError for over 3,000 of them."""
    doing = f"the files of pull request {number} could not be read"
    paths: list[str] = []
    for page in range(1, MOST_FILES // PAGE + 1):
        reply = repository.api.get(f"/repos/{repository.name}/pulls/{number}/files", {"per_page": PAGE, "page": page})
        body = reply.expect(doing).body
        for entry in body if isinstance(body, list) else ():
            names = (entry.get("filename"), entry.get("previous_filename")) if isinstance(entry, dict) else ()
            paths += [name for name in names if isinstance(name, str)]
        if reply.last_page:
            return tuple(dict.fromkeys(paths))
    raise PublishError(f"{doing}: there are {MOST_FILES} or more")
