"""Clone, fetch and push by git's own HTTP backend."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

from tests.rigs.github_hub.bare import git_environ
from tests.rigs.github_hub.conversations import sync_pulls
from tests.rigs.github_hub.model import Answer, Point, Refused, Seen, Token
from tests.rigs.github_hub.rest import token_of

if TYPE_CHECKING:
    from tests.rigs.github_hub.state import GitHub

TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def is_git(hub: GitHub, path: str) -> bool:
    """Whether a path is the repository's for git."""
    return path.startswith((f"/{hub.slug}.git/", f"/{hub.slug}/info/refs", f"/{hub.slug}/git-"))


def answer(hub: GitHub, seen: Seen) -> Answer:
    """Carry a request of git out, where the token may."""
    pushes = "git-receive-pack" in (seen.path.rpartition("/")[2], seen.query.get("service", [""])[-1])
    refusal, token = _refusal(hub, seen, pushes=pushes)
    if refusal is not None:
        return refusal
    if seen.path.endswith("/git-receive-pack"):
        hub.reach(Point.REF_UPDATE)
    elif seen.path.endswith("/info/refs"):
        sync_pulls(hub)
    return _backend(hub, seen, token.login if token else "")


def _refusal(hub: GitHub, seen: Seen, *, pushes: bool) -> tuple[Answer | None, Token | None]:
    ask = {"WWW-Authenticate": 'Basic realm="GitHub"', **TEXT}
    try:
        token = token_of(hub, seen.authorization)
    except (Refused, ValueError):
        return Answer(status=401, body=b"Invalid username or token.\n", headers=ask), None
    if token is None and (hub.private or pushes):
        return Answer(status=401, body=b"No anonymous write access.\n", headers=ask), None
    need = "contents:write" if pushes else "contents:read"
    if token is not None and not token.allows(need):
        words = f"Permission to {hub.slug}.git denied to {token.login}.\n"
        return Answer(status=403, body=words.encode(), headers=TEXT), token
    return None, token


def _backend(hub: GitHub, seen: Seen, login: str) -> Answer:
    below = seen.path[len(f"/{hub.slug}") :].removeprefix(".git")
    service = seen.query.get("service", [""])[-1]
    environ = git_environ() | {
        "GIT_PROJECT_ROOT": str(hub.bare.path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{hub.bare.path.name}{below}",
        "QUERY_STRING": f"service={service}" if service else "",
        "REQUEST_METHOD": seen.method,
        "CONTENT_TYPE": seen.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(seen.raw)),
        "HTTP_CONTENT_ENCODING": seen.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": seen.headers.get("git-protocol", ""),
        "REMOTE_USER": login,
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(("git", "http-backend"), env=environ, input=seen.raw, capture_output=True, check=False)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split(" ")[0])
    return Answer(status=status, body=body, headers=headers)


def credentials(word: str) -> tuple[str, ...]:
    """The git options that send a token as actions/checkout does."""
    encoded = base64.b64encode(f"x-access-token:{word}".encode()).decode()
    return ("-c", f"http.extraheader=AUTHORIZATION: basic {encoded}")
