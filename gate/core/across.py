"""Where one run of the gate stands among the others of its commit and its version."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """Which run this is, what it counted of earlier ones, and which of them left nothing to count.

    `run` and `attempt` are GitHub's numbers, `head` is the commit under decision, `workflow` the workflow file's path.
    `counted` are digests of the entries of the evidence chain whose trials stand in the evidence, too; `missing` names
    runs of this head whose evidence is lost, or says why none could be looked for.
    """

    run: int
    attempt: int
    head: str
    workflow: str
    counted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
