"""Chance that repeats: every draw is a function of the seed, the case and a number."""

import json
from hashlib import sha256
from math import exp
from statistics import NormalDist

from tests.rigs.model_server.script import CaseAnswers, Latency, Said, Script

_NORMAL = NormalDist()


def digest(seed: int, case: str, number: int) -> bytes:
    """Return the 32 bytes that decide the answer to the n-th answered request of a case, n from 1."""
    return _digest([seed, case, number])


def uniform(drawn: bytes) -> float:
    """Read a digest as a number from 0 to below 1."""
    return (int.from_bytes(drawn[:8]) >> 11) / 2**53


def choose(answers: CaseAnswers, drawn: bytes) -> str | Said:
    """Pick the right answer with its probability."""
    return answers.right if uniform(drawn) < answers.probability else answers.wrong


def waits(script: Script, case: str, attempt: int) -> tuple[float, float]:
    """Seconds to the first token, and from there to the last, of one attempt at a case."""
    latency = script.latency
    if not latency.sigma:
        return latency.first_ms / 1000, latency.rest_ms / 1000
    drawn = _digest([script.seed, case, attempt, "latency"])
    return _spread(latency, latency.first_ms, drawn[:8]), _spread(latency, latency.rest_ms, drawn[8:16])


def _spread(latency: Latency, median_ms: float, drawn: bytes) -> float:
    return median_ms / 1000 * exp(latency.sigma * _NORMAL.inv_cdf(uniform(drawn) or 2**-53))


def _digest(parts: list[object]) -> bytes:
    return sha256(json.dumps(parts).encode()).digest()
