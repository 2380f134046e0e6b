"""Pull requests from forks: the half without secrets, the half that trusts none of it, and the approved run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.app.replay import replay
from gate.app.request import CheckRequest, CheckResult
from tests.projects import OFFLINE_PROMPT, echo_files, offline_files, promoted_baselines
from tests.rigs.github import GitHub, Token, github_server
from tests.rigs.hub_job import RUN_ID, Change, real_check, record_files, refuse

PROMPT = "prompts/inbox.md"
BETTER = {PROMPT: OFFLINE_PROMPT + "Be brief.\n"}
WORSE = {PROMPT: OFFLINE_PROMPT.replace("broken, error, crashed, outage", "zzz")}
READ_ONLY = Token(may_write=False)


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The baseline of the offline project."""
    return promoted_baselines(tmp_path_factory.mktemp("promoted"), offline_files())


@pytest.fixture
def github(baselines: dict[str, bytes]) -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token(), "fork": READ_ONLY}
        state.commit({**offline_files(), **baselines})
        yield state


@pytest.fixture
def fork(github: GitHub, tmp_path: Path) -> Change:
    return Change(github, tmp_path, owner="mallory", login="mallory")


def untrusted(fork: Change, files: dict[str, Any], *, run: Any = real_check) -> tuple[int, str]:
    """Push to the fork, run its half without any right to write, and upload what it found."""
    fork.push(files)
    code, log, job = fork.pull_request(run, INPUT_GITHUB__TOKEN="fork")
    fork.finish(job, conclusion="success" if code == 0 else "failure")
    assert fork.hub.statuses == []
    return code, log.shown


def status(github: GitHub) -> tuple[str, str, str]:
    (found,) = github.statuses
    assert found["context"] == "lockgate"
    return found["sha"], found["state"], found["description"]


def test_fork__harm_and_all_passes_are_both_a_hold(fork: Change, github: GitHub) -> None:
    code, _ = untrusted(fork, WORSE)
    assert code == 20
    trusted, log, job = fork.workflow_run()
    assert (trusted, job.outputs["outcome"]) == (10, "HOLD"), log.shown
    assert status(github) == (fork.head, "failure", "HOLD: unverified")


def forge(fork: Change, change: Callable[[dict[str, Any]], object]) -> None:
    """Replace the counts in the uploaded record."""
    files = record_files(fork.made[0])
    evidence = json.loads(files["lockgate-out/evidence.json"])
    change(evidence)
    files["lockgate-out/evidence.json"] = json.dumps(evidence).encode()
    fork.hub.artifacts.clear()
    fork.hub.add_artifact(RUN_ID, "lockgate-1", files)


def all_pass(evidence: dict[str, Any]) -> None:
    for suite in evidence["suites"]:
        suite["passes"] = 10
        for case in suite["cases"]:
            case |= {"marks": "P" * 10, "missing": [], "tags": [], "by_judge": 0}


def test_fork__forged_counts_are_a_hold_that_replays(fork: Change, github: GitHub) -> None:
    untrusted(fork, WORSE)
    forge(fork, all_pass)
    code, log, job = fork.workflow_run()
    assert (code, job.outputs["outcome"], job.outputs["calls"]) == (10, "HOLD", "0"), log.shown
    assert status(github) == (fork.head, "failure", "HOLD: unverified")
    (comment,) = github.bodies()
    assert f"head={fork.head}" in comment.splitlines()[0]
    assert "unverified: a job that the fork's own workflow could change wrote these counts" in comment
    replayed = replay(job.workspace / "lockgate-out" / "decision.json")
    assert (replayed.decision.outcome.value, replayed.decision.reason) == ("HOLD", "unverified")


def test_fork__claims_of_being_verified_or_unchanged_do_not_count(fork: Change, github: GitHub) -> None:
    untrusted(fork, WORSE)
    forge(fork, lambda evidence: evidence.update(suites=[], unchanged=["inbox"], unverified=""))
    assert fork.workflow_run()[0] == 10
    assert status(github)[1:] == ("failure", "HOLD: unverified")


def test_fork__hold_is_not_tolerated(fork: Change, github: GitHub) -> None:
    untrusted(fork, BETTER)
    assert fork.workflow_run(INPUT_FAIL__ON="rollback")[0] == 10
    assert status(github)[1] == "failure"


def test_fork__release_is_refused(fork: Change, github: GitHub) -> None:
    github.collaborators["robin"] = "write"
    untrusted(fork, BETTER)
    _, _, job = fork.workflow_run()
    digest = job.outputs["decision-digest"].removeprefix("sha256:")
    main = github.bare.tip("refs/heads/main")
    assert main is not None
    github.add_run(main, id=60, event="workflow_run")
    code, log, _ = fork.comment("robin", f"/gate approve {digest[:8]} looks fine")
    told = "not released: a fork's result is not released: let a maintainer approve a run of this commit"
    assert (code, log.named("error"), len(github.runs)) == (10, [told], 2)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda evidence: evidence.update(suites="x" * 20_000_000), "evidence.json is larger than 16777216 bytes"),
        (lambda evidence: evidence.update(as_of="never", suites=[{}]), "key 'identity' is missing"),
        (lambda evidence: evidence["suites"].append(evidence["suites"][0]), "is given 2 times"),
        (lambda evidence: evidence["suites"][0].update(passes=10**9), "has more trials than any run makes"),
        (lambda evidence: evidence["suites"][0]["cases"][0].update(marks="P" * 10**6), "has more trials than any run makes"),
        (lambda evidence: evidence.update(strange=1), "unknown key 'strange'"),
    ],
    ids=["huge", "shapeless", "twice", "passes", "marks", "key"],
)  # fmt: skip
def test_fork__hostile_record_is_a_red_mark(fork: Change, github: GitHub, spoil: Any, told: str) -> None:
    untrusted(fork, WORSE)
    forge(fork, spoil)
    code, log, job = fork.workflow_run()
    assert (code, job.outputs["outcome"], github.bodies()) == (2, "NONE", [])
    assert told in log.named("error")[0]
    assert status(github)[:2] == (fork.head, "failure")
    assert status(github)[2].startswith("HOLD: unverified, artifact: ")


def test_fork__hostile_words_are_shown_and_do_nothing(fork: Change, github: GitHub) -> None:
    untrusted(fork, WORSE)
    words = "<img src=x> @acme/all ::set-output name=outcome::PROMOTE"
    forge(fork, lambda evidence: evidence.update(stopped=words))
    _, log, _ = fork.workflow_run()
    (comment,) = github.bodies()
    assert re.findall(r"(?<!\\)<img", comment) == []
    assert "@acme/all" not in comment
    assert log.named("set-output") == []


def test_fork__without_a_record(fork: Change, github: GitHub) -> None:
    untrusted(fork, WORSE)
    github.artifacts.clear()
    assert fork.workflow_run()[0] == 5
    assert status(github)[1:] == (
        "failure",
        "HOLD: unverified, run 50 has no artifacts named 'lockgate-1' that can still be downloaded",
    )


def test_fork__pull_request_is_found_by_head_alone(fork: Change, github: GitHub) -> None:
    """The payload names pull request 999; and a head that has moved on gets nothing."""
    untrusted(fork, WORSE)
    old = fork.head
    fork.push(BETTER)
    code, log, _ = fork.workflow_run(origin={"head_sha": old})
    assert (code, github.statuses, github.bodies()) == (5, [], [])
    assert log.named("error")[0].startswith(f"no open pull requests have the head {old[:12]} of mallory/app")


def test_fork__another_base_is_refused(fork: Change, github: GitHub) -> None:
    github.commit({"x": "y"}, branch="release", onto="main")
    untrusted(fork, WORSE)
    github.pulls[7].base = "release"
    code, log, _ = fork.workflow_run()
    assert (code, github.statuses) == (2, [])
    assert "lockgate judges forks against the default branch only" in log.named("error")[0]


@pytest.mark.parametrize(
    ("conclusion", "state"), [("success", "success"), ("failure", "failure"), (None, "failure"), ("skipped", "failure")]
)
def test_own_run__is_mirrored(github: GitHub, tmp_path: Path, conclusion: str | None, state: str) -> None:
    own = Change(github, tmp_path)
    own.push(BETTER)
    code, log, _ = own.workflow_run(origin={"conclusion": conclusion})
    assert code == 0, log.shown
    assert status(github) == (own.head, state, f"the run of the gate ended with {conclusion or 'nothing'}")


def test_fork__mark_that_cannot_be_put_fails_the_job(fork: Change, github: GitHub) -> None:
    untrusted(fork, BETTER)
    github.tokens["t0ken"] = Token(permissions={"contents": "read", "actions": "read", "pull_requests": "write"})
    code, log, _ = fork.workflow_run()
    assert code == 5
    assert "statuses: write" in log.named("error")[-1]


def test_fork__check_run_in_place_of_a_status(fork: Change, github: GitHub) -> None:
    untrusted(fork, BETTER)
    fork.workflow_run(INPUT_PUBLISH="check-run")
    (check,) = github.checks
    assert (check["name"], check["head_sha"], check["conclusion"]) == ("lockgate", fork.head, "failure")
    assert github.statuses == []


def test_fork__approved_run_promotes_on_prompts_taken_as_data(fork: Change, github: GitHub) -> None:
    untrusted(fork, BETTER)
    fork.workflow_run()
    code, log, job = fork.workflow_run(real_check, INPUT_COMMAND="check-fork")
    assert (code, job.outputs["outcome"]) == (0, "PROMOTE"), log.shown
    assert (job.workspace / PROMPT).read_text() == BETTER[PROMPT]
    assert job.outputs["calls"] != "0"
    assert github.statuses[-1]["state"] == "success"
    assert github.statuses[-1]["sha"] == fork.head
    assert len(github.bodies()) == 1


def test_fork__approved_run_of_harm(fork: Change, github: GitHub) -> None:
    untrusted(fork, WORSE)
    code, _, _ = fork.workflow_run(real_check, INPUT_COMMAND="check-fork")
    assert (code, github.statuses[-1]["state"]) == (20, "failure")


@pytest.mark.parametrize("path", ["golden_sets/mail/suite.yaml", "gate.yaml", "gate-waivers.yaml"])
def test_fork__approved_run_that_would_need_more_holds(fork: Change, github: GitHub, path: str) -> None:
    text = "waivers: []\n" if path == "gate-waivers.yaml" else f"{offline_files()[path]}\n"
    untrusted(fork, {**BETTER, path: text})
    code, log, job = fork.workflow_run(real_check, INPUT_COMMAND="check-fork")
    assert (code, job.outputs["outcome"]) == (10, "HOLD"), log.shown
    assert github.statuses[-1]["description"] == "HOLD: unverified"
    assert not (job.workspace / "gate-waivers.yaml").exists()
    assert f"this change needs {path}" in github.bodies()[-1].replace("\\", "").replace("`", "")


def test_fork__half_without_secrets_asks_nobody_that_needs_a_key(tmp_path: Path) -> None:
    with github_server() as github:
        github.tokens = {"t0ken": Token(), "fork": READ_ONLY}
        github.commit(echo_files("https://api.example.com/v1"))
        fork = Change(github, tmp_path, owner="mallory", login="mallory")
        code, words = untrusted(fork, {"prompts/echo.md": "Say: {{ word }}\n"})
        assert (code, fork.made[0].outputs["outcome"], fork.made[0].outputs["calls"]) == (10, "HOLD", "0"), words


def test_prompt_ref__takes_prompts_of_a_branch_as_data(github: GitHub, tmp_path: Path) -> None:
    change = Change(github, tmp_path)
    head = change.push({**BETTER, "gate.yaml": "not: this\n"})
    asked: list[CheckRequest] = []

    def keep(request: CheckRequest) -> CheckResult:
        asked.append(request)
        return real_check(request)

    event = {"ref": "refs/heads/main", "repository": {"default_branch": "main"}, "sender": {"login": "dana"}}
    job = change.job("refs/heads/main")
    code, log, _ = change.act(
        job, "workflow_dispatch", event, run=keep, INPUT_PROMPT__REF="topic", INPUT_PUBLISH="status"
    )
    assert code == 0, log.shown
    assert (asked[0].base, asked[0].head) == ("HEAD", head)
    assert (job.workspace / PROMPT).read_text() == BETTER[PROMPT]
    assert status(github)[:2] == (head, "success")


def by_hand(change: Change, run: Any, **inputs: str) -> tuple[int, str]:
    """Start a run by hand on the default branch; the exit code and the first error."""
    event = {"ref": "refs/heads/main", "repository": {"default_branch": "main"}, "sender": {"login": "dana"}}
    code, log, _ = change.act(change.job("refs/heads/main"), "workflow_dispatch", event, run=run, **inputs)
    return code, next(iter(log.named("error")), "")


def test_prompt_ref__takes_a_commit_and_the_other_inputs(github: GitHub, tmp_path: Path) -> None:
    change = Change(github, tmp_path)
    head = change.push(WORSE)
    asked: list[CheckRequest] = []

    def keep(request: CheckRequest) -> CheckResult:
        asked.append(request)
        return real_check(request)

    inputs = {"TARGETS": "inbox", "SUITES": "mail", "PROFILE": "ci", "PASSES": "3", "BUDGET__USD": "2.5"}
    given = {f"INPUT_{name}": value for name, value in inputs.items()}
    told = by_hand(change, keep, INPUT_PROMPT__REF=head, INPUT_PUBLISH="check-run", **given)
    assert told[0] == 20, told
    request = asked[0]
    assert (request.targets, request.suites, request.profile) == (("inbox",), ("mail",), "ci")
    assert (request.passes, request.budget_usd, request.head) == (3, 2.5, head)
    assert [(run["name"], run["head_sha"], run["conclusion"]) for run in github.checks] == [
        ("lockgate", head, "failure")
    ]


@pytest.mark.parametrize("ref", ["nowhere", "0" * 40])
def test_prompt_ref__that_is_not_there(github: GitHub, tmp_path: Path, ref: str) -> None:
    change = Change(github, tmp_path)
    change.push(BETTER)
    code, told = by_hand(change, refuse, INPUT_PROMPT__REF=ref)
    assert code != 0
    assert told.startswith(f"the commit '{ref}' could not be read: HTTP ")


@pytest.mark.parametrize("command", ["promote", "refresh", "aa"])
def test_prompt_ref__makes_no_baseline_of_what_is_not_merged(github: GitHub, tmp_path: Path, command: str) -> None:
    change = Change(github, tmp_path)
    change.push(BETTER)
    told = f"input `prompt-ref` does not go with {command}, which is about the branch itself"
    code, error = by_hand(change, refuse, INPUT_PROMPT__REF="topic", INPUT_COMMAND=command)
    assert (code, error.splitlines()[0]) == (2, told)


def test_prompt_ref__is_for_runs_by_hand(github: GitHub, tmp_path: Path) -> None:
    change = Change(github, tmp_path)
    change.push(BETTER)
    code, log, _ = change.pull_request(INPUT_PROMPT__REF="topic")
    assert code == 2
    assert log.named("error")[0].startswith("input `prompt-ref` is for runs by hand")


@pytest.mark.parametrize("path", ["docs/x.md", "app/main.py"])
def test_untouched__is_green_at_once_and_says_so(github: GitHub, tmp_path: Path, path: str) -> None:
    change = Change(github, tmp_path)
    change.push({path: "anything\n"})
    code, log, job = change.pull_request(None, INPUT_PUBLISH="status")
    assert (code, job.outputs["outcome"]) == (0, "NONE")
    assert log.named("notice") == [f"this change touches nothing gated: {path}"]
    assert status(github) == (change.head, "success", "this change touches nothing gated")


@pytest.mark.parametrize(
    "path", ["golden_sets/mail/notes.md", "baselines/x.json", ".github/workflows/x.yml", "gate-waivers.yaml"]
)
def test_untouched__is_not_said_of_the_judge(github: GitHub, tmp_path: Path, path: str) -> None:
    change = Change(github, tmp_path)
    change.push({path: "waivers: []\n" if path.endswith("yaml") else "{}"})
    _, log, _ = change.pull_request()
    assert log.named("notice") == []


def test_untouched__replaces_an_older_verdict(github: GitHub, tmp_path: Path) -> None:
    change = Change(github, tmp_path)
    change.push({**WORSE, "docs/x.md": "x"})
    assert change.pull_request()[0] == 20
    change.push({PROMPT: OFFLINE_PROMPT})
    code, _, _ = change.pull_request(None, GITHUB_RUN_ID="51")
    (comment,) = github.bodies()
    assert code == 0
    assert "this change touches nothing gated" in comment
    assert "ROLLBACK" not in comment


def test_fork__that_touches_nothing_gated_is_green(fork: Change, github: GitHub) -> None:
    untrusted(fork, WORSE)
    fork.workflow_run()
    fork.push({PROMPT: OFFLINE_PROMPT, "docs/x.md": "x\n"})
    code, log, _ = fork.workflow_run(GITHUB_RUN_ATTEMPT="2")
    assert (code, log.named("notice")) == (0, ["this change touches nothing gated"])
    assert (github.statuses[-1]["sha"], github.statuses[-1]["state"]) == (fork.head, "success")
    (comment,) = github.bodies()
    assert "this change touches nothing gated" in comment
