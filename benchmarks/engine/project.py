"""A project of any size in a folder, gated against the model server of the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

SUITE = "golden_sets/bench"
LANGUAGES = ("en", "de", "es", "fr", "it")
PROMPT = """[case:{{ id }}] Which intent has this mail? Answer with one word.
{% if language == "es" %}The mail is in Spanish.{% endif %}
{{ email }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a project is, where its model is, how many calls it makes at a time, and under which policy."""

    cases: int
    url: str
    workers: int = 64
    policy: str = "{}"


def case_id(number: int) -> str:
    """Id of a case; the server finds it in the prompt."""
    return f"c-{number:06d}"


def write_project(root: Path, shape: Shape) -> None:
    """Write gate.yaml, a prompt with one branch, and a suite with the exact scorer that expects `ok`."""
    suite = root / SUITE
    suite.mkdir(parents=True)
    (root / "prompts").mkdir()
    write_prompt(root, PROMPT)
    (suite / "suite.yaml").write_text("kind: golden\nscorers: [{exact: {}}]\n", encoding="utf-8")
    with (suite / "cases.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(_case(number) + "\n" for number in range(shape.cases))
    (root / "gate.yaml").write_text(_settings(shape), encoding="utf-8")


def write_prompt(root: Path, text: str) -> None:
    """Replace the prompt."""
    (root / "prompts" / "bench.md").write_text(text, encoding="utf-8")


def _case(number: int) -> str:
    language = LANGUAGES[number % len(LANGUAGES)]
    email = f"Hello, this is number {number}: what does the large plan cost for twelve people, and from when on?"
    given = {"id": case_id(number), "language": language, "email": email}
    return json.dumps({"id": case_id(number), "input": given, "expected": {"answer": "ok"}})


def _settings(shape: Shape) -> str:
    return f"""version: 1
targets:
  bench:
    prompt: prompts/bench.md
    model: {{provider: openai, name: rig-1, base_url: "{shape.url}", temperature: 0, max_output_tokens: 16}}
    suites: [{SUITE}]
    concurrency: {shape.workers}
    timeout: 30
policy: {shape.policy}
"""
