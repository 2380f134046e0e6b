"""The server as a subprocess, and how a test or a benchmark speaks to it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.rigs.model_server.script import Script, dump_script

_ROOT = Path(__file__).parents[3]
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A server in a process of its own."""

    port: int

    @property
    def url(self) -> str:
        """The address without a path; Anthropic's clients take it as it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        """The base address for clients of OpenAI."""
        return f"{self.url}/v1"

    def play(self, script: Script) -> None:
        """Replace the script; counts go on, and what is under way ends under the old one."""
        self._control("POST", "/_script", dump_script(script))

    def forget(self) -> None:
        """Start counts, attempts, draws and the memory of requests anew."""
        self._control("DELETE", "/_requests")

    def counts(self) -> dict[str, Any]:
        """Counts by path, case ("" for none) and status ("0" for none), and the most that was in flight."""
        found: dict[str, Any] = self._control("GET", "/_counts")
        return found

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """Requests after that number, oldest first: number, case, attempt, at_s, path, query, headers, body."""
        found: list[dict[str, Any]] = self._control("GET", f"/_requests?since={since}")["requests"]
        return found

    def _control(self, method: str, target: str, body: bytes | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        try:
            connection.request(method, target, body=body)
            response = connection.getresponse()
            content = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"{method} {target}: {content['error']}")
        return content


@contextmanager
def running_server(script: Script | None = None) -> Iterator[RunningServer]:
    """Run a server for the length of the block; it ends with this process, too, however that ends."""
    words = (sys.executable, "-m", "tests.rigs.model_server", "--port", "0", "--until-stdin-closes")
    environ = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with subprocess.Popen(words, cwd=_ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if not said:
                raise RuntimeError(f"the model server ended with exit code {process.wait(_PATIENCE_S)}")
            server = RunningServer(port=json.loads(said)["port"])
            if script is not None:
                server.play(script)
            yield server
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
