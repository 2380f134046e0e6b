"""A default branch that nobody may push to: the baseline waits in a pull request, which the gate lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.mails import BASELINE, HARMLESS
from tests.rigs.events import on_main, pull_request
from tests.rigs.github_hub import Protection
from tests.rigs.workflow import shipped

if TYPE_CHECKING:
    from tests.rigs.image_runner import Ended, ImageRunner

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
GATE, BASELINES = shipped("gate", "decide"), shipped("baseline", "renew")


@pytest.fixture(scope="module")
def renewed(runner: ImageRunner, promoted: dict[str, str | bytes | None]) -> Ended:
    """A change was merged, and its push cannot write the baseline."""
    runner.hub.commit(promoted)
    runner.hub.protect(Protection(checks=("gate",)))
    runner.hub.commit(HARMLESS, branch="topic", onto="main")
    runner.hub.open_pull("topic", number=7)
    runner.hub.merge_pull(7)
    return runner.run(BASELINES, on_main(runner.hub, "push"))


@pytest.fixture(scope="module")
def checked(runner: ImageRunner, renewed: Ended) -> Ended:
    assert renewed.code == 0, renewed.log.shown
    return runner.run(GATE, pull_request(runner.hub, 8))


@pytest.fixture(scope="module")
def merged(runner: ImageRunner, checked: Ended) -> Ended:
    assert checked.code == 0, checked.log.shown
    runner.hub.merge_pull(8)
    return runner.run(BASELINES, on_main(runner.hub, "push"))


def test_protected__baseline_waits_in_a_pull_request(runner: ImageRunner, renewed: Ended) -> None:
    head = renewed.event.head
    pull = runner.hub.pulls[8]
    assert (pull.head, pull.base, pull.login) == (f"lockgate/baseline-{head[:12]}", "main", "github-actions[bot]")
    made = runner.hub.bare.commit(runner.hub.bare.tip(pull.head_ref) or "")
    assert made.parents == (head,)
    assert runner.hub.bare.git("diff", "--name-only", head, made.sha).splitlines()[-1] == BASELINE
    warning = next(text for text in renewed.log.named("warning") if text.startswith("main was not written to"))
    assert "baseline: {update: pull-request}" in warning


def test_protected__gate_lets_that_pull_request_pass(checked: Ended) -> None:
    assert (checked.code, checked.outputs["outcome"]) == (0, "PROMOTE"), checked.log.shown
    (comment,) = checked.comments
    assert comment["number"] == 8
    assert BASELINE in comment["body"]


def test_protected__its_merge_ends_the_loop(runner: ImageRunner, merged: Ended) -> None:
    outputs = merged.outputs
    assert (merged.code, outputs["outcome"], outputs["calls"]) == (0, "PROMOTE", "0"), merged.log.shown
    assert merged.log.named("notice") == ["inbox equals its baseline"]
    assert merged.main == merged.event.head
    assert sorted(runner.hub.pulls) == [7, 8]
