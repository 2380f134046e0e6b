"""GraphQL: `createCommitOnBranch`, and what is needed to know where a branch stands."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from tests.rigs.github_hub.bare import FILE
from tests.rigs.github_hub.contents import commit_as, decoded
from tests.rigs.github_hub.model import Answer, Point, Refused, Seen, Token

if TYPE_CHECKING:
    from tests.rigs.github_hub.state import GitHub


class Problem(Exception):  # noqa: N818 it is GitHub's answer, no error of the stand-in
    """An error of a field, with GitHub's name for its kind."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@cache
def schema() -> GraphQLSchema:
    """The cut of GitHub's schema."""
    built = build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))
    git_object = built.type_map["GitObject"]
    git_object.resolve_type = lambda *_: "Commit"  # type: ignore[attr-defined]
    return built


def answer(hub: GitHub, seen: Seen, token: Token) -> Answer:
    """Carry a document out; one that breaks the schema is refused and fails the test."""
    said = seen.body
    if not isinstance(said, dict) or not isinstance(said.get("query"), str):
        hub.violation(f"{seen.method} {seen.path}: the body has no `query`")
        raise Refused(400, "A query attribute must be specified and must be a string.")
    try:
        document = parse(said["query"])
    except GraphQLError as error:
        return _broken(hub, [error])
    if problems := validate(schema(), document):
        return _broken(hub, problems)
    done = _carry_out(hub, token, document, said.get("variables"))
    for error in done.errors or ():
        if not isinstance(error.original_error, Problem):
            hub.violation(f"GraphQL: {error.message}")
    errors = [_shown(error) for error in done.errors or ()]
    return Answer(body={"data": done.data, **({"errors": errors} if errors else {})})


def _broken(hub: GitHub, errors: list[GraphQLError]) -> Answer:
    for error in errors:
        hub.violation(f"GraphQL: {error.message}")
    return Answer(body={"errors": [_shown(error) for error in errors]})


def _shown(error: GraphQLError) -> dict[str, Any]:
    kind = {"type": error.original_error.kind} if isinstance(error.original_error, Problem) else {}
    formatted = error.formatted
    return {**kind, **{name: formatted[name] for name in ("path", "locations", "message") if name in formatted}}


def _carry_out(hub: GitHub, token: Token, document: DocumentNode, variables: Any) -> ExecutionResult:
    def create(_info: object, *, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 GitHub's name
        return create_commit_on_branch(hub, token, input)

    def repository(_info: object, *, owner: str, name: str, **_rest: object) -> dict[str, Any]:
        if f"{owner}/{name}" != hub.slug or not token.allows("contents:read"):
            message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise Problem("NOT_FOUND", message)
        return {"nameWithOwner": hub.slug, "ref": lambda _info, qualifiedName: _ref(hub, qualifiedName)}  # noqa: N803

    roots = {"createCommitOnBranch": create, "repository": repository, "viewer": {"login": token.login}}
    return execute_sync(schema(), document, root_value=roots, variable_values=variables)


def create_commit_on_branch(hub: GitHub, token: Token, said: dict[str, Any]) -> dict[str, Any]:
    """Put one signed commit on a branch that stands where it is expected to."""
    ref = _branch(hub, said["branch"])
    expected = said["expectedHeadOid"]
    if not token.allows("contents:write"):
        raise Problem("FORBIDDEN", "Resource not accessible by integration")
    if hub.bare.tip(ref) is None:
        raise Problem("NOT_FOUND", f"No ref found for {ref}")
    if hub.bare.tip(ref) != expected:
        raise _stale(expected)
    if (rules := hub.refuses(ref, token)) is not None:
        prefix = "Protected branch update failed" if rules.classic else "Repository rule violations found"
        raise Problem("UNPROCESSABLE", f"{prefix} for {ref}.\n\n- Changes must be made through a pull request.")
    tree = hub.bare.tree(expected, _changes(hub, expected, said.get("fileChanges") or {}))
    message = "\n\n".join(filter(None, (said["message"]["headline"], said["message"].get("body"))))
    new = commit_as(hub, token, tree=tree, parents=(expected,), said={"message": message})
    hub.signed.add(new)
    hub.reach(Point.REF_UPDATE)
    if not hub.bare.move(ref, new, expected):
        raise _stale(expected)
    shown = _ref(hub, ref)
    commit = shown and shown["target"]
    return {"clientMutationId": said.get("clientMutationId"), "commit": commit, "ref": shown}


def _stale(expected: str) -> Problem:
    return Problem("STALE_DATA", f'Expected branch to point to "{expected}" but it did not.  Pull and try again.')


def _branch(hub: GitHub, said: dict[str, str]) -> str:
    if "id" in said:
        return said["id"].removeprefix("REF_")
    if said.get("repositoryNameWithOwner") != hub.slug or not said.get("branchName"):
        raise Problem("NOT_FOUND", f"Could not resolve to a Repository with the name '{said}'.")
    return f"refs/heads/{said['branchName'].removeprefix('refs/heads/')}"


def _changes(hub: GitHub, head: str, said: dict[str, Any]) -> dict[str, tuple[str, str] | None]:
    added, deleted = said.get("additions") or [], said.get("deletions") or []
    paths = [item["path"] for item in (*added, *deleted)]
    if len(paths) != len(set(paths)):
        raise Problem("UNPROCESSABLE", "A path was specified more than once")
    for path in (item["path"] for item in deleted):
        if not hub.bare.entries(head, path):
            raise Problem("UNPROCESSABLE", f"A path was requested for deletion which does not exist: {path}")
    try:
        blobs = {item["path"]: hub.bare.blob(decoded(item["contents"])) for item in added}
    except Refused as error:
        raise Problem("UNPROCESSABLE", str(error)) from None
    kept = {entry.path: entry.mode for path in blobs for entry in hub.bare.entries(head, path)}
    changes: dict[str, tuple[str, str] | None] = {item["path"]: None for item in deleted}
    return changes | {path: (kept.get(path, FILE), sha) for path, sha in blobs.items()}


def _ref(hub: GitHub, name: str) -> dict[str, Any] | None:
    full = name if name.startswith("refs/") else f"refs/heads/{name}"
    sha = hub.bare.tip(full)
    if sha is None:
        return None
    prefix, _, short = full[len("refs/") :].partition("/")
    target = {"oid": sha, "message": hub.bare.commit(sha).message, "url": f"{hub.url}/{hub.slug}/commit/{sha}"}
    return {"id": f"REF_{full}", "name": short, "prefix": f"refs/{prefix}/", "target": target}
