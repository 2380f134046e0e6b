"""Shards: which cases one of several machines runs. A case stays where it is when others are added.

A case belongs to the shard that the SHA-256 of its id names. Cases that must outrank others are scored beside them, so
that a group of such cases goes together, to the shard of its first id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from gate.core.model import Case, Suite
from gate.runner.budget import Ceilings

MOST_SHARDS = 1000
FORM = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """The `number`-th of `count` shards, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `i/n`; raises ValueError for anything else."""
        found = FORM.fullmatch(text)
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= count <= MOST_SHARDS:
            message = f"must be i/n with i from 1 to n, and n at most {MOST_SHARDS}"
            raise ValueError(message)
        return cls(number=number, count=count)

    @property
    def name(self) -> str:
        """As in file names: `2-of-4`."""
        return f"{self.number}-of-{self.count}"


def assign_shards(suite: Suite, count: int) -> Mapping[str, int]:
    """The number of each case's shard, by case id."""
    firsts = _first_of_group(suite)
    return {case.id: _number(firsts[case.id], count) for case in suite.cases}


def cut_suite(suite: Suite, shard: Shard) -> Suite:
    """The suite with the shard's cases only, and with the digest of the whole."""
    numbers = assign_shards(suite, shard.count)
    return replace(suite, cases=tuple(case for case in suite.cases if numbers[case.id] == shard.number))


def cut_ceilings(ceilings: Ceilings, share: float) -> Ceilings:
    """A shard's part of a budget (a share of 1), so that all shards together keep it; minutes run beside each other."""
    return replace(
        ceilings,
        usd=None if ceilings.usd is None else ceilings.usd * share,
        calls=None if ceilings.calls is None else int(ceilings.calls * share),
        tokens=None if ceilings.tokens is None else int(ceilings.tokens * share),
    )


def _number(name: str, count: int) -> int:
    return int(hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(), 16) % count + 1


def _first_of_group(suite: Suite) -> dict[str, str]:
    """By case id the first id of all that are linked to it, directly or not."""
    links: dict[str, set[str]] = {case.id: set() for case in suite.cases}
    for case in suite.cases:
        for peer in _known_peers(case, links):
            links[case.id].add(peer)
            links[peer].add(case.id)
    firsts: dict[str, str] = {}
    for start in sorted(links):
        waiting = [] if start in firsts else [start]
        while waiting:
            case_id = waiting.pop()
            if case_id not in firsts:
                firsts[case_id] = start
                waiting += links[case_id]
    return firsts


def _known_peers(case: Case, links: Mapping[str, set[str]]) -> tuple[str, ...]:
    return tuple(peer for peer in case.peers if peer in links)
