"""Decide and report on so many cases, in this process: prints {"decide_s", "report_s"} as JSON.

Usage: python -m benchmarks.engine.decide CASES
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.engine.project import LANGUAGES, case_id
from gate.core.decision import decide
from gate.core.evidence import BaselineCase, CaseEvidence, Evidence, Identity, Reference, SuiteBaseline, SuiteEvidence
from gate.core.finding import Decision
from gate.core.model import Dimension, Kind, Scope
from gate.core.policy import Policy, Profile, requirements_for
from gate.report.comment import render_comment, render_summary
from gate.report.junit import render_junit
from gate.report.terminal import render_terminal
from gate.report.view import Provenance, build_view
from gate.store.outputs import write_files
from gate.store.records import render_decision, render_evidence, render_policy, render_references

PASSES, BASELINE_TRIALS = 3, 10
RATES = (1.0, 1.0, 1.0, 1.0, 0.9, 0.7)
AS_OF = "2026-01-01"
DIGEST = "sha256:" + "0" * 64


def evidence_of(cases: int) -> tuple[Evidence, tuple[Reference, ...]]:
    """A suite of so many cases and its baseline, both drawn from the same rates."""
    draw = random.Random(1)  # noqa: S311 a simulation
    who = Identity(
        target="bench",
        suite="bench",
        version=DIGEST,
        coverage="complete",
        suite_digest=DIGEST,
        scorer_digest=DIGEST,
        model="openai/rig-1",
        parameters="{}",
    )
    suite = SuiteEvidence(
        identity=who,
        kind=Kind.GOLDEN,
        dimension=Dimension.TASK_SUCCESS,
        scope=Scope.POPULATION,
        margin=None,
        passes=PASSES,
        cases=tuple(_cases(draw, cases)),
    )
    counts = (sum(_draws(draw, number, BASELINE_TRIALS)) for number in range(cases))
    before = tuple(
        BaselineCase(case_id=case_id(number), digest=DIGEST, passes=passes, trials=BASELINE_TRIALS)
        for number, passes in enumerate(counts)
    )
    baseline = SuiteBaseline(identity=who, as_of=AS_OF, cases=before)
    return Evidence(suites=(suite,), as_of=AS_OF), (Reference(target="bench", suite="bench", baseline=baseline),)


def _draws(draw: random.Random, number: int, trials: int) -> list[bool]:
    rate = RATES[number % len(RATES)]
    return [draw.random() < rate for _ in range(trials)]


def _cases(draw: random.Random, cases: int) -> Iterator[CaseEvidence]:
    for number in range(cases):
        marks = "".join("P" if passed else "F" for passed in _draws(draw, number, PASSES))
        latencies = tuple(round(draw.uniform(200, 2_000), 1) for _ in range(PASSES))
        tags = (("language", LANGUAGES[number % len(LANGUAGES)]),)
        yield CaseEvidence(case_id=case_id(number), digest=DIGEST, marks=marks, latency_ms=latencies, tags=tags)


def report(decision: Decision, evidence: Evidence, *, references: tuple[Reference, ...], policy: Policy) -> None:
    """Render and write everything that a run leaves behind."""
    inputs = {
        "policy": ("inputs/policy.json", render_policy(policy)),
        "references": ("inputs/references.json", render_references(references)),
        "evidence": ("evidence.json", render_evidence(evidence)),
    }
    view = build_view(
        decision=decision,
        evidence=evidence,
        references=references,
        provenance=Provenance(digest=DIGEST),
        excerpts=(),
        policy=policy,
    )
    files = dict(inputs.values()) | {
        "comment.md": render_comment(view),
        "summary.md": render_summary(view),
        "junit.xml": render_junit(decision=decision, evidence=evidence, excerpts=()),
        "decision.json": render_decision(decision, inputs),
        "terminal.txt": render_terminal(view),
    }
    with TemporaryDirectory() as folder:
        write_files(Path(folder), files)


def main() -> int:
    """Measure once."""
    evidence, references = evidence_of(int(sys.argv[1]))
    policy = Policy(requirements=requirements_for(Profile.CI, dimensions={}, floors={}))
    started = time.perf_counter()
    decision = decide(policy=policy, evidence=evidence, references=references, as_of=AS_OF)
    decided = time.perf_counter()
    report(decision, evidence, references=references, policy=policy)
    figures = {"decide_s": decided - started, "report_s": time.perf_counter() - decided, "outcome": decision.outcome}
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
