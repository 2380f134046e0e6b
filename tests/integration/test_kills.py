"""`kill -9` at a hundred random moments: nothing that was answered is lost, and nothing is asked twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.projects import RUNNER, Project, case_lines, echo_target, gate_yaml
from tests.rigs.model_server import CaseAnswers, Fault, FaultKind, Latency, RunningServer, Script, running_server

CASES, WORKERS = 60, 4
CHAINS, KILLS = 10, 10  # a hundred kills
MOST, AHEAD = 3, 2  # answers that one kill waits for, and how many more the server gives
WRONG = {"w-05", "w-20"}
PATIENCE = 60
WORDS = ("check", "--all", "--quiet", "--passes", "1")


@dataclass(frozen=True)
class Rig:
    """A server whose answers depend on the case alone, a project with its baseline, and a run that nobody disturbed."""

    server: RunningServer
    script: Script
    project: Project
    whole: str

    def stall_after(self, answers: int) -> None:
        """Let the server answer so many requests, and then none: nothing ends before it is killed."""
        total = self.server.counts()["total"]
        silent = tuple(range(total + answers + 1, total + answers + 4 * WORKERS))
        self.server.play(replace(self.script, faults=(Fault(kind=FaultKind.SILENT, requests=silent),)))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    ids = [f"w-{number:02d}" for number in range(1, CASES + 1)]
    answers = {one: CaseAnswers(right=one, probability=0.0 if one in WRONG else 1.0) for one in ids}
    script = Script(cases=answers, latency=Latency(first_ms=5))
    with running_server(script) as server:
        project = Project(tmp_path_factory.mktemp("kills") / "made")
        target = echo_target(server.openai_url) | {"concurrency": WORKERS, "timeout": PATIENCE}
        lines = [{"id": one, "input": {"word": one}, "expected": {"answer": one}} for one in ids]
        project.write(
            {
                "gate.yaml": gate_yaml({"echo": target}),
                "prompts/echo.md": "Repeat: [case:{{ word }}]\n",
                "golden_sets/echo/suite.yaml": "kind: golden\nscorers: [{exact: {}}]\n",
                "golden_sets/echo/cases.jsonl": case_lines(lines),
            }
        )
        assert finish(project, "promote", "--passes", "2", "--quiet", "--as-of", "2026-11-20") == 0
        assert finish(project, *WORDS) == 0
        yield Rig(server, script, project, decided(project))


def environ() -> dict[str, str]:
    return dict.fromkeys((name for name in os.environ if name.startswith(RUNNER)), "")


def finish(project: Project, *words: str) -> int:
    with project.spawn(*words, environ=environ()) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err, err
    return process.returncode


def kill(rig: Rig, project: Project, moments: random.Random, *words: str) -> None:
    """Kill a run at random: at its start, or soon after some more answers came."""
    journal, more = project.record / "answers.jsonl", moments.randint(0, MOST)
    rig.stall_after(more + AHEAD)
    wanted = more and more + lines_of(journal)
    with project.spawn(*words, environ=environ()) as process:
        deadline = time.monotonic() + PATIENCE
        while lines_of(journal) < wanted:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.02 if more else 0.5))
        process.kill()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def decided(project: Project) -> str:
    """The decision and its evidence without what a clock measured."""
    decision, evidence = project.decision(), project.evidence()
    del decision["inputs"]["evidence"]["sha256"]
    for suite in evidence["suites"]:
        for case in suite["cases"]:
            assert len(case.pop("latency_ms")) == len(case["marks"])
    return json.dumps([decision, evidence], sort_keys=True)


@pytest.mark.parametrize("chain", range(CHAINS))
def test_check__killed_again_and_again_and_resumed(chain: int, rig: Rig, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    shutil.copytree(rig.project.root, project.root, ignore=shutil.ignore_patterns("lockgate-out"))
    rig.server.forget()
    moments = random.Random(chain)
    for _ in range(KILLS):
        kill(rig, project, moments, *WORDS, "--resume")
    rig.server.play(rig.script)
    assert finish(project, *WORDS, "--resume") == 0
    assert decided(project) == rig.whole
    lines = [json.loads(line) for line in (project.record / "answers.jsonl").read_text().splitlines()]
    keys = [line["key"] for line in lines if "key" in line]
    assert len(keys) == len(set(keys)) == CASES
    # Each kill may lose what was on its way, and no more: nothing that was answered is asked again.
    asked = rig.server.counts()["total"]
    assert CASES <= asked <= CASES + KILLS * WORKERS
    record = (project.record / "decision.json").read_bytes()
    assert finish(project, *WORDS, "--resume") == 0
    assert (project.record / "decision.json").read_bytes() == record
    assert rig.server.counts()["total"] == asked
