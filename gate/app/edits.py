"""Edits to the bundled prompt, with what they are meant to be: harmless, a small loss, harmful.

The first of each class is what `gate demo` shows; all of them are what benchmarks/demo counts over many seeds, so that the
demonstration is not tuned to its seed. An edit that no longer changes the prompt raises ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class EditClass(StrEnum):
    """What an edit is meant to be."""

    HARMLESS = "harmless"
    SMALL_LOSS = "small loss"
    HARMFUL = "harmful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of the prompt's text; `story` tells a person what the author had in mind."""

    name: str
    kind: EditClass
    story: str
    change: Callable[[str], str]

    def apply(self, prompt: str) -> str:
        """The edited prompt; raises ValueError where the edit finds nothing to change."""
        edited = self.change(prompt)
        if edited == prompt:
            message = f"edit {self.name} changes nothing"
            raise ValueError(message)
        return edited


def _replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda prompt: prompt.replace(old, new)


def _without_lines(pattern: str) -> Callable[[str], str]:
    expression = re.compile(pattern)
    return lambda prompt: "".join(line for line in prompt.splitlines(keepends=True) if not expression.search(line))


EDITS: Sequence[Edit] = ()
