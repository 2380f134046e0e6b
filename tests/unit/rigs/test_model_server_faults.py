"""What goes wrong by script: every fault as a client sees it."""

from __future__ import annotations

import email.utils
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.rigs.model_server import (
    CaseAnswers,
    Fault,
    FaultKind,
    RetryForm,
    RunningServer,
    Script,
)
from tests.rigs.model_server.draw import digest, uniform

Post = Callable[..., requests.Response]

WORDS = "one two three four"


def content(answer: requests.Response) -> Any:
    return answer.json()["choices"][0]["message"]["content"]


def faulty(server: RunningServer, kind: FaultKind, **changes: Any) -> None:
    server.play(Script(default=WORDS, faults=(Fault(kind=kind, **changes),)))


def raw(server: RunningServer, *, stream: bool = False) -> tuple[bytes, bool]:
    """All bytes of one chat, and whether the connection was reset at their end."""
    body = json.dumps({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    found = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        opened.sendall(head + body)
        try:
            while more := opened.recv(65536):
                found += more
        except ConnectionResetError:
            return found, True
    return found, False


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 529])
def test_status(status: int, server: RunningServer, chat: Post, messages: Post) -> None:
    faulty(server, FaultKind.STATUS, status=status)
    assert (chat().status_code, messages().status_code) == (status, status)
    assert chat(stream=True).json()["error"]["message"] == "scripted fault, request 3"
    assert messages().json()["type"] == "error"
    assert server.counts()["statuses"] == {str(status): 4}


def test_status__none_that_providers_send() -> None:
    with pytest.raises(ValueError, match="status 418 is none of"):
        Fault(status=418)


def test_status__kinds_of_error(server: RunningServer, chat: Post, messages: Post) -> None:
    faulty(
        server, FaultKind.STATUS, status=429, body='{"error": "mine"}', headers=(("x-ratelimit-limit-requests", "9"),)
    )
    answer = chat()
    assert (answer.json(), answer.headers["x-ratelimit-limit-requests"]) == ({"error": "mine"}, "9")
    faulty(server, FaultKind.STATUS, status=529)
    assert messages().json()["error"]["type"] == "overloaded_error"
    assert chat().json()["error"]["type"] == "server_error"


@pytest.mark.parametrize(
    ("form", "name", "said"),
    [(RetryForm.SECONDS, "Retry-After", "2"), (RetryForm.MILLISECONDS, "retry-after-ms", "1500")],
)
def test_retry_after(form: RetryForm, name: str, said: str, server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.STATUS, status=429, retry_after_s=1.5, retry_form=form)
    found = {key: value for key, value in chat().headers.items() if "retry" in key.lower()}
    assert found == {name: said}


def test_retry_after__date(server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.STATUS, status=503, retry_after_s=100, retry_form=RetryForm.DATE)
    before = time.time()
    said = chat().headers["Retry-After"]
    assert said.endswith(" GMT")
    assert before + 100 <= email.utils.parsedate_to_datetime(said).timestamp() <= time.time() + 101


def test_when__by_request_number(server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.STATUS, requests=(2, 4))
    assert [chat().status_code for _ in range(5)] == [200, 500, 200, 500, 200]


def test_when__by_case_and_attempt(server: RunningServer, chat: Post) -> None:
    faults = (Fault(case="a", attempts=(1, 3)), Fault(case="b", status=503))
    server.play(Script(faults=faults))
    assert [chat("[case:a]").status_code for _ in range(4)] == [500, 200, 500, 200]
    assert [chat("[case:b]").status_code for _ in range(2)] == [503, 503]
    assert chat("[case:c]").status_code == 200


@pytest.mark.parametrize("changes", [{"requests": (1,), "case": "a"}, {"attempts": (1,)}])
def test_when__contradiction(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="case"):
        Fault(**changes)


def test_when__a_spoiled_attempt_takes_no_answer(server: RunningServer, chat: Post) -> None:
    case = CaseAnswers(right="yes", wrong="no", probability=0.5)
    expected = ["yes" if uniform(digest(0, "a", number)) < 0.5 else "no" for number in range(1, 7)]
    kinds = (FaultKind.STATUS, FaultKind.TRUNCATED, FaultKind.EMPTY)
    faults = tuple(Fault(kind=kind, case="a", attempts=(number,)) for number, kind in enumerate(kinds, start=2))
    server.play(Script(cases={"a": case}, faults=faults))
    answers = [chat("[case:a]") for _ in range(9)]
    assert [content(answer) for number, answer in enumerate(answers) if number not in {1, 2, 3}] == expected


@pytest.mark.parametrize("stream", [True, False])
def test_reset__before_headers(stream: bool, server: RunningServer) -> None:
    faulty(server, FaultKind.RESET_BEFORE_HEADERS)
    assert raw(server, stream=stream) == (b"", True)
    assert server.counts()["statuses"] == {"0": 1}


def test_reset__after_headers(server: RunningServer) -> None:
    faulty(server, FaultKind.RESET_AFTER_HEADERS)
    found, reset = raw(server)
    head, _, body = found.partition(b"\r\n\r\n")
    announced = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    assert (reset, len(body)) == (True, announced // 2)


@pytest.mark.parametrize(("kind", "reset"), [(FaultKind.CUT_OFF, False), (FaultKind.RESET_AFTER_HEADERS, True)])
def test_stream__breaks_off(kind: FaultKind, reset: bool, server: RunningServer) -> None:
    faulty(server, kind, events=3)
    found, was_reset = raw(server, stream=True)
    assert (found.count(b"data: "), was_reset) == (3, reset)
    assert not found.endswith(b"0\r\n\r\n")


def test_cut_off__whole(server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.CUT_OFF)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        chat()


def test_truncated__whole(server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.TRUNCATED)
    answer = chat()
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_truncated__stream_ends_cleanly(server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.TRUNCATED, events=3)
    answer = chat(stream=True)
    assert answer.text.count("data: ") == 3
    assert '"finish_reason":"stop"' not in answer.text


@pytest.mark.parametrize("stream", [True, False])
def test_drip__brings_everything_slowly(stream: bool, server: RunningServer, chat: Post) -> None:
    plain = chat(WORDS, stream=stream).content
    server.forget()
    server.play(Script(faults=(Fault(kind=FaultKind.DRIP, pause_ms=0.1),)))
    assert chat(WORDS, stream=stream).content == plain


def test_wrong_type(server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.WRONG_TYPE)
    answer = chat()
    assert (answer.headers["Content-Type"], content(answer)) == ("text/plain; charset=utf-8", WORDS)


@pytest.mark.parametrize("status", [200, 502])
def test_html(status: int, server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.HTML, status=status)
    answer = chat()
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("stream", [True, False])
def test_huge(stream: bool, server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.HUGE, size=3_000_000)
    assert 3_000_000 < len(chat(stream=stream).content) < 3_010_000


@pytest.mark.parametrize("stream", [True, False])
def test_compressed(stream: bool, server: RunningServer, chat: Post) -> None:
    plain = chat(stream=stream).content
    server.forget()
    server.play(Script(faults=(Fault(kind=FaultKind.COMPRESSED),)))
    answer = chat(stream=stream)
    assert (answer.headers["Content-Encoding"], answer.content) == ("gzip", plain)


@pytest.mark.parametrize("location", [None, "https://elsewhere.test/x"])
def test_redirect(location: str | None, server: RunningServer, chat: Post) -> None:
    faulty(server, FaultKind.REDIRECT, location=location)
    answer = chat()
    expected = location or f"http://localhost:{server.port}/v1/chat/completions"
    assert (answer.status_code, answer.headers["Location"]) == (307, expected)


def test_error_event(server: RunningServer, chat: Post, messages: Post) -> None:
    faulty(server, FaultKind.ERROR_EVENT, events=3)
    for answer in (chat(stream=True), messages(stream=True)):
        assert answer.status_code == 200
        assert answer.text.count("data: ") == 4
        assert "scripted fault inside of an answer" in answer.text.split("data: ")[-1]
    assert "event: error\n" in answer.text
    whole = chat()
    assert (whole.status_code, whole.json()["error"]["type"]) == (200, "server_error")


def test_content_filter(server: RunningServer, chat: Post, messages: Post) -> None:
    faulty(server, FaultKind.CONTENT_FILTER)
    choice, message = chat().json()["choices"][0], messages().json()
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "content_filter")
    assert (message["content"][0]["text"], message["stop_reason"]) == ("one two", "refusal")


def test_empty(server: RunningServer, chat: Post, messages: Post) -> None:
    faulty(server, FaultKind.EMPTY)
    assert (chat().json()["choices"], messages().json()["content"]) == ([], [])
    assert "content_block" not in messages(stream=True).text
    chunks = [json.loads(line[6:]) for line in chat(stream=True).text.split("\n\n")[:-2]]
    assert [chunk["choices"] for chunk in chunks] == [[]]


def test_other_model(server: RunningServer, chat: Post, messages: Post) -> None:
    faulty(server, FaultKind.OTHER_MODEL, model="m-2")
    assert (chat().json()["model"], messages().json()["model"]) == ("m-2", "m-2")
