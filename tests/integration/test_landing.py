"""Commits of baselines by three writers, against real git and the API of a stateful stand-in: nothing is ever lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from gate.app.landing import Bundle, Unit, land_beside, land_bundle
from gate.errors import PublishError
from gate.forge import branch as branches
from gate.forge.api import Api
from gate.forge.baseline_pulls import BaselinePull, merged_pull, open_baseline_pull, open_pulls
from gate.forge.branch import Barred, Branch, Change, Kept, Landed, Moved, Unavailable, Writer, land, trailers
from gate.forge.writers import FileByFile, GitPush, SignedCommit
from tests.rigs.github_hub import (
    Barrier,
    Fault,
    GitHub,
    Point,
    Protection,
    Token,
    github_server,
    lost_after_commit,
    secondary_limit,
)

BOT = "github-actions[bot]"
PLACE = "baselines/t/s.json"
WRITERS = ("signed", "push", "files")
ONE_COMMIT = ("signed", "push")


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {
            "t0ken": Token(),
            "read-only": Token(may_write=False),
            "expired": Token(expired=True),
        }
        yield state


def main_of(github: GitHub, session: requests.Session, waits: list[float], token: str = "t0ken") -> Branch:
    api = Api(session=session, url=github.url, token=token, sleep=waits.append)
    return Branch(api=api, repository="acme/app", name="main")


@pytest.fixture
def main(github: GitHub, session: requests.Session, waits: list[float]) -> Branch:
    return main_of(github, session, waits)


def writer_of(name: str, github: GitHub) -> Writer:
    return {"signed": SignedCommit(), "push": GitPush(server_url=github.url), "files": FileByFile()}[name]


def change(text: str = "new\n", **more: str) -> Change:
    return Change(files={PLACE: text, **more}, title="Promote", body=trailers("a" * 40))


def history(github: GitHub, branch: str = "main") -> list[str]:
    return github.bare.git("rev-list", "--reverse", branch).split()


def tip(github: GitHub, branch: str = "main") -> str:
    return github.bare.tip(f"refs/heads/{branch}") or ""


@pytest.mark.parametrize("name", WRITERS)
def test_commit__puts_all_files_on_top_of_the_head(github: GitHub, main: Branch, name: str) -> None:
    before = tip(github)
    made = writer_of(name, github).commit(main, before, change(**{"baselines/t/answers/s.json": "{}\n"}))
    assert made == Landed(commit=tip(github))
    assert (github.read(PLACE), github.read("baselines/t/answers/s.json")) == ("new\n", "{}\n")
    assert github.read("README.md") == "# app\n"
    assert before in history(github)
    message = github.bare.commit(tip(github)).message
    assert (message.splitlines()[0], branches.is_marked(message), branches.measured_on(message)) == (
        "Promote",
        True,
        "a" * 40,
    )


@pytest.mark.parametrize("name", WRITERS)
def test_commit__replaces_a_file_and_keeps_text_as_it_is(github: GitHub, main: Branch, name: str) -> None:
    head = github.commit({PLACE: "old\n"})
    text = "line ends\r\n\u2028 and \u00e9\n"
    assert isinstance(writer_of(name, github).commit(main, head, change(text)), Landed)
    assert github.bare.run("cat-file", "blob", f"main:{PLACE}") == text.encode()


def test_commit__enterprise_server_has_its_graphql_beside_the_root(
    github: GitHub, session: requests.Session, waits: list[float]
) -> None:
    api = Api(session=session, url=f"{github.url}/api/v3", token="t0ken", sleep=waits.append)
    main = Branch(api=api, repository="acme/app", name="main")
    assert isinstance(land(main, (SignedCommit(),), lambda _head: change()), Landed)
    assert github.asked("POST") == ["/api/graphql"]


@pytest.mark.parametrize("name", ONE_COMMIT)
def test_commit__head_that_has_moved_is_told(github: GitHub, main: Branch, name: str) -> None:
    before = tip(github)
    github.commit({"other.txt": "x"})
    assert isinstance(writer_of(name, github).commit(main, before, change()), Moved)
    assert len(history(github)) == 2


@pytest.mark.parametrize("name", WRITERS)
def test_commit__race_inside_of_the_server_is_told(github: GitHub, main: Branch, name: str) -> None:
    before = tip(github)
    github.barriers = [Barrier(point=Point.REF_UPDATE, then=lambda: github.commit({"other.txt": "x"}))]
    assert isinstance(writer_of(name, github).commit(main, before, change()), Moved)
    assert github.bare.git("log", "--format=%s", "main").splitlines() == ["change", "first"]


def test_commit__file_that_was_changed_meanwhile_is_not_overwritten(github: GitHub, main: Branch) -> None:
    before = github.commit({PLACE: "old\n"})
    github.commit({PLACE: "theirs\n"})
    assert isinstance(FileByFile().commit(main, before, change()), Moved)
    assert github.read(PLACE) == "theirs\n"


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("classic", [True, False])
def test_commit__protected_branch_names_what_is_missing(github: GitHub, main: Branch, name: str, classic: bool) -> None:
    github.protect(Protection(classic=classic))
    made = writer_of(name, github).commit(main, tip(github), change())
    assert isinstance(made, Barred)
    assert "through a pull request" in made.reason
    assert "baseline: {update: pull-request}" in made.hint
    assert len(history(github)) == 1


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("token", ["read-only", "expired"])
def test_commit__missing_permission_is_named_with_the_yaml(
    github: GitHub, session: requests.Session, waits: list[float], name: str, token: str
) -> None:
    head = tip(github)
    main = main_of(github, session, waits, token)
    if (name, token) == ("files", "expired"):
        with pytest.raises(PublishError, match="HTTP 401"):
            writer_of(name, github).commit(main, head, change())
        return
    made = writer_of(name, github).commit(main, head, change())
    assert isinstance(made, Barred)
    assert "permissions:\n  contents: write\n" in made.hint


def test_commit__token_is_not_among_git_arguments_and_not_in_what_is_said(github: GitHub, main: Branch) -> None:
    github.faults = [Fault(method="*", path=".*git-receive-pack", status=500)]
    made = GitPush(server_url=github.url).commit(main, tip(github), change())
    assert isinstance(made, Unavailable)
    assert "t0ken" not in made.reason


def test_land__next_writer_where_one_is_not_offered(github: GitHub, main: Branch) -> None:
    github.faults = [Fault(method="POST", path="/graphql", status=404, times=None)]
    made = land(main, (SignedCommit(), GitPush(server_url=github.url)), lambda _head: change())
    assert made == Landed(commit=tip(github))
    assert github.bare.commit(tip(github)).author.name == BOT


@pytest.mark.parametrize("name", WRITERS)
def test_land__lost_answer_is_looked_up_and_not_written_twice(github: GitHub, main: Branch, name: str) -> None:
    path = {"signed": "/graphql", "push": ".*git-receive-pack", "files": ".*contents.*"}[name]
    method = "PUT" if name == "files" else "POST"
    github.faults = [lost_after_commit(method, path)]
    landed = []

    def propose(head: str) -> Change | Kept:
        standing = main.read(head, PLACE)
        landed.append(head)
        return Kept(reasons=("there",)) if standing and standing.content == b"new\n" else change()

    made = [None]
    if name == "push":
        # A dropped connection is no word of git's about the branch: the next way is taken, after looking again.
        with pytest.raises(PublishError):
            land(main, (writer_of(name, github),), propose)
        made = [land(main, (writer_of(name, github),), propose)]
    else:
        made = [land(main, (writer_of(name, github),), propose)]
    assert made == [Kept(reasons=("there",))]
    assert len(history(github)) == 2


def test_land__secondary_limit_is_waited_for(github: GitHub, main: Branch, waits: list[float]) -> None:
    github.faults = [secondary_limit("POST", "/graphql", retry_after=7)]
    assert isinstance(land(main, (SignedCommit(),), lambda _head: change()), Landed)
    assert waits == [7.0]


def test_land__gives_up_after_25_lost_races(github: GitHub, main: Branch) -> None:
    github.barriers = [
        Barrier(point=Point.REF_UPDATE, then=lambda n=n: github.commit({f"{n}.txt": "x"})) for n in range(30)
    ]
    with pytest.raises(PublishError, match="main moved 25 times"):
        land(main, (SignedCommit(),), lambda _head: change())
    assert len(history(github)) == 26


def bundle_of(measured: str, *, text: str, before: bytes | None, again: Callable[..., object] | None = None,
              name: str = "s") -> Bundle:  # fmt: skip
    place = f"baselines/t/{name}.json"
    unit = Unit(name=f"t / {name}", place=place, files={place: text}, before=before, line=f"t / {name}: {text.strip()}")
    return Bundle(measured=measured, title="Promote", units=(unit,), again=again or (lambda _tree: (unit,)))  # type: ignore[arg-type]


def test_land_bundle__older_run_never_overwrites_a_newer_one(github: GitHub, main: Branch) -> None:
    older = github.commit({PLACE: "before\n"})
    newer = github.commit({"prompt.md": "b"})
    writers = (SignedCommit(),)
    assert isinstance(land_bundle(main, writers, bundle_of(newer, text="newer\n", before=b"before\n")), Landed)
    made = land_bundle(main, writers, bundle_of(older, text="older\n", before=b"before\n"))
    assert made == Kept(reasons=("t / s: the baseline is from a newer run",))
    assert github.read(PLACE) == "newer\n"


def test_land_bundle__newer_run_decides_against_the_older_one_and_replaces_it(github: GitHub, main: Branch) -> None:
    older = github.commit({PLACE: "before\n"})
    newer = github.commit({"prompt.md": "b"})
    writers, seen = (SignedCommit(),), []
    land_bundle(main, writers, bundle_of(older, text="older\n", before=b"before\n"))
    made = bundle_of(newer, text="newer\n", before=b"before\n")
    again = Bundle(
        measured=newer, title="t", units=made.units, again=lambda tree: (seen.append(tree.read(PLACE)), made.units)[1]
    )
    assert isinstance(land_bundle(main, writers, again), Landed)
    assert (seen, github.read(PLACE)) == ([b"older\n"], "newer\n")


def test_land_bundle__refusal_against_the_older_one_keeps_it(github: GitHub, main: Branch) -> None:
    older = github.commit({PLACE: "before\n"})
    newer = github.commit({"prompt.md": "b"})
    land_bundle(main, (SignedCommit(),), bundle_of(older, text="older\n", before=b"before\n"))
    refused = bundle_of(newer, text="newer\n", before=b"before\n", again=lambda _tree: ())
    assert isinstance(land_bundle(main, (SignedCommit(),), refused), Kept)
    assert github.read(PLACE) == "older\n"


def test_land_bundle__same_run_again_writes_nothing(github: GitHub, main: Branch) -> None:
    head = github.commit({PLACE: "before\n"})
    made = bundle_of(head, text="new\n", before=b"before\n")
    assert isinstance(land_bundle(main, (SignedCommit(),), made), Landed)
    assert land_bundle(main, (SignedCommit(),), made) == Kept(reasons=("t / s: the baseline is there already",))
    second = bundle_of(head, text="another\n", before=b"before\n")
    assert land_bundle(main, (SignedCommit(),), second) == Kept(reasons=("t / s: the baseline is from a newer run",))
    assert len(history(github)) == 3


def test_land_bundle__what_a_person_changed_is_kept(github: GitHub, main: Branch) -> None:
    head = github.commit({PLACE: "before\n"})
    github.commit({PLACE: "by hand\n"}, message="restore")
    made = land_bundle(main, (SignedCommit(),), bundle_of(head, text="new\n", before=b"before\n"))
    assert made == Kept(reasons=("t / s: the baseline was changed by a person",))
    assert github.read(PLACE) == "by hand\n"


def test_land_bundle__commit_that_was_forced_away_writes_nothing(github: GitHub, main: Branch) -> None:
    first = tip(github)
    gone = github.commit({PLACE: "before\n"})
    github.bare.git("update-ref", "refs/heads/main", first)
    github.commit({"other.txt": "x"})
    made = land_bundle(main, (SignedCommit(),), bundle_of(gone, text="new\n", before=b"before\n"))
    assert made == Kept(reasons=("main no longer holds the commit that was measured",))


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("count", [2, 10])
def test_land_bundle__concurrent_merges_lose_nothing(github: GitHub, name: str, count: int) -> None:
    github.limits.points_per_minute = github.limits.requests_per_hour = 100_000
    github.limits.creations_per_minute = 100_000
    merges = [github.commit({f"prompts/{number}.md": "x"}) for number in range(count)]
    barrier, made = threading.Barrier(count), {}

    def run(number: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            own = main_of(github, session, [])
            bundle = bundle_of(merges[number], text=f"{number}\n", before=None, name=f"s{number}")
            barrier.wait(30)
            made[number] = land_bundle(own, (writer_of(name, github),), bundle)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert {number: type(one) for number, one in made.items()} == dict.fromkeys(range(count), Landed)
    assert [github.read(f"baselines/t/s{number}.json") for number in range(count)] == [f"{n}\n" for n in range(count)]
    parents = github.bare.git("rev-list", "--parents", "main").splitlines()
    assert {len(line.split()) for line in parents[:-1]} == {2}, "the history is a line"
    assert len(parents) == 1 + 2 * count


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_land_bundle__two_merges_of_one_suite_end_with_the_newer(
    github: GitHub, main: Branch, order: tuple[int, int]
) -> None:
    github.commit({PLACE: "before\n"})
    merges = [github.commit({"prompts/x.md": str(number)}) for number in range(2)]
    for number in order:
        land_bundle(main, (SignedCommit(),), bundle_of(merges[number], text=f"{number}\n", before=b"before\n"))
    assert github.read(PLACE) == "1\n"


def test_land_beside__branch_starts_at_the_head_and_has_only_the_files(github: GitHub, main: Branch) -> None:
    github.protect(Protection())
    head = github.commit({PLACE: "before\n"})
    side = Branch(api=main.api, repository=main.repository, name="lockgate/baseline-1")
    made = land_beside(main, side, (SignedCommit(),), bundle=bundle_of(head, text="new\n", before=b"before\n"))
    assert made == Landed(commit=tip(github, side.name))
    assert github.bare.git("diff", "--name-only", "main", side.name) == PLACE
    again = land_beside(main, side, (SignedCommit(),), bundle=bundle_of(head, text="new\n", before=b"before\n"))
    assert again == Kept(reasons=("lockgate/baseline-1 holds it already",))


def side_of(github: GitHub, main: Branch, measured: str, text: str) -> Branch:
    side = Branch(api=main.api, repository=main.repository, name=f"lockgate/baseline-{measured[:12]}")
    land_beside(main, side, (SignedCommit(),), bundle=bundle_of(measured, text=text, before=None))
    return side


def test_open_baseline_pull__newer_one_closes_the_older(github: GitHub, main: Branch) -> None:
    older, newer = github.commit({"a": "1"}), github.commit({"a": "2"})
    first = open_baseline_pull(main, side_of(github, main, older, "1\n"), title="Promote", measured=older)
    second = open_baseline_pull(main, side_of(github, main, newer, "2\n"), title="Promote", measured=newer)
    assert isinstance(first, BaselinePull)
    assert isinstance(second, BaselinePull)
    assert [pull.number for pull in open_pulls(main)] == [second.number]
    assert github.pulls[first.number].state == "closed"
    assert github.bodies() == [f"#{second.number} is newer."]


def test_open_baseline_pull__is_found_again_and_others_are_left(github: GitHub, main: Branch) -> None:
    measured = github.commit({"a": "1"})
    github.commit({"b": "1"}, branch="topic")
    forged = github.open_pull("topic", login="mallory")
    forged.body = trailers(measured)
    side = side_of(github, main, measured, "1\n")
    first = open_baseline_pull(main, side, title="Promote", measured=measured)
    assert open_baseline_pull(main, side, title="Promote", measured=measured) == first
    assert forged.state == "open"


def test_open_baseline_pull__setting_that_forbids_it_is_named(github: GitHub, main: Branch) -> None:
    github.actions_may_open_pulls = False
    measured = github.commit({"a": "1"})
    made = open_baseline_pull(main, side_of(github, main, measured, "1\n"), title="Promote", measured=measured)
    assert isinstance(made, Barred)
    assert "Allow GitHub Actions to create and approve pull requests" in made.hint


def test_open_baseline_pull__lost_answer_opens_one(github: GitHub, main: Branch) -> None:
    measured = github.commit({"a": "1"})
    side = side_of(github, main, measured, "1\n")
    github.faults = [lost_after_commit("POST", "/repos/acme/app/pulls")]
    assert isinstance(open_baseline_pull(main, side, title="Promote", measured=measured), BaselinePull)
    assert len(github.pulls) == 1


def test_merged_pull__is_found_by_its_commit(github: GitHub, main: Branch) -> None:
    github.commit({"b": "1"}, branch="topic")
    pull = github.open_pull("topic")
    assert merged_pull(main, tip(github, "topic")) is None
    merged = github.merge_pull(pull.number)
    assert merged_pull(main, merged) == pull.number
    assert merged_pull(main, github.commit({"c": "1"})) is None
