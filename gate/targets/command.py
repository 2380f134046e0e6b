"""A program of the repository as a target: one JSON document in, one out."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from gate.core.canonical import parse_json
from gate.core.model import Answer, Call, Missing, Unanswered
from gate.documents.wording import quoted
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.prices import Prices
from gate.targets.reply import Measured, question, read_measured
from gate.worker.quoting import escape_controls
from gate.worker.run import WorkerFailure, run_worker

_MAX_OUTPUT = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTarget:
    """Runs `argv` in `root` once for every call, isolated from the keys (gate.worker.run)."""

    argv: tuple[str, ...]
    root: Path
    timeout_s: float
    model: str
    prices: Prices

    def answer(self, call: Call) -> Answer | Unanswered:
        """Write the question to the program and read its reply; the latency includes the program's start."""
        # ASCII: a lone surrogate in a case has no UTF-8 form.
        message = json.dumps(question(call))
        started = time.perf_counter()
        result = run_worker(self.argv, message, cwd=self.root, timeout_s=self.timeout_s, max_output=_MAX_OUTPUT)
        latency_ms = (time.perf_counter() - started) * 1000
        if isinstance(result, WorkerFailure):
            return Unanswered(reason=result.reason, detail=result.detail)
        try:
            measured = Measured(value=parse_json(result.text), latency_ms=latency_ms, model=self.model)
            return read_measured(measured, self.prices)
        except ValueError as error:
            return Unanswered(reason=Missing.MALFORMED, detail=escape_controls(str(error)))


def build(definition: TargetDefinition, root: Path, prices: Prices) -> CommandTarget:
    """Build the target; raises ConfigurationError where the command names no program."""
    if not definition.command or not definition.command[0]:
        message = f"target {quoted(definition.name)}: command is empty"
        raise ConfigurationError(message, hint="name the program first, then its arguments: command: [./answer.sh]")
    return CommandTarget(
        argv=definition.command,
        root=root,
        timeout_s=definition.timeout_s,
        model=definition.model or definition.name,
        prices=prices,
    )
