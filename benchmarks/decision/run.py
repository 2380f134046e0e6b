"""Simulated pull requests with known truth through the real decision. One command, one page, one plot.

Usage: python -m benchmarks.decision.run [--quick | --render]. `--quick` takes about a minute, writes nothing into docs/
and prints the page; `--render` writes the page again from the counts of the last full run.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks.decision.cells import FULL, QUICK
from benchmarks.decision.collect import collect, load, save
from benchmarks.decision.page import page
from benchmarks.decision.plot import draw

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "explanation" / "decision-benchmark.md"
PLOT = ROOT / "docs" / "images" / "decision-benchmark.svg"
COUNTS = ROOT / "lockgate-out" / "decision-benchmark.json"


def main() -> int:
    """Run, print the page, and write it unless the run was quick."""
    quick, render = "--quick" in sys.argv[1:], "--render" in sys.argv[1:]
    start = time.monotonic()
    if render:
        found = load(COUNTS)
    else:
        found = collect(QUICK if quick else FULL, workers=os.cpu_count() or 1, say=_say)
        save(found, COUNTS.with_suffix(".quick.json") if quick else COUNTS)
    text = page(found)
    print(text)
    if not quick:
        PAGE.write_text(text, encoding="utf-8")
        PLOT.write_text(draw(found.cells), encoding="utf-8")
    _say(f"took {time.monotonic() - start:.0f} s")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
