"""One REST request from token to answer: who asks, how often, for what, whether allowed, and by GitHub's own words."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.rigs.github_hub import checks, contents, conversations, mutation, rules, workflows
from tests.rigs.github_hub.blanks import UnknownFieldError, complete
from tests.rigs.github_hub.contract import Operation, find_operation
from tests.rigs.github_hub.conversations import DENIED
from tests.rigs.github_hub.model import Answer, Call, Refused, Seen, Token, not_found
from tests.rigs.github_hub.shapes import REPOSITORY_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rigs.github_hub.state import GitHub

    Route = tuple[str, str, Callable[[GitHub, Call], Answer]]

REPO = "/repos/{owner}/{repo}"
TALK = "issues:{0} pull_requests:{0}"
GIT = "contents:{0}"
ROUTES: tuple[Route, ...] = (
    ("GET /user", "", rules.own_user),
    ("GET /rate_limit", "", rules.rate_limit),
    (f"GET {REPO}", "metadata:read", rules.own_repository),
    (f"GET {REPO}/issues/{{issue_number}}/comments", TALK.format("read"), conversations.comments),
    (f"POST {REPO}/issues/{{issue_number}}/comments", TALK.format("write"), conversations.create_comment),
    (f"GET {REPO}/issues/comments/{{comment_id}}", TALK.format("read"), conversations.comment),
    (f"PATCH {REPO}/issues/comments/{{comment_id}}", TALK.format("write"), conversations.update_comment),
    (f"DELETE {REPO}/issues/comments/{{comment_id}}", TALK.format("write"), conversations.delete_comment),
    (f"GET {REPO}/pulls", "pull_requests:read", conversations.pulls),
    (f"POST {REPO}/pulls", "pull_requests:write", conversations.create_pull),
    (f"GET {REPO}/pulls/{{pull_number}}", "pull_requests:read", conversations.pull),
    (f"PATCH {REPO}/pulls/{{pull_number}}", "pull_requests:write", conversations.update_pull),
    (f"GET {REPO}/pulls/{{pull_number}}/files", "pull_requests:read", conversations.pull_files),
    (f"GET {REPO}/commits/{{commit_sha}}/pulls", "pull_requests:read", conversations.pulls_of_commit),
    (f"GET {REPO}/commits/{{ref}}", GIT.format("read"), contents.commit),
    (f"GET {REPO}/contents/{{path}}", GIT.format("read"), contents.contents),
    (f"PUT {REPO}/contents/{{path}}", GIT.format("write"), contents.put_contents),
    (f"GET {REPO}/git/ref/{{ref}}", GIT.format("read"), contents.ref),
    (f"GET {REPO}/git/matching-refs/{{ref}}", GIT.format("read"), contents.matching_refs),
    (f"POST {REPO}/git/refs", GIT.format("write"), contents.create_ref),
    (f"PATCH {REPO}/git/refs/{{ref}}", GIT.format("write"), contents.update_ref),
    (f"DELETE {REPO}/git/refs/{{ref}}", GIT.format("write"), contents.delete_ref),
    (f"POST {REPO}/git/blobs", GIT.format("write"), contents.create_blob),
    (f"GET {REPO}/git/blobs/{{file_sha}}", GIT.format("read"), contents.blob),
    (f"POST {REPO}/git/trees", GIT.format("write"), contents.create_tree),
    (f"GET {REPO}/git/trees/{{tree_sha}}", GIT.format("read"), contents.tree),
    (f"POST {REPO}/git/commits", GIT.format("write"), contents.create_commit),
    (f"GET {REPO}/git/commits/{{commit_sha}}", GIT.format("read"), contents.git_commit_of),
    (f"GET {REPO}/compare/{{basehead}}", GIT.format("read"), contents.compare),
    (f"GET {REPO}/actions/runs", "actions:read", workflows.runs),
    (f"GET {REPO}/actions/runs/{{run_id}}", "actions:read", workflows.run),
    (f"GET {REPO}/actions/runs/{{run_id}}/attempts/{{attempt_number}}", "actions:read", workflows.attempt),
    (f"GET {REPO}/actions/runs/{{run_id}}/attempts/{{attempt_number}}/jobs", "actions:read",
     workflows.jobs_of_attempt),
    (f"GET {REPO}/actions/runs/{{run_id}}/jobs", "actions:read", workflows.jobs),
    (f"POST {REPO}/actions/runs/{{run_id}}/rerun-failed-jobs", "actions:write", workflows.rerun),
    (f"GET {REPO}/actions/runs/{{run_id}}/artifacts", "actions:read", workflows.artifacts),
    (f"GET {REPO}/actions/artifacts", "actions:read", workflows.artifacts),
    (f"GET {REPO}/actions/artifacts/{{artifact_id}}", "actions:read", workflows.artifact),
    (f"GET {REPO}/actions/artifacts/{{artifact_id}}/{{archive_format}}", "actions:read", workflows.download),
    (f"POST {REPO}/actions/workflows/{{workflow_id}}/dispatches", "actions:write", workflows.dispatch),
    (f"POST {REPO}/check-runs", "checks:write", checks.create_check),
    (f"GET {REPO}/check-runs/{{check_run_id}}", "checks:read", checks.check),
    (f"PATCH {REPO}/check-runs/{{check_run_id}}", "checks:write", checks.update_check),
    (f"GET {REPO}/check-runs/{{check_run_id}}/annotations", "checks:read", checks.annotations),
    (f"GET {REPO}/commits/{{ref}}/check-runs", "checks:read", checks.checks),
    (f"POST {REPO}/statuses/{{sha}}", "statuses:write", checks.create_status),
    (f"GET {REPO}/commits/{{ref}}/status", "statuses:read", checks.combined_status),
    (f"GET {REPO}/commits/{{ref}}/statuses", "statuses:read", checks.statuses),
    (f"GET {REPO}/collaborators/{{username}}/permission", "metadata:read", rules.permission),
    (f"GET {REPO}/branches/{{branch}}", GIT.format("read"), rules.branch),
    (f"GET {REPO}/branches/{{branch}}/protection", "administration:read", rules.protection),
    (f"GET {REPO}/rules/branches/{{branch}}", "metadata:read", rules.branch_rules),
    (f"GET {REPO}/rulesets", "metadata:read", rules.rulesets),
    (f"GET {REPO}/codeowners/errors", GIT.format("read"), rules.codeowners_errors),
)  # fmt: skip
HANDLERS = {key: (needs.split(), handler) for key, needs, handler in ROUTES}
GRAPHQL = ("/graphql", "/api/graphql")
ANONYMOUS = Token(login="", permissions={"metadata": "read", "contents": "read", "issues": "read", "actions": "read",
                                         "pull_requests": "read", "checks": "read", "statuses": "read"})  # fmt: skip


def token_of(hub: GitHub, authorization: str) -> Token | None:
    """Who asks, by `Bearer`, `token` or `Basic`; None without any word. Raises Refused for a token that is no good."""
    scheme, _, word = authorization.partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "basic":
        word = base64.b64decode(word).decode("utf-8", "replace").partition(":")[2]
    token = hub.tokens.get(word)
    if token is None or token.expired:
        raise Refused(401, "Bad credentials")
    return token


def answer(hub: GitHub, seen: Seen) -> Answer:
    """Carry a request out; GitHub's errors are answers too."""
    try:
        token = token_of(hub, seen.authorization)
        spent = _spend(hub, seen)
        if seen.path in GRAPHQL and seen.method == "POST":
            found = mutation.answer(hub, seen, _known(token))
        else:
            found = _rest(hub, seen, token)
    except Refused as refused:
        return refused.answer
    return Answer(status=found.status, body=found.body, headers={**spent, **found.headers})


def _spend(hub: GitHub, seen: Seen) -> dict[str, str]:
    left, over = hub.limits.spend(seen.authorization, seen.method)
    limit = str(hub.limits.requests_per_hour)
    if left < 0:
        headers = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795176000"}
        raise Refused(403, "API rate limit exceeded for installation.", headers=headers)
    if over:
        raise Refused(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                      headers={"Retry-After": "60"})  # fmt: skip
    return {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": "1795176000"}


def _known(token: Token | None) -> Token:
    if token is None:
        raise Refused(401, "Requires authentication")
    return token


def _rest(hub: GitHub, seen: Seen, token: Token | None) -> Answer:
    path = seen.path.removeprefix("/api/v3").replace(f"/repositories/{REPOSITORY_ID}", f"/repos/{hub.slug}", 1)
    found = find_operation(seen.method, path)
    if found is None:
        raise not_found()
    operation, parameters = found
    if "repo" in parameters and f"{parameters['owner']}/{parameters['repo']}".lower() != hub.slug.lower():
        raise not_found()
    needs, handler = HANDLERS[operation.key]
    token = _allowed(hub, token, seen.method, needs)
    if problems := operation.request_problems(parameters, seen.query, seen.body):
        for words in problems:
            hub.violation(f"request {operation.key}: {words}")
        raise Refused(422, f"Invalid request.\n\n{problems[0]}")
    call = Call(seen=seen, parameters=parameters, token=token)
    try:
        made = handler(hub, call)
    except Refused as refused:
        made = refused.answer
    return _checked(hub, operation, made)


def _allowed(hub: GitHub, token: Token | None, method: str, needs: list[str]) -> Token:
    if token is None:
        if hub.private:
            raise not_found()
        if method != "GET":
            raise Refused(401, "Requires authentication")
        token = ANONYMOUS
    if needs and not any(token.allows(need) for need in needs):
        accepted = "; ".join(need.replace(":", "=") for need in needs)
        message = DENIED if token.is_bot else "Resource not accessible by personal access token"
        raise Refused(403, message, headers={"X-Accepted-GitHub-Permissions": accepted})
    return token


def _checked(hub: GitHub, operation: Operation, made: Answer) -> Answer:
    """Fill an answer up and hold it against GitHub's description; a mistake of the stand-in's is a 500 and a failure."""
    if isinstance(made.body, bytes):
        return made
    problems: list[str] = []
    body: Any = made.body
    try:
        schema = operation.response_schema(made.status)
        body = complete(schema, body) if schema and body is not None and made.status < 300 else body
    except (UnknownFieldError, KeyError) as error:
        problems = [str(error)]
    problems = problems or operation.response_problems(made.status, body)
    if problems:
        for words in problems:
            hub.violation(f"answer {operation.key}: {words}")
        raise Refused(500, f"the stand-in breaks GitHub's description: {problems[0]}")
    # What goes out must not change when the state does.
    return Answer(status=made.status, body=json.loads(json.dumps(body)), headers=made.headers)
