"""Where the dollars of a suite's trials are known from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gate.core.model import Trial
from gate.core.window import join_prices


def price_sources(trials: Mapping[str, Sequence[Trial]], source: Callable[[str], str]) -> str:
    """The sources of the prices of all models that answered, each once; empty where no answer was paid for."""
    answers = (trial.answer for own in trials.values() for trial in own if trial.answer is not None)
    models = {answer.model for answer in answers if answer.usage and not (answer.modelled or answer.replayed)}
    return join_prices(*map(source, models))
