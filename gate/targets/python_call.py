"""A Python function of the repository as a target."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from gate.core.model import Answer, Call, Missing, Unanswered
from gate.documents.wording import quoted
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.prices import Prices
from gate.targets.reply import Measured, question, read_measured
from gate.worker.function import call_function
from gate.worker.quoting import escape_controls
from gate.worker.run import WorkerFailure

_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonTarget:
    """Calls `module:function` in a worker of its own for every call, with `root` first on the path."""

    function: str
    root: Path
    timeout_s: float
    model: str
    prices: Prices

    def answer(self, call: Call) -> Answer | Unanswered:
        """Call the function with the question; it returns the text, or an object as a command prints it.

        The latency includes the interpreter's start.
        """
        started = time.perf_counter()
        result = call_function(self.function, question(call), cwd=self.root, timeout_s=self.timeout_s)
        latency_ms = (time.perf_counter() - started) * 1000
        if isinstance(result, WorkerFailure):
            return Unanswered(reason=result.reason, detail=result.detail)
        try:
            return read_measured(Measured(value=result.value, latency_ms=latency_ms, model=self.model), self.prices)
        except ValueError as error:
            return Unanswered(reason=Missing.MALFORMED, detail=escape_controls(str(error)))


def build(definition: TargetDefinition, root: Path, prices: Prices) -> PythonTarget:
    """Build the target; raises ConfigurationError where the function is not named as `module:function`."""
    function = definition.python or ""
    if not _FUNCTION.fullmatch(function):
        message = f"target {quoted(definition.name)}: python must look like module:function, not {quoted(function)}"
        raise ConfigurationError(message, hint="as in python: agents.support:answer")
    return PythonTarget(
        function=function,
        root=root,
        timeout_s=definition.timeout_s,
        model=definition.model or definition.name,
        prices=prices,
    )
