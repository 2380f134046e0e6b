"""The sticky comment under parallel writers, long threads, faults, and runs that decide nothing."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
import requests

from gate.app.action import Jobs, run_action
from gate.errors import PromptError
from gate.forge.api import Api
from gate.forge.comments import (
    Marker,
    NotPublished,
    Published,
    Thread,
    says,
    standing_says,
    upsert_comment,
    void_comments,
)
from tests.integration.test_action import Check, jobs
from tests.rigs.action import Job, new_job
from tests.rigs.github_hub import (
    BODY_LIMIT,
    Barrier,
    Fault,
    GitHub,
    Point,
    Token,
    down,
    lost_after_commit,
    secondary_limit,
)
from tests.rigs.runner import Log, read_log

BOT = "github-actions[bot]"
HEAD = "a" * 40
COMMENTS = "/repos/acme/app/issues/7/comments"


@pytest.fixture
def thread(github: GitHub, session: requests.Session, waits: list[float]) -> Thread:
    api = Api(session=session, url=github.url, token="t0ken", sleep=waits.append)
    return Thread(api=api, repository="acme/app", number=7)


def marker(run: int = 50, attempt: int = 1, key: str = "all") -> Marker:
    return Marker(key=key, run_id=run, attempt=attempt, head=HEAD)


def stamped(text: str, run: int = 50, attempt: int = 1, key: str = "all") -> str:
    return f"{marker(run, attempt, key).line}\n{text}"


def write_at_once(github: GitHub, runs: list[int]) -> None:
    """All writers have looked and found nothing before the first of them posts."""
    together = threading.Barrier(len(runs))
    github.barriers = [Barrier(point=Point.COMMENT_CREATE, then=lambda: together.wait(30)) for _ in runs]

    def write(run: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            own = Thread(api=Api(session=session, url=github.url, token="t0ken"), repository="acme/app", number=7)
            upsert_comment(own, marker(run), f"run {run}")

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)


def test_upsert_comment__parallel_writers_leave_the_newest_runs_comment(github: GitHub) -> None:
    for repetition in range(20):
        github.comments.clear()
        runs = [50 + (repetition + number) % 4 for number in range(4)]
        write_at_once(github, runs)
        assert github.bodies() == [stamped("run 53", 53)]


def test_upsert_comment__two_jobs_of_one_run_leave_one_comment(github: GitHub) -> None:
    for _ in range(20):
        github.comments.clear()
        write_at_once(github, [50, 50])
        assert github.bodies() == [stamped("run 50")]


def test_upsert_comment__after_120_others(github: GitHub, thread: Thread) -> None:
    for number in range(120):
        github.add("dana", f"chatter {number}")
    upsert_comment(thread, marker(50), "HOLD")
    upsert_comment(thread, marker(51), "PROMOTE")
    assert github.bodies()[120:] == [stamped("PROMOTE", 51)]


def test_upsert_comment__truncated_answer_does_not_post_twice(github: GitHub, thread: Thread) -> None:
    github.faults = [Fault(method="POST", path=COMMENTS, cut=20)]
    assert isinstance(upsert_comment(thread, marker(), "once"), Published)
    assert github.bodies() == [stamped("once")]


def test_upsert_comment__lost_answer_does_not_post_twice(github: GitHub, thread: Thread) -> None:
    github.faults = [lost_after_commit("POST", COMMENTS)]
    assert isinstance(upsert_comment(thread, marker(), "once"), Published)
    assert github.bodies() == [stamped("once")]


def test_upsert_comment__secondary_limit_is_waited_for(github: GitHub, thread: Thread, waits: list[float]) -> None:
    github.faults = [secondary_limit("POST", COMMENTS, retry_after=9)]
    assert isinstance(upsert_comment(thread, marker(), "once"), Published)
    assert waits == [9.0]


def test_upsert_comment__secondary_limit_that_names_no_time_waits_a_minute(
    github: GitHub, thread: Thread, waits: list[float]
) -> None:
    body = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
    github.faults = [Fault(method="POST", path=COMMENTS, status=403, body=body)]
    assert isinstance(upsert_comment(thread, marker(), "once"), Published)
    assert waits == [60.0]


def test_upsert_comment__api_that_is_down_is_asked_a_bounded_number_of_times(
    github: GitHub, thread: Thread, waits: list[float]
) -> None:
    github.faults = [down()]
    assert isinstance(upsert_comment(thread, marker(), "x"), NotPublished)
    assert len(github.journal) <= 6
    assert sum(waits) <= 10


def test_upsert_comment__token_that_expires_in_between_is_a_reason(github: GitHub, thread: Thread) -> None:
    def expire() -> None:
        github.tokens["t0ken"] = Token(expired=True)

    github.faults = [Fault(method="GET", path=COMMENTS, then=expire)]
    result = upsert_comment(thread, marker(), "x")
    assert isinstance(result, NotPublished)
    assert result.reason == "the comment could not be written: HTTP 401, Bad credentials"
    assert "pull-requests: write" in result.hint


def test_void_comments__replaces_older_verdicts_under_every_key(github: GitHub, thread: Thread) -> None:
    github.add(BOT, stamped("PROMOTE", 49, key="a"))
    github.add(BOT, stamped("HOLD", 48, key="b"))
    github.add(BOT, stamped("newer", 51, key="c"))
    github.add("mallory", stamped("forged", 49))
    assert void_comments(thread, marker(50), "nothing was decided") == 2
    assert github.bodies() == [
        stamped("nothing was decided", 50, key="a"),
        stamped("nothing was decided", 50, key="b"),
        stamped("newer", 51, key="c"),
        stamped("forged", 49),
    ]


def test_void_comments__writes_no_new_one(github: GitHub, thread: Thread) -> None:
    assert void_comments(thread, marker(50), "nothing was decided") == 0
    assert github.asked("POST") == []


def test_standing_says__knows_what_it_said(github: GitHub, thread: Thread) -> None:
    upsert_comment(thread, marker(50), says("HOLD", "HOLD\nwhy"))
    assert standing_says(thread, "all", "HOLD\nwhy") == f"{github.url}/acme/app/pull/7#issuecomment-1001"
    assert standing_says(thread, "all", "HOLD\nother") == ""
    assert standing_says(thread, "other", "HOLD\nwhy") == ""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return new_job(tmp_path)


def act(environ: dict[str, str], asked: Jobs) -> tuple[int, Log]:
    stdout = io.StringIO()
    with requests.Session() as session:
        session.trust_env = False
        code = run_action(environ, jobs=asked, session=session, stdout=stdout)
    return code, read_log(stdout.getvalue())


def failing(error: Exception) -> Jobs:
    def fail(_request: object) -> object:
        raise error

    return jobs(fail)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (PromptError("prompts/x.md:3: no variable @team", hint="name it"), 2, "no variable @"),
        (ValueError("x"), 1, "This is a bug in gate"),
    ],
)
def test_run_action__error_does_not_leave_an_old_promote_standing(
    job: Job, github: GitHub, error: Exception, code: int, words: str
) -> None:
    act(job.environ(github.url), jobs(Check("PROMOTE")))
    assert act(job.environ(github.url) | {"GITHUB_RUN_ID": "51"}, failing(error))[0] == code
    (body,) = github.bodies()
    assert body.startswith(f"<!-- lockgate:v1 key=intent run=51.1 head={job.head} -->\n### lockgate could not decide\n")
    assert words in body
    assert "@team" not in body


def test_run_action__error_of_an_older_run_leaves_a_newer_verdict(job: Job, github: GitHub) -> None:
    act(job.environ(github.url) | {"GITHUB_RUN_ID": "52"}, jobs(Check("PROMOTE")))
    act(job.environ(github.url), failing(ValueError("x")))
    (body,) = github.bodies()
    assert body.startswith("<!-- lockgate:v1 key=intent run=52.1 ")
    assert body.endswith("\nPROMOTE")


def test_run_action__first_run_that_fails_writes_no_comment(job: Job, github: GitHub) -> None:
    act(job.environ(github.url), failing(ValueError("x")))
    assert github.bodies() == []


def test_run_action__on_change_writes_only_what_is_new(job: Job, github: GitHub) -> None:
    environ = job.environ(github.url) | {"INPUT_COMMENT": "on-change"}
    act(environ, jobs(Check("PROMOTE")))
    first = github.bodies()
    act(environ | {"GITHUB_RUN_ID": "51"}, jobs(Check("PROMOTE")))
    assert (github.bodies(), job.outputs["comment-url"]) == (first, f"{github.url}/acme/app/pull/7#issuecomment-1001")
    act(environ | {"GITHUB_RUN_ID": "52"}, jobs(Check("ROLLBACK")))
    assert len(github.bodies()) == 1
    assert "run=52.1" in github.bodies()[0]


def test_run_action__on_change_always_writes_a_hold_which_a_release_goes_by(job: Job, github: GitHub) -> None:
    environ = job.environ(github.url) | {"INPUT_COMMENT": "on-change"}
    act(environ, jobs(Check("HOLD")))
    act(environ | {"GITHUB_RUN_ID": "51"}, jobs(Check("HOLD")))
    (body,) = github.bodies()
    assert body.startswith(f"<!-- lockgate:v1 key=intent run=51.1 head={job.head} ")


def test_run_action__enterprise_server_is_asked_where_the_runner_says(job: Job, github: GitHub) -> None:
    code, _ = act(job.environ(github.url) | {"GITHUB_API_URL": f"{github.url}/api/v3/"}, jobs(Check("PROMOTE")))
    assert (code, len(github.bodies())) == (0, 1)
    assert {seen.path.partition("/repos/")[0] for seen in github.journal} <= {"/api/v3", "/api/v3/user"}


def test_run_action__api_down_for_the_whole_run(job: Job, github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    github.faults = [down()]
    code, log = act(job.environ(github.url), jobs(Check("PROMOTE")))
    assert (code, job.outputs["outcome"], job.outputs["comment-url"]) == (0, "PROMOTE", "")
    assert (job.workspace / job.outputs["decision-path"]).is_file()
    assert "no comment: the comments could not be read: HTTP 503" in log.named("warning")[-1]


@pytest.mark.parametrize(("outcome", "code"), [("PROMOTE", 5), ("HOLD", 10), ("ROLLBACK", 20)])
def test_run_action__require_publish_fails_what_was_not_told(
    job: Job, github: GitHub, monkeypatch: pytest.MonkeyPatch, outcome: str, code: int
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    github.faults = [down()]
    environ = job.environ(github.url) | {"INPUT_REQUIRE-PUBLISH": "true"}
    assert act(environ, jobs(Check(outcome)))[0] == code
    assert job.outputs["outcome"] == outcome


def test_run_action__longest_comment_is_taken(job: Job, github: GitHub) -> None:
    line = "<!-- lockgate:v1 key=intent run=none head=none -->"
    act(job.environ(github.url), jobs(Check("HOLD", comment=f"{line}\n{'x' * 60_000}")))
    assert 60_000 < len(github.bodies()[0]) <= BODY_LIMIT
