"""One model server for each worker, with nothing asked yet and no script at the start of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.rigs.model_server import RunningServer, Script, running_server

Post = Callable[..., requests.Response]
PATIENCE_S = 20


@pytest.fixture(scope="session")
def started() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def server(started: RunningServer) -> RunningServer:
    started.play(Script())
    started.forget()
    return started


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as found:
        found.trust_env = False
        yield found


@pytest.fixture
def chat(server: RunningServer, session: requests.Session) -> Post:
    """Ask by OpenAI's protocol."""

    def post(prompt: str = "hi", **changes: Any) -> requests.Response:
        body = {"model": "m-1", "messages": [{"role": "user", "content": prompt}], **changes}
        return session.post(
            f"{server.openai_url}/chat/completions", json=body, timeout=PATIENCE_S, allow_redirects=False
        )

    return post


@pytest.fixture
def messages(server: RunningServer, session: requests.Session) -> Post:
    """Ask by Anthropic's protocol."""

    def post(prompt: str = "hi", **changes: Any) -> requests.Response:
        body = {"model": "c-1", "max_tokens": 100, "messages": [{"role": "user", "content": prompt}], **changes}
        headers = {"anthropic-version": "2023-06-01"}
        return session.post(f"{server.url}/v1/messages", json=body, headers=headers, timeout=PATIENCE_S)

    return post
