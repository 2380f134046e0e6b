"""Similarity of a message with the definitions, cue phrases and examples of labels.

A cue phrase counts when its word stems stand next to each other in the message, once however often; longer phrases
count more, phrases that several labels share count less. Words in the subject count more, quoted and forwarded text
counts less. The words of a definition's prose speak for it weakly. All that is known about labels is in the prompt.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from gate.targets.offline.reading import Label
from gate.targets.offline.stems import stems

Phrase = tuple[str, ...]
SEPARATOR = re.compile(r"[,;.:]")
HEADER = re.compile(r"^(?:From|To|Cc|Date|Reply-To):", re.IGNORECASE)
SUBJECT = re.compile(r"^Subject:", re.IGNORECASE)
REPLY = re.compile(r"\b(?:re|aw|fwd?|wg|tr|rv|enc)\s*:", re.IGNORECASE)
QUOTED = re.compile(r"^\s*>")
FORWARDED = re.compile(r"^\s*-{3,}.*\w")
SUBJECT_WEIGHT = 1.6
EARLIER_WEIGHT = 0.4
QUOTED_WEIGHT = 0.3
PROSE_WEIGHT = 0.25
EXAMPLE_WEIGHT = 0.5
LENGTH_BONUS = 0.45
SHORTEST_TELLING_STEM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The cue phrases of all labels by first stem, what each is worth to which label, and the examples as stems."""

    phrases: Mapping[str, tuple[Phrase, ...]]
    worth: Mapping[Phrase, Mapping[str, float]]
    examples: Mapping[str, tuple[frozenset[str], ...]]


def phrases(text: str) -> list[Phrase]:
    """Cue phrases of a rule: split at commas, semicolons, colons and full stops, as stems in order."""
    return [phrase for part in SEPARATOR.split(text) if (phrase := tuple(stems(part)))]


def hits(message: str, rule: str) -> int:
    """How many cue phrases of a rule stand in the message."""
    text = f" {' '.join(_message_stems(message))} "
    return sum(phrase in text for phrase in _spaced(rule))


def scores(message: str, labels: tuple[Label, ...]) -> dict[str, float]:
    """Similarity of the message with each label by name, 0 and up."""
    index = _index(labels)
    zones = _zones(message)
    body = frozenset(stem for weight, text in zones for stem in _telling(text) if weight >= 1.0)
    totals = {label.name: EXAMPLE_WEIGHT * _nearest(body, index.examples[label.name]) for label in labels}
    for phrase, weight in _found(zones, index).items():
        for name, worth in index.worth[phrase].items():
            totals[name] += worth * weight
    return totals


def _zones(message: str) -> list[tuple[float, str]]:
    """Weigh the lines of a message; addresses do not count, what stands below a forwarding line counts little."""
    found, own = [], 1.0
    for line in message.splitlines():
        own = QUOTED_WEIGHT if FORWARDED.match(line) else own
        if SUBJECT.match(line):
            found.extend(_subject(line.partition(":")[2]))
        elif not HEADER.match(line):
            found.append((QUOTED_WEIGHT if QUOTED.match(line) else own, line))
    return [(weight, " ".join(line for _, line in run)) for weight, run in groupby(found, key=itemgetter(0))]


def _subject(text: str) -> list[tuple[float, str]]:
    """Weigh the parts of a subject: what stands behind a reply or forward mark was the subject of an earlier mail."""
    first, *earlier = REPLY.split(text)
    return [(SUBJECT_WEIGHT, first), *((EARLIER_WEIGHT, part) for part in earlier)]


def _found(zones: Iterable[tuple[float, str]], index: Index) -> dict[Phrase, float]:
    """Find the cue phrases in a message, each with the weight of the best place where it stands."""
    found: dict[Phrase, float] = {}
    for weight, text in zones:
        for phrase in _standing(stems(text), index):
            found[phrase] = max(found.get(phrase, 0.0), weight)
    return found


def _standing(found: Sequence[str], index: Index) -> Iterator[Phrase]:
    for place, first in enumerate(found):
        for phrase in index.phrases.get(first, ()):
            if phrase == tuple(found[place : place + len(phrase)]):
                yield phrase


@lru_cache(maxsize=16)
def _index(labels: tuple[Label, ...]) -> Index:
    """Weigh all phrases once: `1 + bonus` for each further word, less for each further label that has it."""
    owners: dict[Phrase, dict[str, float]] = defaultdict(dict)
    for label in labels:
        for phrase, weight in _own(label):
            owners[phrase][label.name] = max(weight, owners[phrase].get(label.name, 0.0))
    first: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in owners:
        first[phrase[0]].append(phrase)
    return Index(
        phrases={stem: tuple(own) for stem, own in first.items()},
        worth={phrase: _worth(phrase, weights, labels=len(labels)) for phrase, weights in owners.items()},
        examples={label.name: tuple(frozenset(_telling(text)) for text in label.examples) for label in labels},
    )


def _worth(phrase: Phrase, weights: Mapping[str, float], *, labels: int) -> dict[str, float]:
    rarity = math.log((1 + labels) / len(weights)) / math.log(1 + labels)
    length = 1 + LENGTH_BONUS * (len(phrase) - 1)
    return {name: weight * rarity * length for name, weight in weights.items()}


def _own(label: Label) -> list[tuple[Phrase, float]]:
    prose = [((stem,), PROSE_WEIGHT) for stem in _telling(label.text)]
    return prose + [(phrase, 1.0) for line in label.cues for phrase in phrases(line)]


def _telling(text: str) -> list[str]:
    """Stems of the words that are long enough to mean something by themselves."""
    return [stem for stem in stems(text) if len(stem) >= SHORTEST_TELLING_STEM]


def _nearest(body: frozenset[str], examples: Sequence[frozenset[str]]) -> float:
    return max((len(body & own) / math.sqrt(len(own)) for own in examples if own), default=0.0)


@lru_cache(maxsize=64)
def _message_stems(message: str) -> tuple[str, ...]:
    return tuple(stem for weight, line in _zones(message) if weight >= 1.0 for stem in stems(line))


@lru_cache(maxsize=64)
def _spaced(rule: str) -> tuple[str, ...]:
    return tuple(f" {' '.join(phrase)} " for phrase in phrases(rule))
