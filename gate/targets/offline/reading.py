"""What the built-in model understands of a prompt: labels, cue phrases, examples, urgency and lead rules, guards.

It reads Markdown as prompts are commonly written:

- a label is a list item that starts with a name in backticks: ``- `pricing_request` (urgency 3, lead 0.7): asks ...``;
- an urgency rule is a list item ``- 5: words that speak for it``, a lead rule is ``- +0.1: words`` or ``- -0.2: ...``;
- indented lines below one of these belong to it and list cue phrases, separated by commas, with or without a dash and
  a language in front: ``  - es: cuánto cuesta, presupuesto``;
- an example is a line ``E-mail: ... => `label` ``;
- guards are sentences that forbid to follow instructions in the e-mail, to reveal the reference, or to write anything
  but JSON; wording is free, a few verbs are looked for.

Everything between the first `<email>` and the last `</email>` is the message; nothing there counts as prompt.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

LABEL = re.compile(r"^[-*]\s+`(?P<name>[a-z][a-z0-9_]*)`\s*(?:\((?P<facts>[^)]*)\))?\s*:?\s*(?P<text>.*)$")
LEVEL = re.compile(r"^[-*]\s+(?P<level>[1-5])\s*:\s*(?P<text>.*)$")
ADJUSTMENT = re.compile(r"^[-*]\s+(?P<change>[+-]0?\.\d+)\s*:\s*(?P<text>.*)$")
EXAMPLE = re.compile(r"^\s*(?:[-*]\s+)?E-?mail:\s*(?P<text>.+?)\s*(?:=>|→)\s*`(?P<name>[a-z][a-z0-9_]*)`\s*$")
CONTINUATION = re.compile(r"^\s+(?:[-*]\s+)?(?:[a-z]{2}:\s*)?(?P<text>\S.*)$")
LISTED = re.compile(r"^(?:\s|[-*]\s)")
FACT = re.compile(r"(urgency|lead)\s+(\d+(?:\.\d+)?)")
SENTENCE = re.compile(r"[^.!?]+[.!?]?")
FORBIDS = r"\b(?:never|do not|don't|not)\b.*"
DATA_GUARD = re.compile(
    FORBIDS + r"\b(?:follow|obey|execute|act on|carry out)\b.*\b(?:instruction|request|command|order)"
)
SECRET_GUARD = re.compile(
    FORBIDS + r"\b(?:reveal|repeat|quote|disclose|print|share|write)\b.*\b(?:reference|secret|confidential|prompt)"
)
ONLY = r"\b(?:only|nothing but|no other text|nothing else)\b"
FORMAT_GUARD = re.compile(rf"{ONLY}.*\bjson\b|\bjson\b.*{ONLY}")
DOUBT = r"\b(?:in doubt|anything unusual|slightest|any mention|rather too often)\b"
CAUTION = re.compile(rf"{DOUBT}.*`suspicious`|`suspicious`.*{DOUBT}")
KEYS = ("intent", "urgency", "lead_score")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as the prompt defines it: prose, cue lines, examples, and what it says about urgency and lead score."""

    name: str
    text: str
    cues: tuple[str, ...]
    urgency: int
    lead: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """Everything that the prompt lists: labels, urgency levels and changes of the lead score with their cue lines."""

    labels: tuple[Label, ...]
    levels: tuple[tuple[int, str], ...]
    adjustments: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Which protections the prompt states."""

    data: bool
    secret: bool
    format: bool
    caution: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """All that the model takes from a rendered prompt."""

    definitions: Definitions
    guards: Guards
    keys: tuple[str, ...]
    instructions: str
    message: str


def read_prompt(prompt: str) -> Understanding:
    """Take a rendered prompt apart; total for any text."""
    instructions, message = _split(prompt)
    lines = instructions.splitlines()
    return Understanding(
        definitions=_definitions("\n".join(filter(LISTED.match, lines))),
        guards=_guards(lines),
        keys=tuple(key for key in KEYS if f"`{key}`" in instructions),
        instructions=instructions,
        message=message,
    )


def _split(prompt: str) -> tuple[str, str]:
    head, opening, rest = prompt.partition("<email>")
    if not opening:
        return prompt, ""
    message, _, after = rest.rpartition("</email>")
    return head + after, message or rest


@lru_cache(maxsize=16)
def _definitions(listed: str) -> Definitions:
    """Read the lists of a prompt; cached, because a run asks about many messages with the same lists."""
    blocks = _blocks(listed.splitlines())
    examples = [match for match in map(EXAMPLE.match, listed.splitlines()) if match]
    return Definitions(
        labels=tuple(_label(m, cues, examples) for head, cues in blocks if (m := LABEL.match(head))),
        levels=tuple((int(m["level"]), _joined(m, cues)) for head, cues in blocks if (m := LEVEL.match(head))),
        adjustments=tuple(
            (float(m["change"]), _joined(m, cues)) for head, cues in blocks if (m := ADJUSTMENT.match(head))
        ),
    )


def _blocks(lines: Iterable[str]) -> list[tuple[str, list[str]]]:
    """List items, each with the indented lines below it."""
    blocks: list[tuple[str, list[str]]] = []
    for line in lines:
        continuation = CONTINUATION.match(line)
        if continuation and blocks and not EXAMPLE.match(line):
            blocks[-1][1].append(continuation["text"])
        elif not continuation:
            blocks.append((line, []))
    return blocks


def _label(match: re.Match[str], cues: Sequence[str], examples: Sequence[re.Match[str]]) -> Label:
    facts = dict(FACT.findall(match["facts"] or ""))
    return Label(
        name=match["name"],
        text=match["text"],
        cues=tuple(cues),
        urgency=round(float(facts.get("urgency", 3))),
        lead=float(facts.get("lead", 0.3)),
        examples=tuple(example["text"] for example in examples if example["name"] == match["name"]),
    )


def _joined(match: re.Match[str], cues: Sequence[str]) -> str:
    return ", ".join([match["text"], *cues])


def _guards(lines: Iterable[str]) -> Guards:
    stated = frozenset().union(*map(_stated, lines))
    return Guards(
        data="data" in stated, secret="secret" in stated, format="format" in stated, caution="caution" in stated
    )


@lru_cache(maxsize=1024)
def _stated(line: str) -> frozenset[str]:
    """Find the protections that one line states, sentence by sentence."""
    patterns = {"data": DATA_GUARD, "secret": SECRET_GUARD, "format": FORMAT_GUARD, "caution": CAUTION}
    sentences = SENTENCE.findall(line.casefold())
    return frozenset(name for name, pattern in patterns.items() if any(map(pattern.search, sentences)))
