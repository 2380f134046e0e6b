"""Shards and their merge, from the command line: the same bytes as one run, and a refusal of everything else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from gate.core.canonical import digest, readable_json
from tests.projects import (
    CASES,
    OFFLINE_PROMPT,
    SUITE,
    ModelServer,
    Project,
    case_lines,
    echo_cases,
    files_below,
    offline_files,
)

# At this temperature the offline model is flaky enough that three passes leave marks of both kinds.
VAGUE = OFFLINE_PROMPT.replace("Answer only with one JSON object, no other text, with", "With")


@pytest.fixture
def offline(empty: Project) -> Project:
    """A project of the built-in model with a baseline, and a prompt that was changed for the worse since."""
    empty.write(offline_files(temperature=1.0))
    assert empty.gate("promote", "--passes", "3", "--quiet").code == 0
    empty.write({"prompts/inbox.md": VAGUE})
    return empty


def run_shards(project: Project, count: int, *words: str) -> list[str]:
    """Run all shards into a folder each, and return the folders."""
    folders = [f"shard-{number}-of-{count}" for number in range(1, count + 1)]
    for number, folder in enumerate(folders, 1):
        ran = project.gate("check", "--quiet", "--shard", f"{number}/{count}", "--out", folder, *words)
        assert ran.code == 0, ran.text
    return folders


def record(project: Project, folder: str) -> dict[str, bytes]:
    return files_below(project.root / folder)


def merge(project: Project, *words: str) -> Any:
    return project.gate("merge", *words)


@pytest.mark.parametrize("passes", [(), ("--passes", "1"), ("--passes", "5")])
def test_merge__same_bytes_however_many_shards(offline: Project, passes: tuple[str, ...]) -> None:
    for count in (1, 2, 5):
        folders = run_shards(offline, count, *passes)
        merge(offline, *folders, "--out", f"merged-{count}", *passes)
    one, two, five = (record(offline, f"merged-{count}") for count in (1, 2, 5))
    trials = [sorted(own.pop("trials.jsonl").splitlines()) for own in (one, two, five)]
    assert one == two == five
    assert trials[0] == trials[1] == trials[2]
    assert set(one) == {
        "comment.md", "decision.json", "evidence.json", "inputs/policy.json", "inputs/references.json", "junit.xml",
        "summary.md",
    }  # fmt: skip
    marks = [case["marks"] for case in json.loads(one["evidence.json"])["suites"][0]["cases"]]
    assert {len(own) for own in marks} == {int(passes[1]) if passes else 3}
    assert offline.gate("replay", "merged-5/decision.json").code == 0


def test_merge__same_bytes_as_an_undivided_run_that_made_all_passes(offline: Project) -> None:
    whole = offline.gate("check", "--quiet", "--passes", "1", "--out", "whole")
    parts = run_shards(offline, 3, "--passes", "1")
    merged = merge(offline, *parts, "--passes", "1", "--out", "merged")
    assert merged.code == whole.code
    # Answers stay with those who asked for them.
    assert record(offline, "merged").keys() == record(offline, "whole").keys() - {"answers.jsonl"}
    for name in ("evidence.json", "decision.json", "junit.xml", "comment.md", "summary.md"):
        assert record(offline, "merged")[name] == record(offline, "whole")[name], name


def test_shard__asks_its_cases_three_times_and_prints_no_verdict(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: "nonsense"
    ran = promoted.gate("check", "--all", "--quiet", "--shard", "1/2", "--out", "one")
    part = json.loads((promoted.root / "one" / "part-1-of-2.json").read_text())
    own = part["planned"][0]["case_ids"]
    assert 0 < len(own) < CASES
    # A broken candidate is not ended early: a shard knows only its own cases.
    assert len(model.prompts) == 3 * len(own)
    assert ran.out == (
        f"part 1 of 2: {len(own)} cases, {3 * len(own)} calls\n"
        "part: one/part-1-of-2.json; join all 2 with `gate merge`\n"
    )
    files = ["answers-1-of-2.jsonl", "part-1-of-2.json", "trials-1-of-2.jsonl"]
    assert (ran.code, sorted(record(promoted, "one"))) == (0, files)
    assert (part["schema"], part["shard"], part["shards"]) == ("lockgate.part/1", 1, 2)
    assert (part["passes"], part["calls"], part["tokens"]) == (3, 3 * len(own), 18 * len(own))


def test_merge__a_broken_candidate_is_rolled_back(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: "nonsense"
    ran = merge(promoted, *run_shards(promoted, 2, "--all"))
    assert ran.code == 20
    assert "ROLLBACK: harm shown" in ran.out
    assert "nonsense" in (promoted.record / "comment.md").read_text()
    shown = promoted.gate("show", "w-01")
    assert (shown.code, "nonsense" in shown.out) == (0, True)


def test_merge__shards_of_a_target_that_equals_its_baseline(empty: Project) -> None:
    empty.write(offline_files())
    assert empty.gate("promote", "--passes", "3", "--quiet").code == 0
    ran = merge(empty, *run_shards(empty, 2))
    assert (ran.code, empty.decision()["reason"]) == (0, "unchanged")
    assert empty.trials() == []


def test_merge__what_is_open_is_settled_by_a_check_that_counts_the_merged_evidence(
    promoted: Project, model: ModelServer
) -> None:
    failing = iter(["no"])
    model.answers = lambda prompt: next(failing, "w-01") if prompt.endswith("w-01") else prompt.rsplit(maxsplit=1)[-1]
    merged = merge(promoted, *run_shards(promoted, 2, "--all"), "--out", "merged")
    assert merged.code in {0, 10}
    asked = len(model.prompts)
    again = promoted.gate("check", "--all", "--quiet", "--passes", "3", "--evidence", "merged/evidence.json")
    assert again.code == 0, again.text
    assert len(model.prompts) - asked < CASES


def test_merge__a_shard_that_ran_out_of_budget_holds(project: Project, model: ModelServer) -> None:
    project.edit("gate.yaml", '"version": 1', '"version": 1, "budget": {"calls": 50}')
    codes = [
        project.gate("check", "--all", "--quiet", "--shard", f"{number}/2", "--out", f"s-{number}").code
        for number in (1, 2)
    ]
    assert codes == [10, 10]
    assert len(model.prompts) in {49, 50}
    ran = merge(project, "s-1", "s-2")
    assert ran.code == 10
    assert "the evidence is incomplete: the budget of" in project.sentences()


def test_merge__a_small_suite_leaves_a_shard_without_a_case(project: Project, model: ModelServer) -> None:
    project.write({f"{SUITE}/cases.jsonl": case_lines(echo_cases(31))})
    ran = merge(project, *run_shards(project, 97, "--passes", "1"), "--passes", "1")
    assert ran.code == 10
    assert len(project.evidence()["suites"][0]["cases"]) == 31
    assert len(model.prompts) == 31


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose three shards have run into the folder `parts`, made once."""
    project = Project(tmp_path_factory.mktemp("parted"))
    project.write(offline_files(temperature=1.0))
    assert project.gate("promote", "--passes", "3", "--quiet").code == 0
    project.write({"prompts/inbox.md": VAGUE})
    for folder in run_shards(project, 3, "--passes", "1"):
        shutil.copytree(project.root / folder, project.root / "parts", dirs_exist_ok=True)
    return project


@pytest.fixture
def parted(made: Project, empty: Project) -> Project:
    """A copy of that project."""
    shutil.copytree(made.root, empty.root, dirs_exist_ok=True)
    return empty


def refused(project: Project, *words: str) -> str:
    """The sentence of a refusal with exit code 4."""
    ran = merge(project, *(words or ("parts",)), "--passes", "1", "--out", "merged")
    assert ran.code == 4, ran.text
    assert not (project.root / "merged").exists()
    return ran.err


def test_merge__parts_as_one_folder(parted: Project) -> None:
    assert merge(parted, "parts", "--passes", "1").code in {10, 20}


def test_merge__missing_part(parted: Project) -> None:
    (parted.root / "parts" / "part-2-of-3.json").unlink()
    assert "1 of 3 parts are missing: part-2-of-3.json" in refused(parted)


def test_merge__empty_folder(parted: Project) -> None:
    (parted.root / "empty").mkdir()
    assert "there is no part in empty" in refused(parted, "empty")


def test_merge__part_given_twice(parted: Project) -> None:
    (parted.root / "more").mkdir()
    shutil.copy(parted.root / "parts" / "part-1-of-3.json", parted.root / "more" / "again.json")
    error = refused(parted, "parts", "more/again.json")
    assert "shard 1 of 3 is given twice: parts/part-1-of-3.json and more/again.json" in error


def test_merge__parts_of_two_divisions(parted: Project) -> None:
    assert parted.gate("check", "--quiet", "--shard", "4/4", "--passes", "1", "--out", "other").code == 0
    error = refused(parted, "parts", "other/part-4-of-4.json")
    assert "other/part-4-of-4.json is one of 4 shards, and parts/part-1-of-3.json one of 3" in error


def change(project: Project, edit: Callable[[dict[str, Any]], None], *, number: int = 2) -> None:
    """Change a part as somebody would who also mends its digest."""
    path = project.root / "parts" / f"part-{number}-of-3.json"
    plain = json.loads(path.read_text())
    del plain["sha256"], plain["schema"]
    edit(plain)
    path.write_text(readable_json({**plain, "sha256": digest(plain), "schema": "lockgate.part/1"}))


def suites(part: dict[str, Any]) -> dict[str, Any]:
    return part["evidence"]["suites"][0]


def drop_case(part: dict[str, Any]) -> None:
    suites(part)["cases"].pop()
    part["planned"][0]["case_ids"].pop()


FOREIGN: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "lockgate": (lambda part: part.update(lockgate="9.9.9"), "is of another run: lockgate '9.9.9', here it is '0."),
    "rules": (lambda part: part.update(core="0"), "is of another run: rules '0'"),
    "policy": (lambda part: part.update(policy="sha256:0"), "is of another run: policy 'sha256:0'"),
    "head": (lambda part: part.update(head="f" * 40), "is of another run: commit 'ffff"),
    "base": (lambda part: part.update(base="f" * 40), "is of another run: base 'ffff"),
    "passes": (lambda part: part.update(passes=2), "is of another run: passes '2', here it is '1'"),
    "seed": (lambda part: part.update(seed=2), "is of another run: seed '2', here it is '1'"),
    "unchanged": (lambda part: part["evidence"].update(unchanged=["inbox"]), "is of another run: unchanged targets"),
    "version": (lambda part: suites(part)["identity"].update(version="x"), "has another version of the target"),
    "suite": (lambda part: suites(part)["identity"].update(suite_digest="x"), "inbox / mail has other cases"),
    "scorers": (lambda part: suites(part)["identity"].update(scorer_digest="x"), "inbox / mail has other scorers"),
    "model": (lambda part: suites(part)["identity"].update(model="x"), "inbox / mail has another model"),
    "critical": (lambda part: suites(part)["cases"][0].update(critical=True), "does not hold the cases of inbox / mail"),
    "name": (lambda part: suites(part)["identity"].update(suite="x"), "holds other suites than this run: inbox / x"),
    "no suite": (lambda part: part["evidence"].update(suites=[]), "holds other suites than this run: none"),
    "dropped": (drop_case, "does not hold case 'm-"),
    "old": (lambda part: part["evidence"].update(as_of="2026-11-01"), "is of '2026-11-01': not within 14 days"),
    "early": (lambda part: part["evidence"].update(as_of="2026-11-22"), "is of '2026-11-22': not within 14 days"),
    "undated": (lambda part: part["evidence"].update(as_of=""), "is of '': not within 14 days"),
    "number": (lambda part: part.update(shard=7), "there is no shard 7 of 3"),
    "zero": (lambda part: part.update(shard=0), "there is no shard 0 of 3"),
    "trials": (lambda part: part.update(trials="sha256:0"), "trials-2-of-3.jsonl is not the file that"),
    "unknown": (lambda part: part.update(more=1), "unknown key 'more'"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_merge__part_of_another_run(parted: Project, name: str) -> None:
    edit, words = FOREIGN[name]
    change(parted, edit)
    error = refused(parted)
    assert words in error
    assert "parts/part-2-of-3.json" in error


def test_merge__too_many_trials_of_a_case(parted: Project) -> None:
    def repeat(part: dict[str, Any]) -> None:
        case = next(case for case in suites(part)["cases"] if case["marks"] != "U")
        case["marks"] *= 2

    change(parted, repeat)
    assert "has 2 trials, 1 were planned" in refused(parted)


def test_merge__too_few_trials_of_a_case(parted: Project) -> None:
    change(parted, lambda part: suites(part)["cases"][0].update(marks="", missing=[]))
    assert "has 0 trials, 1 were planned" in refused(parted)


def test_merge__overlapping_parts(parted: Project) -> None:
    first = json.loads((parted.root / "parts" / "part-1-of-3.json").read_text())["planned"][0]["case_ids"][0]
    change(parted, lambda part: part["planned"][0]["case_ids"].append(first))
    assert f"case {first!r} of suite 'mail' is in two parts: parts/part-1-of-3.json and" in refused(parted)


def test_merge__skipped_target_that_is_not_its_baselines_version(parted: Project) -> None:
    def skip(part: dict[str, Any]) -> None:
        part["evidence"].update(unchanged=["inbox"], suites=[])
        part["planned"] = []

    for number in (1, 2, 3):
        change(parted, skip, number=number)
    assert "part-1-of-3.json skipped target 'inbox', which is not its baseline's version" in refused(parted)


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-40], lambda text: text.replace('"seed": 1', '"seed": 2'), str.upper]
)
def test_merge__damaged_part(parted: Project, damage: Callable[[str], str]) -> None:
    path = parted.root / "parts" / "part-3-of-3.json"
    path.write_text(damage(path.read_text()))
    assert "parts/part-3-of-3.json: " in refused(parted)


def test_merge__case_given_twice_inside_of_a_part(parted: Project) -> None:
    change(parted, lambda part: suites(part)["cases"].append(suites(part)["cases"][0]))
    assert "part-2-of-3.json: suite 'mail' has case" in refused(parted)


def test_merge__prompt_or_scorers_changed_between_shards_and_merge(parted: Project) -> None:
    parted.edit("prompts/inbox.md", "(urgency 3)", "(urgency 4)")
    assert "inbox / mail has another version of the target" in refused(parted)


def test_merge__trials_file_left_out(parted: Project) -> None:
    for path in (parted.root / "parts").glob("trials-*"):
        path.unlink()
    assert merge(parted, "parts", "--passes", "1").code in {10, 20}
    assert parted.trials() == []


def test_merge__forgotten_passes(parted: Project) -> None:
    ran = merge(parted, "parts")
    assert (ran.code, "passes '1', here it is '3'" in ran.err) == (4, True)


def test_merge__commits_of_a_repository(empty: Project) -> None:
    empty.write(offline_files())
    empty.gate("promote", "--passes", "3", "--quiet")
    repository = empty.repository()
    repository.commit({".gitignore": "lockgate-out/\nshard-*/\n", "prompts/inbox.md": VAGUE}, "change")
    words = ("--base", "HEAD^1", "--passes", "1")
    folders = run_shards(empty, 2, *words)
    part = json.loads((empty.root / folders[0] / "part-1-of-2.json").read_text())
    assert (part["head"], part["base"]) == tuple(
        repository.git("rev-parse", name).strip() for name in ("HEAD", "HEAD^1")
    )
    assert merge(empty, *folders, *words).code in {10, 20}
    repository.commit({"notes.md": "later\n"}, "later")
    assert merge(empty, *folders, "--base", "HEAD^1", "--passes", "1").code == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shard", "3/2"), "--shard must be i/n"),
        (("--shard", "1/2", "--aa"), "`--shard` and `--aa` cannot go together"),
        (("--shard", "1/2", "--evidence", "x.json"), "`--shard` and `--evidence` cannot go together"),
    ],
)
def test_shard__what_needs_all_cases_is_refused(project: Project, words: tuple[str, ...], said: str) -> None:
    ran = project.gate("check", "--quiet", *words)
    assert (ran.code, said in ran.text) == (2, True), ran.text
