"""Releasing a HOLD by a comment, from the command to the green job, and every way in which it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.forge.release import pointer_line
from gate.store.releases import Release, parse_release, render_release
from tests.projects import OFFLINE_PROMPT, offline_files, promoted_baselines
from tests.rigs.github import GitHub, Token, github_server
from tests.rigs.hub_job import RUN_ID, Change, record_files, refuse

BETTER = {"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"}
REASON = "wording only @acme/all <b>now</b>"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token()}
        state.collaborators |= {"robin": "write", "rita": "read", "mallory": "write"}
        state.commit(offline_files())
        yield state


@pytest.fixture
def held(github: GitHub, tmp_path: Path) -> Change:
    """A pull request that held, because its suite has no baseline yet."""
    change = Change(github, tmp_path)
    change.push(BETTER)
    code, log, job = change.pull_request()
    assert (code, job.outputs["outcome"]) == (10, "HOLD"), log.shown
    change.finish(job)
    return change


def digest(change: Change) -> str:
    return change.made[0].outputs["decision-digest"].removeprefix("sha256:")


def approve(change: Change, login: str = "robin", prefix: str | None = None) -> tuple[int, str]:
    """Give the command, and return the exit code with the error that is shown."""
    code, log, _ = change.comment(login, f"/gate approve {prefix or digest(change)[:8]} {REASON}")
    return code, "\n".join(log.named("error"))


def test_release__passes_the_job_of_the_next_attempt(held: Change, github: GitHub) -> None:
    assert approve(held) == (0, "")
    reply = github.bodies()[-1]
    assert github.comments[-1]["user"]["login"] == "github-actions[bot]"
    assert reply.splitlines()[0].startswith("<!-- lockgate-release:v1 ")
    assert reply.splitlines()[1].startswith("**HOLD, released by `@robin`:** wording only ")
    assert "@acme" not in reply
    assert "<b>" not in reply
    assert [(run["run_attempt"], run["status"]) for run in github.runs] == [(1, "completed"), (2, "queued")]
    code, log, job = held.pull_request(refuse, attempt=2)
    assert (code, job.outputs["outcome"], job.outputs["calls"]) == (0, "HOLD", "0"), log.shown
    assert job.outputs["decision-digest"] == f"sha256:{digest(held)}"
    sticky = github.bodies()[0]
    assert sticky.splitlines()[0].endswith(f"run=50.2 head={held.head} decision=sha256:{digest(held)} -->")
    assert sticky.splitlines()[1].startswith("**HOLD, released by `@robin`:** wording only ")
    assert "released by" in job.summary
    record = parse_release((job.workspace / "lockgate-out" / "release.json").read_text(), "release.json")
    assert (record.pull, record.head, record.by) == (7, held.head, "robin")
    assert (record.decision, record.reason) == (f"sha256:{digest(held)}", REASON)


def test_release__stands_for_a_third_attempt(held: Change, github: GitHub) -> None:
    approve(held)
    _, _, second = held.pull_request(refuse, attempt=2)
    github.add_artifact(RUN_ID, "lockgate-2", record_files(second))
    code, log, _ = held.pull_request(refuse, attempt=3)
    assert code == 0, log.shown


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("dana", "`dana` is the author of the pull request; somebody else must release it"),
        ("rita", "`rita` has no write permission, which a release needs"),
        ("stranger", "`stranger` has no write permission, which a release needs"),
    ],
)
def test_release__by_somebody_who_may_not(held: Change, github: GitHub, login: str, told: str) -> None:
    assert approve(held, login) == (10, f"not released: {told}")
    assert len(github.runs) == 1
    assert ("Not released" in github.bodies()[-1]) is (login == "dana")


def test_release__by_the_author_of_the_head_commit(github: GitHub, tmp_path: Path) -> None:
    change = Change(github, tmp_path)
    change.push(BETTER, login="robin")
    _, _, job = change.pull_request()
    change.finish(job)
    assert approve(change)[1] == "not released: `robin` is the author of the head commit; somebody else must release it"


def test_release__of_an_old_digest(held: Change) -> None:
    told = f"not released: the last decision about this commit is sha256:{digest(held)[:12]}, not sha256:00000000"
    assert approve(held, prefix="00000000") == (10, told)


def test_release__after_a_push(held: Change, github: GitHub) -> None:
    held.push({"prompts/inbox.md": OFFLINE_PROMPT + "Be kind.\n"})
    told = "that decision is about an earlier commit, and a push voids it: wait for the new decision"
    assert approve(held) == (10, f"not released: {told}")


def test_release__where_comments_are_written_on_change(github: GitHub, tmp_path: Path) -> None:
    change = Change(github, tmp_path)
    for number, words in enumerate(("Be brief.", "Be kind.")):
        change.push({"prompts/inbox.md": f"{OFFLINE_PROMPT}{words}\n"})
        run_id = {"GITHUB_RUN_ID": str(RUN_ID - 1 + number)}
        code, log, job = change.pull_request(INPUT_COMMENT="on-change", **run_id)
        assert code == 10, log.shown
    change.finish(job)
    prefix = job.outputs["decision-digest"].removeprefix("sha256:")[:8]
    assert approve(change, prefix=prefix) == (0, "")
    code, log, _ = change.pull_request(refuse, attempt=2, INPUT_COMMENT="on-change")
    assert code == 0, log.shown
    assert github.bodies()[0].splitlines()[1].startswith("**HOLD, released by `@robin`:** ")


def test_release__is_void_after_a_push(held: Change, github: GitHub) -> None:
    assert approve(held)[0] == 0
    held.push({"prompts/inbox.md": OFFLINE_PROMPT + "Be kind.\n"})
    code, _, job = held.pull_request(attempt=2)
    assert (code, job.outputs["outcome"]) == (10, "HOLD")
    assert job.outputs["calls"] != "0"


def test_release__edited_command(held: Change, github: GitHub) -> None:
    identifier = github.add("robin", "looks fine")
    github.comments[-1] |= {"body": f"/gate approve {digest(held)[:8]} {REASON}", "updated_at": github.now()}
    code, log, _ = held.commented(identifier)
    assert (code, log.named("error")) == (
        10,
        ["not released: the command was edited after it was given: give it again in a new comment"],
    )
    assert held.commented(identifier, action="edited")[0] == 0
    assert len(github.runs) == 1


def test_release__command_edited_after_it_was_granted(held: Change, github: GitHub) -> None:
    approve(held)
    command = next(item for item in github.comments if item["user"]["login"] == "robin")
    command |= {"body": command["body"] + ", really", "updated_at": github.now()}
    code, log, _ = held.pull_request(attempt=2)
    assert code == 10
    assert log.named("warning")[0] == (
        "the release by `robin` is void: the command was edited after it was given: give it again in a new comment"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"robin": "read"}, "`robin` has no write permission, which a release needs"),
        (None, "comment 1003 could not be read: HTTP 404, Not Found"),
    ],
)
def test_release__is_confirmed_afresh(held: Change, github: GitHub, change: dict[str, str] | None, told: str) -> None:
    approve(held)
    github.collaborators |= change or {}
    if change is None:
        github.comments[:] = [item for item in github.comments if item["user"]["login"] != "robin"]
    code, log, _ = held.pull_request(attempt=2)
    assert code == 10
    assert log.named("warning")[0].startswith(f"the release by `robin` is void: {told}")


def forged(change: Change, **said: object) -> str:
    record = Release(
        **{"pull": 7, "head": change.head, "decision": f"sha256:{digest(change)}", "by": "robin", "at": "now",
           "reason": "fine", "comment": 1, **said}  # type: ignore[arg-type]
    )  # fmt: skip
    return f"{pointer_line(render_release(record))}\nHOLD, released"


def test_release__forged_by_another_author(held: Change, github: GitHub) -> None:
    github.add("mallory", forged(held))
    code, log, _ = held.pull_request(attempt=2)
    assert code == 10
    assert log.named("warning")[0] == "a release by `mallory` is not believed: lockgate did not write that comment"


def test_release__forged_as_the_bot_points_to_a_command_that_was_never_given(held: Change, github: GitHub) -> None:
    harmless = github.add("robin", "nice work")
    github.add("github-actions[bot]", forged(held, comment=harmless))
    code, log, _ = held.pull_request(attempt=2)
    assert code == 10
    assert log.named("warning")[0].startswith(
        "the release by `robin` is void: this is not a command that lockgate knows; write: /gate approve"
    )


def test_release__forged_as_the_bot_with_another_reason(held: Change, github: GitHub) -> None:
    command = github.add("robin", f"/gate approve {digest(held)} {REASON}")
    github.add("github-actions[bot]", forged(held, comment=command))
    _, log, _ = held.pull_request(attempt=2)
    assert log.named("warning")[0] == (
        "the release by `robin` is void: the record of the release is not what was asked for in the comment"
    )


def test_release__of_a_record_that_another_run_made(held: Change, github: GitHub) -> None:
    """A workflow of the pull request speaks as the bot too, and may upload what it likes, for its own run."""
    github.add_run(held.head, id=70, conclusion="failure")
    github.add_artifact(70, "lockgate-1", record_files(held.made[0]))
    github.comments[0]["body"] = github.comments[0]["body"].replace("run=50.1", "run=70.1")
    assert approve(held)[0] == 0
    code, log, _ = held.pull_request(attempt=2)
    assert code == 10
    told = "the release by `robin` is void: its decision was made by run 70, and this is another one"
    assert log.named("warning")[0] == told


def rewrite(change: Change, github: GitHub, name: str, **said: object) -> None:
    """Change one JSON file of the uploaded record."""
    files = record_files(change.made[0])
    plain = json.loads(files[f"lockgate-out/{name}"])
    files[f"lockgate-out/{name}"] = json.dumps(plain | said).encode()
    github.artifacts.clear()
    github.add_artifact(RUN_ID, "lockgate-1", files)


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("decision.json", {"reason": "fine"}, "decision.json: recomputing gives another decision"),
        ("evidence.json", {"suites": []}, "evidence.json is not the file that the decision was made from"),
    ],
)
def test_release__of_a_changed_record(
    held: Change, github: GitHub, name: str, said: dict[str, object], told: str
) -> None:
    rewrite(held, github, name, **said)
    code, error = approve(held)
    assert (code, error.splitlines()[0]) == (4, told)
    assert len(github.runs) == 1


def test_release__without_the_record(held: Change, github: GitHub) -> None:
    github.artifacts.clear()
    code, error = approve(held)
    assert code == 5
    assert error.startswith(
        "run 50 has no artifacts named 'lockgate-1' that can still be downloaded\nlet the job upload"
    )


@pytest.mark.parametrize(("missing", "line"), [("actions", "actions: read"), ("actions:write", "actions: write")])
def test_release__without_permission_names_the_line(held: Change, github: GitHub, missing: str, line: str) -> None:
    given = {"issues": "write", "pull_requests": "write", "contents": "read"}
    given |= {"actions": "read"} if missing == "actions:write" else {}
    github.tokens["t0ken"] = Token(permissions=given)
    code, error = approve(held)
    assert code == 5
    assert line in error
    assert len(github.runs) == 1


def test_release__again_writes_one_reply(held: Change, github: GitHub) -> None:
    github.tokens["t0ken"] = Token(
        permissions={"issues": "write", "pull_requests": "write", "contents": "read", "actions": "read"}
    )
    identifier = github.add("robin", f"/gate approve {digest(held)[:8]} {REASON}")
    held.commented(identifier)
    github.tokens["t0ken"] = Token()
    assert held.commented(identifier)[0] == 0
    assert len([body for body in github.bodies() if "lockgate-release" in body]) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("/gate approve", "this is not a command that lockgate knows; write: /gate approve DIGEST REASON"),
        (
            "/gate approve 1234567 short",
            "this is not a command that lockgate knows; write: /gate approve DIGEST REASON",
        ),
        (
            "/gate merge 12345678 please",
            "this is not a command that lockgate knows; write: /gate approve DIGEST REASON",
        ),
        ("/gate approve 12345678 " + "x" * 501, "the reason has more than 500 characters; say it in fewer words"),
    ],
)
def test_release__malformed_command(held: Change, body: str, told: str) -> None:
    code, log, _ = held.comment("robin", body)
    assert code == 10
    assert log.named("error")[0].startswith(f"not released: {told}")


@pytest.mark.parametrize("body", ["LGTM", "see /gate approve", "/gateway", ""])
def test_release__other_comments_are_no_commands(held: Change, github: GitHub, body: str) -> None:
    asked = len(github.journal)
    code, log, _ = held.comment("robin", body or " ")
    assert (code, log.named("error"), len(github.journal)) == (0, [], asked)


def test_release__of_a_rollback(github: GitHub, tmp_path: Path) -> None:
    github.commit(promoted_baselines(tmp_path / "promoted", offline_files()))
    change = Change(github, tmp_path)
    change.push({"prompts/inbox.md": OFFLINE_PROMPT.replace("broken, error, crashed, outage", "zzz")})
    code, _, job = change.pull_request()
    assert code == 20
    change.finish(job)
    assert approve(change) == (10, "not released: the decision is ROLLBACK, and only a HOLD can be released")
    github.add("github-actions[bot]", forged(change, comment=github.comments[-2]["id"]))
    code, log, _ = change.pull_request(attempt=2)
    assert code == 20
    assert "is void: the decision is ROLLBACK" in log.named("warning")[0]
