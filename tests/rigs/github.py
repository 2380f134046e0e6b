"""A stand-in for GitHub's REST API on 127.0.0.1: comments with state, tokens with permissions, faults by script.

It answers like the real one where lockgate depends on it: pages with Link headers, 403 for GET /user under a workflow's
token, 403 "Resource not accessible by integration" without the permission, 422 for a body over 65,536 characters.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY_LIMIT = 65_536
DENIED = (403, {"message": "Resource not accessible by integration"})
THREAD = re.compile(r"/repos/[^/]+/[^/]+/issues/(\d+)/comments")
COMMENT = re.compile(r"/repos/[^/]+/[^/]+/issues/comments/(\d+)")


@dataclass(frozen=True, kw_only=True)
class Token:
    """Who a token is and what it may do; `knows_itself` is false for a workflow's own token."""

    login: str = "github-actions[bot]"
    may_write: bool = True
    knows_itself: bool = False


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong once, on the first request that matches.

    `status` 0 closes the connection without a word; `after` carries the request out first; `then` runs before the
    answer, and without a status the request goes on normally.
    """

    method: str
    path: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b'{"message": "scripted fault"}'
    after: bool = False
    then: Callable[[], object] | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request in the journal."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    authorization: str


@dataclass
class GitHub:
    """The state of the stand-in; safe to change between requests."""

    tokens: dict[str, Token] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    journal: list[Seen] = field(default_factory=list)
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    counter: int = 1000

    def add(self, login: str, body: str, *, number: int = 7) -> int:
        """Put a comment of somebody else's into a thread and return its id."""
        with self.lock:
            self.counter += 1
            url = f"{self.url}/acme/app/pull/{number}#issuecomment-{self.counter}"
            user = {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}
            self.comments.append({"id": self.counter, "number": number, "user": user, "body": body, "html_url": url})
            return self.counter

    def bodies(self) -> list[str]:
        """All comments' texts in order of creation."""
        return [comment["body"] for comment in self.comments]

    def asked(self, method: str) -> list[str]:
        """Paths of all requests with a method, in order."""
        return [seen.path for seen in self.journal if seen.method == method]

    def fault_for(self, seen: Seen) -> Fault | None:
        """Take the first scripted fault that matches a request."""
        with self.lock:
            for fault in self.faults:
                if fault.method == seen.method and re.fullmatch(fault.path, seen.path):
                    self.faults.remove(fault)
                    return fault
        return None

    def answer(self, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        """Carry a request out: status, JSON body, headers."""
        token = self.tokens.get(seen.authorization.removeprefix("Bearer "))
        if token is None:
            return 401, {"message": "Bad credentials"}, {}
        if seen.path == "/user":
            return (200, {"login": token.login}, {}) if token.knows_itself else (*DENIED, {})
        if seen.method != "GET" and not token.may_write:
            return (*DENIED, {})
        with self.lock:
            if found := THREAD.fullmatch(seen.path):
                number = int(found.group(1))
                return self._page(seen, number) if seen.method == "GET" else self._create(seen, number, token)
            if found := COMMENT.fullmatch(seen.path):
                return self._change(seen, int(found.group(1)), token)
        return 404, {"message": "Not Found"}, {}

    def _page(self, seen: Seen, number: int) -> tuple[int, Any, dict[str, str]]:
        size = min(int(seen.query.get("per_page", ["30"])[0]), 100)
        page = int(seen.query.get("page", ["1"])[0])
        found = [comment for comment in self.comments if comment["number"] == number]
        more = page * size < len(found)
        link = {"Link": f'<{self.url}{seen.path}?per_page={size}&page={page + 1}>; rel="next"'} if more else {}
        return 200, found[(page - 1) * size : page * size], link

    def _create(self, seen: Seen, number: int, token: Token) -> tuple[int, Any, dict[str, str]]:
        if problem := _unusable(seen.body):
            return problem
        self.add(token.login, seen.body["body"], number=number)
        return 201, self.comments[-1], {}

    def _change(self, seen: Seen, identifier: int, token: Token) -> tuple[int, Any, dict[str, str]]:
        comment = next((comment for comment in self.comments if comment["id"] == identifier), None)
        if comment is None:
            return 404, {"message": "Not Found"}, {}
        if comment["user"]["login"] != token.login:
            return (*DENIED, {})
        if seen.method == "DELETE":
            self.comments.remove(comment)
            return 204, None, {}
        if problem := _unusable(seen.body):
            return problem
        comment["body"] = seen.body["body"]
        return 200, comment, {}


def _unusable(body: Any) -> tuple[int, Any, dict[str, str]] | None:
    if not isinstance(body, dict) or not isinstance(body.get("body"), str):
        return 422, {"message": "Invalid request"}, {}
    if len(body["body"]) > BODY_LIMIT:
        return 422, {"message": f"Validation Failed: body is too long (maximum is {BODY_LIMIT} characters)"}, {}
    return None


@contextmanager
def github_server() -> Iterator[GitHub]:
    """Serve a fresh stand-in for as long as the block lasts."""
    state = GitHub()

    class Handler(_Handler):
        github = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    github: GitHub

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        seen = Seen(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query),
            body=json.loads(self.rfile.read(length)) if length else None,
            authorization=self.headers.get("Authorization", ""),
        )
        self.github.journal.append(seen)
        fault = self.github.fault_for(seen)
        if fault is None or fault.status is None or fault.after:
            answer = self.github.answer(seen)
        if fault is not None and fault.then is not None:
            fault.then()
        if fault is None or fault.status is None:
            status, body, headers = answer
            self._send(status, b"" if body is None else json.dumps(body).encode(), headers)
        elif fault.status:
            self._send(fault.status, fault.body, dict(fault.headers))

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Stay quiet."""
