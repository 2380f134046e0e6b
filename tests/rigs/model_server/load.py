"""How many requests a second the server answers: python -m tests.rigs.model_server.load [--requests N]."""

import argparse
import json
import selectors
import socket
import time
from dataclasses import dataclass

from tests.rigs.model_server.client import RunningServer, running_server
from tests.rigs.model_server.script import CaseAnswers, Script

_BODY = json.dumps(
    {
        "model": "rig-1",
        "messages": [{"role": "user", "content": "[case:c-1] What is the capital of France? Answer with one word."}],
        "temperature": 0,
    }
).encode()
_QUESTION = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer none\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Requests answered with 200, the seconds that passed, and the processor seconds of the server."""

    requests: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Requests a second by the clock."""
        return self.requests / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """Requests a second on a core of its own."""
        return self.requests / self.cpu_s


def measure_load(server: RunningServer, *, requests: int, connections: int = 16) -> Measured:
    """Ask short questions over kept connections, each anew as soon as it is answered."""
    before_s, started = server.counts()["cpu_s"], time.perf_counter()
    share, more = divmod(requests, connections)
    shares = [share + (number < more) for number in range(connections)]
    _ask(server.port, [share for share in shares if share])
    seconds = time.perf_counter() - started
    return Measured(requests=requests, seconds=seconds, cpu_s=server.counts()["cpu_s"] - before_s)


def _ask(port: int, shares: list[int]) -> None:
    with selectors.DefaultSelector() as selector:
        for share in shares:
            client = _Client(socket=socket.create_connection(("127.0.0.1", port)), left=share)
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.ask()
        while selector.get_map():
            for key, _ in selector.select():
                client = key.data
                client.take_answer()
                if client.left:
                    client.ask()
                else:
                    selector.unregister(client.socket)
                    client.socket.close()


@dataclass(slots=True, kw_only=True)
class _Client:
    """One kept connection, and how many questions it still has to ask."""

    socket: socket.socket
    left: int

    def ask(self) -> None:
        self.left -= 1
        self.socket.sendall(_QUESTION)

    def take_answer(self) -> None:
        """Read one answer to its end; raises RuntimeError for any other status than 200."""
        content = b""
        while (end := content.find(b"\r\n\r\n")) < 0 or len(content) < end + 4 + _length(content):
            more = self.socket.recv(65_536)
            if not more:
                raise RuntimeError("the server closed the connection")
            content += more
        if not content.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the server said {content[:200]!r}")


def _length(content: bytes) -> int:
    start = content.index(b"Content-Length: ") + 16
    return int(content[start : content.index(b"\r\n", start)])


def main() -> None:
    """Start a server, load it and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=30_000)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    script = Script(cases={"c-1": CaseAnswers(right="Paris", probability=0.9)})
    with running_server(script) as server:
        found = measure_load(server, requests=options.requests, connections=options.connections)
    figures = {
        "requests": found.requests,
        "seconds": round(found.seconds, 3),
        "per_second": round(found.per_second),
        "per_cpu_second": round(found.per_cpu_second),
    }
    print(json.dumps(figures))  # noqa: T201 - the figures are what it is for


if __name__ == "__main__":
    main()
