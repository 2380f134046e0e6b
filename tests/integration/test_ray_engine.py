"""Trials on a real Ray cluster of three nodes: the same bytes as here, also when a node loses its power meanwhile."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.projects import SUITE, Project, case_lines, echo_cases, files_below, offline_files, program_files
from tests.rigs.model_server import CaseAnswers, Latency, RunningServer, Script, running_server
from tests.rigs.ray_cluster import RayCluster, ray_cluster

RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not RAY, reason="Ray is not installed: pip install 'ray[client]'")
PATIENCE_S = 150


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster(nodes=3) as running:
        yield running


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out + err


def on_ray(project: Project, address: str, *words: str) -> subprocess.Popen[str]:
    return project.spawn("check", "--all", "--quiet", "--engine", "ray", "--address", address, *words)


def marks(project: Project, out: str) -> list[str]:
    plain: dict[str, Any] = json.loads((project.root / out / "evidence.json").read_text())
    return [case["marks"] for suite in plain["suites"] for case in suite["cases"]]


@pytest.mark.ray
@needs_ray
def test_check__on_a_cluster_leaves_the_same_bytes(empty: Project, cluster: RayCluster) -> None:
    empty.write(offline_files(temperature=1.0))
    assert empty.gate("promote", "--passes", "3", "--quiet").code == 0
    here = empty.gate("check", "--all", "--quiet", "--out", "here")
    code, said = finish(on_ray(empty, cluster.address, "--out", "there"))
    assert code == here.code, said
    one, other = (files_below(empty.root / out) for out in ("here", "there"))
    for name in ("evidence.json", "decision.json", "junit.xml", "comment.md", "trials.jsonl"):
        assert one[name] == other[name], name


SLOW = Script(
    cases={f"w-{number:02d}": CaseAnswers(right="yes") for number in range(1, 61)}, latency=Latency(first_ms=700)
)


def asking(server: RunningServer) -> dict[str, str | bytes | None]:
    """A project whose model server takes its time, so that many calls are under way when a node goes."""
    model = {
        "provider": "openai", "base_url": server.openai_url, "name": "echo-1", "temperature": 0.2,
        "max_output_tokens": 50,
    }  # fmt: skip
    target = {"prompt": "prompts/echo.md", "model": model, "suites": [SUITE], "timeout": 20, "concurrency": 12}
    settings = {
        "version": 1,
        "targets": {"echo": target},
        "policy": {"profile": "ci", "margins": {"task_success": 0.1}},
    }
    return {
        "gate.yaml": json.dumps(settings),
        "prompts/echo.md": "[case:{{ word }}]\n",
        f"{SUITE}/suite.yaml": "kind: golden\nscorers: [{exact: {}}]\n",
        f"{SUITE}/cases.jsonl": case_lines(echo_cases(60, expected={"answer": "yes"})),
    }


@pytest.mark.ray
@needs_ray
def test_check__a_node_that_dies_loses_no_trial(empty: Project, cluster: RayCluster) -> None:
    with running_server(SLOW) as server:
        empty.write(asking(server))
        here = empty.gate("check", "--all", "--quiet", "--passes", "1", "--out", "here")
        asked = len(server.requests())
        running = on_ray(empty, cluster.address, "--passes", "1", "--out", "there")
        while len(server.requests(asked)) < 15:
            assert running.poll() is None, finish(running)
        cluster.kill_node()
        code, said = finish(running)
        again = len(server.requests(asked)) - 60
    assert code == here.code, said
    assert marks(empty, "there") == marks(empty, "here") == ["P"] * 60
    # Those that were under way on the lost node, and no others, were asked twice.
    assert 1 <= again <= 12


@pytest.mark.ray
@needs_ray
def test_check__programs_run_on_the_cluster(empty: Project, cluster: RayCluster) -> None:
    empty.write(program_files(python="answers:answer"))
    here = empty.gate("check", "--all", "--quiet", "--passes", "1", "--out", "here")
    code, said = finish(on_ray(empty, cluster.address, "--passes", "1", "--out", "there"))
    assert code == here.code, said
    assert marks(empty, "there") == marks(empty, "here")
    assert set(marks(empty, "there")) == {"P"}


# Ends the process that asks it for one case, as a crash of a library would; and answers for the other.
DEADLY = """
import os, sys
from gate.core.model import Answer, Call
from gate.runner.engine import Site
from gate.runner.ray_engine import RayEngine
from tests.unit.runner.test_shards import case, suite

class Deadly:
    def answer(self, call):
        if call.case_id == "bad":
            os._exit(1)
        return Answer(text="fine", model="m")

engine = RayEngine(sys.argv[1])
own = suite(case("bad"), case("good"))
crew = engine.open(Site(build=Deadly, suites=(own,), portable=frozenset(), workers=2, timeout_s=20.0))["intent"]
for case_id in ("bad", "good"):
    print("result:", crew.answer(Call(case_id=case_id, prompt="", variables={}, seed=1)))
engine.close()
"""


@pytest.mark.ray
@needs_ray
def test_crew__a_trial_that_ends_its_worker_each_time_is_missing_evidence(cluster: RayCluster) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", DEADLY, cluster.address],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    bad, good = (line for line in ran.stdout.splitlines() if line.startswith("result: "))
    assert "Unanswered(reason=<Missing.DIED: 'worker ended without an answer'>" in bad, ran.stderr
    assert "lost on the cluster 4 times" in bad
    assert "attempts=4" in bad
    assert "Answer(text='fine'" in good


# Is lost while it starts, so many times, as on a node that goes just then. A file for each start in the folder counts.
UNLUCKY = """
import os, sys, pathlib
from gate.core.model import Answer, Call
from gate.errors import GateError
from gate.runner.engine import Site
from gate.runner.ray_engine import RayEngine
from tests.unit.runner.test_shards import case, suite

here, folder, lost = os.getpid(), pathlib.Path(sys.argv[2]), int(sys.argv[3])

class Fine:
    def answer(self, call):
        return Answer(text="fine", model="m")

def build():
    if os.getpid() != here:
        (folder / str(os.getpid())).touch()
        if len(list(folder.iterdir())) <= lost:
            os._exit(1)
    return Fine()

engine = RayEngine(sys.argv[1])
own = suite(case("one"))
site = Site(build=build, suites=(own,), portable=frozenset(), workers=1, timeout_s=20.0)
try:
    print("result:", engine.open(site)["intent"].answer(Call(case_id="one", prompt="", variables={}, seed=1)))
except GateError as error:
    print("result:", error)
engine.close()
"""


@pytest.mark.ray
@needs_ray
@pytest.mark.parametrize(
    ("lost", "said"),
    [(1, "Answer(text='fine'"), (99, "no worker stayed on the Ray cluster: The actor died unexpectedly")],
)
def test_open__workers_that_are_lost_while_they_start_are_started_again(
    lost: int, said: str, cluster: RayCluster, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", UNLUCKY, cluster.address, str(tmp_path), str(lost)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert f"result: {said}" in ran.stdout, ran.stdout + ran.stderr


@pytest.mark.ray
@needs_ray
def test_check__no_such_cluster(empty: Project) -> None:
    empty.write(offline_files())
    code, said = finish(on_ray(empty, "127.0.0.1:1"))
    assert code == 2
    assert "there is no Ray cluster at '127.0.0.1:1'" in said
    assert not (empty.record / "trials.jsonl").exists()


@pytest.mark.skipif(RAY, reason="Ray is installed")
def test_check__ray_is_not_installed(empty: Project) -> None:
    empty.write(offline_files())
    ran = empty.gate("check", "--quiet", "--engine", "ray")
    assert ran.code == 2
    assert "`--engine ray` needs Ray, which is not installed" in ran.text
    assert "pip install 'ray[client]'" in ran.text


def test_check__an_address_without_the_engine(empty: Project) -> None:
    empty.write(offline_files())
    ran = empty.gate("check", "--quiet", "--address", "auto")
    assert (ran.code, "--address is for --engine ray" in ran.text) == (2, True)


def test_check__latencies_cannot_be_compared_on_a_cluster(empty: Project) -> None:
    empty.write(offline_files())
    empty.edit("gate.yaml", '"profile": "ci"', '"profile": "ci", "latency": "concurrent"')
    ran = empty.gate("check", "--quiet", "--engine", "ray", "--address", "local")
    assert ran.code == 2
    assert re.search("latencies of two versions cannot be compared when several machines ask", ran.text)
