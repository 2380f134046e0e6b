"""A pull request renames or removes a suite: the base's is still judged, and after the merge nothing is lost silently."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gate.app.action import Jobs, run_action
from gate.app.renewal import promote_merged
from gate.cli.progress import TrialProgress
from tests.projects import OFFLINE_PROMPT, offline_files, promoted_baselines
from tests.rigs.github import GitHub, Token, github_server
from tests.rigs.hub_job import Change, refuse
from tests.rigs.pushed import push_job
from tests.rigs.runner import Log, read_log

PROMPT, OLD, NEW = "prompts/inbox.md", "golden_sets/mail", "golden_sets/post"
BETTER = {PROMPT: OFFLINE_PROMPT + "Be brief.\n"}
WORSE = {PROMPT: OFFLINE_PROMPT.replace("broken, error, crashed, outage", "zzz")}
FILES = offline_files()
SETTINGS = json.loads(str(FILES["gate.yaml"]))
BASELINE = "baselines/inbox/mail.json"


def naming(*suites: str) -> dict[str, str | bytes | None]:
    settings = json.loads(json.dumps(SETTINGS))
    settings["targets"]["inbox"]["suites"] = list(suites)
    return {"gate.yaml": json.dumps(settings)}


GONE: dict[str, str | bytes | None] = {f"{OLD}/{name}": None for name in ("suite.yaml", "cases.jsonl")}
MOVED = {f"{NEW}/{name}": FILES[f"{OLD}/{name}"] for name in ("suite.yaml", "cases.jsonl")}
RENAMED = {**GONE, **MOVED, **naming(NEW)}


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return promoted_baselines(tmp_path_factory.mktemp("promoted"), FILES, passes=3)


@pytest.fixture
def github(baselines: dict[str, bytes]) -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token()}
        state.commit({**FILES, **baselines})
        yield state


@pytest.fixture
def change(github: GitHub, tmp_path: Path) -> Change:
    return Change(github, tmp_path / "jobs")


def record(job: Any, name: str) -> Any:
    return json.loads((job.workspace / "lockgate-out" / name).read_text())


def cases(job: Any) -> dict[str, int]:
    return {suite["identity"]["suite"]: len(suite["cases"]) for suite in record(job, "evidence.json")["suites"]}


def sentences(job: Any) -> str:
    return "\n".join(
        f"{one['demands']} {one['blocking']} {one['sentence']}" for one in record(job, "decision.json")["findings"]
    )


def after_merge(github: GitHub, folder: Path) -> tuple[int, Log, Any]:
    jobs = Jobs(
        run_check=refuse, run_shard=refuse, run_merge=refuse, run_refresh=refuse,
        run_promote=lambda request: promote_merged(request, progress=TrialProgress(quiet=True), now=time.monotonic),
    )  # fmt: skip
    pushed, stdout = push_job(github, folder), io.StringIO()
    with requests.Session() as session:
        session.trust_env = False
        code = run_action(pushed.environ(passes="3"), jobs=jobs, session=session, stdout=stdout)
    return code, read_log(stdout.getvalue()), pushed.job


def test_renamed_suite__is_judged_under_its_old_name_too(change: Change) -> None:
    change.push({**BETTER, **RENAMED})
    code, log, job = change.pull_request()
    assert code == 0, log.shown
    assert cases(job) == {"mail": 36, "post": 36}
    told = sentences(job)
    assert "PROMOTE False mail: 36 cases removed, judged as the base has them: m-01, m-02" in told
    assert "HOLD False post: there is no baseline yet (baselines/inbox/post.json)" in told
    (comment,) = change.hub.bodies()
    assert "no baseline yet" in comment
    assert "36 cases removed, judged as the base has them" in comment.replace("\\", "")


def test_renamed_suite__hides_no_harm(change: Change) -> None:
    easy = {f"{NEW}/suite.yaml": "kind: golden\nscorers: [{length: {minimum: 0}}]\n"}
    change.push({**WORSE, **RENAMED, **easy})
    code, log, job = change.pull_request()
    assert (code, job.outputs["outcome"]) == (20, "ROLLBACK"), log.shown


def test_renamed_suite__alone_asks_the_old_cases_nothing(change: Change) -> None:
    change.push(RENAMED)
    code, log, job = change.pull_request()
    assert code == 0, log.shown
    marks = {
        one["identity"]["suite"]: {case["marks"] for case in one["cases"]}
        for one in record(job, "evidence.json")["suites"]
    }
    assert marks["mail"] == {"P"}, log.shown


def test_removed_suite__that_gate_yaml_still_names_is_an_error(change: Change) -> None:
    change.push({**BETTER, **GONE})
    code, log, _ = change.pull_request()
    assert code == 2
    assert f"{OLD}/cases.jsonl:1: the file does not exist in the working tree" in log.named("error")[0]


def test_removed_target__leaves_its_suite_with_the_base(change: Change) -> None:
    settings = json.loads(json.dumps(SETTINGS))
    settings["targets"]["other"] = {**settings["targets"].pop("inbox"), "suites": [NEW]}
    change.push({**WORSE, **GONE, **MOVED, "gate.yaml": json.dumps(settings)})
    code, log, job = change.pull_request()
    assert (code, job.outputs["outcome"]) == (20, "ROLLBACK"), log.shown


def test_renamed_suite__after_the_merge_has_a_baseline_and_the_old_one_is_named(
    change: Change, github: GitHub, tmp_path: Path
) -> None:
    before = github.read(BASELINE)
    change.push({**BETTER, **RENAMED})
    github.merge_pull(7)
    code, log, _ = after_merge(github, tmp_path / "merged")
    assert code == 0, log.shown
    made = json.loads(github.read("baselines/inbox/post.json"))
    assert (made["identity"]["suite"], len(made["cases"])) == ("post", 36)
    assert github.read(BASELINE) == before
    told = f"no suite of gate.yaml has these baselines any more; remove them by hand: {BASELINE}"
    assert told in log.named("notice")
    github.commit({BASELINE: None, "baselines/inbox/answers/mail.json": None})
    github.commit({"README.md": "more\n"})
    code, log, _ = after_merge(github, tmp_path / "later")
    assert (code, log.named("notice")) == (0, ["inbox equals its baseline"])
