"""A real endpoint on this machine that answers each request as a test says, and remembers what came."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gate.core.model import Json
from gate.targets.definition import TargetDefinition

Respond = Callable[[BaseHTTPRequestHandler], None]


def define(url: str | None, **changes: object) -> TargetDefinition:
    """A target that asks this address, with the key MY_KEY, which may be sent to this machine."""
    settings = {
        "name": "t",
        "provider": "openai",
        "model": "m-1",
        "base_url": url,
        "api_key_name": "MY_KEY",
        "timeout_s": 20.0,
        "allowed_hosts": {"MY_KEY": ("127.0.0.1",)},
    }
    return TargetDefinition(**(settings | changes))  # type: ignore[arg-type]


class Endpoint(ThreadingHTTPServer):
    """Answers each request by `respond`; `seen` are path, headers and body of each."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, respond: Respond) -> None:
        self.seen: list[tuple[str, dict[str, str], Json]] = []
        self.peers: set[object] = set()
        self.released = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.seen.append((self.path, dict(self.headers), json.loads(body)))
                endpoint.peers.add(self.client_address)
                try:
                    respond(self)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST  # noqa: N815 - the name that http.server looks for

            def log_message(self, *arguments: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"


@contextmanager
def serving(respond: Respond) -> Iterator[Endpoint]:
    endpoint = Endpoint(respond)
    thread = threading.Thread(target=endpoint.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.released.set()
        endpoint.shutdown()
        thread.join()
        endpoint.server_close()


def say(body: bytes | Json, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Respond:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return respond


def stream(*pieces: bytes, chunked: bool = True, whole: bool = True) -> Respond:
    """Send an event stream piece by piece; without `whole` the connection ends in the middle of it."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
        handler.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked and whole:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = not (chunked and whole)

    return respond


def events(*documents: Json, end: str = "data: [DONE]\n\n") -> bytes:
    return b"".join(b"data: " + json.dumps(document).encode() + b"\n\n" for document in documents) + end.encode()


def in_turn(*responses: Respond) -> Respond:
    left = list(responses)

    def respond(handler: BaseHTTPRequestHandler) -> None:
        left.pop(0)(handler)

    return respond
