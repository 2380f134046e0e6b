"""HTTP under a deadline for the whole exchange: neither slow headers nor a dripping body can outlast it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class CuttableAdapter(HTTPAdapter):
    """A transport of one connection at a time, which another thread can cut.

    The timeouts of requests start anew with every byte received; cutting the socket is what ends a drip.
    """

    def __init__(self) -> None:
        """Start without a connection, and without retries of its own."""
        self._socket: socket.socket | None = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections that tell this adapter their socket."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self)

    def hold(self, opened: socket.socket | None) -> None:
        """Remember the socket that is in use."""
        self._socket = opened

    @contextmanager
    def cut_after(self, seconds: float) -> Iterator[threading.Event]:
        """Shut the socket when the block takes longer; the event then says so."""
        was_cut = threading.Event()
        timer = threading.Timer(seconds, self._cut, (was_cut,))
        timer.daemon = True
        timer.start()
        try:
            yield was_cut
        finally:
            timer.cancel()

    def _cut(self, was_cut: threading.Event) -> None:
        was_cut.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def open_session() -> tuple[requests.Session, CuttableAdapter]:
    """Open a session without cookies that reads no proxy, credential or certificate setting from the environment."""
    session, adapter = requests.Session(), CuttableAdapter()
    session.trust_env = False
    # An endpoint that knows its callers again could answer one pass by another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session, adapter


def _pool_classes(adapter: CuttableAdapter) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            adapter.hold(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            adapter.hold(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
