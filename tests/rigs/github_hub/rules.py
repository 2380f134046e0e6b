"""The repository itself, who may do what in it, and the rules of its branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rigs.github_hub.model import Answer, Call, Protection, Refused, not_found
from tests.rigs.github_hub.shapes import page, place, repository, repository_commit, user

if TYPE_CHECKING:
    from tests.rigs.github_hub.state import GitHub

RULESET_ID = 77
ACTIONS_APP = 15_368
OWNERS_FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
OLD_NAMES = {"maintain": "write", "triage": "read"}


def own_user(hub: GitHub, call: Call) -> Answer:
    """Who the token is; a workflow's token may not ask."""
    if not call.token.knows_itself:
        raise Refused(403, "Resource not accessible by integration")
    return Answer(body=user(hub, call.token.login) | {"user_view_type": "public"})


def rate_limit(hub: GitHub, call: Call) -> Answer:
    """What is left of the hour."""
    rate = {"limit": hub.limits.requests_per_hour, "remaining": hub.limits.requests_per_hour, "reset": 0, "used": 0}
    return Answer(body={"rate": rate, "resources": {"core": rate, "search": rate}})


def own_repository(hub: GitHub, call: Call) -> Answer:
    """The repository."""
    rights = {"pull": True, "push": call.token.allows("contents:write"), "admin": False}
    return Answer(body={**repository(hub), "default_branch": "main", "permissions": rights,
                        "visibility": "private" if hub.private else "public"})  # fmt: skip


def branch(hub: GitHub, call: Call) -> Answer:
    """A branch, and whether anything protects it."""
    name = call.parameters["branch"]
    sha = hub.bare.tip(f"refs/heads/{name}")
    if sha is None:
        raise Refused(404, "Branch not found")
    url = place(hub, "branches", name)
    rules = hub.protections.get(name)
    classic = {"enabled": bool(rules and rules.classic)}
    return Answer(body={
        "name": name, "commit": repository_commit(hub, sha), "protected": rules is not None, "protection": classic,
        "protection_url": f"{url}/protection", "_links": {"self": url, "html": f"{hub.url}/{hub.slug}/tree/{name}"},
    })  # fmt: skip


def protection(hub: GitHub, call: Call) -> Answer:
    """A branch's classic protection; a ruleset does not show here."""
    name = call.parameters["branch"]
    if hub.bare.tip(f"refs/heads/{name}") is None:
        raise Refused(404, "Branch not found")
    rules = hub.protections.get(name)
    if rules is None or not rules.classic:
        raise Refused(404, "Branch not protected")
    reviews = {"dismiss_stale_reviews": False, "require_code_owner_reviews": rules.code_owners,
               "required_approving_review_count": rules.reviews}  # fmt: skip
    checks = {"strict": False, "contexts": list(rules.checks), "contexts_url": place(hub, "contexts"),
              "url": place(hub, "checks"),
              "checks": [{"context": name, "app_id": None if rules.any_source else ACTIONS_APP}
                         for name in rules.checks]}  # fmt: skip
    url = place(hub, "branches", name, "protection")
    return Answer(body={
        "url": url, "required_pull_request_reviews": reviews, "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False}, "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": True},
        **({"required_status_checks": checks} if rules.checks else {}),
    })  # fmt: skip


def branch_rules(hub: GitHub, call: Call) -> Answer:
    """The rules that rulesets put on a branch; classic protection does not show here."""
    rules = hub.protections.get(call.parameters["branch"])
    return page(hub, call, [] if rules is None or rules.classic else _rules(hub, rules))


def _rules(hub: GitHub, rules: Protection) -> list[dict[str, Any]]:
    origin = {"ruleset_id": RULESET_ID, "ruleset_source": hub.slug, "ruleset_source_type": "Repository"}
    reviews = {
        "required_approving_review_count": rules.reviews, "require_code_owner_review": rules.code_owners,
        "dismiss_stale_reviews_on_push": False, "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }  # fmt: skip
    found: list[dict[str, Any]] = [{"type": "non_fast_forward"}, {"type": "deletion"}]
    found.append({"type": "pull_request", "parameters": reviews})
    if rules.checks:
        source = {} if rules.any_source else {"integration_id": ACTIONS_APP}
        checks = [{"context": name} | source for name in rules.checks]
        found.append({"type": "required_status_checks", "parameters": {
            "required_status_checks": checks, "strict_required_status_checks_policy": False}})  # fmt: skip
    return [rule | origin for rule in found]


def rulesets(hub: GitHub, call: Call) -> Answer:
    """The repository's rulesets, without their rules."""
    has = any(not rules.classic for rules in hub.protections.values())
    found = {"id": RULESET_ID, "name": "default branch", "target": "branch", "source_type": "Repository",
             "source": hub.slug, "enforcement": "active", "node_id": f"RRS_{RULESET_ID}"}  # fmt: skip
    return page(hub, call, [found] if has else [])


def permission(hub: GitHub, call: Call) -> Answer:
    """What a user may do here, in the old words and by the name of the role."""
    login = call.parameters["username"]
    role = hub.collaborators.get(login, "none" if hub.private else "read")
    old = OLD_NAMES.get(role, role)
    rights = {"pull": role != "none", "push": old in ("write", "admin"), "admin": role == "admin"}
    who = user(hub, login) | {"role_name": role, "permissions": rights}
    return Answer(body={"permission": old, "role_name": role, "user": who})


def codeowners_errors(hub: GitHub, call: Call) -> Answer:
    """What is wrong in the CODEOWNERS file of a ref."""
    sha = hub.bare.resolve(call.asked("ref", "main"))
    if sha is None or not any(hub.bare.entries(sha, path) for path in OWNERS_FILES):
        raise not_found()
    return Answer(body={"errors": hub.codeowners_errors})
