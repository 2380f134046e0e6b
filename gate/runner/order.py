"""The order in which cases are asked, and the seeds of their trials: fixed by hashes, so that runs repeat."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from gate.core.canonical import digest_text
from gate.core.evidence import Identity
from gate.core.model import Case, Suite

SLOW = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One planned trial; `base_first` is None where the base's version is not asked beside it."""

    case: Case
    index: int
    base_first: bool | None = None


def case_order(suite: Suite, identity: Identity) -> tuple[Case, ...]:
    """The order in which cases are asked: fixed by the hashes of version and suite, peers before who outranks them."""
    by_id = {case.id: case for case in suite.cases}
    placed: dict[str, Case] = {}

    def place(case: Case, waiting: frozenset[str]) -> None:
        for peer in case.peers:
            if peer in by_id and peer not in waiting:
                place(by_id[peer], waiting | {peer})
        placed.setdefault(case.id, case)

    for case in sorted(suite.cases, key=lambda one: digest_text(f"{identity.version}|{suite.digest}|{one.id}")):
        place(case, frozenset({case.id}))
    return tuple(placed.values())


def slow_first(order: Sequence[tuple[int, Case]], expected_ms: Mapping[str, float]) -> list[tuple[int, Case]]:
    """The same places and cases, with those ahead that would end long after the others, the slowest first.

    These are expected to take over twice the median (longest processing time first, Graham 1969). A case that must
    outrank others keeps its place, so that they are answered before it.
    """
    known = [expected_ms[case.id] for _, case in order if case.id in expected_ms]
    limit = SLOW * median(known) if known else math.inf

    def rank(entry: tuple[int, Case]) -> float:
        expected = 0.0 if entry[1].peers else expected_ms.get(entry[1].id, 0.0)
        return -expected if expected > limit else 0.0

    return sorted(order, key=rank)


def trial_seed(*parts: int | str) -> int:
    """A seed that depends on all parts, below 2**31 because endpoints take no more."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big") >> 1
