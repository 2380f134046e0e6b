"""Promotion after a merge and refreshing by schedule, from event to commit: real git, real passes, a stateful GitHub."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests

from gate.app.action import Jobs, run_action
from gate.app.renewal import promote_merged, refresh_baselines
from gate.cli.progress import TrialProgress
from gate.core.broken import table_of
from tests.projects import (
    OFFLINE_PROMPT,
    ModelServer,
    Project,
    case_lines,
    echo,
    echo_files,
    offline_files,
)
from tests.rigs.action import pull_request_event
from tests.rigs.github_hub import Barrier, GitHub, Point, Protection, down
from tests.rigs.pushed import Pushed, push_job
from tests.rigs.repository import Repository
from tests.rigs.runner import Log, read_log

PLACE = "baselines/inbox/mail.json"
ECHO = "baselines/echo/echo.json"
WORSE = "Say hello to {{ email }}.\n"
SLOWER = OFFLINE_PROMPT.replace("  - en: broken, error, crashed, outage\n", "  - en: broken\n")


@pytest.fixture
def merged(github: GitHub) -> GitHub:
    """A repository whose main has the offline project, without a baseline yet."""
    github.commit(offline_files(), message="add the gate")
    return github


def refuse(*_asked: object) -> NoReturn:
    raise AssertionError("not asked for")


def jobs() -> Jobs:
    progress = TrialProgress(quiet=True)
    return Jobs(
        run_check=refuse,
        run_shard=refuse,
        run_merge=refuse,
        run_promote=lambda request: promote_merged(request, progress=progress, now=time.monotonic),
        run_refresh=lambda request: refresh_baselines(request, progress=progress, now=time.monotonic),
    )


def act(pushed: Pushed, event: str = "push", **inputs: str) -> tuple[int, Log]:
    stdout = io.StringIO()
    with requests.Session() as session:
        session.trust_env = False
        code = run_action(pushed.environ(event, **inputs), jobs=jobs(), session=session, stdout=stdout)
    return code, read_log(stdout.getvalue())


def baseline(github: GitHub, place: str = PLACE, branch: str = "main") -> dict[str, Any]:
    return json.loads(github.read(place, branch=branch))


def tip(github: GitHub) -> str:
    return github.bare.tip("refs/heads/main") or ""


@pytest.fixture
def promoted(merged: GitHub, tmp_path: Path) -> GitHub:
    """The same with a baseline of three passes."""
    code, log = act(push_job(merged, tmp_path / "first"), passes="3")
    assert code == 0, log.shown
    return merged


def test_push__commits_fresh_passes_as_the_baseline(merged: GitHub, tmp_path: Path) -> None:
    head = tip(merged)
    pushed = push_job(merged, tmp_path / "job")
    code, log = act(pushed)
    assert code == 0, log.shown
    made = baseline(merged)
    assert {case["trials"] for case in made["cases"]} == {10}
    commit = merged.bare.commit(tip(merged))
    assert commit.parents == (head,)
    assert commit.message.splitlines()[0] == "Promote the baseline of inbox"
    assert commit.message.endswith(f"\n\nGate-Baseline: true\nGate-Measured: {head}")
    assert commit.sha in merged.signed
    assert merged.bare.git("diff", "--name-only", head, commit.sha).splitlines() == [
        "baselines/inbox/answers/mail.json",
        PLACE,
    ]
    assert log.named("notice") == [f"the baseline is on main as {commit.sha[:12]}"]
    assert pushed.job.outputs["calls"] == "360"


def test_push__never_takes_the_passes_of_a_check(merged: GitHub, tmp_path: Path) -> None:
    files = offline_files(temperature=0.8)
    settings = json.loads(str(files["gate.yaml"]))
    settings["targets"]["inbox"]["model"]["seed"] = "per-trial"
    merged.commit({"gate.yaml": json.dumps(settings)})
    act(push_job(merged, tmp_path / "job"), passes="2")
    project = Project(tmp_path / "job" / "workspace")
    assert project.gate("check", "--all", "--passes", "2", "--quiet") is not None
    checked = {case["case_id"]: case["marks"].count("P") for case in project.evidence()["suites"][0]["cases"]}
    promoted = {case["case_id"]: case["passes"] for case in baseline(merged)["cases"]}
    assert checked != promoted


def test_push__of_an_unchanged_version_asks_nothing(promoted: GitHub, tmp_path: Path) -> None:
    head = promoted.commit({"README.md": "more\n"})
    pushed = push_job(promoted, tmp_path / "job")
    code, log = act(pushed)
    assert (code, pushed.job.outputs["calls"], tip(promoted)) == (0, "0", head)
    assert log.named("notice") == ["inbox equals its baseline"]


def test_push__of_its_own_baseline_is_ignored(promoted: GitHub, tmp_path: Path) -> None:
    pushed = push_job(promoted, tmp_path / "job")
    code, log = act(pushed)
    assert code == 0
    assert log.named("notice") == ["the push brings only baselines that lockgate wrote"]
    assert pushed.job.outputs["outcome"] == "NONE"


def test_push__of_a_merged_baseline_without_its_mark_ends_the_loop_too(promoted: GitHub, tmp_path: Path) -> None:
    text = promoted.read(PLACE)
    promoted.commit({PLACE: None}, message="remove it")
    head = promoted.commit({PLACE: text}, message="Promote the baseline (#12)")
    pushed = push_job(promoted, tmp_path / "job")
    assert (act(pushed)[0], pushed.job.outputs["calls"], tip(promoted)) == (0, "0", head)


def test_push__mark_on_other_files_does_not_count(promoted: GitHub, tmp_path: Path) -> None:
    promoted.commit({"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"}, message="x\n\nGate-Baseline: true")
    pushed = push_job(promoted, tmp_path / "job")
    assert act(pushed, passes="2")[0] == 0
    assert pushed.job.outputs["calls"] == "72"


def merge(github: GitHub, files: dict[str, str | bytes | None]) -> int:
    github.commit(files, branch="topic")
    pull = github.open_pull("topic")
    github.merge_pull(pull.number)
    return pull.number


def test_push__harm_keeps_the_baseline_and_tells_the_merged_pull_request(promoted: GitHub, tmp_path: Path) -> None:
    before = promoted.read(PLACE)
    number = merge(promoted, {"prompts/inbox.md": WORSE})
    head = tip(promoted)
    pushed = push_job(promoted, tmp_path / "job")
    code, log = act(pushed)
    assert (code, pushed.job.outputs["outcome"]) == (20, "ROLLBACK"), log.shown
    assert (promoted.read(PLACE), tip(promoted)) == (before, head)
    (comment,) = promoted.comments
    assert comment["number"] == number
    first, second = comment["body"].split("\n")[:2]
    assert first.startswith("<!-- lockgate:v1 key=inbox.after-merge run=50.1 head=")
    assert second.startswith("**After the merge: ROLLBACK.**")
    assert pushed.job.outputs["comment-url"].endswith(f"#issuecomment-{comment['id']}")


def without_floor() -> dict[str, str | bytes | None]:
    files = offline_files()
    settings = json.loads(str(files["gate.yaml"]))
    settings["policy"] |= {"floors": {"task_success": 0.01}}
    return {**files, "gate.yaml": json.dumps(settings)}


def test_push__harm_with_a_forged_baseline_is_still_seen(github: GitHub, tmp_path: Path) -> None:
    github.commit(without_floor())
    assert act(push_job(github, tmp_path / "first"))[0] == 0
    forger = Project(tmp_path / "forger")
    forger.root.mkdir()
    forger.write({**without_floor(), "prompts/inbox.md": SLOWER})
    assert forger.gate("promote", "--quiet").code == 0
    merge(github, {"prompts/inbox.md": SLOWER, PLACE: (forger.root / PLACE).read_bytes()})
    pushed = push_job(github, tmp_path / "job")
    code, log = act(pushed)
    assert (code, pushed.job.outputs["calls"]) == (20, "360"), log.shown


def test_push__removed_cases_are_listed(promoted: GitHub, tmp_path: Path) -> None:
    cases = [json.loads(line) for line in promoted.read("golden_sets/mail/cases.jsonl").splitlines()]
    promoted.commit({"golden_sets/mail/cases.jsonl": case_lines(cases[2:]), "prompts/inbox.md": OFFLINE_PROMPT + "x\n"})
    code, log = act(push_job(promoted, tmp_path / "job"), passes="3")
    assert code == 0, log.shown
    body = promoted.bare.commit(tip(promoted)).message
    assert "inbox / mail: 2 cases are no longer in the suite: m-01, m-02" in body.splitlines()


@pytest.mark.parametrize("classic", [True, False])
def test_push__protected_branch_gets_a_pull_request(merged: GitHub, tmp_path: Path, classic: bool) -> None:
    merged.protect(Protection(classic=classic))
    head = tip(merged)
    code, log = act(push_job(merged, tmp_path / "job"), passes="3")
    assert (code, tip(merged)) == (0, head), log.shown
    (pull,) = merged.pulls.values()
    assert (pull.head, pull.base, pull.title) == (
        f"lockgate/baseline-{head[:12]}",
        "main",
        "Promote the baseline of inbox",
    )
    assert baseline(merged, branch=pull.head)["cases"][0]["trials"] == 3
    warning = next(text for text in log.named("warning") if text.startswith("main was not written to"))
    assert "baseline: {update: pull-request}" in warning
    assert f"the baseline waits in pull request {pull.number}" in log.named("notice")[-1]


def test_push__merging_that_pull_request_ends_it(merged: GitHub, tmp_path: Path) -> None:
    merged.protect(Protection())
    act(push_job(merged, tmp_path / "job"), passes="3")
    (pull,) = merged.pulls.values()
    head = merged.merge_pull(pull.number)
    pushed = push_job(merged, tmp_path / "second")
    assert (act(pushed)[0], pushed.job.outputs["calls"], tip(merged)) == (0, "0", head)
    assert len(merged.pulls) == 1


def test_push__without_the_permission_fails_and_prints_the_yaml(merged: GitHub, tmp_path: Path) -> None:
    pushed = push_job(merged, tmp_path / "job")
    code, log = act(pushed, passes="3", github_token="read-only")
    assert code == 5
    assert "permissions:\n  contents: write\n  pull-requests: write" in log.named("error")[-1]
    assert pushed.job.outputs["decision-path"] == "lockgate-out/decision.json"


def test_push__pull_requests_forbidden_names_the_setting(merged: GitHub, tmp_path: Path) -> None:
    merged.protect(Protection())
    merged.actions_may_open_pulls = False
    code, log = act(push_job(merged, tmp_path / "job"), passes="3")
    assert code == 5
    assert "Allow GitHub Actions to create and approve pull requests" in log.named("error")[-1]


def test_push__without_github_the_record_is_there(
    merged: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    pushed = push_job(merged, tmp_path / "job")
    merged.faults = [down()]
    code, _ = act(pushed, passes="3")
    assert code == 5
    assert (pushed.job.workspace / pushed.job.outputs["decision-path"]).is_file()


def settings_with(**update: str) -> dict[str, str | bytes | None]:
    settings = json.loads(str(offline_files()["gate.yaml"]))
    return {"gate.yaml": json.dumps({**settings, "baseline": update})}


def test_push__off_decides_and_writes_nothing(merged: GitHub, tmp_path: Path) -> None:
    head = merged.commit(settings_with(update="off"))
    code, log = act(push_job(merged, tmp_path / "job"), passes="3")
    assert (code, tip(merged)) == (0, head)
    assert log.named("notice") == ["no baseline is written: baseline: {update: off}"]


def test_push__branch_is_committed_to_and_nothing_opened(merged: GitHub, tmp_path: Path) -> None:
    head = merged.commit(settings_with(update="branch", branch="data/baselines"))
    code, log = act(push_job(merged, tmp_path / "job"), passes="3")
    assert (code, tip(merged), merged.pulls) == (0, head, {}), log.shown
    assert baseline(merged, branch="data/baselines")["cases"][0]["trials"] == 3


def test_push__pull_request_by_choice(merged: GitHub, tmp_path: Path) -> None:
    head = merged.commit(settings_with(update="pull-request"))
    code, log = act(push_job(merged, tmp_path / "job"), passes="3")
    assert (code, tip(merged), len(merged.pulls)) == (0, head, 1), log.shown
    assert log.named("warning") == [] or all("was not written" not in text for text in log.named("warning"))


def test_push__two_merges_in_any_order_end_with_the_newer(promoted: GitHub, tmp_path: Path) -> None:
    older = promoted.commit({"prompts/inbox.md": OFFLINE_PROMPT + "Older.\n"})
    newer = promoted.commit({"prompts/inbox.md": OFFLINE_PROMPT + "Newer.\n"})
    first, second = push_job(promoted, tmp_path / "a", older), push_job(promoted, tmp_path / "b", newer)
    # The newer one lands while the older one is about to.
    promoted.barriers = [Barrier(point=Point.REF_UPDATE, then=lambda: act(second, passes="2"))]
    code, log = act(first, passes="2")
    assert code == 0, log.shown
    assert log.named("notice") == ["inbox / mail: the baseline is from a newer run"]
    message = promoted.bare.commit(tip(promoted)).message
    assert f"Gate-Measured: {newer}" in message
    assert len(promoted.bare.git("rev-list", f"{newer}..main").split()) == 1


def test_push__merge_is_decided_against_what_an_older_one_wrote_meanwhile(github: GitHub, tmp_path: Path) -> None:
    github.commit({**without_floor(), "prompts/inbox.md": SLOWER})
    assert act(push_job(github, tmp_path / "zero"), passes="10")[0] == 0
    better = github.commit({"prompts/inbox.md": OFFLINE_PROMPT})
    worse = github.commit({"prompts/inbox.md": SLOWER + "Again.\n"})
    late = push_job(github, tmp_path / "late", worse)
    assert act(push_job(github, tmp_path / "better", better), passes="10")[0] == 0
    kept = github.read(PLACE)
    code, log = act(late, passes="10")
    assert (code, late.job.outputs["outcome"]) == (20, "ROLLBACK"), log.shown
    assert github.read(PLACE) == kept


def test_push__base_that_a_shallow_checkout_lacks_is_fetched(promoted: GitHub, tmp_path: Path) -> None:
    promoted.commit({"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"})
    code, log = act(push_job(promoted, tmp_path / "job", depth=1), passes="2")
    assert code == 0, log.shown


def test_push__base_that_is_gone_holds_with_the_line_to_add(promoted: GitHub, tmp_path: Path) -> None:
    promoted.commit({"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"})
    pushed = push_job(promoted, tmp_path / "job", depth=1)
    code, log = act(pushed, github_token="wrong")
    assert (code, pushed.job.outputs["outcome"]) == (10, "HOLD")
    assert "with: {fetch-depth: 0}" in log.named("error")[-1]


def test_refresh__tops_up_to_ten_trials_and_keeps_the_date(promoted: GitHub, tmp_path: Path) -> None:
    before = baseline(promoted)
    code, log = act(push_job(promoted, tmp_path / "job"), "schedule")
    assert code == 0, log.shown
    after = baseline(promoted)
    assert {case["trials"] for case in after["cases"]} == {10}
    pairs = zip(after["cases"], before["cases"], strict=True)
    assert all(0 <= case["passes"] - old["passes"] <= 7 for case, old in pairs)
    assert after["as_of"] == before["as_of"]
    assert after["identity"] == before["identity"]
    table = table_of((case["passes"], case["trials"]) for case in after["cases"])
    assert after["broken"]["critical"] == [list(pair) for pair in table.critical]
    title, *body = promoted.bare.commit(tip(promoted)).message.splitlines()
    assert title == "Top up baselines to 10 trials"
    assert "inbox / mail: topped up to 10 trials" in body


def test_refresh__of_a_whole_baseline_writes_nothing(promoted: GitHub, tmp_path: Path) -> None:
    act(push_job(promoted, tmp_path / "one"), "schedule")
    head = tip(promoted)
    pushed = push_job(promoted, tmp_path / "two")
    assert (act(pushed, "workflow_dispatch")[0], tip(promoted)) == (0, head)
    assert pushed.job.outputs["outcome"] == "PROMOTE"


def test_refresh__without_any_baseline_promotes(merged: GitHub, tmp_path: Path) -> None:
    code, log = act(push_job(merged, tmp_path / "job"), "workflow_dispatch", passes="3")
    assert code == 0, log.shown
    assert baseline(merged)["cases"][0]["trials"] == 3


def test_refresh__provider_that_moved_marks_the_baseline_stale_until_it_is_promoted(
    github: GitHub, model: ModelServer, tmp_path: Path
) -> None:
    github.commit(echo_files(model.url))
    assert act(push_job(github, tmp_path / "one"), passes="3")[0] == 0
    model.answers = lambda prompt: "no" if int(echo(prompt)[2:]) % 2 else echo(prompt)
    code, log = act(push_job(github, tmp_path / "two"), "schedule")
    assert code == 20, log.shown
    stale = baseline(github, ECHO)["stale"]
    assert stale.startswith("the provider moved: on ")
    assert {case["trials"] for case in baseline(github, ECHO)["cases"]} == {3}
    # Every verdict holds now, also the next refresh.
    pushed = push_job(github, tmp_path / "three")
    assert (act(pushed, "schedule")[0], pushed.job.outputs["outcome"]) == (10, "HOLD")
    project = Project(pushed.job.workspace)
    assert project.gate("check", "--all", "--quiet").code == 10
    # Somebody looks at it, and promotes by hand.
    code, log = act(push_job(github, tmp_path / "four"), "workflow_dispatch", command="promote", passes="3")
    assert code == 0, log.shown
    assert baseline(github, ECHO)["stale"] == ""


def test_refresh__other_version_is_left_out_and_said_so(github: GitHub, model: ModelServer, tmp_path: Path) -> None:
    files = echo_files(model.url)
    settings = json.loads(str(files["gate.yaml"]))
    settings["targets"]["other"] = {**settings["targets"]["echo"], "prompt": "prompts/other.md"}
    more = {"gate.yaml": json.dumps(settings), "prompts/other.md": "Repeat: {{ word }}\n"}
    github.commit({**files, **more})
    assert act(push_job(github, tmp_path / "one"), passes="3")[0] == 0
    github.commit({"prompts/other.md": "Please repeat: {{ word }}\n"})
    code, log = act(push_job(github, tmp_path / "two"), "schedule")
    assert code == 10
    assert "other was left out: its baseline is of another version, so promote it" in log.named("notice")
    assert {case["trials"] for case in baseline(github, ECHO)["cases"]} == {10}
    assert {case["trials"] for case in baseline(github, "baselines/other/echo.json")["cases"]} == {3}


def test_refresh__of_a_suite_that_compares_values_adds_them(github: GitHub, model: ModelServer, tmp_path: Path) -> None:
    suite = "kind: golden\nmetric: score\nscorers: [{exact: {}}]\n"
    github.commit({**echo_files(model.url), "golden_sets/echo/suite.yaml": suite})
    assert act(push_job(github, tmp_path / "one"), passes="3")[0] == 0
    code, log = act(push_job(github, tmp_path / "two"), "schedule")
    assert code == 0, log.shown
    cases = baseline(github, ECHO)["cases"]
    assert {(case["trials"], case["score"]["n"], case["score"]["sum"], case["log_ms"]["n"]) for case in cases} == {
        (10, 10, 10.0, 10)
    }


def test_promote__on_a_pull_request_writes_nothing(promoted: GitHub, tmp_path: Path) -> None:
    head = promoted.commit({"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"}, branch="topic")
    main = tip(promoted)
    promoted.open_pull("topic", number=7)
    pushed = push_job(promoted, tmp_path / "job", head)
    event = {**pull_request_event(head), "repository": {"default_branch": "main"}}
    environ = {**pushed.environ(command="promote", base=main, passes="2"), **pushed.job.send("pull_request", event)}
    stdout = io.StringIO()
    with requests.Session() as session:
        session.trust_env = False
        run_action(environ, jobs=jobs(), session=session, stdout=stdout)
    assert tip(promoted) == main
    assert set(promoted.bare.git("for-each-ref", "--format=%(refname)", "refs/heads").splitlines()) == {
        "refs/heads/main",
        "refs/heads/topic",
    }
    assert "no baseline is written: this is not the default branch" in read_log(stdout.getvalue()).named("notice")


def test_push__credentials_that_the_checkout_kept_do_not_get_in_the_way(promoted: GitHub, tmp_path: Path) -> None:
    promoted.commit({"prompts/inbox.md": OFFLINE_PROMPT + "Be brief.\n"})
    pushed = push_job(promoted, tmp_path / "job", depth=1)
    kept = f"http.{promoted.url}/.extraheader"
    Repository(pushed.job.workspace).git("config", kept, "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46b2xk")
    code, log = act(pushed, passes="2")
    assert code == 0, log.shown
    fetched = [seen for seen in promoted.journal if seen.path.endswith("git-upload-pack")]
    assert fetched[-1].status == 200


def test_refresh__asks_the_trials_that_one_run_of_ten_passes_would_have_asked(github: GitHub, tmp_path: Path) -> None:
    github.commit({**offline_files(temperature=0.8), **noisy()})
    first = push_job(github, tmp_path / "one")
    assert act(first, passes="3")[0] == 0
    whole = Project(first.job.workspace)
    assert whole.gate("promote", "--passes", "10", "--quiet").code == 0
    code, log = act(push_job(github, tmp_path / "two"), "schedule")
    assert code in (0, 10), log.shown
    wanted = {case["case_id"]: case["passes"] for case in json.loads((whole.root / PLACE).read_text())["cases"]}
    assert len(set(wanted.values())) > 1, "the model must be noisy for this to say anything"
    assert {case["case_id"]: case["passes"] for case in baseline(github)["cases"]} == wanted


def noisy() -> dict[str, str | bytes | None]:
    settings = json.loads(str(offline_files(temperature=0.8)["gate.yaml"]))
    settings["policy"] |= {"floors": {"task_success": 0.01}}
    return {"gate.yaml": json.dumps(settings)}
