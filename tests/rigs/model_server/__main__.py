"""The process: python -m tests.rigs.model_server --port 0 [--script FILE]."""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.rigs.model_server.connection import Connection
from tests.rigs.model_server.model import Model
from tests.rigs.model_server.script import Script, load_script

# Nothing but this machine can reach it.
HOST = "127.0.0.1"


def main() -> None:
    """Serve until SIGTERM or SIGINT; the first line on standard output is {"port": ...}."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, as by default, takes a free one")
    parser.add_argument("--script", type=Path, help="a script as JSON; POST /_script replaces it")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that holds standard input"
    )
    options = parser.parse_args()
    script = load_script(options.script.read_bytes()) if options.script else Script()
    asyncio.run(_serve(Model(script), port=options.port, bound_to_stdin=options.until_stdin_closes))


async def _serve(model: Model, *, port: int, bound_to_stdin: bool) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if bound_to_stdin:
        loop.add_reader(sys.stdin.fileno(), _watch, ended)
    server = await loop.create_server(lambda: Connection(model), HOST, port, backlog=1024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201 - says where it is
    await ended.wait()
    server.close()


def _watch(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set()


if __name__ == "__main__":
    main()
