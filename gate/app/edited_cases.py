"""Which cases are asked as the base has them: those that a change edits, beside their new versions, or removes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gate.core.canonical import digest
from gate.core.evidence import Reference, SuiteBaseline
from gate.core.model import Suite
from gate.documents.tree import Tree, WorkingTree
from gate.errors import PromptError
from gate.suites.both_versions import BaseVersions, load_base_versions, new_id, with_base_versions
from gate.suites.cases import NAME
from gate.targets.prompt import Prompt, render_prompts

# More than that is another suite: asking both would up to double the bill, to compare with what is on its way out.
MOST_EDITED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a change brings to all suites of one target: both trees, its version, and its prompt if it has one."""

    base: Tree
    head: Tree
    version: str
    prompt: Prompt | None


def judged_as_before(suite: Suite, change: Change, reference: Reference) -> Suite:
    """The suite with the base's versions of edited and removed cases; as it is where nothing can be compared with.

    Where they cannot be asked, the suite says why: their edit may hide anything.
    """
    state, path = reference.baseline, f"{suite.path}/{NAME}"
    if not reference.adopted or not isinstance(state, SuiteBaseline):
        return suite
    same = isinstance(change.base, WorkingTree) or change.base.read(path) == change.head.read(path)
    found = BaseVersions() if same else load_base_versions(suite, change.base)
    if not found.cases:
        return suite
    why = _too_many(suite, found) if state.identity.version != change.version else ""
    why = why or _not_rendered(found, change.prompt)
    if why:
        return replace(suite, unasked=why, digest=digest([suite.digest, why]))
    return with_base_versions(suite, found)


def as_removed(suite: Suite) -> Suite:
    """A suite that the base has and the change removes, or renames: all of its cases are those of the base."""
    cases = (replace(case, removed=True, place=f"{case.place} of the base") for case in suite.cases)
    return replace(suite, cases=tuple(cases))


def _too_many(suite: Suite, found: BaseVersions) -> str:
    """Why both versions are too much to pay for; of the baseline's own version the old ones need not be asked again."""
    edited, every = len(found.edited), len(suite.cases) + len(found.removed)
    return f"{edited} of {every} cases were edited, more than half" if edited > MOST_EDITED * every else ""


def _not_rendered(found: BaseVersions, prompt: Prompt | None) -> str:
    if prompt is None:
        return ""
    try:
        render_prompts(prompt.text, prompt.path, [(case.id, case.input) for case in found.cases])
    except PromptError as error:
        return str(error)
    return ""


def with_new_ids(references: Mapping[str, str], suite: Suite) -> dict[str, str]:
    """The baseline's answers by case id, also for new versions of its cases."""
    added = {new_id(case.edits): references[case.edits] for case in suite.cases if case.edits in references}
    return {**references, **added}
