"""Evidence across runs: kept on a ref by the default branch's job, counted by the next run, and missed where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from gate.app.evidence_ref import evidence_branch, load_chain, load_counts
from gate.app.keeping import keep_evidence
from gate.app.looking_back import Search
from gate.app.recorded import NAMES
from gate.app.replay import decide_texts, replay
from gate.core.across import Across
from gate.core.canonical import readable_json
from gate.core.chain import Entry
from gate.errors import RecordError
from gate.forge.api import Api
from gate.forge.branch import Landed
from gate.forge.event import FinishedRun
from gate.forge.pulls import Repository
from gate.store.records import render_decision
from tests.projects import OFFLINE_PROMPT, offline_files, promoted_baselines
from tests.rigs.github import GitHub, Token, github_server
from tests.rigs.github_hub.conversations import sync_pulls
from tests.rigs.hub_job import Change, real_check, record_files
from tests.rigs.runner import Log

PROMPT = "prompts/inbox.md"
WORKFLOW = ".github/workflows/gate.yml"
REF = "refs/gate/evidence"
VARIABLES = {"GITHUB_WORKFLOW_REF": f"acme/app/{WORKFLOW}@refs/pull/7/merge", "GITHUB_JOB": "decide"}
ASKED = [
    {"name": name, "status": "completed", "conclusion": "success", "number": number}
    for number, name in enumerate(("Set up job", "Run actions/checkout@v7", "Run ./"), 1)
]
BETTER = {PROMPT: OFFLINE_PROMPT + "Be brief.\n"}
# In this scope one pass never shows that nothing got worse.
FILES = offline_files() | {
    "golden_sets/mail/suite.yaml": "kind: golden\nscope: set\nscorers: [{json_equal: {path: intent}}]\n"
}
KEEPING = ".github/workflows/evidence.yml"
SETTINGS = json.loads(str(FILES["gate.yaml"]))
WORSE = {PROMPT: OFFLINE_PROMPT.replace("broken, error, crashed, outage", "zzz")}


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The baseline of the offline project."""
    return promoted_baselines(tmp_path_factory.mktemp("promoted"), FILES)


@pytest.fixture
def github(baselines: dict[str, bytes]) -> Iterator[GitHub]:
    with github_server() as state:
        state.tokens = {"t0ken": Token(), "reader": Token(permissions={"contents": "read", "pull_requests": "write"})}
        state.commit({**FILES, **baselines, KEEPING: "# command: keep-evidence\n"})
        yield state


@dataclass
class Runs:
    """Runs of the gate on pull request 7, an hour apart, each followed by the job that keeps its evidence."""

    change: Change
    begun: datetime = field(default_factory=lambda: datetime.now(UTC).replace(hour=0, minute=0))

    @property
    def hub(self) -> GitHub:
        return self.change.hub

    def base(self, files: Mapping[str, str | bytes | None]) -> None:
        """Land a commit on the default branch."""
        self.hub.commit(files)
        sync_pulls(self.hub)

    def gate(self, run: int, attempt: int = 1, **changes: str) -> tuple[int, Log, Any]:
        """The gate's job; its run ends with an upload."""
        given = {**VARIABLES, "GITHUB_RUN_ID": str(run), **changes}
        code, log, job = self.change.pull_request(attempt=attempt, **given)
        self.end(run, attempt, conclusion="failure" if code else "success")
        self.hub.add_artifact(run, f"lockgate-{attempt}", record_files(job))
        return code, log, job

    def end(self, run: int, attempt: int = 1, **said: Any) -> None:
        """A run that ended without an upload."""
        self.begun += timedelta(seconds=1)
        at = self.begun.strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {"run_started_at": at, "updated_at": at, "conclusion": "failure", **said}
        self.hub.add_run(self.change.head, id=run, run_attempt=attempt, **told)

    def keep(self, run: int, attempt: int = 1, **changes: Any) -> tuple[int, Log]:
        origin = {"id": run, "run_attempt": attempt, **changes.pop("origin", {})}
        code, log, _ = self.change.workflow_run(origin=origin, INPUT_COMMAND="keep-evidence", **changes)
        return code, log

    def forge(self, run: int, change: Callable[[dict[str, bytes]], object], *, attempt: int = 1) -> None:
        """Replace files of an uploaded record."""
        files = record_files(self.change.made[-1])
        change(files)
        self.hub.artifacts = [one for one in self.hub.artifacts if one.run_id != run]
        self.hub.add_artifact(run, f"lockgate-{attempt}", files)

    @property
    def repository(self) -> Repository:
        return Repository(api=Api(session=requests.Session(), url=self.hub.url, token="t0ken"), name=self.hub.slug)

    @property
    def chain(self) -> tuple[Entry, ...]:
        branch = evidence_branch(self.repository)
        head = branch.head()
        return load_chain(branch, head) if head else ()


@pytest.fixture
def runs(github: GitHub, tmp_path: Path) -> Runs:
    made = Runs(Change(github, tmp_path))
    made.change.push(BETTER)
    return made


def evidence_of(job: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((job.workspace / "lockgate-out" / "evidence.json").read_text())
    return loaded


def marks(suites: Any) -> dict[str, str]:
    return {case["case_id"]: case["marks"] for case in suites[0]["cases"]}


def findings(job: Any) -> list[str]:
    decision = json.loads((job.workspace / "lockgate-out" / "decision.json").read_text())
    return [one["sentence"] for one in decision["findings"] if one["rule"] == "evidence missing"]


def test_first_run__counts_nothing_and_begins_the_chain(runs: Runs) -> None:
    _, log, job = runs.gate(50)
    told = evidence_of(job)["across"]
    assert told == {
        "run": 50, "attempt": 1, "head": runs.change.head, "workflow": WORKFLOW, "counted": [], "missing": [],
    }, log.shown  # fmt: skip
    assert findings(job) == []
    code, log = runs.keep(50)
    assert code == 0, log.shown
    (entry,) = runs.chain
    assert (entry.number, entry.previous, entry.run, entry.attempt) == (1, "", 50, 1)
    assert (entry.head, entry.workflow, entry.outcome) == (runs.change.head, WORKFLOW, job.outputs["outcome"])
    assert entry.decision == job.outputs["decision-digest"]
    kept = load_counts(runs.repository, entry)
    assert {case.case_id: case.marks for case in kept.suites[0].cases} == marks(evidence_of(job)["suites"])
    # The ref holds the chain and counts, and nothing of the repository.
    assert runs.hub.bare.git("ls-tree", "-r", "--name-only", REF).split() == ["chain.jsonl", "counts.json"]


def test_second_run__adds_to_the_first_and_says_so(runs: Runs) -> None:
    _, _, first = runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    _, log, second = runs.gate(51, INPUT_PASSES="2")
    before, now = marks(evidence_of(first)["suites"]), marks(evidence_of(second)["suites"])
    assert {len(found) for found in before.values()} == {1}
    assert {len(found) for found in now.values()} == {2}, log.shown
    assert all(now[name].startswith(before[name]) for name in before)
    assert second.outputs["calls"] == str(len(now))
    assert len(evidence_of(second)["across"]["counted"]) == 1
    assert findings(second) == ["1 earlier run of this version also counts"]
    assert "1 earlier run of this version also counts" in runs.hub.bodies()[0]
    assert replay(second.workspace / "lockgate-out" / "decision.json").exact
    assert runs.keep(51)[0] == 0
    entries = runs.chain
    assert [entry.run for entry in entries] == [50, 51]
    assert entries[1].previous == entries[0].digest
    own = load_counts(runs.repository, entries[1])
    assert [own.suites[0].passes, {len(case.marks) for case in own.suites[0].cases}] == [1, {1}]
    third = runs.gate(52, INPUT_PASSES="2")[2]
    assert marks(evidence_of(third)["suites"]) == now
    assert (third.outputs["calls"], findings(third)) == ("0", ["2 earlier runs of this version also count"])


def test_run_again__of_harm_stays_harm(runs: Runs) -> None:
    runs.change.push(WORSE)
    code, log, _ = runs.gate(50)
    assert code == 20, log.shown
    runs.keep(50)
    code, log, again = runs.gate(50, 2)
    assert (code, again.outputs["calls"]) == (20, "0"), log.shown
    assert findings(again) == ["1 earlier run of this version also counts"]


def test_other_version__counts_nothing_of_the_first(runs: Runs) -> None:
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    runs.change.push({PROMPT: OFFLINE_PROMPT + "Be very brief.\n"})
    _, _, job = runs.gate(51, INPUT_PASSES="1")
    assert (evidence_of(job)["across"]["counted"], findings(job)) == ([], [])


@pytest.mark.parametrize(
    ("one", "other", "counted"),
    [
        ("Be brief.\n", "Be\n\n  brief.\n{# shorter #}", 1),
        ("<!-- Be brief. -->\n", "<!-- Answer nothing. -->\n", 0),
        ("{% raw %}{# Be brief. #}{% endraw %}", "{% raw %}{# Answer nothing. #}{% endraw %}", 0),
    ],
    ids=["family", "html", "raw"],
)
def test_other_words__that_reach_the_model_count_nothing(runs: Runs, one: str, other: str, counted: int) -> None:
    runs.change.push({PROMPT: OFFLINE_PROMPT + one})
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    runs.change.push({PROMPT: OFFLINE_PROMPT + other})
    _, _, job = runs.gate(51, INPUT_PASSES="1")
    assert len(evidence_of(job)["across"]["counted"]) == counted


def test_stopped_run__counts_and_the_next_one_asks_what_is_left(runs: Runs) -> None:
    runs.base({"gate.yaml": json.dumps(SETTINGS | {"budget": {"calls": 10}})})
    runs.change.push({PROMPT: OFFLINE_PROMPT + "Be short.\n"})
    _, _, first = runs.gate(50, INPUT_PASSES="1")
    asked = {name for name, found in marks(evidence_of(first)["suites"]).items() if found}
    assert (first.outputs["outcome"], len(asked)) == ("HOLD", 10)
    runs.keep(50)
    runs.base({"gate.yaml": FILES["gate.yaml"]})
    _, log, second = runs.gate(51, INPUT_PASSES="1")
    found = marks(evidence_of(second)["suites"])
    assert {len(one) for one in found.values()} == {1}, log.shown
    assert second.outputs["calls"] == str(len(found) - 10)


def test_keep__twice_is_once(runs: Runs) -> None:
    runs.gate(50)
    runs.keep(50)
    code, log = runs.keep(50)
    assert (code, len(runs.chain)) == (0, 1)
    assert log.named("notice") == ["run 50 attempt 1 (success) is on the chain already"]


def refused(runs: Runs, run_id: int = 50, attempt: int = 1, **changes: Any) -> tuple[int, str]:
    before = len(runs.chain)
    code, log = runs.keep(run_id, attempt, **changes)
    assert len(runs.chain) == before
    return code, log.named("error")[0]


def across(files: dict[str, bytes], **changes: Any) -> None:
    """Change what a record says of its run, and its digests with it."""
    name = "lockgate-out/evidence.json"
    evidence = json.loads(files[name])
    evidence["across"].update(changes)
    resign(files, evidence)


def resign(files: dict[str, bytes], evidence: dict[str, Any]) -> None:
    """Make a record of other evidence that holds together: decided, and digested, by the product itself."""
    texts = {name: (place, files[f"lockgate-out/{place}"].decode()) for name, place in NAMES.items()}
    texts["evidence"] = ("evidence.json", readable_json(evidence))
    as_of = json.loads(files["lockgate-out/decision.json"])["as_of"]
    files["lockgate-out/evidence.json"] = texts["evidence"][1].encode()
    files["lockgate-out/decision.json"] = render_decision(decide_texts(texts, as_of), texts).encode()


def better_marks(files: dict[str, bytes]) -> None:
    evidence = json.loads(files["lockgate-out/evidence.json"])
    for case in evidence["suites"][0]["cases"]:
        case |= {"marks": "P" * len(case["marks"]), "by_judge": 0}
    files["lockgate-out/evidence.json"] = readable_json(evidence).encode()


@pytest.mark.parametrize(
    ("spoil", "code", "told"),
    [
        (lambda files: across(files, head="e" * 40), 4, "it is of head"),
        (lambda files: across(files, run=51), 4, "it is of run '51', and this is 50"),
        (lambda files: across(files, attempt=2), 4, "it is of attempt 2, and this is attempt 1"),
        (lambda files: across(files, workflow=".github/workflows/own.yml"), 4, "it is of workflow"),
        (lambda files: across(files, counted=["sha256:" + "0" * 64]), 4, "it counts what is not on the chain"),
        (better_marks, 4, "evidence.json is not the file that the decision was made from"),
        (lambda files: resign(files, json.loads(files["lockgate-out/evidence.json"]) | {"as_of": "2999-01-01"}), 4, "dated"),
        (lambda files: resign(files, json.loads(files["lockgate-out/evidence.json"]) | {"across": None}), 2, "which run it is of"),
        (lambda files: files.update({"lockgate-out/evidence.json": b"[" * 20_000_000}), 2, "larger than 16777216 bytes"),
        (lambda files: files.update({"../evil": b""}), 2, "leaves its folder"),
        (lambda files: files.pop("lockgate-out/decision.json"), 2, "no records of a decision"),
        (lambda files: files.update({"lockgate-out/decision.json": b"{}"}), 2, "schema None"),
    ],
    ids=["head", "run", "attempt", "workflow", "counted", "counts", "date", "nameless", "huge", "path", "none", "shapeless"],
)  # fmt: skip
def test_keep__record_that_is_not_of_this_run_is_refused(runs: Runs, spoil: Any, code: int, told: str) -> None:
    runs.gate(50, INPUT_PASSES="1")
    runs.forge(50, spoil)
    found, words = refused(runs)
    assert (found, told in words) == (code, True), words


def test_keep__record_without_what_it_counted_is_refused(runs: Runs) -> None:
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    runs.gate(51, INPUT_PASSES="2")

    def forget(files: dict[str, bytes]) -> None:
        evidence = json.loads(files["lockgate-out/evidence.json"])
        for case in evidence["suites"][0]["cases"]:
            case["marks"] = "".join({"P": "F", "F": "P"}[mark] for mark in case["marks"])
        resign(files, evidence)

    runs.forge(51, forget)
    code, words = refused(runs, 51)
    assert (code, "does not begin with the trials that it counted" in words) == (4, True)


@pytest.mark.parametrize("told", [{"head_sha": "e" * 40}, {"event": "merge_group"}, {"run_attempt": 2}])
def test_keep__event_that_the_api_contradicts_is_refused(runs: Runs, told: dict[str, Any]) -> None:
    runs.gate(50, INPUT_PASSES="1")
    assert refused(runs, origin=told)[0] in (4, 5)


def test_keep__run_of_a_fork_is_never_kept(runs: Runs, github: GitHub, tmp_path: Path) -> None:
    runs.gate(50, INPUT_PASSES="1")
    code, log = runs.keep(50, origin={"head_repository": {"full_name": "mallory/app"}})
    assert (code, runs.chain) == (0, ())
    assert log.named("notice") == ["the run of a fork: its evidence is never kept"]


def test_keep__without_an_artifact_says_what_follows(runs: Runs) -> None:
    runs.end(50)
    code, log = runs.keep(50)
    told = "run 50 attempt 1 (failure) left no artifact lockgate-1; later runs of its commit will name it"
    assert (code, runs.chain, log.named("warning")) == (0, (), [told])


def test_keep__without_the_right_to_write_fails(runs: Runs, github: GitHub) -> None:
    github.tokens["t0ken"] = Token(permissions={"actions": "read", "contents": "read", "pull_requests": "write"})
    runs.gate(50, INPUT_PASSES="1")
    code, words = refused(runs)
    assert (code, "the evidence was not kept" in words, "contents: write" in words) == (5, True, True)


def test_keep__released_hold_counts_its_trials_once(runs: Runs) -> None:
    _, _, job = runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    runs.end(50, 2, conclusion="success")
    runs.hub.add_artifact(50, "lockgate-2", record_files(job))
    assert runs.keep(50, 2)[0] == 0
    first, second = runs.chain
    assert (second.decision, second.counts, second.attempt) == (first.decision, "", 2)


def test_missing__run_without_a_record_is_named(runs: Runs) -> None:
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    runs.end(51)
    runs.hub.add_job(51, "decide", steps=ASKED)
    runs.end(52, conclusion="cancelled")
    runs.hub.add_job(52, "decide", steps=ASKED)
    code, log, job = runs.gate(53)
    assert (code, job.outputs["outcome"]) == (10, "HOLD"), log.shown
    told = "evidence missing: run 51 attempt 1 (failure), run 52 attempt 1 (cancelled)"
    assert findings(job) == [told]
    assert told in runs.hub.bodies()[0]
    assert json.loads((job.workspace / "lockgate-out/decision.json").read_text())["reason"] == "evidence missing"
    assert "then run this one again" in runs.hub.bodies()[0]


def test_missing__deleted_record_is_named(runs: Runs) -> None:
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    runs.gate(51)
    runs.hub.add_job(51, "decide", steps=ASKED)
    runs.hub.artifacts.clear()
    runs.keep(51)
    code, _, job = runs.gate(51, 2)
    assert (code, findings(job)) == (10, ["evidence missing: run 51 attempt 1 (success)"])


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        ({"conclusion": "skipped"}, ASKED),
        ({"conclusion": "action_required"}, ASKED),
        ({"conclusion": None, "status": "in_progress"}, ASKED),
        ({"conclusion": "cancelled"}, []),
        ({"conclusion": "failure"}, [*ASKED[:2], ASKED[2] | {"conclusion": "skipped"}]),
        ({"conclusion": "failure", "path": ".github/workflows/other.yml"}, ASKED),
        ({"conclusion": "failure", "event": "push"}, ASKED),
        ({"conclusion": "failure", "run_started_at": "2020-01-01T00:00:00Z"}, ASKED),
    ],
    ids=["skipped", "unapproved", "going", "queued", "checkout", "workflow", "event", "before"],
)
def test_missing__run_that_asked_nothing_is_not_named(runs: Runs, said: dict[str, Any], steps: list[Any]) -> None:
    runs.gate(50)
    runs.keep(50)
    runs.end(51, **said)
    runs.hub.add_job(51, "decide", steps=steps)
    runs.hub.add_job(51, "gate", steps=ASKED)
    _, log, job = runs.gate(52)
    assert evidence_of(job)["across"]["missing"] == [], log.shown


def test_missing__job_that_was_taken_over_asked_nothing(runs: Runs) -> None:
    runs.gate(50)
    runs.keep(50)
    runs.end(50, 2)
    runs.hub.add_job(50, "decide", steps=ASKED, run_attempt=1)
    runs.hub.add_job(50, "gate", steps=ASKED, run_attempt=2)
    _, log, job = runs.gate(50, 3)
    assert evidence_of(job)["across"]["missing"] == [], log.shown


def test_missing__without_the_right_to_list_runs_holds(runs: Runs) -> None:
    runs.gate(50)
    runs.keep(50)
    code, _, job = runs.gate(51, INPUT_GITHUB__TOKEN="reader")
    told = "evidence missing: earlier runs could not be looked for: the runs of"
    assert (code, findings(job)[0].startswith(told)) == (10, True)


def test_missing__waits_for_a_record_that_is_on_its_way(runs: Runs) -> None:
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    runs.gate(51, INPUT_PASSES="1")
    runs.hub.add_job(51, "decide", steps=ASKED)
    runs.hub.runs[-1]["updated_at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            assert runs.keep(51)[0] == 0

    api = replace(runs.repository.api, sleep=sleep)
    own = Across(run=52, attempt=1, head=runs.change.head, workflow=WORKFLOW)
    today = datetime.now(UTC).date().isoformat()
    search = Search(repository=replace(runs.repository, api=api), own=own, job="decide", as_of=today)
    entries, lost = search.look()
    assert ([entry.run for entry in entries], lost, slept) == ([50, 51], (), [10.0, 10.0])


def test_undecided__run_that_asked_nothing_leaves_word(runs: Runs) -> None:
    runs.gate(50)
    runs.keep(50)
    runs.base({"gate.yaml": json.dumps(SETTINGS | {"nonsense": 1})})
    code, _, job = runs.gate(51)
    assert (code, sorted(file.name for file in (job.workspace / "lockgate-out").iterdir())) == (2, ["undecided.json"])
    runs.hub.add_job(51, "decide", steps=ASKED)
    assert runs.keep(51)[0] == 0
    assert (runs.chain[-1].run, runs.chain[-1].decision, runs.chain[-1].counts) == (51, "", "")
    runs.base({"gate.yaml": FILES["gate.yaml"]})
    assert evidence_of(runs.gate(51, 2)[2])["across"]["missing"] == []


def rewrite(github: GitHub, change: Callable[[list[str]], list[str]]) -> None:
    """Force-push another chain."""
    lines = github.bare.run("cat-file", "blob", f"{REF}:chain.jsonl").decode().splitlines()
    blob = github.bare.blob("".join(f"{line}\n" for line in change(lines)).encode())
    person = github.person("mallory")
    tree = github.bare.tree(None, {"chain.jsonl": ("100644", blob)})
    made = github.bare.commit_tree(tree, (), message="rewritten", people=(person, person))
    github.bare.run("update-ref", REF, made)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines[1:], "entry 1: it does not follow the entry before it"),
        (lambda lines: [lines[0], lines[2]], "entry 2: it does not follow the entry before it"),
        (lambda lines: [lines[1], lines[0], lines[2]], "entry 1: it does not follow the entry before it"),
        (lambda lines: [lines[0].replace('"outcome":"', '"outcome":"X'), *lines[1:]], "entry 2: it does not follow"),
        (lambda lines: [lines[0], lines[1][:-9], lines[2]], "entry 2: "),
    ],
    ids=["first", "middle", "order", "changed", "cut"],
)
def test_chain__that_does_not_verify_is_an_error(runs: Runs, github: GitHub, change: Any, told: str) -> None:
    for number in (50, 51, 52):
        runs.gate(number, INPUT_PASSES="1")
        runs.keep(number)
    rewrite(github, change)
    code, log, job = runs.gate(53)
    assert (code, job.outputs["outcome"]) == (2, "NONE"), log.shown
    assert f"refs/gate/evidence: {told}" in log.named("error")[0]
    with pytest.raises(RecordError, match=told):
        _ = runs.chain
    assert runs.keep(53)[0] == 2


def test_chain__cut_at_its_end_names_the_runs_that_are_gone(runs: Runs, github: GitHub) -> None:
    for number in (50, 51):
        runs.gate(number, INPUT_PASSES="1")
        runs.hub.add_job(number, "decide", steps=ASKED)
        runs.keep(number)
    rewrite(github, lambda lines: lines[:1])
    code, _, job = runs.gate(52)
    assert (code, findings(job)) == (10, ["evidence missing: run 51 attempt 1 (failure)"])


def test_append__ten_at_once_lose_nothing(runs: Runs) -> None:
    _, _, job = runs.gate(100, INPUT_PASSES="1")
    for number in range(101, 110):
        runs.end(number)
        files = record_files(job)
        across(files, run=number)
        runs.hub.add_artifact(number, "lockgate-1", files)

    def keep(number: int) -> object:
        origin = FinishedRun(
            id=number, attempt=1, event="pull_request", conclusion="failure", repository="acme/app", branch="topic",
            is_fork=False, default_branch="main",
        )  # fmt: skip
        return keep_evidence(runs.repository, origin, head=runs.change.head, server_url=runs.hub.url)

    with ThreadPoolExecutor(10) as pool:
        ended = list(pool.map(keep, range(100, 110)))
    assert all(isinstance(one, Landed) for one in ended), ended
    assert sorted(entry.run for entry in runs.chain) == list(range(100, 110))
    assert runs.hub.bare.git("rev-list", "--count", REF) == "10"


def test_untouched_change__leaves_word_too(runs: Runs) -> None:
    runs.gate(50)
    runs.keep(50)
    runs.change.push({PROMPT: FILES[PROMPT], "notes.md": "more\n"})
    code, _, job = runs.gate(51)
    assert (code, job.outputs["outcome"]) == (0, "NONE")
    assert runs.keep(51)[0] == 0
    assert (runs.chain[-1].run, runs.chain[-1].decision) == (51, "")


def test_merge_group__counts_what_the_pull_request_showed(runs: Runs) -> None:
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    job = runs.change.job("refs/pull/7/merge")
    head = runs.hub.bare.tip("refs/pull/7/merge")
    group = {"head_sha": head, "base_sha": runs.hub.bare.tip("refs/heads/main")}
    event = {"action": "checks_requested", "merge_group": group}
    variables = {**VARIABLES, "GITHUB_RUN_ID": "51", "INPUT_PASSES": "2"}
    code, log, job = runs.change.act(job, "merge_group", event, run=real_check, **variables)
    assert (code, findings(job)) == (0, ["1 earlier run of this version also counts"]), log.shown
    assert evidence_of(job)["across"]["head"] == head
    runs.hub.add_run(
        head or "", id=51, event="merge_group", run_started_at=f"{runs.begun:%Y-%m-%dT%H:%M:%SZ}",
        updated_at=f"{runs.begun:%Y-%m-%dT%H:%M:%SZ}",
    )  # fmt: skip
    runs.hub.add_artifact(51, "lockgate-1", record_files(job))
    assert runs.keep(51, origin={"event": "merge_group", "head_sha": head})[0] == 0
    assert [entry.head for entry in runs.chain] == [runs.change.head, head]


def test_fork__neither_counts_nor_is_told_to(github: GitHub, tmp_path: Path) -> None:
    fork = Runs(Change(github, tmp_path, owner="mallory", login="mallory"))
    fork.change.push(BETTER)
    _, _, job = fork.gate(50, INPUT_PASSES="1", INPUT_GITHUB__TOKEN="reader")
    assert "across" not in evidence_of(job)


def test_second_workflow__is_another_gate(runs: Runs) -> None:
    other = {"GITHUB_WORKFLOW_REF": "acme/app/.github/workflows/nightly.yml@refs/pull/7/merge"}
    runs.gate(50, INPUT_PASSES="1")
    runs.keep(50)
    _, _, job = runs.gate(51, INPUT_PASSES="1", **other)
    assert evidence_of(job)["across"]["counted"] == []
    code, words = refused(runs, 51)
    assert (code, "it is of workflow '.github/workflows/nightly.yml'" in words) == (4, True)


def test_missing__somebody_else_can_release_it(runs: Runs, github: GitHub) -> None:
    github.collaborators["robin"] = "write"
    runs.gate(50)
    runs.keep(50)
    runs.end(51)
    runs.hub.add_job(51, "decide", steps=ASKED)
    _, _, held = runs.gate(52)
    runs.keep(52)
    assert findings(held) == ["evidence missing: run 51 attempt 1 (failure)"]
    prefix = held.outputs["decision-digest"].removeprefix("sha256:")[:8]
    code, log, _ = runs.change.comment("robin", f"/gate approve {prefix} the runner died")
    assert code == 0, log.shown
    assert runs.hub.runs.pop()["run_attempt"] == 2
    code, log, again = runs.gate(52, 2)
    assert (code, again.outputs["calls"]) == (0, "0"), log.shown
    code, log = runs.keep(52, 2)
    assert code == 0, log.shown
    assert [(entry.run, entry.attempt, bool(entry.counts)) for entry in runs.chain[1:]] == [
        (52, 1, False),
        (52, 2, False),
    ]
    assert runs.chain[2].decision == held.outputs["decision-digest"]
