"""A small gated project in a temporary folder, its model as a real server on this machine, and the command line in process."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from gate.cli.main import run
from tests.rigs.repository import Repository

CASES = 36
PATIENCE = 30
MODEL = "echo-1"
SUITE = "golden_sets/echo"
PROMPT = "prompts/echo.md"
BASELINE = "baselines/echo/echo.json"
RUNNER = ("GITHUB_", "ACTIONS_", "RUNNER_", "INPUT_")
# Named for the dimension, because a general margin may not widen the one of the profile.
WIDE = {"task_success": 0.1}
SUITE_YAML = "kind: golden\nscorers: [{exact: {}}]\n"

# The two kinds of target that are programs: each repeats the word that it gets.
SHELL_ANSWER = r"""#!/bin/sh
exec sed 's/.*"word": "\([^"]*\)".*/"\1"/'
"""
PYTHON_ANSWER = """
def answer(call):
    return {"text": call["variables"]["word"], "usage": {"input_tokens": 5, "output_tokens": 1}}
"""

# A prompt as the offline model reads it, and mails that it understands.
OFFLINE_PROMPT = """Sort the e-mail. Answer only with one JSON object, no other text, with the keys `intent` and `urgency`.
- `pricing_request` (urgency 3): asks what it costs.
  - en: price, quote, how much, discount
- `support_issue` (urgency 5): something is broken.
  - en: broken, error, crashed, outage
<email>{{ email }}</email>
"""
OFFLINE_MAILS = (
    ("pricing_request", "What is your price? Send a quote."),
    ("support_issue", "It crashed with an error."),
)


@dataclass(frozen=True)
class Response:
    """What the server sends when it does not answer with text: a status, a body and more headers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Answers: TypeAlias = Callable[[str], "str | Response"]


def echo(prompt: str) -> str:
    """Answer with the last word of the prompt: right for `Repeat: {{ word }}`."""
    return prompt.rsplit(maxsplit=1)[-1]


class ModelServer(ThreadingHTTPServer):
    """Speaks the OpenAI chat format; `answers` may be replaced at any time, and every request is kept."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        self.reset()
        super().__init__(("127.0.0.1", 0), _Chat)

    def reset(self) -> None:
        """Forget all that was asked, and repeat words again."""
        self.answers: Answers = echo
        self.prompts: list[str] = []
        self.keys: list[str] = []
        self.released = threading.Event()

    def hold_after(self, quick: int) -> None:
        """Repeat words for so many calls, and for the others only once they are released."""
        lock, count = threading.Lock(), itertools.count()

        def answer(prompt: str) -> str:
            with lock:
                number = next(count)
            if number >= quick:
                self.released.wait(PATIENCE)
            return echo(prompt)

        self.answers = answer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: ModelServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][0]["content"]
        self.server.prompts.append(prompt)
        self.server.keys.append(self.headers.get("Authorization", ""))
        answer = self.server.answers(prompt)
        response = answer if isinstance(answer, Response) else Response(body=completion(answer))
        try:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


def completion(text: str) -> bytes:
    """A chat completion with this text."""
    usage = {"prompt_tokens": 5, "completion_tokens": 1}
    message = {"role": "assistant", "content": text}
    return json.dumps({"model": MODEL, "choices": [{"message": message}], "usage": usage}).encode()


@contextmanager
def serving() -> Iterator[ModelServer]:
    """Serve until the end of the block; answers that wait for `released` end then, too."""
    server = ModelServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Ran:
    """One command line: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Project:
    """A project on disk; `gate` runs a command line in it."""

    root: Path
    capsys: pytest.CaptureFixture[str] | None = None

    @property
    def record(self) -> Path:
        return self.root / "lockgate-out"

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files below the project; None removes one."""
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where a text stands in a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write({name: text.replace(old, new)})

    def gate(self, *words: str) -> Ran:
        """Run one command line in this process, with the project as working folder; without capsys, only its code."""
        if self.capsys:
            self.capsys.readouterr()
        words = dated(words)
        before, folder = signal.getsignal(signal.SIGTERM), Path.cwd()
        os.chdir(self.root)
        try:
            code = run(words)
        finally:
            signal.signal(signal.SIGTERM, before)
            os.chdir(folder)
        out, err = self.capsys.readouterr() if self.capsys else ("", "")
        return Ran(code, out, err)

    def spawn(self, *words: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command line as a process of its own."""
        return subprocess.Popen(
            (sys.executable, "-m", "gate", *dated(words)),
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def repository(self) -> Repository:
        """Make the project a git repository with all that is there committed on main; the record is ignored."""
        repository = Repository(self.root)
        repository.git("init", "--quiet", "--initial-branch=main")
        repository.commit({".gitignore": "lockgate-out/\n"}, "base")
        return repository

    def decision(self) -> dict[str, Any]:
        return json.loads((self.record / "decision.json").read_text(encoding="utf-8"))

    def sentences(self) -> str:
        """All sentences of the decision, one a line, each behind its rule and what it demands."""
        lines = [f"{f['rule']} {f['demands']} {f['blocking']} {f['sentence']}" for f in self.decision()["findings"]]
        return "\n".join(lines)

    def evidence(self) -> dict[str, Any]:
        return json.loads((self.record / "evidence.json").read_text(encoding="utf-8"))

    def trials(self, out: str = "lockgate-out") -> list[dict[str, Any]]:
        lines = (self.root / out / "trials.jsonl").read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]


def dated(words: Sequence[str]) -> tuple[str, ...]:
    """A command line with a date, so that no baseline of a test grows old."""
    undated = words and words[0] in {"check", "merge", "promote"} and "--as-of" not in words
    return (*words, "--as-of", "2026-11-21") if undated else tuple(words)


def files_below(folder: Path) -> dict[str, bytes]:
    """Contents of all files below a folder by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def promoted_baselines(root: Path, files: Mapping[str, str | bytes | None], *, passes: int = 2) -> dict[str, bytes]:
    """What promoting a project as of today makes of it, by path; the project is written below `root`."""
    Project(root).write(files)
    words = ("promote", "--root", str(root), "--out", str(root / "out"), "--passes", str(passes), "--quiet")
    assert run(words) == 0
    return {f"baselines/{name}": content for name, content in files_below(root / "baselines").items()}


def case_lines(cases: Sequence[Mapping[str, Any]]) -> str:
    """Lines of cases.jsonl."""
    return "".join(json.dumps(case) + "\n" for case in cases)


def echo_cases(count: int = CASES, **changes: Any) -> list[dict[str, Any]]:
    """Cases `w-01` and on, whose input is a word and whose expected answer is that word."""
    words = [f"w-{number:02d}" for number in range(1, count + 1)]
    return [{"id": word, "input": {"word": word}, "expected": {"answer": word}, **changes} for word in words]


def gate_yaml(targets: Mapping[str, Any], **changes: Any) -> str:
    """A gate.yaml (JSON is YAML) with a wide margin, so that some thirty cases are enough."""
    settings = {
        "version": 1,
        "targets": targets,
        "policy": {"profile": "ci", "margin": 0.1, "margins": WIDE},
        **changes,
    }
    return json.dumps(settings, indent=1) + "\n"


def echo_target(url: str, **changes: Any) -> dict[str, Any]:
    """The target that asks the model server; None removes a key of its model."""
    model = {
        "provider": "openai",
        "base_url": url,
        "name": MODEL,
        "temperature": 0.2,
        "max_output_tokens": 50,
        **changes,
    }
    kept = {name: value for name, value in model.items() if value is not None}
    return {"prompt": PROMPT, "model": kept, "suites": [SUITE], "timeout": 5}


def echo_files(url: str, **changes: Any) -> dict[str, str | bytes | None]:
    """Every file of a project with the model server as its only target; `changes` are of gate.yaml."""
    return {
        "gate.yaml": gate_yaml({"echo": echo_target(url)}, **changes),
        PROMPT: "Repeat: {{ word }}\n",
        f"{SUITE}/suite.yaml": SUITE_YAML,
        f"{SUITE}/cases.jsonl": case_lines(echo_cases()),
    }


def program_files(**target: Any) -> dict[str, str | bytes | None]:
    """Every file of a project whose only target is a program."""
    entry = {"suites": [SUITE], "timeout": 20, "concurrency": 2, **target}
    return {
        "gate.yaml": gate_yaml({"echo": entry}),
        "answer.sh": SHELL_ANSWER,
        "answers.py": PYTHON_ANSWER,
        f"{SUITE}/suite.yaml": SUITE_YAML,
        f"{SUITE}/cases.jsonl": case_lines(echo_cases()),
    }


def offline_files(temperature: float = 0.2) -> dict[str, str | bytes | None]:
    """Every file of a project with the built-in model as its only target."""
    model = {"provider": "offline", "name": "offline-1", "temperature": temperature, "max_output_tokens": 50}
    cases = [
        {"id": f"m-{number:02d}", "input": {"email": f"{text} Nr. {number}"}, "expected": {"intent": intent}}
        for number in range(1, CASES + 1)
        for intent, text in [OFFLINE_MAILS[number % 2]]
    ]
    return {
        "gate.yaml": gate_yaml(
            {"inbox": {"prompt": "prompts/inbox.md", "model": model, "suites": ["golden_sets/mail"]}}
        ),
        "prompts/inbox.md": OFFLINE_PROMPT,
        "golden_sets/mail/suite.yaml": "kind: golden\nscorers: [{json_equal: {path: intent}}]\n",
        "golden_sets/mail/cases.jsonl": case_lines(cases),
    }
