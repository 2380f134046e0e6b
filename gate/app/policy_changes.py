"""What a change says about its own judge: every figure of gate.yaml that the base decides and the candidate edits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from gate.report.words import quoted
from gate.suites.settings import Settings

# Read from the base; targets, prompts and models are the candidate's own.
JUDGING = frozenset(("mode", "credentials", "policy", "budget", "prices"))
MOST_CHANGES = 8
NOT_SET = "not set"


def policy_changes(judge: Settings, candidate: Settings) -> tuple[str, ...]:
    """Sentences such as "`policy.margin`: `0.03` -> `0.08`, not followed", by key; at most 8, and how many more.

    Behind them are targets that have another prompt now, which is followed.
    """
    before, now = _figures(judge), _figures(candidate)
    keys = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    told = [
        f"{quoted(key)}: {quoted(before.get(key, NOT_SET))} -> {quoted(now.get(key, NOT_SET))}, not followed"
        for key in islice(keys, MOST_CHANGES)
    ]
    more = len(keys) - len(told)
    rest = (f"{more} more changes of gate.yaml, not followed",) if more else ()
    return (*told, *rest, *islice(_pointed_elsewhere(judge, candidate), MOST_CHANGES))


def _pointed_elsewhere(judge: Settings, candidate: Settings) -> Iterator[str]:
    """Targets whose prompt is another file now: what the old one says is judged by nobody any more."""
    for name, target in sorted(candidate.targets.items()):
        before = judge.targets.get(name)
        if before is not None and before.prompt and before.prompt != target.prompt:
            key, old, now = quoted(f"targets.{name}.prompt"), quoted(before.prompt), quoted(target.prompt or NOT_SET)
            yield f"{key}: {old} -> {now}, followed: only the new one is judged"


def _figures(settings: Settings) -> dict[str, str]:
    """Figures as text by their path; lists are one figure. A margin that is not given is the profile's."""
    figures = dict(_flat(settings.model_dump(mode="json", by_alias=True, include=set(JUDGING)), ""))
    if "margin" not in settings.policy.model_fields_set:
        figures["policy.margin"] = "the profile's"
    return figures


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        yield path, ", ".join(map(str, value)) or "none"
    elif value is not None:
        yield path, str(value)
