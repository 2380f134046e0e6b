"""What protects a branch, as far as a token can see it: required checks, their source, code owners, rulesets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from gate.core.model import Json
from gate.forge.api import Api, Reply

ACTIONS_APP = 15_368
HIDDEN = (401, 403)
MISSING = 404
NO_SOURCE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A required check; `source` is the id of the app that must report it, None where any may."""

    name: str
    source: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """What protects a branch. `unseen` says in words what the token could not see: it may be there or not."""

    has_ruleset: bool
    is_classic: bool
    checks: tuple[Required, ...]
    by_owners: bool
    unseen: tuple[str, ...]


def fetch_protection(api: Api, repository: str, branch: str) -> Protected:
    """Read rulesets and the classic protection of a branch; raises PublishError where the branch cannot be read."""
    root = f"/repos/{repository}"
    name = quote(branch, safe="")
    shown = api.get(f"{root}/branches/{name}").expect(f"the branch {branch} could not be read").body
    rules = api.get(f"{root}/rules/branches/{name}", {"per_page": 100})
    is_protected = isinstance(shown, dict) and shown.get("protected") is True
    classic = api.get(f"{root}/branches/{name}/protection")
    rows = [row for row in _list(rules.body) if isinstance(row, dict)] if rules.ok else []
    body = classic.body if classic.ok else None
    return Protected(
        has_ruleset=bool(rows),
        is_classic=classic.ok,
        checks=(*_ruled(rows), *_classic(body)),
        by_owners=_owners(rows, body),
        unseen=tuple(_unseen(rules, classic, is_protected=is_protected)),
    )


def _unseen(rules: Reply, classic: Reply, *, is_protected: bool) -> Iterator[str]:
    if not rules.ok:
        yield f"the rulesets: HTTP {rules.status}, {rules.detail}; the token needs metadata: read"
    if classic.status in HIDDEN and is_protected:
        yield f"the classic branch protection: HTTP {classic.status}, {classic.detail}; it needs administration: read"
    elif not classic.ok and classic.status not in (MISSING, *HIDDEN):
        yield f"the classic branch protection: HTTP {classic.status}, {classic.detail}"


def _ruled(rows: Sequence[dict[str, Json]]) -> Iterator[Required]:
    for row in rows:
        if row.get("type") == "required_status_checks":
            for check in _list(_at(row, "parameters", "required_status_checks")):
                yield _required(check, "integration_id")


def _classic(body: Json) -> Iterator[Required]:
    for check in _list(_at(body, "required_status_checks", "checks")):
        yield _required(check, "app_id")


def _required(check: Json, key: str) -> Required:
    name, source = _at(check, "context"), _at(check, key)
    known = source if isinstance(source, int) and source != NO_SOURCE else None
    return Required(name=name if isinstance(name, str) else "", source=known)


def _owners(rows: Sequence[dict[str, Json]], body: Json) -> bool:
    ruled = any(_at(row, "parameters", "require_code_owner_review") is True for row in rows)
    return ruled or _at(body, "required_pull_request_reviews", "require_code_owner_reviews") is True


def _at(value: Json, *keys: str) -> Json:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()
