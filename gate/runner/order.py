"""The order in which cases are asked, and the seeds of their trials: fixed by hashes, so that runs repeat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gate.core.canonical import digest_text
from gate.core.evidence import Identity
from gate.core.model import Case, Suite


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


def trial_seed(*parts: int | str) -> int:
    """A seed that depends on all parts, below 2**31 because endpoints take no more."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big") >> 1
