"""HTTP over connections that can be cut, without anything that the environment would add."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_CONNECT_S = 10.0
_CHUNK = 65536


class Line(HTTPAdapter):
    """One connection at a time to one endpoint; not for two threads at once, except that any may cut it.

    The timeouts of requests start anew with every byte received; cutting the socket is what ends a drip. No session is
    around it: a session follows redirects, keeps cookies, and reads proxies, credentials and certificates from the
    environment. An endpoint that knows its callers again could answer one pass by another.
    """

    def __init__(self) -> None:
        """Start without a connection, and without retries of its own."""
        self._socket: socket.socket | None = None
        self._is_cut = False
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections that tell this line their socket."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self)

    def post(self, url: str, headers: Mapping[str, str], *, body: bytes, seconds: float) -> requests.Response:
        """Send a request and return the response when its headers are there; the caller closes it."""
        self._is_cut = False
        request = requests.PreparedRequest()
        request.method, request.url, request.body = "POST", url, body
        request.headers = CaseInsensitiveDict(headers)
        request.headers["Content-Length"] = str(len(body))
        return self.send(request, stream=True, timeout=(min(_CONNECT_S, seconds), seconds), verify=True)

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


def read_pieces(response: requests.Response) -> Iterator[bytes]:
    """Yield the body as it arrives, each piece as soon as it is there; nothing is decompressed."""
    if response.raw.chunked:
        yield from response.raw.stream(_CHUNK, decode_content=False)
        return
    while piece := response.raw.read1(_CHUNK, decode_content=False):
        yield piece


def read_body(response: requests.Response, limit: int) -> bytes:
    """Read the body up to one byte over the limit."""
    content = bytearray()
    for piece in response.raw.stream(_CHUNK, decode_content=False):
        content += piece
        if len(content) > limit:
            break
    return bytes(content[: limit + 1])


def _pool_classes(line: Line) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            line.hold(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            line.hold(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
