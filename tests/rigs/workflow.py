"""Workflow files as a repository has them: what starts them, and what their jobs may do, check out, pass and upload."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
FOLDER = ".github/workflows"
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
CHOICE = re.compile(r"github\.event_name == '(\w+)' && '(\w*)' \|\| '(\w*)'")
OWN = ("./", "OWNER/lockgate@COMMIT")


@dataclass(frozen=True, kw_only=True)
class WorkflowJob:
    """One job of a file; `said` is what stands there."""

    path: str
    name: str
    said: Mapping[str, Any]
    triggers: frozenset[str]

    @property
    def environment(self) -> str:
        """The environment whose secrets it gets after somebody has approved it."""
        return str(self.said.get("environment", ""))

    def permissions(self, *, is_fork: bool) -> dict[str, str]:
        """What its token may do, by GitHub's names of the API; a fork's may only read."""
        given = {key.replace("-", "_"): level for key, level in self.said["permissions"].items()}
        return {key: "read" if is_fork else level for key, level in given.items()}

    def step(self, *uses: str) -> Mapping[str, Any]:
        """The first step that uses an action of such a name; empty where there is none."""
        return next((step for step in self.said["steps"] if step.get("uses", "").startswith(uses)), {})

    def given(self, *, publish: str, permission: str) -> WorkflowJob:
        """The same job with the input `publish`, and with the right to write that it needs."""
        steps = [
            {**step, "with": {**step.get("with", {}), "publish": publish}} if step.get("uses") in OWN else step
            for step in self.said["steps"]
        ]
        permissions = {**self.said["permissions"], permission: "write"}
        return replace(self, said={**self.said, "steps": steps, "permissions": permissions})


def shipped(name: str, job: str) -> WorkflowJob:
    """A job of this repository's own workflow files."""
    path = f"{FOLDER}/{name}.yml"
    return _job((ROOT / path).read_text(encoding="utf-8"), path, job)


def documented(page: str, job: str) -> WorkflowJob:
    """A job of the first workflow that a page of the documentation gives to copy and that has it."""
    blocks = BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    text = next(block for block in blocks if "\njobs:\n" in block and f"\n  {job}:\n" in block)
    return _job(text, f"{FOLDER}/{yaml.safe_load(text)['name']}.yml", job)


def _job(text: str, path: str, job: str) -> WorkflowJob:
    said = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as true.
    triggers = said[True]
    names = [triggers] if isinstance(triggers, str) else triggers
    return WorkflowJob(path=path, name=job, said=said["jobs"][job], triggers=frozenset(names))


def resolved(text: object, values: Mapping[str, str]) -> str:
    """A value with its expressions replaced; raises KeyError for one that is not among `values`.

    A secret that is not given is empty, as on GitHub.
    """

    def value(match: re.Match[str]) -> str:
        choice = CHOICE.fullmatch(match[1])
        if choice is None:
            return values.get(match[1], "") if match[1].startswith("secrets.") else values[match[1]]
        event, then, otherwise = choice.groups()
        return then if values["github.event_name"] == event else otherwise

    return EXPRESSION.sub(value, str(text))
