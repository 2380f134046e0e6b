"""The model server as a process: its connections, what it counts and remembers, and that its answers repeat."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.rigs.model_server import CaseAnswers, RunningServer, Script, running_server
from tests.rigs.model_server.draw import digest, uniform
from tests.rigs.model_server.load import measure_load

Post = Callable[..., requests.Response]

QUESTION = b'{"text": "[case:r]"}'
POST_ANSWER = b"POST /answer HTTP/1.1\r\nHost: x\r\n"


def raw(server: RunningServer, content: bytes) -> bytes:
    """Everything that comes back on one connection until the server closes it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        opened.sendall(content)
        return b"".join(iter(lambda: opened.recv(65536), b""))


def test_cases__draws_repeat(server: RunningServer, chat: Post) -> None:
    script = Script(seed=5, cases={"c-1": CaseAnswers(right="yes", wrong="no", probability=0.5)})
    expected = ["yes" if uniform(digest(5, "c-1", number)) < 0.5 else "no" for number in range(1, 13)]
    assert set(expected) == {"yes", "no"}
    bodies = []
    for _ in range(2):
        server.play(script)
        server.forget()
        answers = [chat("x [case:c-1]") for _ in expected]
        assert [answer.json()["choices"][0]["message"]["content"] for answer in answers] == expected
        bodies.append([answer.content for answer in answers])
    assert bodies[0] == bodies[1]


def test_counts__by_path_case_and_status(server: RunningServer, chat: Post, messages: Post) -> None:
    for prompt in ("[case:a]", "[case:a]", "none"):
        chat(prompt)
    messages("[case:b]", max_tokens=None)
    chat("[case:a]", model=None)
    found = server.counts()
    assert found.pop("cpu_s") > 0
    assert found == {
        "total": 5,
        "paths": {"/v1/chat/completions": 4, "/v1/messages": 1},
        "cases": {"a": 2, "": 3},
        "answered": {"a": 2, "": 1},
        "statuses": {"200": 3, "400": 2},
        "in_flight": 0,
        "most_in_flight": 1,
    }


def test_requests__since(server: RunningServer, chat: Post) -> None:
    for prompt in ("one", "[case:a] two", "[case:a] three"):
        chat(prompt)
    found = server.requests(since=1)
    assert [(seen["number"], seen["case"], seen["attempt"]) for seen in found] == [(2, "a", 1), (3, "a", 2)]
    assert found[1]["body"]["messages"] == [{"role": "user", "content": "[case:a] three"}]
    assert (found[1]["path"], found[1]["headers"]["content-type"]) == ("/v1/chat/completions", "application/json")
    server.play(Script(keep=2))
    assert [seen["number"] for seen in server.requests()] == [2, 3]
    server.forget()
    assert (server.requests(), server.counts()["total"]) == ([], 0)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/v1/embeddings", 404), ("GET", "/v1/chat/completions", 405)]
)
def test_path__not_served(
    method: str, path: str, status: int, server: RunningServer, session: requests.Session
) -> None:
    assert session.request(method, f"{server.url}{path}", timeout=20).status_code == status
    assert server.counts()["paths"] == {path: 1}


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 20\r\n\r\n" + QUESTION,
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + QUESTION[:5] + b"\r\nf;x=1\r\n" + QUESTION[5:] + b"\r\n0\r\n\r\n",
    ],
)
def test_connection__pipelined_requests_are_answered_in_order(framing: bytes, server: RunningServer) -> None:
    said = raw(server, (POST_ANSWER + framing) * 2 + POST_ANSWER + b"Connection: close\r\n" + framing)
    assert said.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert server.counts()["cases"] == {"r": 3}


def test_connection__waits_for_leave_to_send(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        opened.sendall(POST_ANSWER + b"Expect: 100-continue\r\nContent-Length: 20\r\n\r\n")
        assert opened.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        opened.sendall(QUESTION)
        assert opened.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", 505),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (POST_ANSWER + b"Content-Length: -1\r\n\r\n", 400),
        (POST_ANSWER + b"Content-Length: 99999999999\r\n\r\n", 413),
        (POST_ANSWER + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST_ANSWER + b"X: " + b"x" * 70_000, 431),
    ],
)
def test_connection__unreadable_request(content: bytes, status: int, server: RunningServer) -> None:
    assert raw(server, content).startswith(b"HTTP/1.1 %d " % status)


def test_load__every_question_is_answered_and_counted(server: RunningServer) -> None:
    found = measure_load(server, requests=200, connections=8)
    assert (found.requests, server.counts()["cases"], server.counts()["statuses"]) == (200, {"c-1": 200}, {"200": 200})


def test_main__script_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"default": "filed"}')
    words = [sys.executable, "-m", "tests.rigs.model_server", "--script", str(tmp_path / "script.json")]
    root = Path(__file__).parents[3]
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        server = RunningServer(port=json.loads(process.stdout.readline())["port"])
        body = b"Connection: close\r\nContent-Length: 20\r\n\r\n" + QUESTION
        assert raw(server, POST_ANSWER + body).endswith(b'{"text":"filed"}')
        process.terminate()
        assert process.wait(20) == 0


def test_running_server__ends_with_the_block() -> None:
    with running_server(Script(default="here")) as server, requests.Session() as session:
        session.trust_env = False
        assert session.post(f"{server.url}/answer", json={"text": "x"}, timeout=20).json() == {"text": "here"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=20)
