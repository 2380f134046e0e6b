"""One connection: requests in, plans played, one after the other."""

import asyncio
import socket
import struct
from collections.abc import Iterator

from tests.rigs.model_server.asking import encoded
from tests.rigs.model_server.model import Model
from tests.rigs.model_server.plans import End, Plan, Step, framed, whole
from tests.rigs.model_server.wire import CONTINUE, BadRequestError, Request, RequestReader


class Connection(asyncio.Protocol):
    """Answers the requests of one client in their order; a plan without pauses is written without a task."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._reader = RequestReader()
        self._plan: Plan | None = None
        self._counted = False
        self._closes = False
        self._steps: Iterator[Step] = iter(())
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer what is complete unless an answer is under way."""
        self._reader.feed(data)
        self._serve()

    def connection_lost(self, error: Exception | None) -> None:
        """End what is under way: the client has gone."""
        if self._timer is not None:
            self._timer.cancel()
        self._leave()

    def _serve(self) -> None:
        while self._plan is None and not self._transport.is_closing():
            try:
                request = self._reader.take()
            except BadRequestError as error:
                self._transport.write(_refusal(error))
                self._transport.close()
                return
            if request is None:
                if self._reader.wants_continue():
                    self._transport.write(CONTINUE)
                return
            self._begin(request)

    def _begin(self, request: Request) -> None:
        plan = self._model.control(request)
        self._counted = plan is None
        self._plan = plan or self._model.begin(request)
        self._closes = request.closes
        self._steps = iter(self._plan.steps)
        self._play()

    def _play(self) -> None:
        for wait, content in self._steps:
            if wait > 0:
                self._timer = asyncio.get_running_loop().call_later(wait, self._go_on, content)
                return
            self._transport.write(content)
        self._finish()

    def _go_on(self, content: bytes) -> None:
        self._timer = None
        self._transport.write(content)
        self._play()
        self._serve()

    def _finish(self) -> None:
        end = self._plan.end if self._plan else End.KEEP
        if end is End.HANG:
            return
        self._leave()
        if end is End.RESET:
            self._reset()
        elif end is End.CLOSE or self._closes:
            self._transport.close()

    def _leave(self) -> None:
        if self._plan is not None and self._counted:
            self._model.end(self._plan)
        self._plan = None

    def _reset(self) -> None:
        """Close with RST in place of FIN."""
        connected = self._transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _refusal(error: BadRequestError) -> bytes:
    plan = framed(whole(encoded({"error": str(error)}), status=error.status, headers=(("Connection", "close"),)))
    return b"".join(content for _, content in plan.steps)
