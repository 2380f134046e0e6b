"""The stand-in on two ports of 127.0.0.1: GitHub, and the storage that artifacts are downloaded from."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import traceback
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.rigs.github_hub import rest, smart_http
from tests.rigs.github_hub.model import Answer, Fault, Seen
from tests.rigs.github_hub.state import GitHub

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED = re.compile(r"/artifacts/(\d+)\.zip")


class ContractError(AssertionError):
    """Something was asked or answered that GitHub's description does not allow."""


@contextmanager
def github_server() -> Iterator[GitHub]:
    """Serve a fresh stand-in for as long as the block lasts.

    Raises ContractError at its end for every violation that the test has not taken.
    """
    with tempfile.TemporaryDirectory(prefix="github-") as folder:
        state = GitHub(folder=Path(folder))
        with _listening(state, _Handler) as state.url, _listening(state, _Storage) as state.storage_url:
            try:
                yield state
            except BaseException as error:
                for words in state.violations:
                    error.add_note(words)
                raise
        if state.violations:
            raise ContractError("\n".join(state.violations))


@contextmanager
def _listening(state: GitHub, handler: type[_Handler]) -> Iterator[str]:
    class Handler(handler):  # type: ignore[valid-type, misc]
        github = state

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_arguments: object) -> None:
        """A client that went away is no news; anything else was noted where it happened."""


class _Handler(BaseHTTPRequestHandler):
    github: GitHub

    def do_GET(self) -> None:
        seen = self._seen()
        self.github.journal.append(seen)
        fault = _fault_for(self.github, seen)
        answer = None
        if fault is None or fault.after or fault.status is None:
            answer = self._answer(seen)
        if fault is not None and fault.then is not None:
            fault.then()
        if fault is not None and fault.status is not None:
            answer = Answer(status=fault.status, body=fault.body, headers=dict(fault.headers)) if fault.status else None
        if answer is not None:
            seen.status = answer.status
            self._send(answer, None if fault is None else fault.cut)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _seen(self) -> Seen:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self._body()
        said = raw and not smart_http.is_git(self.github, parts.path)
        return Seen(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            body=_json(raw) if said else None,
            authorization=headers.get("authorization", ""),
            headers=headers,
            raw=raw,
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _answer(self, seen: Seen) -> Answer:
        serve = smart_http.answer if smart_http.is_git(self.github, seen.path) else rest.answer
        try:
            return serve(self.github, seen)
        except Exception:  # noqa: BLE001 whatever it is, the test must hear of it
            self.github.violation(f"the stand-in broke down on {seen.method} {seen.path}:\n{traceback.format_exc()}")
            return Answer(status=500, body={"message": "the stand-in broke down"})

    def _send(self, answer: Answer, cut: int | None) -> None:
        given = answer.body
        body = given if isinstance(given, bytes) else b"" if given is None else json.dumps(given).encode()
        kind = {} if given is None else {"Content-Type": "application/json; charset=utf-8"}
        self.send_response(answer.status)
        for name, value in {**kind, **answer.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])

    def log_message(self, *_arguments: object) -> None:
        """Stay quiet."""


class _Storage(_Handler):
    """What GitHub redirects downloads to: it knows signed addresses and refuses a token that is sent along."""

    def _answer(self, seen: Seen) -> Answer:
        found = STORED.fullmatch(seen.path)
        stored = next((item for item in self.github.artifacts if found and item.id == int(found.group(1))), None)
        if seen.authorization:
            self.github.violation("the API's token was sent to the storage")
            return Answer(status=401, body=b"<Error><Code>InvalidAuthenticationInfo</Code></Error>")
        if stored is None or seen.query.get("sig") != ["signature"]:
            return Answer(status=403, body=b"<Error><Code>AuthenticationFailed</Code></Error>")
        return Answer(body=stored.content, headers={"Content-Type": "application/zip"})


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _fault_for(hub: GitHub, seen: Seen) -> Fault | None:
    """Count the request for the scripted faults up to the first that it meets."""
    with hub.lock:
        for fault in hub.faults:
            if fault.method not in ("*", seen.method) or not re.fullmatch(fault.path, seen.path):
                continue
            met = hub.met[fault] = hub.met.get(fault, 0) + 1
            if met < fault.nth:
                continue
            if fault.times is not None and met - fault.nth + 1 >= fault.times:
                hub.faults.remove(fault)
            return fault
    return None
