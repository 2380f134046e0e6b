"""The action from inputs and event to outputs, comment and exit code; only the check itself is a stand-in."""

import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import pytest
import requests

from gate.app.action import OUTPUTS, Jobs, run_action
from gate.app.merge import run_merge
from gate.app.request import CheckRequest, CheckResult
from gate.app.shard import run_shard
from gate.cli.progress import TrialProgress
from gate.core.finding import Decision, Finding, Outcome, Rule, Verdict
from gate.errors import ExitCode, PromptError
from tests.projects import OFFLINE_PROMPT, offline_files
from tests.rigs.action import Job, new_job, pull_request_event
from tests.rigs.github import Fault, GitHub, Token, github_server
from tests.rigs.repository import Repository
from tests.rigs.runner import Log, read_log

DIGEST = "sha256:" + "e" * 64
CODES = {"PROMOTE": ExitCode.PROMOTE, "HOLD": ExitCode.HOLD, "ROLLBACK": ExitCode.ROLLBACK}
HOSTILE = "it said\n::set-output name=outcome::PROMOTE\n##[add-mask]e @org/team"
NOTHING = dict.fromkeys(OUTPUTS, "") | {"outcome": "NONE"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token()}
        yield state


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return new_job(tmp_path)


class Check:
    """Stands in for the use case: keeps the request and decides as told."""

    def __init__(self, outcome: str = "PROMOTE", **changes: object) -> None:
        self.outcome, self.changes = Outcome(outcome), changes
        self.requests: list[CheckRequest] = []
        self.during: Callable[[], object] = lambda: None

    def __call__(self, request: CheckRequest) -> CheckResult:
        self.requests.append(request)
        self.during()
        (request.out / "decision.json").write_text("{}")
        finding = Finding(
            rule=Rule.REGRESSION, verdict=Verdict.FAIL, demands=self.outcome, sentence=f"sentence: {HOSTILE}"
        )
        result = CheckResult(
            decision=Decision(outcome=self.outcome, reason=HOSTILE, as_of=request.as_of, findings=(finding,)),
            digest=DIGEST,
            out=request.out,
            comment=f"<!-- lockgate:v1 key=intent run=none head=none -->\n{self.outcome}",
            summary=f"# {self.outcome}\n",
            calls=120,
            usd=0.25,
            advisory=False,
            exit_code=CODES[self.outcome],
        )
        return replace(result, **self.changes)  # type: ignore[arg-type]

    @property
    def request(self) -> CheckRequest:
        (request,) = self.requests
        return request


def refuse(*_asked: object) -> NoReturn:
    raise AssertionError("not asked for")


def jobs(check: Callable[[CheckRequest], CheckResult]) -> Jobs:
    return Jobs(run_check=check, run_shard=refuse, run_merge=refuse, run_promote=refuse, run_refresh=refuse)


def act(environ: dict[str, str], check: Callable[[CheckRequest], CheckResult]) -> tuple[int, Log]:
    stdout = io.StringIO()
    with requests.Session() as session:
        code = run_action(environ, jobs=jobs(check), session=session, stdout=stdout)
    return code, read_log(stdout.getvalue())


def test_run_action__pull_request_gets_everything(job: Job, github: GitHub) -> None:
    check = Check("ROLLBACK")
    code, log = act(job.environ(github.url), check)
    assert code == 20
    assert job.outputs == {
        "outcome": "ROLLBACK",
        "decision-digest": DIGEST,
        "decision-path": "lockgate-out/decision.json",
        "report-path": "lockgate-out/summary.md",
        "comment-url": f"{github.url}/acme/app/pull/7#issuecomment-1001",
        "calls": "120",
        "cost-usd": "0.250000",
    }
    assert github.bodies() == [f"<!-- lockgate:v1 key=intent run=50.1 head={job.head} decision={DIGEST} -->\nROLLBACK"]
    assert job.summary == "# ROLLBACK\n"
    assert [name for name, _, _ in log.obeyed] == ["add-mask", "stop-commands", "error"]
    assert log.masks == {"t0ken"}


def test_run_action__request_is_made_of_inputs_and_event(job: Job, github: GitHub) -> None:
    check = Check()
    inputs = {"INPUT_TARGETS": "a,b", "INPUT_PASSES": "5", "INPUT_BUDGET-USD": "2", "INPUT_PROFILE": "ci"}
    act(job.environ(github.url) | inputs, check)
    request = check.request
    assert (request.root, request.base, request.head) == (job.workspace, "HEAD^1", job.head)
    assert (request.targets, request.passes, request.budget_usd, request.profile) == (("a", "b"), 5, 2.0, "ci")
    assert (request.author, request.every, request.config) == ("dana", False, "gate.yaml")
    assert dict(request.environ) == {"OPENAI_API_KEY": "sk-fictional"}


def test_run_action__second_run_updates_the_one_comment(job: Job, github: GitHub) -> None:
    act(job.environ(github.url), Check("HOLD"))
    act(job.environ(github.url) | {"GITHUB_RUN_ID": "51"}, Check("PROMOTE"))
    assert github.bodies() == [f"<!-- lockgate:v1 key=intent run=51.1 head={job.head} decision={DIGEST} -->\nPROMOTE"]
    assert job.outputs["decision-path"] == "lockgate-out-2/decision.json"


@pytest.mark.parametrize(
    ("outcome", "inputs", "changes", "code"),
    [
        ("PROMOTE", {}, {}, 0),
        ("HOLD", {}, {}, 10),
        ("ROLLBACK", {}, {}, 20),
        ("HOLD", {"INPUT_FAIL-ON": "rollback"}, {}, 0),
        ("ROLLBACK", {"INPUT_FAIL-ON": "rollback"}, {}, 20),
        ("ROLLBACK", {"INPUT_MODE": "advisory"}, {}, 0),
        ("ROLLBACK", {}, {"advisory": True, "exit_code": ExitCode.PROMOTE}, 0),
        ("ROLLBACK", {"INPUT_MODE": "enforce"}, {"advisory": True, "exit_code": ExitCode.PROMOTE}, 0),
        ("HOLD", {"INPUT_MODE": "advisory"}, {"exit_code": ExitCode.INTERRUPTED}, 130),
    ],
)
def test_run_action__exit_code(
    job: Job, github: GitHub, outcome: str, inputs: dict[str, str], changes: dict[str, object], code: int
) -> None:
    assert act(job.environ(github.url) | inputs, Check(outcome, **changes))[0] == code
    assert job.outputs["outcome"] == outcome


def test_run_action__advisory_shows_no_errors(job: Job, github: GitHub) -> None:
    _, log = act(job.environ(github.url) | {"INPUT_MODE": "advisory"}, Check("ROLLBACK"))
    assert log.named("error") == []
    assert len(log.named("warning")) == 1


def test_run_action__foreign_text_is_never_obeyed(job: Job, github: GitHub) -> None:
    check = Check("HOLD")
    stdout = io.StringIO()
    check.during = lambda: print("##[set-output name=outcome]PROMOTE\n::add-mask::e", end="", file=stdout)
    with requests.Session() as session:
        run_action(job.environ(github.url), jobs=jobs(check), session=session, stdout=stdout)
    log = read_log(stdout.getvalue())
    assert log.named("set-output") == []
    assert log.masks == {"t0ken"}
    assert len(log.named("warning")) == 1


def test_run_action__comment_off_asks_github_nothing(job: Job, github: GitHub) -> None:
    code, _ = act(job.environ(github.url) | {"INPUT_COMMENT": "off"}, Check("HOLD"))
    assert (code, github.journal, job.outputs["comment-url"]) == (10, [], "")


def test_run_action__publishing_changes_neither_outcome_nor_code(job: Job, github: GitHub) -> None:
    github.tokens["t0ken"] = Token(may_write=False)
    code, log = act(job.environ(github.url), Check("PROMOTE"))
    assert (code, job.outputs["outcome"], job.outputs["comment-url"]) == (0, "PROMOTE", "")
    assert "pull-requests: write" in log.named("warning")[-1]


def test_run_action__bug_in_publishing_is_told_and_changes_nothing(job: Job, github: GitHub) -> None:
    github.faults = [Fault(method="GET", path=".*comments", status=200, body=b'[{"id": 1, "body": "x"}]')]
    check = Check("PROMOTE", comment=None)
    code, log = act(job.environ(github.url), check)
    assert (code, job.outputs["outcome"]) == (0, "PROMOTE")
    assert "this is a bug in gate" in log.named("error")[-1]


def test_run_action__merge_group_has_no_comment(job: Job, github: GitHub) -> None:
    base = Repository(job.workspace).git("rev-parse", "HEAD^1")
    event = {"action": "checks_requested", "merge_group": {"head_sha": job.head, "base_sha": base}}
    check = Check("HOLD")
    code, _ = act(job.environ(github.url) | job.send("merge_group", event), check)
    assert (code, check.request.base, github.journal) == (10, base, [])


def test_run_action__verified_push_to_the_default_branch_runs_every_target(job: Job, github: GitHub) -> None:
    base = Repository(job.workspace).git("rev-parse", "HEAD^1")
    event = {"ref": "refs/heads/main", "before": base, "after": job.head, "repository": {"default_branch": "main"}}
    check = Check()
    code, _ = act(job.environ(github.url) | job.send("push", event) | {"INPUT_COMMAND": "verify"}, check)
    assert (code, check.request.base, check.request.every, github.journal) == (0, base, True, [])


def test_run_action__closed_pull_request_decides_nothing(job: Job, github: GitHub) -> None:
    environ = job.environ(github.url) | job.send("pull_request", pull_request_event(job.head, action="closed"))
    check = Check()
    code, log = act(environ, check)
    assert (code, check.requests, job.outputs) == (0, [], NOTHING)
    assert log.named("notice") == ["the pull request is closed"]


def test_run_action__unknown_event_ends_with_3(job: Job, github: GitHub) -> None:
    code, log = act(job.environ(github.url) | job.send("watch", {}), Check())
    assert (code, job.outputs) == (3, NOTHING)
    assert log.named("error")[0].startswith("lockgate has nothing to do on the event 'watch'\nrun lockgate on")


def test_run_action__base_that_cannot_be_had_holds_with_the_line_to_add(tmp_path: Path, github: GitHub) -> None:
    job = new_job(tmp_path, depth=1)
    base = Repository(tmp_path / "origin").git("rev-parse", "main")
    check = Check()
    # No tolerance for it either: nothing was decided.
    code, log = act(job.environ(github.url) | {"INPUT_FAIL-ON": "rollback"}, check)
    assert (code, check.requests, job.outputs) == (10, [], NOTHING | {"outcome": "HOLD"})
    (told,) = log.named("error")
    assert told.startswith(f"HOLD: the base commit {base[:12]} is not in this checkout and could not be fetched\n")
    assert told.endswith("\n- uses: actions/checkout@COMMIT\n  with: {fetch-depth: 2}")
    assert "fetch-depth: 2" in job.summary


@pytest.mark.parametrize("depth", [2, 10])
def test_run_action__checkout_of_the_head_is_refused(tmp_path: Path, github: GitHub, depth: int) -> None:
    job = new_job(tmp_path, depth=depth)
    Repository(job.workspace).git("checkout", "--quiet", "--detach", job.head)
    check = Check()
    code, log = act(job.environ(github.url), check)
    assert (code, check.requests) == (2, [])
    assert log.named("error")[0].startswith("this checkout is not GitHub's merge of the pull request's head")


def test_run_action__named_base_needs_no_merge(job: Job, github: GitHub) -> None:
    Repository(job.workspace).git("checkout", "--quiet", "--detach", job.head)
    check = Check()
    assert act(job.environ(github.url) | {"INPUT_BASE": "origin/main"}, check)[0] == 0
    assert check.request.base == "origin/main"


def test_run_action__bad_input_names_it_and_writes_all_outputs(job: Job, github: GitHub) -> None:
    code, log = act(job.environ(github.url) | {"INPUT_PASSES": "many"}, Check())
    assert (code, job.outputs) == (2, NOTHING)
    assert log.named("error")[0].startswith("input `passes`: must be a whole number from 1 to 100, not 'many'\n")
    assert job.summary.startswith("### lockgate could not decide\n\n")


def test_run_action__error_of_the_check_has_its_code_and_hint(job: Job, github: GitHub) -> None:
    def refuse(_request: CheckRequest) -> CheckResult:
        raise PromptError("prompts/x.md:3: no variable ::error::`mail`", hint="name it email")

    code, log = act(job.environ(github.url), refuse)
    assert (code, job.outputs) == (2, NOTHING)
    assert log.named("error") == ["prompts/x.md:3: no variable ::error::`mail`\nname it email"]


def test_run_action__bug_ends_with_1_and_its_words_are_not_obeyed(job: Job, github: GitHub) -> None:
    def break_down(_request: CheckRequest) -> CheckResult:
        raise ValueError(HOSTILE)

    code, log = act(job.environ(github.url), break_down)
    assert (code, job.outputs) == (1, NOTHING)
    assert [name for name, _, _ in log.obeyed] == ["add-mask", "stop-commands", "stop-commands", "error"]
    assert "ValueError: it said" in log.shown


@pytest.mark.parametrize("payload", [b"", b"[1]", b"{", b'{"a": NaN}', b"\xff"])
def test_run_action__unreadable_event_is_an_error(job: Job, github: GitHub, payload: bytes) -> None:
    environ = job.environ(github.url)
    Path(environ["GITHUB_EVENT_PATH"]).write_bytes(payload)
    assert act(environ, Check())[0] == 2
    assert job.outputs == NOTHING


def test_run_action__committed_out_folder_is_not_written_to(job: Job, github: GitHub, tmp_path: Path) -> None:
    (job.workspace / "lockgate-out").symlink_to(tmp_path / "elsewhere")
    act(job.environ(github.url), Check())
    assert job.outputs["decision-path"] == "lockgate-out-2/decision.json"
    assert not (tmp_path / "elsewhere").exists()


def test_run_action__unwritable_outputs_turn_promote_into_an_error(job: Job, github: GitHub) -> None:
    environ = job.environ(github.url) | {"GITHUB_OUTPUT": str(job.folder / "missing" / "output")}
    assert act(environ, Check("PROMOTE"))[0] == 2
    assert act(environ, Check("ROLLBACK"))[0] == 20


def test_run_action__unwritable_summary_is_only_a_warning(job: Job, github: GitHub) -> None:
    environ = job.environ(github.url) | {"GITHUB_STEP_SUMMARY": str(job.folder / "missing" / "summary")}
    code, log = act(environ, Check("PROMOTE"))
    assert (code, job.outputs["outcome"]) == (0, "PROMOTE")
    assert "summary of the runner cannot be written" in log.named("warning")[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_action__termination_ends_with_130_and_all_outputs(
    job: Job, github: GitHub, number: signal.Signals
) -> None:
    check = Check()
    check.during = lambda: os.kill(os.getpid(), number)
    before = signal.getsignal(signal.SIGTERM)
    code, log = act(job.environ(github.url), check)
    assert (code, job.outputs) == (130, NOTHING)
    assert log.named("error") == ["interrupted; nothing was decided"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_run_action__works_outside_of_the_main_thread(job: Job, github: GitHub) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(act(job.environ(github.url), Check("HOLD"))[0]))
    thread.start()
    thread.join(30)
    assert codes == [10]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_run_action__out_folder_belongs_to_the_workspaces_owner(job: Job, github: GitHub) -> None:
    os.chown(job.workspace, 1001, 1001)
    act(job.environ(github.url), Check())
    out = job.workspace / "lockgate-out"
    assert {file.stat().st_uid for file in (out, out / "decision.json")} == {1001}


def offline_job(tmp_path: Path) -> Job:
    files = {**offline_files(), "prompts/inbox.md": OFFLINE_PROMPT}
    return new_job(
        tmp_path, base=cast("dict[str, str | None]", files), change={"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"}
    )


def real_jobs() -> Jobs:
    progress = TrialProgress(quiet=True)
    return Jobs(
        run_check=refuse,
        run_shard=lambda request, shard: run_shard(request, shard, progress=progress, now=time.monotonic),
        run_merge=run_merge,
        run_promote=refuse,
        run_refresh=refuse,
    )


def step(environ: dict[str, str], jobs: Jobs) -> tuple[int, Log]:
    stdout = io.StringIO()
    with requests.Session() as session:
        code = run_action(environ, jobs=jobs, session=session, stdout=stdout)
    return code, read_log(stdout.getvalue())


def test_run_action__shards_decide_nothing_and_the_merge_comments(tmp_path: Path, github: GitHub) -> None:
    job = offline_job(tmp_path)
    environ = job.environ(github.url)
    for number in (1, 2):
        # Matrix jobs have a token that may only read.
        code, log = step(environ | {"INPUT_SHARD": f"{number}/2", "INPUT_GITHUB-TOKEN": ""}, real_jobs())
        assert (code, job.outputs["outcome"], job.outputs["decision-path"]) == (0, "NONE", "")
        assert job.outputs["calls"] != "0"
        assert [message[:13] for message in log.named("notice")] == [f"part {number} of 2: "[:13]]
    assert github.bodies() == []
    parts = job.workspace / "parts"
    parts.mkdir()
    for folder in sorted(job.workspace.glob("lockgate-out*")):
        folder.rename(parts / folder.name)
    code, _ = step(environ | {"INPUT_COMMAND": "merge", "INPUT_PARTS": "parts"}, real_jobs())
    assert (code, job.outputs["outcome"], job.outputs["calls"]) == (10, "HOLD", "108")
    assert job.outputs["decision-path"] == "lockgate-out/decision.json"
    (body,) = github.bodies()
    assert f"head={job.head}" in body.splitlines()[0]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"INPUT_COMMAND": "merge"}, "the command merge needs `parts`"),
        ({"INPUT_COMMAND": "merge", "INPUT_PARTS": "p", "INPUT_SHARD": "1/2"}, "the command merge takes no `shard`"),
        ({"INPUT_SHARD": "3/2"}, "input `shard` must be i/n"),
        ({"INPUT_SHARD": "x"}, "input `shard`: must be i/n, such as 2/4, not 'x'"),
    ],
)
def test_run_action__contradicting_inputs_of_shards(
    job: Job, github: GitHub, inputs: dict[str, str], words: str
) -> None:
    code, log = step(job.environ(github.url) | inputs, real_jobs())
    assert (code, job.outputs) == (2, NOTHING)
    assert words in log.named("error")[0]


def test_run_action__merge_without_any_part(job: Job, github: GitHub) -> None:
    code, log = step(job.environ(github.url) | {"INPUT_COMMAND": "merge", "INPUT_PARTS": "parts"}, real_jobs())
    assert (code, job.outputs["outcome"]) == (4, "NONE")
    assert "parts: No such file or directory" in log.named("error")[0]
