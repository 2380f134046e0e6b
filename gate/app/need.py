"""What an explanation is made of: lines of arithmetic, and conditions that were met or not."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A condition with its numbers filled in, and whether it holds."""

    text: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Formulas with numbers; PASS needs all of `passes`, FAIL all of `fails`. Empty where nothing is computed."""

    lines: tuple[str, ...] = ()
    passes: tuple[Need, ...] = ()
    fails: tuple[Need, ...] = ()


def need(name: str, sign: str, *, value: float, limit: float) -> Need:
    """A comparison of two numbers, as it stands in the rule; `sign` is one of >, >=, <, <=."""
    return Need(text=f"{name} {share(value)} {sign} {share(limit)}", met=_COMPARE[sign](value, limit))


def share(value: float) -> str:
    """A number with up to six decimals, as exact as the rules compare."""
    return f"{round(value, 6) + 0.0:.6f}".rstrip("0").rstrip(".")
