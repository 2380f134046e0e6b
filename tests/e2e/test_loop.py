"""From the first baseline to the next pull request: the real image under the workflow files that this repository ships."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.mails import BASELINE, HARMFUL, HARMLESS, PROMPT, mail_files
from tests.projects import OFFLINE_PROMPT
from tests.rigs.events import on_main, pull_request, workflow_run
from tests.rigs.github_hub import Fault
from tests.rigs.workflow import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.rigs.image_runner import Ended, ImageRunner

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
GATE, EVIDENCE, BASELINES = shipped("gate", "decide"), shipped("evidence", "keep"), shipped("baseline", "renew")
BOT = "github-actions[bot]"
KINDER = {PROMPT: OFFLINE_PROMPT + "Be brief.\nBe kind.\n"}
EVIDENCE_REF = "refs/gate/evidence"


def decide(runner: ImageRunner, number: int, files: Mapping[str, str | bytes | None]) -> Ended:
    """Push to a pull request, let the gate decide, and keep what it showed."""
    runner.hub.commit(files, branch=f"topic-{number}", onto="main", login="dana")
    if number not in runner.hub.pulls:
        runner.hub.open_pull(f"topic-{number}", number=number)
    ended = runner.run(GATE, pull_request(runner.hub, number))
    kept = runner.run(EVIDENCE, workflow_run(runner.hub, ended.id))
    assert kept.code == 0, kept.log.shown
    return ended


def about(ended: Ended, number: int) -> list[dict[str, Any]]:
    """What stood on a pull request then."""
    return [comment for comment in ended.comments if comment["number"] == number]


def merge(runner: ImageRunner, number: int) -> Ended:
    """Merge a pull request and let the push renew the baseline."""
    runner.hub.merge_pull(number)
    return runner.run(BASELINES, on_main(runner.hub, "push"))


# Each step of the story begins where the one before it ended.


@pytest.fixture(scope="module")
def brought(runner: ImageRunner) -> Ended:
    """The pull request that brings the gate; the workflow that keeps evidence is not on main yet."""
    runner.hub.commit(mail_files(), branch="topic-6", onto="main")
    runner.hub.open_pull("topic-6", number=6)
    return runner.run(GATE, pull_request(runner.hub, 6))


@pytest.fixture(scope="module")
def adopted(runner: ImageRunner, brought: Ended) -> Ended:
    """It is merged, and main gets its first baseline."""
    assert brought.code == 0, brought.log.shown
    return merge(runner, 6)


@pytest.fixture(scope="module")
def harmful(runner: ImageRunner, adopted: Ended) -> Ended:
    assert adopted.code == 0, adopted.log.shown
    return decide(runner, 7, HARMFUL)


@pytest.fixture(scope="module")
def fixed(runner: ImageRunner, harmful: Ended) -> Ended:
    assert harmful.code == 20, harmful.log.shown
    return decide(runner, 7, HARMLESS)


@pytest.fixture(scope="module")
def merged(runner: ImageRunner, fixed: Ended) -> Ended:
    assert fixed.code == 0, fixed.log.shown
    return merge(runner, 7)


@pytest.fixture(scope="module")
def after(runner: ImageRunner, merged: Ended) -> Ended:
    """What the push of the commit starts that the image itself has made."""
    assert merged.code == 0, merged.log.shown
    return runner.run(BASELINES, on_main(runner.hub, "push"))


@pytest.fixture(scope="module")
def following(runner: ImageRunner, after: Ended) -> Ended:
    assert after.code == 0, after.log.shown
    return decide(runner, 8, KINDER)


@pytest.fixture(scope="module")
def pushed(runner: ImageRunner, following: Ended) -> Ended:
    """The next merge, on a server that cannot sign commits."""
    assert following.code == 0, following.log.shown
    runner.hub.faults = [Fault(method="POST", path="/graphql", status=404, times=None)]
    return merge(runner, 8)


@pytest.fixture(scope="module")
def forced(runner: ImageRunner, pushed: Ended) -> Ended:
    """Harm that somebody merged past the gate."""
    assert pushed.code == 0, pushed.log.shown
    runner.hub.faults = []
    runner.hub.commit(HARMFUL, branch="topic-9", onto="main")
    runner.hub.open_pull("topic-9", number=9)
    return merge(runner, 9)


@pytest.fixture(scope="module")
def reverted(runner: ImageRunner, forced: Ended) -> Ended:
    assert forced.code == 20, forced.log.shown
    return decide(runner, 10, KINDER)


def test_loop__pull_request_that_brings_the_gate_is_for_show(brought: Ended) -> None:
    assert (brought.code, brought.outputs["outcome"], brought.outputs["calls"]) == (0, "HOLD", "36"), brought.log.shown
    (comment,) = brought.comments
    assert comment["number"] == 6


def test_loop__first_baseline_is_committed(runner: ImageRunner, adopted: Ended) -> None:
    assert (adopted.code, adopted.outputs["outcome"], adopted.outputs["calls"]) == (0, "HOLD", "360"), adopted.log.shown
    assert runner.hub.bare.commit(adopted.main).parents == (adopted.event.head,)
    assert runner.hub.bare.git("show", "--format=", "--name-only", adopted.main).splitlines()[-1] == BASELINE


def test_loop__harmful_prompt_is_rolled_back(harmful: Ended) -> None:
    assert (harmful.code, harmful.outputs["outcome"]) == (20, "ROLLBACK"), harmful.log.shown
    (comment,) = about(harmful, 7)
    assert comment["user"]["login"] == BOT
    head, digest = harmful.event.head, harmful.outputs["decision-digest"]
    assert (
        comment["body"].splitlines()[0]
        == f"<!-- lockgate:v1 key=inbox run={harmful.id}.1 head={head} decision={digest} -->"
    )
    assert "> [!CAUTION]" in comment["body"]
    assert harmful.outputs["comment-url"] == comment["html_url"]
    assert harmful.outputs["calls"] == "36"
    assert "ROLLBACK" in harmful.job.summary
    assert len(harmful.log.named("error")) >= 1


def test_loop__outputs_lead_to_the_record(harmful: Ended) -> None:
    record = json.loads((harmful.job.workspace / harmful.outputs["decision-path"]).read_text(encoding="utf-8"))
    assert (record["outcome"], record["reason"]) == ("ROLLBACK", "regression")
    assert (harmful.job.workspace / harmful.outputs["report-path"]).read_text(encoding="utf-8") == harmful.job.summary


def test_loop__fix_updates_the_same_comment(harmful: Ended, fixed: Ended) -> None:
    assert (fixed.code, fixed.outputs["outcome"]) == (0, "PROMOTE"), fixed.log.shown
    (before,), (after,) = about(harmful, 7), about(fixed, 7)
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    marker = after["body"].splitlines()[0]
    assert marker.startswith(f"<!-- lockgate:v1 key=inbox run={fixed.id}.1 head={fixed.event.head} ")
    assert "> [!TIP]" in after["body"]
    assert "> [!CAUTION]" not in after["body"]


def test_loop__merge_commits_the_next_baseline(runner: ImageRunner, adopted: Ended, merged: Ended) -> None:
    assert (merged.code, merged.outputs["outcome"]) == (0, "PROMOTE"), merged.log.shown
    commit = runner.hub.bare.commit(merged.main)
    assert commit.parents == (merged.event.head,)
    assert (commit.author.name, commit.sha in runner.hub.signed) == (BOT, True)
    assert commit.message.splitlines()[0] == "Promote the baseline of inbox"
    assert commit.message.endswith(f"Gate-Baseline: true\nGate-Measured: {merged.event.head}")
    old, new = (json.loads(runner.hub.bare.run("cat-file", "blob", f"{sha}:{BASELINE}"))
                for sha in (f"{merged.event.head}^1", merged.main))  # fmt: skip
    assert old["identity"]["version"] != new["identity"]["version"]
    assert {case["trials"] for case in new["cases"]} == {10}
    assert merged.outputs["calls"] == adopted.outputs["calls"] == "360"


def test_loop__own_commit_starts_nothing(after: Ended) -> None:
    assert (after.code, after.outputs["outcome"]) == (0, "NONE"), after.log.shown
    assert after.log.named("notice") == ["the push brings only baselines that lockgate wrote"]


def test_loop__next_pull_request_meets_the_new_baseline(runner: ImageRunner, merged: Ended, following: Ended) -> None:
    assert (following.code, following.outputs["outcome"]) == (0, "PROMOTE"), following.log.shown
    standing = json.loads(runner.hub.bare.run("cat-file", "blob", f"{merged.main}:{BASELINE}"))
    (used,) = json.loads(following.text("inputs/references.json"))["references"]
    assert used["baseline"]["identity"] == standing["identity"]
    assert len(about(following, 8)) == 1


def test_loop__baseline_is_pushed_with_git_where_nothing_is_signed(runner: ImageRunner, pushed: Ended) -> None:
    assert (pushed.code, pushed.outputs["outcome"]) == (0, "PROMOTE"), pushed.log.shown
    commit = runner.hub.bare.commit(pushed.main)
    assert commit.parents == (pushed.event.head,)
    assert (commit.author.name, commit.author.email.partition("+")[2]) == (BOT, f"{BOT}@users.noreply.github.com")
    assert f"Gate-Measured: {pushed.event.head}" in commit.message
    assert [seen.status for seen in pushed.asked if seen.path.endswith("/git-receive-pack")] == [200]


def test_loop__harm_that_was_merged_keeps_the_baseline_and_is_told(
    runner: ImageRunner, pushed: Ended, forced: Ended
) -> None:
    assert (forced.code, forced.outputs["outcome"]) == (20, "ROLLBACK"), forced.log.shown
    (comment,) = about(forced, 9)
    assert comment["body"].splitlines()[1].startswith("**After the merge: ROLLBACK.**")
    assert runner.hub.bare.git("diff", "--name-only", f"{forced.event.head}^1", forced.main).splitlines() == [PROMPT]


def test_loop__revert_equals_the_baseline(reverted: Ended) -> None:
    outputs = reverted.outputs
    assert (reverted.code, outputs["outcome"], outputs["calls"]) == (0, "PROMOTE", "0"), reverted.log.shown
    assert json.loads(reverted.text("decision.json"))["reason"] == "unchanged"


def test_loop__every_run_is_on_the_chain(
    runner: ImageRunner, harmful: Ended, fixed: Ended, following: Ended, reverted: Ended
) -> None:
    text = runner.hub.bare.run("cat-file", "blob", f"{EVIDENCE_REF}:chain.jsonl").decode()
    found = [json.loads(line) for line in text.splitlines()]
    assert [(one["run"], one["head"], one["outcome"]) for one in found] == [
        (one.id, one.event.head, one.outputs["outcome"]) for one in (harmful, fixed, following, reverted)
    ]
