"""What the pages of all benchmarks are made of: tables, and the goals that were reached or missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal: in words, what was measured, and whether it was reached."""

    text: str
    measured: str
    reached: bool


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def goals_section(goals: Iterable[Goal]) -> str:
    """The goals as a section of a page."""
    rows = [[goal.text, goal.measured, "reached" if goal.reached else "missed"] for goal in goals]
    return "## Goals\n\n" + table(["Goal", "Measured", ""], rows)
