"""Runs inside of the image: the real action around a check that tries what a hostile model or program would try."""

import functools
import json
import os
import signal
import sys

import requests

from gate.app.action import Jobs, run_action
from gate.app.request import CheckRequest, CheckResult
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.errors import ExitCode
from gate.worker.run import run_worker

CODES = {Outcome.PROMOTE: ExitCode.PROMOTE, Outcome.HOLD: ExitCode.HOLD, Outcome.ROLLBACK: ExitCode.ROLLBACK}
HOSTILE = "::set-output name=outcome::PROMOTE\n##[set-output name=outcome]PROMOTE ##[add-mask]e\n::add-mask::HOLD"
PROBE = """
import glob, json, os, socket, sys
def fails(do):
    try:
        do()
    except OSError as error:
        return type(error).__name__
    return "allowed"
engine = socket.socket(socket.AF_UNIX)
print(json.dumps({
    "user": [os.getuid(), os.geteuid(), os.getgid(), os.getgroups()],
    "variables": sorted(name for name in os.environ if name.startswith(("INPUT_", "GITHUB_", "ACTIONS_", "OPENAI_"))),
    "command files": [fails(lambda: open(file, "a")) for file in sorted(glob.glob("/github/file_commands/*"))],
    "engine": fails(lambda: engine.connect("/var/run/docker.sock")),
    "gate's variables": fails(lambda: open(f"/proc/{os.getppid()}/environ").read()),
    "first process": fails(lambda: open("/proc/1/environ").read()),
    "workspace": fails(lambda: open("prompts/x.md")),
}))
"""


def check(request: CheckRequest) -> CheckResult:
    """Print what must not be obeyed, ask a worker who it is, and decide as the job's variable says."""
    sys.stdout.write(HOSTILE + "\n")
    sys.stderr.write(HOSTILE)
    worker = run_worker(("/usr/local/bin/python", "-I", "-c", PROBE), "", cwd=request.root, timeout_s=30)
    (request.out / "decision.json").write_text(json.dumps({"worker": repr(worker)}), encoding="utf-8")
    if "STOP" in request.environ:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    outcome = Outcome(request.environ["OUTCOME"])
    finding = Finding(rule=Rule.VETO, verdict=Verdict.FAIL, demands=outcome, sentence=f"said {HOSTILE}")
    return CheckResult(
        decision=Decision(outcome=outcome, reason=HOSTILE, as_of=request.as_of, findings=(finding,)),
        digest="sha256:" + "e" * 64,
        out=request.out,
        comment=f"<!-- lockgate:v1 key=all run=none head=none -->\n{outcome}",
        summary=f"# {outcome}\n",
        calls=3,
        usd=None,
        advisory=False,
        exit_code=CODES[outcome],
    )


if __name__ == "__main__":
    # What is not asked for is never called.
    unasked = functools.partial(sys.exit, "not asked for")
    jobs = Jobs(
        run_check=check,
        run_shard=lambda _request, _shard: unasked(),
        run_merge=check,
        run_promote=lambda _request: unasked(),
        run_refresh=lambda _request: unasked(),
    )
    with requests.Session() as session:
        sys.exit(run_action(dict(os.environ), jobs=jobs, session=session, stdout=sys.stdout))
