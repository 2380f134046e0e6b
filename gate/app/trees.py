"""The two sides that a run reads from: the base, which judges, and the candidate's working tree, which is judged."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import cached_property
from pathlib import Path

from gate.documents.tree import Tree, WorkingTree
from gate.forge.git import Git, GitTree


class BaseTree(GitTree):
    """A commit that scorer code can also be run from: `root` is a private copy of it, made when first asked for."""

    def __init__(self, git: Git, ref: str) -> None:
        """Resolve the ref; raises ConfigurationError for one that is not there."""
        super().__init__(git, ref)
        self._source = git
        self._at = git.commit(ref)

    @cached_property
    def root(self) -> Path:
        """A folder with the commit's files, readable by an isolated worker; removed with this object."""
        root = Path(tempfile.mkdtemp(prefix="lockgate-base-"))
        weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        root.chmod(0o755)
        top = sorted({entry.path.partition("/")[0] for entry in self._source.entries(self._at, "") if entry.regular})
        self._source.export(self._at, paths=top, folder=root)
        return root


def base_tree(root: Path, ref: str | None) -> Tree:
    """The tree that policy, baseline and scorers come from: a commit, or the working tree without one."""
    return WorkingTree(root) if ref is None else BaseTree(Git(root), ref)
