"""The engine beside a bare client, on this machine. One command, one page.

Usage: python -m benchmarks.engine.run [--quick]. `--quick` takes about a minute, writes nothing and prints the page.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.engine.collect import FULL, QUICK, collect
from benchmarks.engine.measure import ROOT, bytecode
from benchmarks.engine.page import page

PAGE = Path("docs") / "explanation" / "engine-benchmark.md"


def main() -> int:
    """Run, print the page, and write it unless the run was quick."""
    quick = "--quick" in sys.argv[1:]
    start = time.monotonic()
    with bytecode():
        text = page(collect(QUICK if quick else FULL, say=_say))
    print(text)
    if not quick:
        (ROOT / PAGE).write_text(text, encoding="utf-8")
    _say(f"took {time.monotonic() - start:.0f} s")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
