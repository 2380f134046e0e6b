"""The built-in offline model as a target: classifies the e-mail in the prompt by what the prompt says.

Not a language model. Its mistakes are honest: it compares words with the definitions, cue words and examples that it
finds in the prompt, so that an edit to the prompt really changes its answers. Sampling noise is seeded and grows with
temperature. Latency and usage are modelled from text length and seed, and marked so.
"""

import hashlib
import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from gate.core.model import Answer, Call, Usage
from gate.targets.definition import TargetDefinition
from gate.targets.offline.injection import Planted, follows, notice
from gate.targets.offline.reading import Label, Understanding, read_prompt
from gate.targets.offline.similarity import hits, scores
from gate.targets.prices import Prices

NAME = "offline-1"
SHARPNESS = 1.35
SUSPICIOUS = 0.6
SUSPICIOUS_IF_CAUTIOUS = 0.15
CHATTY_SHARE = 0.5
SUSPICIOUS_NAME = "suspicious"
LEAD_NOISE = 0.05
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineModel:
    """A target without a network: at `temperature` 0 it always answers alike, at 1 it guesses; `seed` shifts draws."""

    temperature: float
    seed: int = 0

    def answer(self, call: Call) -> Answer:
        """Answer one call; deterministic in prompt, case, seed and temperature."""
        draw = _generator(call, self.seed)
        text = self._text(read_prompt(call.prompt), draw)
        usage = Usage(input_tokens=_tokens(call.prompt), output_tokens=_tokens(text))
        return Answer(text=text, model=NAME, usage=usage, latency_ms=_latency(usage, draw), modelled=True)

    def _text(self, understanding: Understanding, draw: random.Random) -> str:
        planted = notice(understanding)
        nerve = draw.gauss(0.0, 1.0) * 0.01 * self.temperature
        if follows(planted, understanding.guards, message=understanding.message, nerve=nerve):
            return self._obey(understanding, planted, draw)
        label = _suspect(understanding, planted) or self._classify(understanding, draw)
        return self._compose(understanding, label, draw)

    def _classify(self, understanding: Understanding, draw: random.Random) -> Label | None:
        """Find the most similar label, after noise; one that no word speaks for can still win at a high temperature."""
        choices = tuple(label for label in understanding.definitions.labels if label.name != SUSPICIOUS_NAME)
        similar = scores(understanding.message, choices)
        noisy = {label.name: similar[label.name] * SHARPNESS + self.temperature * _gumbel(draw) for label in choices}
        return max(choices, key=lambda label: noisy[label.name], default=None)

    def _compose(self, understanding: Understanding, label: Label | None, draw: random.Random) -> str:
        if label is None or not understanding.keys:
            return "The e-mail seems to be about " + (label.name.replace("_", " ") if label else "something else") + "."
        values: dict[str, object] = {
            "intent": label.name,
            "urgency": _urgency(understanding, label),
            "lead_score": self._lead(understanding, label, draw),
        }
        answer = json.dumps({key: values[key] for key in understanding.keys})
        chatty = not understanding.guards.format and draw.random() < CHATTY_SHARE
        return f"Here is the classification:\n\n{answer}" if chatty else answer

    def _lead(self, understanding: Understanding, label: Label, draw: random.Random) -> float:
        changes = (
            change for change, rule in understanding.definitions.adjustments if hits(understanding.message, rule)
        )
        noise = draw.gauss(0.0, LEAD_NOISE) * self.temperature
        return round(min(1.0, max(0.0, label.lead + math.fsum(changes) + noise)), 2)

    def _obey(self, understanding: Understanding, planted: Planted, draw: random.Random) -> str:
        wanted = next((label for label in understanding.definitions.labels if label.name == planted.label), None)
        text = self._compose(understanding, wanted or self._classify(understanding, draw), draw)
        extras = [extra for extra in (planted.marker, planted.secret) if extra]
        return "\n".join([text, *extras])


def build_offline(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> OfflineModel:
    """Build the model from a target definition; needs no environment and has no price."""
    del environ, prices
    return OfflineModel(temperature=definition.temperature or 0.0, seed=definition.seed or 0)


def _suspect(understanding: Understanding, planted: Planted) -> Label | None:
    threshold = SUSPICIOUS_IF_CAUTIOUS if understanding.guards.caution else SUSPICIOUS
    if planted.suspicion < threshold:
        return None
    return next((label for label in understanding.definitions.labels if label.name == SUSPICIOUS_NAME), None)


def _urgency(understanding: Understanding, label: Label) -> int:
    """Find the level with the most cue phrases in the message; the label's own where none speaks."""
    found = [(hits(understanding.message, rule), level) for level, rule in understanding.definitions.levels]
    most, level = max(found, default=(0, 0))
    return level if most else label.urgency


def _generator(call: Call, seed: int) -> random.Random:
    """Draws that depend on everything the answer may depend on, the prompt included: an edit re-draws."""
    key = f"{seed}\0{call.seed}\0{call.case_id}\0{call.prompt}".encode("utf-8", "surrogatepass")
    return random.Random(int.from_bytes(hashlib.sha256(key).digest()[:8], "big"))  # noqa: S311 noise, not a secret


def _gumbel(draw: random.Random) -> float:
    return -math.log(-math.log(min(max(draw.random(), 1e-12), 1 - 1e-12)))


def _tokens(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def _latency(usage: Usage, draw: random.Random) -> float:
    """Milliseconds of a model that reads fast and writes slowly, with a long tail."""
    return round((120 + 0.05 * usage.input_tokens + 14 * usage.output_tokens) * math.exp(draw.gauss(0.0, 0.3)), 1)
