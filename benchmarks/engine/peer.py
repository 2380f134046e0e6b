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


def braintrust_eval(url: str, calls: int, workers: int) -> bool:
    """An `Eval` of braintrust with a scorer of one line, nothing sent anywhere, the SDK of OpenAI as the task."""
    from asyncio import run

    from braintrust import EvalAsync
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=url, api_key=KEY)

    async def ask(prompt: str) -> str:
        messages: Any = [{"role": "user", "content": prompt}]
        done = await client.chat.completions.create(
            model=MODEL, messages=messages, temperature=0, max_tokens=MAX_TOKENS
        )
        return done.choices[0].message.content or ""

    def exact(output: str, expected: str) -> float:
        return float(output == expected)

    data = [{"input": text(number), "expected": EXPECTED} for number in range(calls)]
    found = run(EvalAsync("bench", data=data, task=ask, scores=[exact], max_concurrency=workers, no_send_logs=True))
    return len(found.results) == calls and all(one.scores["exact"] == 1.0 for one in found.results)


def deepeval_bulk(url: str, calls: int, workers: int) -> bool:
    """`evaluate` of deepeval with its exact metric, after the SDK of OpenAI has asked in threads."""
    from os import environ

    environ["DEEPEVAL_TELEMETRY_OPT_OUT"] = "1"
    from deepeval import evaluate
    from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
    from deepeval.metrics import ExactMatchMetric
    from deepeval.test_case import LLMTestCase
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key=KEY)

    def ask(number: int) -> Any:
        body: Any = question(number)
        said = client.chat.completions.create(**body).choices[0].message.content
        return LLMTestCase(input=text(number), actual_output=said, expected_output=EXPECTED)

    with ThreadPoolExecutor(workers) as pool:
        cases = list(pool.map(ask, range(calls)))
    found = evaluate(
        cases,
        [ExactMatchMetric()],
        async_config=AsyncConfig(max_concurrent=workers),
        display_config=DisplayConfig(show_indicator=False, print_results=False),
        cache_config=CacheConfig(write_cache=False, use_cache=False),
    )
    return len(found.test_results) == calls and all(one.success for one in found.test_results)


PEERS: dict[str, tuple[str, Callable[[str, int, int], bool]]] = {
    "openai": ("openai", openai_threads),
    "pydantic-evals": ("pydantic_evals", pydantic_evals),
    "litellm": ("litellm", litellm_threads),
    "braintrust": ("braintrust", braintrust_eval),
    "deepeval": ("deepeval", deepeval_bulk),
}


def main() -> int:
    """Ask all; 1 where an answer was wrong."""
    package, ask = PEERS[sys.argv[1]]
    if find_spec(package) is None:
        return NOT_INSTALLED
    return 0 if ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])) else 1


if __name__ == "__main__":
    sys.exit(main())
