"""Says what of a repository's protection is missing, so that a change cannot get around the gate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.documents.tree import Tree
from gate.forge.api import Api
from gate.forge.protection import ACTIONS_APP, Protected, fetch_protection

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
# One file of each kind that must have an owner, by what it is called.
OWNED: Mapping[str, str] = {
    "gate.yaml": "gate.yaml",
    "golden_sets/": "golden_sets/suite/cases.jsonl",
    "baselines/": "baselines/target/suite.json",
    ".github/": ".github/workflows/gate.yml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is missing, and what could not be seen, in sentences."""

    missing: tuple[str, ...]
    unseen: tuple[str, ...]


def survey_repository(api: Api, repository: str, *, branch: str, check: str, tree: Tree) -> Survey:
    """Compare a branch's protection with what the gate needs; raises PublishError where the branch cannot be read."""
    found = fetch_protection(api, repository, branch)
    owners = tuple(_owners(tree, found))
    return Survey(missing=(*_rules(found, branch=branch, check=check), *owners), unseen=found.unseen)


def _rules(found: Protected, *, branch: str, check: str) -> Iterator[str]:
    if not (found.has_ruleset or found.is_classic or found.unseen):
        yield f"no ruleset and no protection for {branch}: anybody with write access can push past the gate"
        return
    if not found.has_ruleset and found.is_classic:
        yield f"no ruleset for {branch}, only the classic protection: add a ruleset, which also administrators keep to"
    named = [one for one in found.checks if one.name == check]
    if not named and not found.unseen:
        others = ", ".join(sorted({one.name for one in found.checks})) or "none"
        yield f"the check {check!r} is not required (required: {others}): a change can be merged without a decision"
    if named and all(one.source is None for one in named):
        yield f"the check {check!r} is taken from any source: bind it to GitHub Actions, or anybody can set it green"
    elif named and all(one.source != ACTIONS_APP for one in named):
        yield f"the check {check!r} is bound to another app than GitHub Actions"


def _owners(tree: Tree, found: Protected) -> Iterator[str]:
    text = next((content for path in CODEOWNERS if (content := tree.read(path)) is not None), None)
    if text is None:
        yield f"there is no CODEOWNERS file: nobody must review {', '.join(OWNED)}"
        return
    rules = tuple(owner_rules(text.decode("utf-8", "replace")))
    for name, path in OWNED.items():
        if not owned(rules, path):
            yield f"{name} has no code owner: a change of it needs nobody's review"
    if not found.by_owners and not found.unseen:
        yield "reviews by code owners are not required, so CODEOWNERS only suggests them"


def owner_rules(text: str) -> Iterator[tuple[re.Pattern[str], bool]]:
    """Lines of a CODEOWNERS file as a pattern for whole paths, and whether it names any owner."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            yield _pattern(words[0]), len(words) > 1


def owned(rules: tuple[tuple[re.Pattern[str], bool], ...], path: str) -> bool:
    """Whether a path has an owner: the last line that fits it decides."""
    return next((has for pattern, has in reversed(rules) if pattern.fullmatch(path)), False)


def _pattern(word: str) -> re.Pattern[str]:
    anchored = "/" in word.rstrip("/")
    body = word.strip("/")
    parts = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    told = "".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*|\?)", body))
    below = "" if body.endswith("/*") else "(?:/.*)?"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{told}{'/.*' if word.endswith('/') else below}")
