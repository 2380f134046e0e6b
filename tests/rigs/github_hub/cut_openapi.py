"""Cut GitHub's published API descriptions to what the stand-in serves; run by hand when GitHub's description moves.

Usage: `npm pack @octokit/openapi@23.0.2 @octokit/graphql-schema@15.26.1`, unpack both archives, then
`python tests/rigs/github_hub/cut_openapi.py FOLDER-OF-OPENAPI FOLDER-OF-GRAPHQL-SCHEMA` with the unpacked `package`
folders. It writes `openapi.json` (operations, with OpenAPI 3.0 schemas turned into JSON Schema) and `schema.graphql`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPO = "/repos/{owner}/{repo}"
PATHS = {
    "/user": "get",
    "/rate_limit": "get",
    REPO: "get",
    f"{REPO}/issues/{{issue_number}}/comments": "get post",
    f"{REPO}/issues/comments/{{comment_id}}": "get patch delete",
    f"{REPO}/pulls": "get post",
    f"{REPO}/pulls/{{pull_number}}": "get patch",
    f"{REPO}/pulls/{{pull_number}}/files": "get",
    f"{REPO}/commits/{{commit_sha}}/pulls": "get",
    f"{REPO}/commits/{{ref}}": "get",
    f"{REPO}/contents/{{path}}": "get put",
    f"{REPO}/git/ref/{{ref}}": "get",
    f"{REPO}/git/matching-refs/{{ref}}": "get",
    f"{REPO}/git/refs": "post",
    f"{REPO}/git/refs/{{ref}}": "patch delete",
    f"{REPO}/git/blobs": "post",
    f"{REPO}/git/blobs/{{file_sha}}": "get",
    f"{REPO}/git/trees": "post",
    f"{REPO}/git/trees/{{tree_sha}}": "get",
    f"{REPO}/git/commits": "post",
    f"{REPO}/git/commits/{{commit_sha}}": "get",
    f"{REPO}/compare/{{basehead}}": "get",
    f"{REPO}/actions/runs": "get",
    f"{REPO}/actions/runs/{{run_id}}": "get",
    f"{REPO}/actions/runs/{{run_id}}/attempts/{{attempt_number}}": "get",
    f"{REPO}/actions/runs/{{run_id}}/attempts/{{attempt_number}}/jobs": "get",
    f"{REPO}/actions/runs/{{run_id}}/jobs": "get",
    f"{REPO}/actions/runs/{{run_id}}/rerun-failed-jobs": "post",
    f"{REPO}/actions/runs/{{run_id}}/artifacts": "get",
    f"{REPO}/actions/artifacts": "get",
    f"{REPO}/actions/artifacts/{{artifact_id}}": "get",
    f"{REPO}/actions/artifacts/{{artifact_id}}/{{archive_format}}": "get",
    f"{REPO}/actions/workflows/{{workflow_id}}/dispatches": "post",
    f"{REPO}/check-runs": "post",
    f"{REPO}/check-runs/{{check_run_id}}": "get patch",
    f"{REPO}/check-runs/{{check_run_id}}/annotations": "get",
    f"{REPO}/commits/{{ref}}/check-runs": "get",
    f"{REPO}/statuses/{{sha}}": "post",
    f"{REPO}/commits/{{ref}}/status": "get",
    f"{REPO}/commits/{{ref}}/statuses": "get",
    f"{REPO}/collaborators/{{username}}/permission": "get",
    f"{REPO}/branches/{{branch}}": "get",
    f"{REPO}/branches/{{branch}}/protection": "get",
    f"{REPO}/rules/branches/{{branch}}": "get",
    f"{REPO}/rulesets": "get",
    f"{REPO}/codeowners/errors": "get",
}
PROSE = {"description", "example", "examples", "externalDocs", "x-github", "x-multi-segment", "summary", "tags",
         "title", "deprecated", "x-github-breaking-changes", "discriminator", "readOnly"}  # fmt: skip
TYPES = {
    "Commit": "oid url message",
    "CommitMessage": "*",
    "CommittableBranch": "*",
    "CreateCommitOnBranchInput": "*",
    "CreateCommitOnBranchPayload": "clientMutationId commit ref",
    "FileAddition": "*",
    "FileChanges": "*",
    "FileDeletion": "*",
    "GitObject": "oid",
    "Mutation": "createCommitOnBranch",
    "Query": "viewer repository",
    "Ref": "id name prefix target",
    "Repository": "nameWithOwner ref",
    "User": "login",
}


def main(openapi: Path, graphql_schema: Path) -> None:
    """Write both cuts."""
    source = json.loads((openapi / "generated" / "api.github.com.json").read_text(encoding="utf-8"))
    (HERE / "openapi.json").write_text(_lines(cut_openapi(source, _origin(openapi))), encoding="utf-8")
    sdl = (graphql_schema / "schema.graphql").read_text(encoding="utf-8")
    (HERE / "schema.graphql").write_text(cut_graphql(sdl, _origin(graphql_schema)), encoding="utf-8")


def _origin(package: Path) -> dict[str, str]:
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return {"package": about["name"], "version": about["version"], "licence": about["license"]}


def cut_openapi(source: dict[str, Any], origin: dict[str, str]) -> dict[str, Any]:
    """Keep the used operations and the schemas that they reach."""
    operations = {
        f"{method.upper()} {path}": _operation(source, source["paths"][path], method)
        for path, methods in PATHS.items()
        for method in methods.split()
    }
    schemas: dict[str, Any] = {}
    waiting = _references(operations) | {"basic-error", "validation-error"}
    while waiting:
        name = waiting.pop()
        schemas[name] = _schema(source["components"]["schemas"][name])
        waiting |= _references(schemas[name]) - schemas.keys()
    return {"source": origin, "operations": operations, "$defs": dict(sorted(schemas.items()))}


def _operation(source: dict[str, Any], item: dict[str, Any], method: str) -> dict[str, Any]:
    found = item[method]
    parameters = [_resolved(source, given) for given in (*item.get("parameters", ()), *found.get("parameters", ()))]
    return {
        "parameters": [
            {"name": given["name"], "in": given["in"], "required": given.get("required", False),
             "schema": _schema(given["schema"])}
            for given in parameters
        ],
        "body": _body(found.get("requestBody")),
        "responses": {status: _body(_resolved(source, reply)) for status, reply in found["responses"].items()},
    }  # fmt: skip


def _resolved(source: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        _, section, kind, name = value["$ref"].split("/")
        value = source[section][kind][name]
    return value


def _body(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """The JSON schema of a body; None where none is described. `required` says whether it may be left out."""
    content = (value or {}).get("content", {})
    described = content.get("application/json") or next(iter(content.values()), None)
    if value is None or described is None or "schema" not in described:
        return None
    return {"required": value.get("required", False), "schema": _schema(described["schema"])}


def _schema(value: Any) -> Any:
    """Turn an OpenAPI 3.0 schema into JSON Schema without prose; names of properties are no keywords."""
    if isinstance(value, list):
        return [_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    # GitHub's alternatives overlap, so that `oneOf` would refuse what is right: a private user is a public one too.
    words = {"oneOf": "anyOf"}
    kept = {words.get(key, key): item for key, item in value.items() if key not in PROSE and key != "nullable"}
    for key, item in kept.items():
        if key == "properties":
            kept[key] = {name: _schema(part) for name, part in item.items()}
        elif key == "$ref":
            kept[key] = "#/$defs/" + item.rsplit("/", 1)[1]
        elif key not in ("enum", "default", "required"):
            kept[key] = _schema(item)
    return _nullable(kept) if value.get("nullable") else kept


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    enum = {"enum": [*schema["enum"], *([] if None in schema["enum"] else [None])]} if "enum" in schema else {}
    return schema | {"type": [schema["type"], "null"]} | enum


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in _references(item)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"].rsplit("/", 1)[1]} if isinstance(value.get("$ref"), str) else set()
    return own | {name for item in value.values() for name in _references(item)}


def _lines(cut: dict[str, Any]) -> str:
    """One line an operation and a schema, so that a new version can be read as a diff."""
    parts = [f'"source": {json.dumps(cut["source"])}']
    for section in ("operations", "$defs"):
        rows = (f"{json.dumps(name)}: {json.dumps(part, sort_keys=True)}" for name, part in cut[section].items())
        parts.append(f'"{section}": {{\n' + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def cut_graphql(sdl: str, origin: dict[str, str]) -> str:
    """Keep the types of `TYPES` with the named fields; what those refer to beyond them must be a scalar."""
    from graphql import parse, print_ast

    kept = []
    for node in parse(sdl, no_location=True).definitions:
        name = node.name.value if getattr(node, "name", None) else ""
        if node.kind == "scalar_type_definition" and name in ("Base64String", "GitObjectID", "URI"):
            kept.append(replace(node, description=None, directives=()))
        elif name in TYPES and not node.kind.endswith("extension"):
            kept.append(_type(node, TYPES[name]))
    text = "\n\n".join(print_ast(node) for node in kept)
    note = "; ".join(f"{key} {value}" for key, value in origin.items())
    return f"# Cut from {note}.\n\n{text}\n"


def _type(node: Any, wanted: str) -> Any:
    fields = [_without_prose(found) for found in node.fields if wanted == "*" or found.name.value in wanted.split()]
    interfaces = [found for found in (getattr(node, "interfaces", None) or ()) if found.name.value in TYPES]
    changes = {"interfaces": tuple(interfaces)} if hasattr(node, "interfaces") else {}
    return replace(node, description=None, directives=(), fields=tuple(fields), **changes)


def _without_prose(field: Any) -> Any:
    arguments = tuple(replace(found, description=None) for found in getattr(field, "arguments", ()) or ())
    changes = {"arguments": arguments} if hasattr(field, "arguments") else {}
    return replace(field, description=None, directives=(), **changes)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
