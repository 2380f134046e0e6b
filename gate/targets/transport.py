"""HTTP over connections that can be cut, without anything that the environment would add."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import certifi
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

_CONNECT_S = 10.0
_CHUNK = 65536


class Line:
    """One connection at a time to one endpoint; not for two threads at once, except that any may cut it.

    The read timeout starts anew with every byte received; cutting the socket is what ends a drip. This is urllib3
    without a session around it: a session follows redirects, keeps cookies, and reads proxies, credentials and
    certificates from the environment. An endpoint that knows its callers again could answer one pass by another.
    """

    def __init__(self, url: str) -> None:
        """Start without a connection to the URL's host; everything is posted to this URL."""
        parts = urlsplit(url)
        self._path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
        self._pool = _pool(self, parts)
        self._socket: socket.socket | None = None
        self._is_cut = False

    def post(self, headers: Mapping[str, str], *, body: bytes, seconds: float) -> BaseHTTPResponse:
        """Send a request and return the response when its headers are there; the caller closes it.

        Raises errors of urllib3, and those of sockets.
        """
        self._is_cut = False
        return self._pool.urlopen(
            "POST",
            self._path,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            timeout=Timeout(connect=min(_CONNECT_S, seconds), read=seconds),
            preload_content=False,
            decode_content=False,
        )

    def hold(self, opened: socket.socket | None) -> None:
        """Remember the socket that is in use; one that opens too late is cut at once."""
        self._socket = opened
        if self._is_cut:
            self.cut()

    def cut(self) -> None:
        """Shut the socket: what waits for it fails at once."""
        self._is_cut = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def read_pieces(response: BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the body as it arrives, each piece as soon as it is there; nothing is decompressed."""
    if response.chunked:
        yield from response.stream(_CHUNK, decode_content=False)
        return
    while piece := response.read1(_CHUNK, decode_content=False):
        yield piece


def read_body(response: BaseHTTPResponse, limit: int) -> bytes:
    """Read the body up to one byte over the limit."""
    content = bytearray()
    for piece in response.stream(_CHUNK, decode_content=False):
        content += piece
        if len(content) > limit:
            break
    return bytes(content[: limit + 1])


class _Held(HTTPConnection):
    """Tells its line the socket, and sends a request in one piece; every request of ours has a body."""

    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self._line = line
        self._head = b""

    def putrequest(self, *args: Any, **options: Any) -> None:
        self._head = b""
        super().putrequest(*args, **options)

    def send(self, data: Any) -> None:
        if self._head:
            super().send(self._head + data)
        else:
            self._head = data

    def connect(self) -> None:
        super().connect()
        self._line.hold(self.sock)


class _HeldSecure(_Held, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Held


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _HeldSecure


def _pool(line: Line, url: SplitResult) -> HTTPConnectionPool:
    host = url.hostname or ""
    if url.scheme == "http":
        return _Pool(host, url.port, maxsize=1, line=line)
    return _SecurePool(host, url.port, maxsize=1, line=line, ssl_context=_trust())


@cache
def _trust() -> ssl.SSLContext:
    """What is trusted, for all connections: reading the certificates takes as long as some calls."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(certifi.where())
    return context
