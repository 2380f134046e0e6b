"""The sticky comment against a stateful stand-in for GitHub, over real sockets."""

import pytest
import requests

from gate.forge.api import Api
from gate.forge.comments import Marker, NotPublished, Published, Thread, marker_key, upsert_comment
from tests.rigs.github import Fault, GitHub, Token, github_server

BOT = "github-actions[bot]"
HEAD = "a" * 40
COMMENTS = "/repos/acme/app/issues/7/comments"


@pytest.fixture
def thread(github: GitHub, session: requests.Session, waits: list[float]) -> Thread:
    return make_thread(github, session, waits)


def make_thread(github: GitHub, session: requests.Session, waits: list[float], **changes: object) -> Thread:
    api = Api(session=session, url=github.url, token=str(changes.pop("token", "t0ken")), sleep=waits.append)
    return Thread(api=api, repository="acme/app", number=7, **changes)  # type: ignore[arg-type]


def marker(run: int = 50, attempt: int = 1, key: str = "all") -> Marker:
    return Marker(key=key, run_id=run, attempt=attempt, head=HEAD)


def stamped(text: str, run: int = 50, attempt: int = 1, key: str = "all") -> str:
    return f"{marker(run, attempt, key).line}\n{text}"


def test_upsert_comment__is_posted_once_and_then_replaced(github: GitHub, thread: Thread) -> None:
    first = upsert_comment(thread, marker(50), "HOLD")
    second = upsert_comment(thread, marker(51), "PROMOTE")
    assert first == second == Published(url=f"{github.url}/acme/app/pull/7#issuecomment-1001")
    assert github.bodies() == [f"<!-- lockgate:v1 key=all run=51.1 head={HEAD} -->\nPROMOTE"]


def test_upsert_comment__replaces_the_rendered_marker(github: GitHub, thread: Thread) -> None:
    upsert_comment(thread, marker(50, key="intent"), "<!-- lockgate:v1 key=intent run=x head=y -->\nHOLD")
    assert github.bodies() == [f"<!-- lockgate:v1 key=intent run=50.1 head={HEAD} -->\nHOLD"]


def test_upsert_comment__looks_at_all_pages(github: GitHub, thread: Thread) -> None:
    for index in range(250):
        github.add("dana", f"chatter {index}")
    kept = github.add(BOT, stamped("old", 49))
    github.add("dana", "more")
    assert upsert_comment(thread, marker(50), "new") == Published(
        url=f"{github.url}/acme/app/pull/7#issuecomment-{kept}"
    )
    assert github.asked("GET").count(COMMENTS) == 3
    assert github.asked("POST") == []


@pytest.mark.parametrize("author", ["mallory", "github-actions", "evil[bot]"])
def test_upsert_comment__forged_marker_of_somebody_else_is_not_ours(
    github: GitHub, thread: Thread, author: str
) -> None:
    github.add(author, stamped("forged", 999_999))
    upsert_comment(thread, marker(50), "real")
    assert github.bodies() == [stamped("forged", 999_999), stamped("real")]


def test_upsert_comment__marker_must_start_the_first_line(github: GitHub, thread: Thread) -> None:
    quoted = f"> quoted\n{stamped('old', 49)}"
    github.add(BOT, quoted)
    upsert_comment(thread, marker(50), "real")
    assert github.bodies() == [quoted, stamped("real")]


def test_upsert_comment__keys_have_their_own_comments(github: GitHub, thread: Thread) -> None:
    upsert_comment(thread, marker(50, key="a"), "A")
    upsert_comment(thread, marker(50, key="a.b"), "B")
    upsert_comment(thread, marker(51, key="a"), "A2")
    assert github.bodies() == [stamped("A2", 51, key="a"), stamped("B", key="a.b")]


@pytest.mark.parametrize(("run", "attempt"), [(51, 1), (50, 2)])
def test_upsert_comment__older_run_does_not_overwrite_a_newer(
    github: GitHub, thread: Thread, run: int, attempt: int
) -> None:
    github.add(BOT, stamped("newer", run, attempt))
    assert upsert_comment(thread, marker(50), "older") == NotPublished(reason="a newer run has already commented")
    assert github.bodies() == [stamped("newer", run, attempt)]


def test_upsert_comment__same_run_may_write_again(github: GitHub, thread: Thread) -> None:
    github.add(BOT, stamped("first", 50).replace("\n", "\r\n"))
    assert isinstance(upsert_comment(thread, marker(50), "again"), Published)
    assert github.bodies() == [stamped("again")]


def test_upsert_comment__removes_own_older_duplicates(github: GitHub, thread: Thread) -> None:
    for run in (47, 48, 49):
        github.add(BOT, stamped(f"{run}", run))
    upsert_comment(thread, marker(50), "now")
    assert [comment["id"] for comment in github.comments] == [1001]
    assert github.bodies() == [stamped("now")]


@pytest.mark.parametrize(("other", "left"), [(49, [("ours", 50)]), (51, [("theirs", 51)])])
def test_upsert_comment__race_with_another_first_comment_leaves_one(
    github: GitHub, thread: Thread, other: int, left: list[tuple[str, int]]
) -> None:
    github.faults = [Fault(method="GET", path=COMMENTS, then=lambda: github.add(BOT, stamped("theirs", other)))]
    upsert_comment(thread, marker(50), "ours")
    assert github.bodies() == [stamped(text, run) for text, run in left]


def test_upsert_comment__newer_duplicate_counts_as_newer(github: GitHub, thread: Thread) -> None:
    github.add(BOT, stamped("old", 40))
    github.add(BOT, stamped("newer", 60))
    assert upsert_comment(thread, marker(50), "ours") == NotPublished(reason="a newer run has already commented")
    assert github.bodies() == [stamped("old", 40), stamped("newer", 60)]


def test_upsert_comment__posted_beside_a_newer_run_is_taken_back(github: GitHub, thread: Thread) -> None:
    github.faults = [Fault(method="POST", path=".*", then=lambda: github.add(BOT, stamped("newer", 60)))]
    assert upsert_comment(thread, marker(50), "ours") == NotPublished(reason="a newer run has already commented")
    assert github.bodies() == [stamped("newer", 60)]


def test_upsert_comment__comment_deleted_meanwhile_is_written_again(github: GitHub, thread: Thread) -> None:
    github.add(BOT, stamped("old", 49))
    github.faults = [Fault(method="PATCH", path=".*", status=404, then=github.comments.clear)]
    assert isinstance(upsert_comment(thread, marker(50), "new"), Published)
    assert github.bodies() == [stamped("new")]


def test_upsert_comment__personal_token_has_its_own_login(github: GitHub, thread: Thread) -> None:
    github.tokens["t0ken"] = Token(login="dana", knows_itself=True)
    github.add(BOT, stamped("another's", 49))
    github.add("dana", stamped("mine", 49))
    upsert_comment(thread, marker(50), "now")
    assert github.bodies() == [stamped("another's", 49), stamped("now")]


def test_upsert_comment__app_learns_its_login_from_what_it_wrote(github: GitHub, thread: Thread) -> None:
    github.tokens["t0ken"] = Token(login="acme-gate[bot]")
    upsert_comment(thread, marker(50), "first")
    upsert_comment(thread, marker(51), "second")
    assert [(c["id"], c["body"]) for c in github.comments] == [(1001, stamped("second", 51))]


def test_upsert_comment__missing_permission_is_named_with_the_yaml(
    github: GitHub, session: requests.Session, waits: list[float]
) -> None:
    thread = make_thread(github, session, waits, token="read-only")
    assert upsert_comment(thread, marker(), "HOLD") == NotPublished(
        reason="the comment could not be written: HTTP 403, Resource not accessible by integration",
        hint="give the job this in its workflow file:\npermissions:\n  contents: read\n  pull-requests: write",
    )
    assert waits == []


def test_upsert_comment__fork_is_told_that_its_token_is_read_only(
    github: GitHub, session: requests.Session, waits: list[float]
) -> None:
    thread = make_thread(github, session, waits, token="read-only", is_fork=True)
    result = upsert_comment(thread, marker(), "HOLD")
    assert isinstance(result, NotPublished)
    assert result.hint == "runs for a fork get a read-only token; the report is in the job summary"


def test_upsert_comment__without_a_token_asks_nobody(
    github: GitHub, session: requests.Session, waits: list[float]
) -> None:
    result = upsert_comment(make_thread(github, session, waits, token=""), marker(), "HOLD")
    assert result == NotPublished(reason="no github-token was given", hint="pass github-token: ${{ github.token }}")
    assert github.journal == []


def test_upsert_comment__wrong_token_is_a_reason(github: GitHub, session: requests.Session, waits: list[float]) -> None:
    result = upsert_comment(make_thread(github, session, waits, token="wrong"), marker(), "HOLD")
    assert isinstance(result, NotPublished)
    assert result.reason == "the comments could not be read: HTTP 401, Bad credentials"


def test_upsert_comment__too_long_a_body_is_a_reason(github: GitHub, thread: Thread) -> None:
    result = upsert_comment(thread, marker(), "x" * 65_536)
    assert isinstance(result, NotPublished)
    assert "HTTP 422, Validation Failed: body is too long" in result.reason


def test_upsert_comment__lost_answer_to_a_post_does_not_post_twice(github: GitHub, thread: Thread) -> None:
    github.faults = [Fault(method="POST", path=".*", status=0, after=True)]
    assert isinstance(upsert_comment(thread, marker(), "once"), Published)
    assert github.bodies() == [stamped("once")]
    assert len(github.asked("POST")) == 1


@pytest.mark.parametrize("status", [0, 502])
def test_upsert_comment__lost_post_is_repeated_once(github: GitHub, thread: Thread, status: int) -> None:
    github.faults = [Fault(method="POST", path=".*", status=status)]
    assert isinstance(upsert_comment(thread, marker(), "once"), Published)
    assert github.bodies() == [stamped("once")]


def test_upsert_comment__unreadable_answer_to_a_post_does_not_post_twice(github: GitHub, thread: Thread) -> None:
    github.faults = [Fault(method="POST", path=".*", status=201, body=b'{"id": 1', after=True)]
    assert isinstance(upsert_comment(thread, marker(), "once"), Published)
    assert github.bodies() == [stamped("once")]


def test_upsert_comment__reads_are_repeated_and_bounded(github: GitHub, thread: Thread, waits: list[float]) -> None:
    github.faults = [Fault(method="GET", path=COMMENTS, status=503) for _ in range(3)]
    result = upsert_comment(thread, marker(), "x")
    assert isinstance(result, NotPublished)
    assert result.reason == "the comments could not be read: HTTP 503, scripted fault"
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize("status", [403, 429])
def test_upsert_comment__waits_as_long_as_the_api_asks(
    github: GitHub, thread: Thread, waits: list[float], status: int
) -> None:
    github.faults = [Fault(method="POST", path=".*", status=status, headers=(("Retry-After", "7"),))]
    assert isinstance(upsert_comment(thread, marker(), "x"), Published)
    assert waits == [7.0]


def test_upsert_comment__does_not_wait_an_hour(github: GitHub, thread: Thread, waits: list[float]) -> None:
    github.faults = [Fault(method="POST", path=".*", status=429, headers=(("Retry-After", "3600"),))]
    assert isinstance(upsert_comment(thread, marker(), "x"), NotPublished)
    assert waits == []


def test_upsert_comment__token_does_not_follow_redirects(github: GitHub, thread: Thread) -> None:
    with github_server() as elsewhere:
        headers = (("Location", f"{elsewhere.url}{COMMENTS}"),)
        github.faults = [Fault(method="GET", path=COMMENTS, status=301, headers=headers)]
        result = upsert_comment(thread, marker(), "x")
        assert elsewhere.journal == []
    assert isinstance(result, NotPublished)
    assert "HTTP 301" in result.reason


def test_upsert_comment__nobody_listening_is_a_reason(session: requests.Session, waits: list[float]) -> None:
    with github_server() as gone:
        url = gone.url
    api = Api(session=session, url=url, token="t0ken", sleep=waits.append)
    result = upsert_comment(Thread(api=api, repository="acme/app", number=7), marker(), "x")
    assert result == NotPublished(reason="the comments could not be read: no answer (ConnectionError)")


def test_upsert_comment__api_words_are_bounded_and_flat(github: GitHub, thread: Thread) -> None:
    body = b'{"message": "a\\n::error::b' + b"x" * 500 + b'"}'
    github.faults = [Fault(method="POST", path=".*", status=422, body=body)]
    result = upsert_comment(thread, marker(), "x")
    assert isinstance(result, NotPublished)
    assert "\n" not in result.reason
    assert len(result.reason) < 260


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("<!-- lockgate:v1 key=intent run=1 head=2 -->\nx", "intent"),
        ("no marker\n<!-- lockgate:v1 key=late -->", "all"),
        ("<!-- other key=x -->", "all"),
    ],
)
def test_marker_key__is_on_the_first_line(body: str, key: str) -> None:
    assert marker_key(body) == key
