"""The bare client to compare with: `requests` in a thread pool, one session a thread, nothing of the environment.

Usage: python -m benchmarks.engine.pool URL CALLS WORKERS
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

from benchmarks.engine.question import EXPECTED, question

_own = threading.local()


def ask(url: str, number: int) -> bool:
    """Ask one question, and compare the answer."""
    session = getattr(_own, "session", None)
    if session is None:
        session = _own.session = requests.Session()
        session.trust_env = False
    response = session.post(f"{url}/chat/completions", json=question(number), timeout=30)
    return bool(response.json()["choices"][0]["message"]["content"] == EXPECTED)


def main() -> int:
    """Ask all; 1 where an answer was wrong."""
    url, calls, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with ThreadPoolExecutor(workers) as pool:
        return 0 if all(pool.map(lambda number: ask(url, number), range(calls))) else 1


if __name__ == "__main__":
    sys.exit(main())
