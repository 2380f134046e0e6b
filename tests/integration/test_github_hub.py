"""The stand-in for GitHub itself: real git over HTTP, the API over real sockets, faults, races, and what it refuses."""

import base64
import io
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.rigs.github_hub import (
    Barrier,
    ContractError,
    Fault,
    GitHub,
    Limits,
    Point,
    Protection,
    Token,
    down,
    github_server,
    lost_after_commit,
    secondary_limit,
)
from tests.rigs.github_hub.blanks import UnknownFieldError, complete
from tests.rigs.github_hub.contract import description, find_operation
from tests.rigs.github_hub.rest import HANDLERS
from tests.rigs.github_hub.smart_http import credentials
from tests.rigs.repository import IDENTITY

REPO = "/repos/acme/app"
TALK = f"{REPO}/issues/7/comments"
FILE = f"{REPO}/contents/baselines/a.json"
DENIED = "Resource not accessible by integration"
COMMIT = """
mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid url } ref { name prefix target { oid } } }
}
"""


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {
            "t0ken": Token(),
            "admin": Token(login="dana", knows_itself=True, permissions=dict.fromkeys(
                ("administration", "contents", "issues", "pull_requests", "actions", "checks", "statuses"), "write")),
            "read-only": Token(may_write=False),
            "comments": Token(permissions={"contents": "read", "pull_requests": "write"}),
            "expired": Token(expired=True),
        }  # fmt: skip
        yield state


class Client:
    """Asks the stand-in with a token."""

    def __init__(self, github: GitHub, session: requests.Session) -> None:
        self.github, self.session = github, session

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        token = more.pop("token", "t0ken")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        url = path if path.startswith("http") else self.github.url + path
        return self.session.request(method, url, json=body, headers=headers, timeout=20, **more)

    def get(self, path: str, **more: Any) -> Any:
        response = self("GET", path, **more)
        assert response.status_code == 200, response.text
        return response.json()

    def commit(self, head: str, files: dict[str, str], *, branch: str = "main", **more: Any) -> dict[str, Any]:
        additions = [{"path": path, "contents": encoded(text)} for path, text in files.items()]
        said = {
            "branch": {"repositoryNameWithOwner": "acme/app", "branchName": branch},
            "expectedHeadOid": head,
            "message": {"headline": "new baseline", "body": "why"},
            "fileChanges": {"additions": additions, "deletions": more.pop("deletions", [])},
        }
        response = self("POST", "/graphql", {"query": COMMIT, "variables": {"input": said}}, **more)
        assert response.status_code == 200
        return response.json()  # type: ignore[no-any-return]


@pytest.fixture
def ask(github: GitHub) -> Iterator[Client]:
    with requests.Session() as session:
        session.trust_env = False
        yield Client(github, session)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def git(folder: Path, *arguments: str, token: str = "t0ken", code: int = 0) -> str:
    environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
               "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "HOME": "/nonexistent", **IDENTITY}  # fmt: skip
    options = credentials(token) if token else ()
    done = subprocess.run(
        ("git", *options, *arguments), cwd=folder, env=environ, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return done.stdout.strip()


@pytest.fixture
def clone(github: GitHub, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", f"{github.url}/acme/app.git", "clone")
    return tmp_path / "clone"


def change(clone: Path, text: str = "1\n", path: str = "a.txt") -> str:
    (clone / path).write_text(text)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "change")
    return git(clone, "rev-parse", "HEAD")


def test_git__clone_push_and_fetch_are_real(github: GitHub, ask: Client, clone: Path) -> None:
    assert (clone / "README.md").read_text() == "# app\n"
    pushed = change(clone)
    git(clone, "push", "--quiet", "origin", "main")
    assert ask.get(f"{REPO}/git/ref/heads/main")["object"]["sha"] == pushed
    landed = github.commit({"b.txt": "2\n"})
    git(clone, "fetch", "--quiet", "origin")
    assert git(clone, "rev-parse", "origin/main") == landed
    assert git(clone, "show", "origin/main:b.txt") == "2"


def test_git__large_push_comes_in_chunks(github: GitHub, clone: Path) -> None:
    pushed = change(clone, os.urandom(3_000_000).hex(), "large.txt")
    git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/large")
    assert github.bare.tip("refs/heads/large") == pushed
    assert [seen.headers.get("transfer-encoding") for seen in github.journal][-1] == "chunked"


def test_git__shallow_fetch_of_a_test_merge(github: GitHub, clone: Path) -> None:
    head = github.commit({"topic.txt": "x"}, branch="topic")
    github.open_pull("topic", number=7)
    base = github.commit({"main.txt": "y"})
    git(clone, "fetch", "--quiet", "--depth=2", "origin", "refs/pull/7/merge")
    assert git(clone, "rev-parse", "FETCH_HEAD^1", "FETCH_HEAD^2").split() == [base, head]


def test_git__push_that_is_behind_is_rejected(github: GitHub, clone: Path) -> None:
    landed = github.commit({"b.txt": "2\n"})
    change(clone)
    assert "[rejected]" in git(clone, "push", "origin", "main", code=1)
    assert github.bare.tip("refs/heads/main") == landed


def test_git__push_loses_a_race(github: GitHub, clone: Path) -> None:
    landed: list[str] = []
    github.barriers = [Barrier(point=Point.REF_UPDATE, then=lambda: landed.append(github.commit({"b.txt": "2\n"})))]
    change(clone)
    assert "[remote rejected]" in git(clone, "push", "origin", "main", code=1)
    assert [github.bare.tip("refs/heads/main")] == landed


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("read-only", "Permission to acme/app.git denied to github-actions[bot]."),
        ("comments", "The requested URL returned error: 403"),
        ("expired", "could not read Username"),
        ("", "could not read Username"),
    ],
)
def test_git__push_needs_the_permission(github: GitHub, clone: Path, token: str, words: str) -> None:
    before = github.bare.tip("refs/heads/main")
    change(clone)
    assert words in git(clone, "push", "origin", "main", token=token, code=128)
    assert github.bare.tip("refs/heads/main") == before


def test_git__anybody_clones_a_public_repository_only(github: GitHub, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", f"{github.url}/acme/app", "one", token="", code=128)
    github.private = False
    git(tmp_path, "clone", "--quiet", f"{github.url}/acme/app", "one", token="")
    assert (tmp_path / "one" / "README.md").exists()


@pytest.mark.parametrize(("classic", "code"), [(True, "GH006: Protected branch"), (False, "GH013: Repository rule")])
def test_protection__refuses_pushes(github: GitHub, clone: Path, classic: bool, code: str) -> None:
    github.protect(Protection(classic=classic))
    before = github.bare.tip("refs/heads/main")
    pushed = change(clone)
    said = git(clone, "push", "origin", "main", code=1)
    assert f"remote: error: {code}" in said
    assert "remote: - Changes must be made through a pull request." in said
    git(clone, "push", "--quiet", "origin", "main:refs/heads/topic")
    assert (github.bare.tip("refs/heads/main"), github.bare.tip("refs/heads/topic")) == (before, pushed)


def test_protection__lets_a_bypass_pass(github: GitHub, ask: Client, clone: Path) -> None:
    github.protect(Protection(bypass=("dana",)))
    pushed = change(clone)
    git(clone, "push", "--quiet", "origin", "main", token="admin")
    assert github.bare.tip("refs/heads/main") == pushed
    assert ask("PUT", FILE, {"message": "m", "content": ""}, token="admin").status_code == 201


@pytest.mark.parametrize(
    ("classic", "words"),
    [(True, "Could not create file: Changes must be made"), (False, "Repository rule violations found")],
)
def test_protection__refuses_the_api(github: GitHub, ask: Client, classic: bool, words: str) -> None:
    github.protect(Protection(classic=classic))
    before = github.bare.tip("refs/heads/main")
    put = ask("PUT", FILE, {"message": "m", "content": ""})
    assert (put.status_code, put.json()["message"].startswith(words)) == (409, True)
    assert ask("PATCH", f"{REPO}/git/refs/heads/main", {"sha": before}).status_code == 422
    assert ask.commit(str(before), {"a": "1"})["errors"][0]["type"] == "UNPROCESSABLE"
    assert github.bare.tip("refs/heads/main") == before


def test_protection__is_found_where_github_shows_it(github: GitHub, ask: Client) -> None:
    path, rules = f"{REPO}/branches/main/protection", f"{REPO}/rules/branches/main"
    assert ask("GET", path, token="admin").json()["message"] == "Branch not protected"
    assert ask("GET", path).json()["message"] == DENIED
    github.protect(Protection(checks=("gate",)))
    shown = ask.get(path, token="admin")
    assert shown["required_status_checks"]["checks"] == [{"context": "gate", "app_id": 15368}]
    assert shown["required_pull_request_reviews"]["require_code_owner_reviews"] is True
    assert (ask.get(rules), ask.get(f"{REPO}/rulesets"), ask.get(f"{REPO}/branches/main")["protected"]) == (
        [],
        [],
        True,
    )
    github.protect(Protection(classic=False, checks=("gate",)))
    assert ask("GET", path, token="admin").status_code == 404
    kinds = ["non_fast_forward", "deletion", "pull_request", "required_status_checks"]
    assert [rule["type"] for rule in ask.get(rules)] == kinds
    assert [found["enforcement"] for found in ask.get(f"{REPO}/rulesets")] == ["active"]


def test_contents__are_compared_and_swapped(github: GitHub, ask: Client, clone: Path) -> None:
    made = ask("PUT", FILE, {"message": "one", "content": encoded("1\n")})
    sha = made.json()["content"]["sha"]
    replace = {"message": "two", "content": encoded("2\n")}
    answers = [ask("PUT", FILE, replace | more) for more in ({}, {"sha": "0" * 40}, {"sha": sha})]
    assert [answer.status_code for answer in (made, *answers)] == [201, 422, 409, 200]
    assert answers[0].json()["message"] == 'Invalid request.\n\n"sha" wasn\'t supplied.'
    assert answers[1].json()["message"] == f"baselines/a.json does not match {'0' * 40}"
    assert made.json()["commit"]["verification"]["verified"] is True
    git(clone, "pull", "--quiet")
    assert (clone / "baselines" / "a.json").read_text() == "2\n"
    assert base64.b64decode(ask.get(FILE)["content"]) == b"2\n"
    assert [item["path"] for item in ask.get(f"{REPO}/contents/baselines")] == ["baselines/a.json"]
    assert ask("GET", FILE, headers={"Accept": "application/vnd.github.raw+json"}).content == b"2\n"
    assert ask("PUT", FILE, replace | {"branch": "gone"}).json()["message"] == "Branch gone not found"
    assert ask("GET", f"{REPO}/contents/baselines%2Fa.json?ref=gone").status_code == 404


def test_contents__put_loses_a_race(github: GitHub, ask: Client) -> None:
    landed: list[str] = []
    github.barriers = [Barrier(point=Point.REF_UPDATE, then=lambda: landed.append(github.commit({"b.txt": "2\n"})))]
    before = github.bare.tip("refs/heads/main")
    lost = ask("PUT", FILE, {"message": "m", "content": encoded("1\n")})
    assert (lost.status_code, lost.json()["message"]) == (409, f"is at {landed[0]} but expected {before}")
    assert ask("GET", FILE).status_code == 404
    assert ask("PUT", FILE, {"message": "m", "content": encoded("1\n")}).status_code == 201
    assert github.read("b.txt") == "2\n"


def test_commit_on_branch__lands_many_files_signed(github: GitHub, ask: Client) -> None:
    head = github.commit({"old.txt": "x", "run.sh": "y"})
    said = ask.commit(head, {"a/b.json": "1\n", "run.sh": "z"}, deletions=[{"path": "old.txt"}])
    made = said["data"]["createCommitOnBranch"]
    assert made["ref"] == {"name": "main", "prefix": "refs/heads/", "target": {"oid": made["commit"]["oid"]}}
    shown = ask.get(f"{REPO}/commits/main")
    assert (shown["sha"], shown["commit"]["message"]) == (made["commit"]["oid"], "new baseline\n\nwhy")
    assert (shown["commit"]["verification"]["verified"], shown["author"]["login"]) == (True, "github-actions[bot]")
    files = {(item["filename"], item["status"]) for item in shown["files"]}
    assert files == {("a/b.json", "added"), ("old.txt", "removed"), ("run.sh", "modified")}


def test_commit_on_branch__refuses_a_stale_head(github: GitHub, ask: Client) -> None:
    stale = github.bare.tip("refs/heads/main")
    landed = github.commit({"b.txt": "2\n"})
    said = ask.commit(str(stale), {"a": "1"})
    words = f'Expected branch to point to "{stale}" but it did not.  Pull and try again.'
    assert said["data"] == {"createCommitOnBranch": None}
    assert [(error["type"], error["path"], error["message"]) for error in said["errors"]] == [
        ("STALE_DATA", ["createCommitOnBranch"], words)
    ]
    assert github.bare.tip("refs/heads/main") == landed


def test_commit_on_branch__loses_a_race_against_the_api(github: GitHub, ask: Client) -> None:
    def compete() -> None:
        assert ask("PUT", FILE, {"message": "first", "content": encoded("theirs")}).status_code == 201

    github.barriers = [Barrier(point=Point.REF_UPDATE, then=compete)]
    said = ask.commit(str(github.bare.tip("refs/heads/main")), {"baselines/a.json": "ours"})
    assert said["errors"][0]["type"] == "STALE_DATA"
    assert github.read("baselines/a.json") == "theirs"


@pytest.mark.parametrize(
    ("token", "kind", "change"),
    [
        ("read-only", "FORBIDDEN", {}),
        ("t0ken", "NOT_FOUND", {"branch": "gone"}),
        ("t0ken", "UNPROCESSABLE", {"deletions": [{"path": "gone.txt"}]}),
        ("t0ken", "UNPROCESSABLE", {"deletions": [{"path": "a"}]}),
    ],
)
def test_commit_on_branch__names_what_is_wrong(
    github: GitHub, ask: Client, token: str, kind: str, change: dict[str, Any]
) -> None:
    said = ask.commit(str(github.bare.tip("refs/heads/main")), {"a": "1"}, token=token, **change)
    assert [error["type"] for error in said["errors"]] == [kind]


def test_graphql__says_where_a_branch_stands(github: GitHub, ask: Client) -> None:
    query = '{ viewer { login } repository(owner: "acme", name: "app") { ref(qualifiedName: "refs/heads/main") { target { oid } } } }'
    said = ask("POST", "/api/graphql", {"query": query}).json()
    oid = github.bare.tip("refs/heads/main")
    assert said == {
        "data": {"viewer": {"login": "github-actions[bot]"}, "repository": {"ref": {"target": {"oid": oid}}}}
    }
    assert ask("POST", "/graphql", {"query": query}, token="").status_code == 401


def test_graphql__document_that_breaks_the_schema_is_reported(github: GitHub, ask: Client) -> None:
    said = ask("POST", "/graphql", {"query": COMMIT.replace("oid url", "sha")}).json()
    assert said["errors"][0]["message"].startswith("Cannot query field 'sha' on type 'Commit'.")
    ask("POST", "/graphql", {"query": COMMIT, "variables": {"input": {"message": {"headline": "x"}}}})
    first, *missing = github.take_violations()
    assert first.startswith("GraphQL: Cannot query field 'sha'")
    assert len(missing) == 2


def test_git_data__commit_from_its_objects(github: GitHub, ask: Client) -> None:
    head = ask.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    base = ask.get(f"{REPO}/git/commits/{head}")["tree"]["sha"]
    blob = ask("POST", f"{REPO}/git/blobs", {"content": encoded("1\n"), "encoding": "base64"}).json()["sha"]
    rows = [{"path": "a/b.txt", "mode": "100755", "type": "blob", "sha": blob}, {"path": "README.md", "sha": None}]
    tree = ask("POST", f"{REPO}/git/trees", {"base_tree": base, "tree": rows}).json()["sha"]
    commit = ask("POST", f"{REPO}/git/commits", {"message": "m", "tree": tree, "parents": [head]}).json()["sha"]
    assert ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/gate/x", "sha": commit}).status_code == 201
    listed = ask.get(f"{REPO}/git/trees/gate%2Fx?recursive=1")["tree"]
    assert [(item["path"], item["mode"]) for item in listed] == [("a", "040000"), ("a/b.txt", "100755")]
    assert base64.b64decode(ask.get(f"{REPO}/git/blobs/{blob}")["content"]) == b"1\n"
    assert [ref["ref"] for ref in ask.get(f"{REPO}/git/matching-refs/heads/gate")] == ["refs/heads/gate/x"]


def test_git_refs__move_forward_only(github: GitHub, ask: Client) -> None:
    first = str(github.bare.tip("refs/heads/main"))
    second, side = github.commit({"a": "1"}), github.commit({"a": "2"}, branch="side", onto=first)
    path = f"{REPO}/git/refs/heads/main"
    back = ask("PATCH", path, {"sha": side})
    assert (back.status_code, back.json()["message"]) == (422, "Update is not a fast forward")
    assert ask("PATCH", path, {"sha": "0" * 40}).json()["message"] == "Object does not exist"
    existing = ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/main", "sha": second})
    assert (existing.status_code, existing.json()["message"]) == (422, "Reference already exists")
    assert ask("PATCH", path, {"sha": side, "force": True}).status_code == 200
    assert github.bare.tip("refs/heads/main") == side
    assert [ask("DELETE", f"{REPO}/git/refs/heads/side").status_code for _ in range(2)] == [204, 422]


def test_git_refs__update_loses_a_race(github: GitHub, ask: Client) -> None:
    ours = github.commit({"a": "1"}, branch="side")
    github.barriers = [Barrier(point=Point.REF_UPDATE, then=lambda: github.commit({"b": "2"}))]
    assert (
        ask("PATCH", f"{REPO}/git/refs/heads/main", {"sha": ours}).json()["message"] == "Update is not a fast forward"
    )
    assert github.read("b") == "2"


def test_compare__counts_both_sides(github: GitHub, ask: Client) -> None:
    base = github.bare.tip("refs/heads/main")
    github.commit({"a.txt": "1\n2\n"}, branch="topic")
    github.commit({"b.txt": "1"})
    shown = ask.get(f"{REPO}/compare/main...topic")
    assert (shown["status"], shown["ahead_by"], shown["behind_by"]) == ("diverged", 1, 1)
    assert shown["merge_base_commit"]["sha"] == base
    (file,) = shown["files"]
    assert (file["filename"], file["additions"], file["patch"]) == ("a.txt", 2, "@@ -0,0 +1,2 @@\n+1\n+2")


def test_comments__are_paged_with_links(github: GitHub, ask: Client) -> None:
    for index in range(120):
        github.add("dana", f"{index}")
    url, bodies, sizes = f"{github.url}{TALK}?per_page=50", [], []
    while url:
        response = ask("GET", url)
        sizes.append(len(response.json()))
        bodies += [item["body"] for item in response.json()]
        url = response.links.get("next", {}).get("url", "")
    assert (sizes, bodies) == ([50, 50, 20], [f"{index}" for index in range(120)])
    assert len(ask.get(TALK)) == 30
    assert len(ask.get(f"{TALK}?per_page=500")) == 100
    middle = ask("GET", f"{TALK}?per_page=50&page=2").links
    assert {name: link["url"].rpartition("page=")[2] for name, link in middle.items()} == {
        "prev": "1", "next": "3", "last": "3", "first": "1"
    }  # fmt: skip


def test_comments__limit_is_65536_characters(github: GitHub, ask: Client) -> None:
    assert ask("POST", TALK, {"body": "ü" * 65_536}).status_code == 201
    refused = ask("POST", TALK, {"body": "x" * 65_537})
    assert (refused.status_code, refused.json()["errors"][0]["resource"]) == (422, "IssueComment")
    assert "body is too long (maximum is 65536 characters)" in refused.json()["message"]
    assert len(github.comments) == 1


def test_comments__first_two_race(github: GitHub, ask: Client) -> None:
    both = threading.Barrier(2, timeout=20)
    github.barriers = [Barrier(point=Point.COMMENT_CREATE, then=both.wait) for _ in range(2)]
    threads = [threading.Thread(target=ask, args=("POST", TALK, {"body": text})) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(github.bodies()) == ["one", "two"]


def test_comments__only_the_author_changes_one(github: GitHub, ask: Client) -> None:
    theirs = github.add("dana", "theirs")
    assert ask("PATCH", f"{REPO}/issues/comments/{theirs}", {"body": "x"}).json()["message"] == DENIED
    own = ask("POST", TALK, {"body": "own"}).json()
    assert (own["user"]["type"], own["user"]["login"]) == ("Bot", "github-actions[bot]")
    path = f"{REPO}/issues/comments/{own['id']}"
    assert ask("PATCH", path, {"body": "changed"}).json()["body"] == "changed"
    assert [ask("DELETE", path).status_code for _ in range(2)] == [204, 404]
    assert github.bodies() == ["theirs"]


@pytest.mark.parametrize(
    ("token", "method", "path", "status", "message"),
    [
        ("read-only", "POST", TALK, 403, DENIED),
        ("read-only", "PUT", FILE, 403, DENIED),
        ("comments", "PUT", FILE, 403, DENIED),
        ("comments", "GET", f"{REPO}/actions/runs", 403, DENIED),
        ("read-only", "GET", TALK, 200, ""),
        ("comments", "POST", TALK, 201, ""),
        ("expired", "GET", TALK, 401, "Bad credentials"),
        ("unknown", "GET", TALK, 401, "Bad credentials"),
        ("", "GET", TALK, 404, "Not Found"),
        ("t0ken", "GET", "/user", 403, DENIED),
        ("t0ken", "GET", "/repos/acme/other/pulls", 404, "Not Found"),
        ("t0ken", "GET", f"{REPO}/nonsense", 404, "Not Found"),
        ("t0ken", "GET", f"{REPO}/issues/8/comments", 404, "Not Found"),
    ],
)
def test_token__is_limited_to_its_permissions(
    ask: Client, token: str, method: str, path: str, status: int, message: str
) -> None:
    bodies = {"POST": {"body": "x"}, "PUT": {"message": "m", "content": ""}}
    response = ask(method, path, bodies.get(method), token=token)
    assert response.status_code == status
    assert not message or response.json()["message"] == message


def test_token__refusal_names_what_would_do(ask: Client) -> None:
    refused = ask("POST", TALK, {"body": "x"}, token="read-only")
    assert refused.headers["X-Accepted-GitHub-Permissions"] == "issues=write; pull_requests=write"


def test_token__enterprise_prefix_is_the_same_api(github: GitHub, ask: Client) -> None:
    github.add("dana", "hello")
    assert [item["body"] for item in ask.get(f"/api/v3{TALK}")] == ["hello"]
    assert ask.get("/user", token="admin")["login"] == "dana"


def test_fault__comes_at_the_nth_request_and_goes(github: GitHub, ask: Client) -> None:
    github.faults = [Fault(method="GET", path=TALK, status=502, nth=2, times=2), secondary_limit("POST", ".*")]
    assert [ask("GET", TALK).status_code for _ in range(5)] == [200, 502, 502, 200, 200]
    limited = ask("POST", TALK, {"body": "x"})
    assert (limited.status_code, limited.headers["Retry-After"]) == (403, "60")
    assert ask("POST", TALK, {"body": "x"}).status_code == 201
    assert (github.faults, github.bodies()) == ([], ["x"])


def test_fault__lost_answer_leaves_the_change(github: GitHub, ask: Client) -> None:
    github.faults = [lost_after_commit("POST", TALK)]
    with pytest.raises(requests.ConnectionError):
        ask("POST", TALK, {"body": "stands"})
    assert github.bodies() == ["stands"]
    assert [seen.status for seen in github.journal] == [0]


def test_fault__answer_is_cut_short(github: GitHub, ask: Client) -> None:
    github.faults = [Fault(method="GET", path=TALK, cut=5)]
    github.add("dana", "hello")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask("GET", TALK)


def test_fault__down_is_down_for_everything(github: GitHub, ask: Client, clone: Path) -> None:
    github.faults = [down()]
    assert [ask(method, TALK, body).status_code for method, body in (("GET", None), ("POST", {"body": "x"}))] == [
        503
    ] * 2
    git(clone, "fetch", "origin", code=128)
    assert github.bodies() == []


def test_limits__count_requests_and_creations(github: GitHub, ask: Client) -> None:
    now = [0.0]
    github.limits = Limits(requests_per_hour=6, creations_per_minute=2, clock=lambda: now[0])
    answers = [ask("POST", TALK, {"body": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 403]
    assert answers[2].headers["Retry-After"] == "60"
    now[0] = 61.0
    assert ask("POST", TALK, {"body": "x"}).status_code == 201
    assert [ask("GET", TALK).headers["X-RateLimit-Remaining"] for _ in range(4)] == ["2", "1", "0", "0"]
    assert ask("GET", TALK).json()["message"].startswith("API rate limit exceeded")
    assert len(github.bodies()) == 3


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", TALK, {"text": "x"}, "body $: 'body' is a required property"),
        ("POST", TALK, {"body": "x", "in_reply_to": 1}, "field in_reply_to is not known"),
        ("POST", TALK, None, "the body is missing"),
        ("GET", f"{TALK}?order=asc", None, "query parameter order is not known"),
        ("GET", f"{TALK}?per_page=many", None, "per_page: $: 'many' is not of type 'integer'"),
        ("GET", f"{REPO}/issues/seven/comments", None, "issue_number: $: 'seven' is not of type 'integer'"),
        ("POST", f"{REPO}/statuses/{'a' * 40}", {"state": "hold"}, "'hold' is not one of"),
        ("POST", f"{REPO}/check-runs", {"name": "n", "head_sha": "a", "conclusion": "HOLD"}, "'HOLD' is not one of"),
        ("POST", f"{REPO}/actions/workflows/gate.yml/dispatches",
         {"ref": "main", "inputs": dict.fromkeys(map(str, range(26)), "x")}, "has too many properties"),
    ],
)  # fmt: skip
def test_contract__broken_request_is_refused_and_reported(
    github: GitHub, ask: Client, method: str, path: str, body: Any, words: str
) -> None:
    assert ask(method, path, body).status_code == 422
    reported = github.take_violations()
    assert any(words in found for found in reported), reported
    assert all(found.startswith(f"request {method} ") for found in reported)


def test_contract__violation_fails_the_test_at_its_end() -> None:
    def break_it() -> None:
        with github_server() as github, requests.Session() as session:
            github.tokens = {"t0ken": Token()}
            Client(github, session)("POST", TALK, {"body": "x", "nonsense": 1})

    with pytest.raises(ContractError, match="field nonsense is not known"):
        break_it()


def test_contract__violation_is_told_beside_another_failure() -> None:
    def break_it() -> None:
        with github_server() as github, requests.Session() as session:
            github.tokens = {"t0ken": Token()}
            assert Client(github, session)("POST", TALK, {"body": "x", "nonsense": 1}).status_code == 201

    with pytest.raises(AssertionError) as caught:
        break_it()
    assert any("field nonsense is not known" in note for note in caught.value.__notes__)


def test_contract__own_error_of_the_stand_in_is_reported(github: GitHub, ask: Client) -> None:
    github.add("dana", "x")
    github.comments[0]["created_at"] = "yesterday"
    assert ask("GET", TALK).status_code == 500
    key = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments"
    assert github.take_violations() == [f"answer {key}: answer $[0].created_at: 'yesterday' is not a 'date-time'"]
    github.comments[0] |= {"created_at": "2026-11-20T12:00:00Z", "invented": 1}
    assert ask("GET", TALK).status_code == 500
    assert "GitHub's description has no invented" in github.take_violations()[0]
    github.comments[0].pop("body")
    github.comments[0].pop("user")
    assert ask("GET", TALK).status_code == 500
    assert "KeyError" in github.take_violations()[0]


def test_complete__fills_what_is_required_and_refuses_what_is_unknown() -> None:
    schema = {"$ref": "#/$defs/issue-comment"}
    filled = complete(schema, {"id": 1})
    assert filled["user"] is None or isinstance(filled["user"], dict)
    assert filled["html_url"].startswith("http")
    with pytest.raises(UnknownFieldError, match="has no titel"):
        complete(schema, {"id": 1, "titel": "x"})


def test_operations__all_that_are_described_are_served() -> None:
    assert HANDLERS.keys() == description()["operations"].keys()
    assert description()["source"] == {"package": "@octokit/openapi", "version": "23.0.2", "licence": "MIT"}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (f"{REPO}/commits/a%2Fb/status", "GET /repos/{owner}/{repo}/commits/{ref}/status"),
        (f"{REPO}/commits/a/b", "GET /repos/{owner}/{repo}/commits/{ref}"),
        (f"{REPO}/branches/a/b/protection", "GET /repos/{owner}/{repo}/branches/{branch}/protection"),
        (f"{REPO}/contents/a/b/c.json", "GET /repos/{owner}/{repo}/contents/{path}"),
    ],
)
def test_find_operation__takes_the_most_literal_path(path: str, key: str) -> None:
    found = find_operation("GET", path)
    assert found is not None
    assert found[0].key == key


def test_pulls__are_found_by_head_and_by_commit(github: GitHub, ask: Client) -> None:
    head = github.commit({"a.txt": "1\n", "README.md": None}, branch="topic")
    made = ask("POST", f"{REPO}/pulls", {"title": "t", "head": "topic", "base": "main", "body": "b"})
    pull = made.json()
    assert (made.status_code, pull["number"], pull["head"]["sha"], pull["mergeable"]) == (201, 8, head, True)
    twice = ask("POST", f"{REPO}/pulls", {"title": "t", "head": "acme:topic", "base": "main"})
    assert (twice.status_code, twice.json()["errors"][0]["message"]) == (
        422, "A pull request already exists for acme:topic."
    )  # fmt: skip
    other = github.commit({"b.txt": "1"}, branch="mallory:topic")
    fork = github.open_pull("mallory:topic", login="mallory").number
    found = {name: [item["number"] for item in ask.get(f"{REPO}/pulls?head={name}")]
             for name in ("acme:topic", "mallory:topic", "topic")}  # fmt: skip
    assert found == {"acme:topic": [8], "mallory:topic": [fork], "topic": [fork, 8]}
    assert [item["number"] for item in ask.get(f"{REPO}/commits/{other}/pulls")] == [fork]
    assert ask.get(f"{REPO}/pulls/{fork}")["head"]["repo"]["full_name"] == "mallory/app"
    files = {item["filename"]: item["status"] for item in ask.get(f"{REPO}/pulls/8/files")}
    assert files == {"a.txt": "added", "README.md": "removed"}
    assert ask("PATCH", f"{REPO}/pulls/8", {"state": "closed"}).json()["state"] == "closed"
    assert [item["number"] for item in ask.get(f"{REPO}/pulls")] == [fork]
    assert ask("POST", f"{REPO}/issues/8/comments", {"body": "x"}).status_code == 201


def test_pulls__conflict_has_no_test_merge(github: GitHub, ask: Client) -> None:
    github.commit({"README.md": "ours"}, branch="topic")
    github.commit({"README.md": "theirs"})
    github.open_pull("topic", number=7)
    shown = ask.get(f"{REPO}/pulls/7")
    assert (shown["mergeable"], shown["mergeable_state"], shown["merge_commit_sha"]) == (False, "dirty", None)


@pytest.mark.parametrize(
    ("allowed", "head", "status", "words"),
    [
        (False, "topic", 403, "not permitted"),
        (True, "gone", 422, "head is invalid"),
        (True, "same", 422, "No commits between main and same"),
    ],
)
def test_pulls__that_cannot_be_opened(
    github: GitHub, ask: Client, allowed: bool, head: str, status: int, words: str
) -> None:
    github.commit({"a": "1"}, branch="topic")
    github.bare.move("refs/heads/same", str(github.bare.tip("refs/heads/main")), None)
    github.actions_may_open_pulls = allowed
    refused = ask("POST", f"{REPO}/pulls", {"title": "t", "base": "main", "head": head})
    assert (refused.status_code, words in refused.json()["message"]) == (status, True)
    assert ask.get(f"{REPO}/pulls") == []


def test_runs__have_attempts_jobs_and_artifacts(github: GitHub, ask: Client) -> None:
    sha = str(github.bare.tip("refs/heads/main"))
    run = github.add_run(sha, conclusion="failure")
    github.add_job(run, "gate", conclusion="failure")
    assert github.add_run(sha, id=run, run_attempt=2) == run
    github.add_job(run, "gate")
    github.add_run("a" * 40)
    listed = ask.get(f"{REPO}/actions/runs?head_sha={sha}")
    assert (listed["total_count"], listed["workflow_runs"][0]["run_attempt"]) == (1, 2)
    path = f"{REPO}/actions/runs/{run}"
    assert [ask.get(f"{path}{which}")["conclusion"] for which in ("", "/attempts/1")] == ["success", "failure"]
    assert [job["run_attempt"] for job in ask.get(f"{path}/jobs?filter=all")["jobs"]] == [1, 2]
    assert [job["run_attempt"] for job in ask.get(f"{path}/jobs")["jobs"]] == [2]
    assert ask.get(f"{path}/attempts/1/jobs")["jobs"][0]["conclusion"] == "failure"
    assert ask("GET", f"{path}/attempts/3").status_code == 404
    for index in range(31):
        github.add_artifact(run, f"gate-{index}", {"decision.json": "{}"})
    assert len(ask.get(f"{path}/artifacts")["artifacts"]) == 30
    named = ask.get(f"{REPO}/actions/artifacts?name=gate-7")
    assert [item["workflow_run"]["head_sha"] for item in named["artifacts"]] == [sha]


def test_artifact__is_downloaded_from_the_storage(github: GitHub, ask: Client) -> None:
    run = github.add_run("a" * 40)
    stored = github.add_artifact(run, "gate", {"decision.json": '{"outcome": "HOLD"}'})
    path = f"{REPO}/actions/artifacts/{stored}/zip"
    answer = ask("GET", path)
    assert [seen.path for seen in github.journal][-2:] == [path, f"/artifacts/{stored}.zip"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("decision.json") == b'{"outcome": "HOLD"}'
    location = ask("GET", path, allow_redirects=False).headers["Location"]
    assert ask("GET", location).status_code == 401
    assert github.take_violations() == ["the API's token was sent to the storage"]
    expired = github.add_artifact(run, "old", {}, expired=True)
    assert ask("GET", f"{REPO}/actions/artifacts/{expired}/zip").status_code == 410
    assert ask.get(f"{REPO}/actions/artifacts/{expired}")["expired"] is True


def test_dispatch__needs_the_trigger_and_its_inputs(github: GitHub, ask: Client) -> None:
    inputs = "{command: {required: true}, base: {default: main, required: true}}"
    github.commit({".github/workflows/gate.yml": f"on: {{workflow_dispatch: {{inputs: {inputs}}}}}\njobs: {{}}\n"})
    path = f"{REPO}/actions/workflows/gate.yml/dispatches"
    answers = [
        ask("POST", path, {"ref": "gone"}),
        ask("POST", path, {"ref": "main"}),
        ask("POST", path, {"ref": "main", "inputs": {"command": "verify", "other": "x"}}),
        ask("POST", path.replace("gate.yml", "none.yml"), {"ref": "main"}),
    ]
    assert [(answer.status_code, answer.json()["message"]) for answer in answers] == [
        (422, "No ref found for: gone"),
        (422, "Required input 'command' not provided"),
        (422, "Unexpected inputs provided: ['other']"),
        (404, "Not Found"),
    ]
    good = {"ref": "main", "inputs": {"command": "verify"}}
    assert ask("POST", path, good).status_code == 204
    started = ask("POST", path, good | {"return_run_details": True}).json()["workflow_run_id"]
    assert ask.get(f"{REPO}/actions/runs/{started}")["event"] == "workflow_dispatch"
    assert [said["inputs"] for said in github.dispatches] == [{"command": "verify"}] * 2


def test_checks__collect_annotations_and_conclude(github: GitHub, ask: Client) -> None:
    sha = str(github.bare.tip("refs/heads/main"))
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
    output = {"title": "t", "summary": "s", "annotations": [note] * 50}
    made = ask("POST", f"{REPO}/check-runs", {"name": "gate", "head_sha": sha, "output": output}).json()
    path = f"{REPO}/check-runs/{made['id']}"
    assert ask("PATCH", path, {"status": "completed"}).status_code == 422
    assert "is not valid under any of the given schemas" in github.take_violations()[0]
    done = ask("PATCH", path, {"conclusion": "failure", "output": output}).json()
    assert (made["status"], done["status"], done["output"]["annotations_count"]) == ("queued", "completed", 100)
    assert len(ask.get(f"{path}/annotations?per_page=100")) == 100
    again = ask("POST", f"{REPO}/check-runs", {"name": "gate", "head_sha": sha, "conclusion": "success"}).json()
    assert [item["id"] for item in ask.get(f"{REPO}/commits/main/check-runs")["check_runs"]] == [again["id"]]
    assert ask.get(f"{REPO}/commits/main/check-runs?filter=all")["total_count"] == 2
    person = ask("POST", f"{REPO}/check-runs", {"name": "gate", "head_sha": sha}, token="admin")
    assert person.json()["message"] == "You must authenticate via a GitHub App."
    assert ask.get(path)["conclusion"] == "failure"


def test_statuses__latest_of_each_context_counts(github: GitHub, ask: Client) -> None:
    sha = str(github.bare.tip("refs/heads/main"))
    for context, state in (("a", "pending"), ("b", "success"), ("a", "success")):
        assert ask("POST", f"{REPO}/statuses/{sha}", {"state": state, "context": context}).status_code == 201
    combined = ask.get(f"{REPO}/commits/main/status")
    assert (combined["state"], combined["total_count"], combined["sha"]) == ("success", 2, sha)
    assert [row["context"] for row in ask.get(f"{REPO}/commits/{sha}/statuses")] == ["a", "b", "a"]


def test_rules__say_who_may_what(github: GitHub, ask: Client) -> None:
    github.collaborators = {"dana": "maintain"}
    shown = [ask.get(f"{REPO}/collaborators/{login}/permission") for login in ("dana", "mallory")]
    assert [(found["permission"], found["role_name"]) for found in shown] == [("write", "maintain"), ("none", "none")]
    assert ask("GET", f"{REPO}/codeowners/errors").status_code == 404
    github.commit({".github/CODEOWNERS": "* @nobody\n"})
    error = {"line": 1, "column": 3, "kind": "Unknown owner", "message": "m", "path": ".github/CODEOWNERS"}
    github.codeowners_errors = [error]
    assert ask.get(f"{REPO}/codeowners/errors") == {"errors": [error]}
    about = ask.get(REPO)
    assert (about["default_branch"], about["private"], about["permissions"]["push"]) == ("main", True, True)
    assert ask.get("/rate_limit")["rate"]["limit"] == 1_000


def test_journal__keeps_every_request(github: GitHub, ask: Client) -> None:
    ask("POST", TALK, {"body": "x"}, token="read-only")
    ask("GET", f"{TALK}?per_page=5")
    said = [(seen.method, seen.path, seen.query, seen.body, seen.status) for seen in github.journal]
    assert said == [("POST", TALK, {}, {"body": "x"}, 403), ("GET", TALK, {"per_page": ["5"]}, None, 200)]
    assert github.journal[0].authorization == "Bearer read-only"
    assert github.asked("GET") == [TALK]
