"""A person's end of the run reaches programs in every thread."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.core.model import Missing
from gate.worker.ending import allow_workers, end_workers, workers_are_ended
from gate.worker.run import WorkerFailure, WorkerOutput, run_worker


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    allow_workers()


def test_end_workers__running_in_other_threads__end_as_interrupted(tmp_path: Path) -> None:
    results: list[object] = []

    def run() -> None:
        results.append(run_worker(["sh", "-c", "sleep 60"], "", cwd=tmp_path, timeout_s=60))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    end_workers()
    for thread in threads:
        thread.join(20)
    assert [type(one) for one in results] == [WorkerFailure] * 3
    assert {one.reason for one in results if isinstance(one, WorkerFailure)} == {Missing.INTERRUPTED}


def test_end_workers__one_that_is_started_later__ends_too_until_allowed_again(tmp_path: Path) -> None:
    end_workers()
    assert workers_are_ended()
    ended = run_worker(["sh", "-c", "sleep 60"], "", cwd=tmp_path, timeout_s=60)
    assert isinstance(ended, WorkerFailure)
    assert ended.detail == "ended with the run"
    allow_workers()
    assert isinstance(run_worker(["echo", "well"], "", cwd=tmp_path, timeout_s=60), WorkerOutput)
