"""How many calls a decision takes: real changes of a prompt, against a model that gets as good or bad as is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from benchmarks.engine.measure import gate, run_process
from benchmarks.engine.project import PROMPT, Shape, case_id, write_project, write_prompt
from benchmarks.engine.question import EXPECTED
from tests.rigs.model_server import CaseAnswers, RunningServer, Script

CASES = 200
FIXED_PASSES = 5
BASELINE_PASSES = 10
WARY = 6
SURE, UNSURE = 1.0, 0.8
OUTCOMES = (0, 10, 20)
POLICY = "{profile: ci}"
BRANCH = PROMPT.replace("The mail is in Spanish.", "The mail is in Spanish: mind that.")
WHOLE = PROMPT.replace("Answer with one word.", "Answer with a single word.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new prompt, and how many points of its passes the model then loses."""

    name: str
    prompt: str
    lost: float


CHANGES = (
    Change(name="no-op change", prompt=WHOLE, lost=0.0),
    Change(name="change of one branch", prompt=BRANCH, lost=0.0),
    Change(name="broken prompt", prompt=WHOLE, lost=0.9),
    Change(name="borderline change", prompt=WHOLE, lost=0.05),
)


def count_calls(server: RunningServer, *, seeds: int, say: Callable[[str], None]) -> dict[Change, float]:
    """Calls made, as a share of those of five fixed passes: the mean over seeds."""
    shares: dict[Change, list[float]] = {change: [] for change in CHANGES}
    for seed in range(1, seeds + 1):
        with TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            write_project(root, Shape(cases=CASES, url=server.openai_url, policy=POLICY))
            _play(server, lost=0.0, seed=seed)
            words = ("--root", str(root), "--out", str(root / "out"), "--quiet")
            run_process(gate("promote", *words, "--passes", str(BASELINE_PASSES)))
            for change in CHANGES:
                write_prompt(root, change.prompt)
                _play(server, lost=change.lost, seed=1_000 + seed)
                server.forget()
                run_process(gate("check", *words), codes=OUTCOMES)
                shares[change].append(sum(server.counts()["paths"].values()) / (CASES * FIXED_PASSES))
    means = {change: fmean(own) for change, own in shares.items()}
    say(", ".join(f"{change.name} {share:.2f}" for change, share in means.items()))
    return means


def _play(server: RunningServer, *, lost: float, seed: int) -> None:
    """Every sixth case is unsure; a loss hits all alike."""
    rates = [(UNSURE if number % WARY == 0 else SURE) - lost for number in range(CASES)]
    cases = {
        case_id(number): CaseAnswers(right=EXPECTED, probability=max(rate, 0.0)) for number, rate in enumerate(rates)
    }
    server.play(Script(seed=seed, cases=cases))
