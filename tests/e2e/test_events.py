"""What else starts the action: the merge queue, the schedule, a workflow started by hand, and the shards of a matrix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.mails import BASELINE, HARMFUL, HARMLESS, mail_files
from tests.rigs.events import MAIN, merge_group, on_main, pull_request
from tests.rigs.workflow import documented, shipped

if TYPE_CHECKING:
    from tests.rigs.image_runner import Ended, ImageRunner

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
GATE, BASELINES = shipped("gate", "decide"), shipped("baseline", "renew")
SHARD, MERGE = (documented("how-to/shards.md", job) for job in ("shard", "merge"))
EVIDENCE = ".github/workflows/evidence.yml"


def trials(runner: ImageRunner) -> set[int]:
    return {case["trials"] for case in json.loads(runner.hub.read(BASELINE))["cases"]}


@pytest.fixture(scope="module")
def small(runner: ImageRunner) -> set[int]:
    """Main of an Enterprise Server, where the API is a folder, with a baseline of three passes."""
    runner.api = f"{runner.hub.url}/api/v3"
    runner.hub.commit(mail_files())
    ended = runner.run(BASELINES, on_main(runner.hub, "push"), inputs={"passes": "3"})
    assert ended.code == 0, ended.log.shown
    return trials(runner)


@pytest.fixture(scope="module")
def nightly(runner: ImageRunner, small: set[int]) -> Ended:
    return runner.run(BASELINES, on_main(runner.hub, "schedule"))


@pytest.mark.parametrize(("number", "change", "code"), [(7, HARMLESS, 0), (8, HARMFUL, 20)])
@pytest.mark.usefixtures("nightly")
def test_merge_group__is_decided_without_a_comment(
    runner: ImageRunner, number: int, change: dict[str, str], code: int
) -> None:
    runner.hub.commit(change, branch=f"topic-{number}", onto="main")
    runner.hub.open_pull(f"topic-{number}", number=number)
    ended = runner.run(GATE, merge_group(runner.hub, number))
    assert (ended.code, ended.outputs["comment-url"]) == (code, ""), ended.log.shown
    assert not [comment for comment in ended.comments if comment["number"] == number]
    assert ended.outputs["outcome"] in ended.job.summary


@pytest.fixture(scope="module")
def parts(runner: ImageRunner, nightly: Ended) -> list[Ended]:
    """The jobs of a matrix, on a change of a repository that keeps no evidence."""
    assert nightly.code == 0, nightly.log.shown
    runner.hub.commit({EVIDENCE: None})
    runner.hub.commit(HARMFUL, branch="topic-9", onto="main")
    runner.hub.open_pull("topic-9", number=9)
    ended: list[Ended] = []
    for number in SHARD.said["strategy"]["matrix"]["shard"]:
        event, beside = pull_request(runner.hub, 9), ended[-1] if ended else None
        ended.append(runner.run(SHARD, event, beside=beside, matrix={"shard": str(number)}))
    return ended


def test_shards__ask_each_case_in_one_job_and_decide_nothing(parts: list[Ended]) -> None:
    assert [one.code for one in parts] == [0] * 4, [one.log.shown for one in parts]
    assert sum(int(one.outputs["calls"]) for one in parts) == 3 * 36
    assert {(one.outputs["outcome"], one.outputs["decision-path"], one.comments) for one in parts} == {("NONE", "", ())}


def test_shards__are_merged_and_decided(runner: ImageRunner, parts: list[Ended]) -> None:
    ended = runner.run(MERGE, pull_request(runner.hub, 9), beside=parts[-1])
    assert (ended.code, ended.outputs["outcome"]) == (20, "ROLLBACK"), ended.log.shown
    assert [comment["number"] for comment in ended.comments] == [9]


def test_schedule__tops_the_baseline_up(runner: ImageRunner, small: set[int], nightly: Ended) -> None:
    # One pass looks whether the model has moved, seven are missing.
    assert (nightly.code, nightly.outputs["calls"]) == (0, str(8 * 36)), nightly.log.shown
    assert (small, trials(runner)) == ({3}, {10})
    assert [seen.path for seen in nightly.asked if seen.method == "POST" and "git-" not in seen.path] == [
        "/api/graphql"
    ]
    made = runner.hub.bare.commit(nightly.main)
    assert (made.parents, made.message.splitlines()[0]) == ((nightly.event.head,), "Top up baselines to 10 trials")


@pytest.mark.usefixtures("nightly")
def test_workflow_dispatch__refreshes_and_finds_nothing_to_write(runner: ImageRunner) -> None:
    before = runner.hub.bare.tip(MAIN)
    ended = runner.run(BASELINES, on_main(runner.hub, "workflow_dispatch"))
    assert (ended.code, ended.outputs["outcome"]) == (0, "PROMOTE"), ended.log.shown
    assert runner.hub.bare.tip(MAIN) == before
