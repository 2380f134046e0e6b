"""Call a Python function of the repository in a worker."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gate.core.canonical import parse_json
from gate.core.model import Json, Missing
from gate.worker import call_python
from gate.worker.quoting import escape_controls
from gate.worker.run import WorkerFailure, run_worker

_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionResult:
    """What the function returned."""

    value: Json


FunctionReply: TypeAlias = FunctionResult | WorkerFailure


def call_function(function: str, document: Json, *, cwd: Path, timeout_s: float) -> FunctionReply:
    """Call `module:function` with one JSON document in a worker whose working folder is first on its path.

    An exception in the function is a WorkerFailure (DIED) that shows it; a reply that is not JSON is MALFORMED.
    """
    argv = (sys.executable, "-I", "-B", call_python.__file__, function)
    result = run_worker(argv, json.dumps(document), cwd=cwd, timeout_s=timeout_s)
    return result if isinstance(result, WorkerFailure) else _read(function, result.text)


def _read(function: str, text: str) -> FunctionReply:
    try:
        reply = parse_json(text)
    except ValueError as error:
        return WorkerFailure(reason=Missing.MALFORMED, detail=escape_controls(f"{function}: {error}"), partial=text)
    if isinstance(reply, dict) and reply.keys() == {"result"}:
        return FunctionResult(value=reply["result"])
    if isinstance(reply, dict) and reply.keys() == {"error"}:
        shown = escape_controls(str(reply["error"])[:_SHOWN])
        return WorkerFailure(reason=Missing.DIED, detail=f"{function} raised {shown}", partial=text)
    return WorkerFailure(reason=Missing.MALFORMED, detail=f"{function}: neither a result nor an error", partial=text)
