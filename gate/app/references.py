"""Answers of the accepted version that judges compare others with: committed beside the baseline, sealed by it."""

from __future__ import annotations

from collections.abc import Mapping

from gate.core.canonical import NotJsonError, digest, parse_json
from gate.core.judging import is_judge
from gate.core.model import Suite
from gate.documents.tree import Tree
from gate.store.baselines import references_path


def compares(suite: Suite) -> bool:
    """Whether a judge of the suite compares answers with those of the baseline."""
    return any(is_judge(entry.scorer) and entry.scorer.compares for entry in suite.scorers)


def load_references(tree: Tree, target: str, suite: Suite) -> Mapping[str, str]:
    """The answers by case id; empty where no judge compares, and where no readable file is there.

    Whatever is read is part of what judges, so that a file that was changed by hand is another judge.
    """
    content = tree.read(references_path(target, suite.name)) if compares(suite) else None
    try:
        plain = parse_json((content or b"{}").decode("utf-8"))
    except (NotJsonError, UnicodeDecodeError):
        return {}
    return {key: text for key, text in plain.items() if isinstance(text, str)} if isinstance(plain, dict) else {}


def judged_with(suite: Suite, references: Mapping[str, str]) -> str:
    """The digest of a suite's scorers, with the answers that they compare with where they do."""
    return digest([suite.scorer_digest, dict(references)]) if compares(suite) else suite.scorer_digest
