"""Another library as a client, in an environment of its own: exit code 3 where it is not installed there.

Usage: python -m benchmarks.engine.peer NAME URL CALLS WORKERS
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

from benchmarks.engine.question import EXPECTED, MAX_TOKENS, MODEL, question, text

NOT_INSTALLED = 3
KEY = "none"


def openai_threads(url: str, calls: int, workers: int) -> bool:
    """The SDK of OpenAI, one client, in threads."""
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key=KEY)

    def ask(number: int) -> bool:
        body: Any = question(number)
        return bool(client.chat.completions.create(**body).choices[0].message.content == EXPECTED)

    with ThreadPoolExecutor(workers) as pool:
        return all(pool.map(ask, range(calls)))


def litellm_threads(url: str, calls: int, workers: int) -> bool:
    """LiteLLM's `completion` in threads."""
    import litellm

    def ask(number: int) -> bool:
        body: Any = question(number) | {"model": f"openai/{MODEL}"}
        return bool(litellm.completion(**body, api_base=url, api_key=KEY).choices[0].message.content == EXPECTED)

    with ThreadPoolExecutor(workers) as pool:
        return all(pool.map(ask, range(calls)))


def pydantic_evals(url: str, calls: int, workers: int) -> bool:
    """A dataset of pydantic-evals with its exact evaluator, the SDK of OpenAI as the task."""
    from openai import AsyncOpenAI
    from pydantic_evals import Case, Dataset
    from pydantic_evals.evaluators import EqualsExpected

    client = AsyncOpenAI(base_url=url, api_key=KEY)

    async def ask(prompt: str) -> str:
        messages: Any = [{"role": "user", "content": prompt}]
        done = await client.chat.completions.create(
            model=MODEL, messages=messages, temperature=0, max_tokens=MAX_TOKENS
        )
        return done.choices[0].message.content or ""

    cases = [Case(name=str(number), inputs=text(number), expected_output=EXPECTED) for number in range(calls)]
    report = Dataset(name="bench", cases=cases, evaluators=[EqualsExpected()]).evaluate_sync(
        ask, max_concurrency=workers, progress=False
    )
    return len(report.cases) == calls


PEERS: dict[str, tuple[str, Callable[[str, int, int], bool]]] = {
    "openai": ("openai", openai_threads),
    "pydantic-evals": ("pydantic_evals", pydantic_evals),
    "litellm": ("litellm", litellm_threads),
}


def main() -> int:
    """Ask all; 1 where an answer was wrong."""
    package, ask = PEERS[sys.argv[1]]
    if find_spec(package) is None:
        return NOT_INSTALLED
    return 0 if ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])) else 1


if __name__ == "__main__":
    sys.exit(main())
