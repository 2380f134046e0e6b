"""A model server on 127.0.0.1 for tests and benchmarks: answers, latency, faults and limits by script.

    with running_server(Script(cases={"w-1": CaseAnswers(right="yes", probability=0.9)})) as server:
        requests.post(f"{server.openai_url}/chat/completions", ...)

By hand: `python -m tests.rigs.model_server --port 0`, which prints {"port": ...}.

It speaks OpenAI's chat completions (POST /v1/chat/completions, and Azure's
/openai/deployments/<name>/chat/completions?api-version=...), Anthropic's Messages (POST /v1/messages), both whole and as
a stream, and POST /answer with {"text": ...}. A case is found in the prompt as `[case:ID]`; its n-th answer is decided by
sha256 of (seed, case, n), so that runs repeat. An attempt that a fault, an outage or a limit spoils takes no answer away:
the next attempt gets it. Usage is counted in words.

Measured: 13,000 short chat completions a second without latency, over 16 kept connections, by one process on one core,
with the client on another (`python -m tests.rigs.model_server.load` prints the figure for this machine).

GET /_counts, GET /_requests?since=N, DELETE /_requests (forget) and POST /_script control it; see RunningServer.
"""

from tests.rigs.model_server.client import RunningServer, running_server
from tests.rigs.model_server.script import (
    CaseAnswers,
    Fault,
    FaultKind,
    Latency,
    Limits,
    Outage,
    RetryForm,
    Said,
    Script,
    ToolUse,
)

__all__ = [
    "CaseAnswers",
    "Fault",
    "FaultKind",
    "Latency",
    "Limits",
    "Outage",
    "RetryForm",
    "RunningServer",
    "Said",
    "Script",
    "ToolUse",
    "running_server",
]
