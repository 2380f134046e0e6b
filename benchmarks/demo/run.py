"""Outcomes of the demo's edits over many seeds: are they tuned to one seed? One command, one table.

Usage: run.py [SEEDS]. Each row is one edit; the last lines add up the classes and check the promise of the demo:
harmless edits roll back in at most 5 % of runs, harmful ones are never promoted.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from gate.app.demo import run_edits
from gate.app.edits import EDITS, EditClass
from gate.app.request import CheckRequest
from gate.app.sample import copy_sample
from gate.core.finding import Outcome
from gate.core.model import Answer, Trial, Unanswered

SEEDS = 20
FIRST_SEED = 101
MOST_FALSE_ROLLBACKS = 0.05


class Silent:
    """Progress that nobody watches."""

    def note(self, text: str) -> None:
        """Ignore a remark."""

    def begin(self, suite: str, *, target: str, total: int) -> None:
        """Ignore the start of a batch."""

    def step(self, reply: Answer | Unanswered, *, spent: float | None) -> None:
        """Ignore a trial."""

    def judged(self, trial: Trial) -> None:
        """Ignore a verdict."""

    def end(self) -> None:
        """Ignore the end of a batch."""


def main() -> int:
    """Print the table; 1 where the promise does not hold."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    counts: Counter[tuple[str, Outcome]] = Counter()
    calls: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        sample = Path(folder) / "sample"
        copy_sample(sample)
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            for result in run_edits(
                CheckRequest(root=sample, out=sample / "runs", as_of="2026-01-01", seed=seed),
                EDITS,
                progress=Silent(),
                now=time.monotonic,
            ):
                counts[result.edit.name, result.outcome] += 1
                calls[result.edit.name] += result.calls
    print(f"{'edit':30} {'class':11} {'PROMOTE':>8} {'HOLD':>6} {'ROLLBACK':>9} {'calls':>7}")
    for edit in EDITS:
        row = [counts[edit.name, outcome] for outcome in Outcome]
        print(f"{edit.name:30} {edit.kind:11} {row[0]:8} {row[1]:6} {row[2]:9} {calls[edit.name] / seeds:7.0f}")
    return _verdict(counts, seeds)


def _verdict(counts: Counter[tuple[str, Outcome]], seeds: int) -> int:
    total = {
        (kind, outcome): sum(counts[edit.name, outcome] for edit in EDITS if edit.kind is kind)
        for kind in EditClass
        for outcome in Outcome
    }
    for kind in EditClass:
        print(f"all {kind:26} {'':11} " + " ".join(f"{total[kind, outcome]:7}" for outcome in Outcome))
    harmless = seeds * sum(edit.kind is EditClass.HARMLESS for edit in EDITS)
    false_rollbacks = total[EditClass.HARMLESS, Outcome.ROLLBACK] / harmless
    promoted = total[EditClass.HARMFUL, Outcome.PROMOTE]
    print(
        f"harmless edits rolled back: {false_rollbacks:.1%} (at most {MOST_FALSE_ROLLBACKS:.0%}); "
        f"harmful promoted: {promoted}"
    )
    return int(false_rollbacks > MOST_FALSE_ROLLBACKS or promoted > 0)


if __name__ == "__main__":
    sys.exit(main())
