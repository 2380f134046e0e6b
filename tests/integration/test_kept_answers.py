"""Answers that are kept: the journal with --resume, the cache of this machine, and committed recordings."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.projects import (
    CASES,
    PATIENCE,
    PROMPT,
    ModelServer,
    Project,
    Response,
    echo,
    echo_target,
    gate_yaml,
    program_files,
)

CACHE = ".lockgate/cache.sqlite3"
ONE = ("check", "--all", "--quiet", "--passes", "1")


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def killed(project: Project, model: ModelServer, quick: int, *words: str) -> None:
    """Run until so many answers came, and kill the process then."""
    model.hold_after(quick)
    with project.spawn(*words) as process:
        deadline = time.monotonic() + PATIENCE
        while journaled(project) < quick or len(model.prompts) < quick + 8:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        model.released.set()
        process.communicate(timeout=PATIENCE)
    model.reset()


def journaled(project: Project) -> int:
    path = project.record / "answers.jsonl"
    return max(0, path.read_bytes().count(b"\n") - 1) if path.exists() else 0


def told(project: Project) -> str:
    """What the report says."""
    return (project.record / "summary.md").read_text(encoding="utf-8")


def with_recordings(project: Project, model: ModelServer, **changes: object) -> None:
    target = echo_target(model.url) | {"recordings": "recordings/echo"} | changes
    project.write({"gate.yaml": gate_yaml({"echo": target})})


def recordings(project: Project) -> list[Path]:
    return sorted((project.root / "recordings").rglob("*.json"))


def test_check__resume_asks_only_what_is_missing(promoted: Project, model: ModelServer) -> None:
    killed(promoted, model, 10, *ONE)
    ran = promoted.gate(*ONE, "--resume")
    assert (ran.code, len(model.prompts)) == (0, CASES - 10), ran.text
    assert f"{CASES - 10} calls, 10 from the journal" in told(promoted)
    assert journaled(promoted) == CASES + 1  # and a line that says that it came to its end
    assert all(len(case["latency_ms"]) == 1 for case in promoted.evidence()["suites"][0]["cases"])
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__without_resume_says_what_it_replaces(promoted: Project, model: ModelServer) -> None:
    killed(promoted, model, 10, *ONE)
    ran = promoted.gate(*ONE)
    assert len(model.prompts) == CASES
    assert ran.err == (
        "lockgate-out/answers.jsonl: 10 answers of a run that did not come to its end are replaced; "
        "`--resume` goes on with them\n"
    )
    assert promoted.gate(*ONE).err == ""


def test_check__resume_pays_for_what_was_answered_from_the_budget(promoted: Project, model: ModelServer) -> None:
    killed(promoted, model, 10, *ONE)
    target = echo_target(model.url)
    promoted.write({"gate.yaml": gate_yaml({"echo": target}, budget={"tokens": 6 * 20})})
    ran = promoted.gate(*ONE, "--resume")
    # Ten answers of six tokens are spent from the start; calls that are on their way then come on top.
    assert 10 <= len(model.prompts) <= 10 + 8
    assert ran.code == 10
    assert "the evidence is incomplete: the budget of 120 tokens is used up" in promoted.sentences()


def test_check__resume_does_not_take_answers_to_another_prompt(promoted: Project, model: ModelServer) -> None:
    killed(promoted, model, 10, *ONE)
    promoted.write({PROMPT: "Repeat this word: {{ word }}\n"})
    promoted.gate(*ONE, "--resume")
    assert len(model.prompts) == CASES


def test_check__resume_refuses_a_journal_that_is_committed(promoted: Project, model: ModelServer) -> None:
    assert promoted.gate(*ONE).code == 0
    repository = promoted.repository()
    repository.git("add", "--force", "lockgate-out/answers.jsonl")
    ran = promoted.gate(*ONE, "--resume")
    assert (ran.code, len(model.prompts)) == (2, CASES)
    assert "lockgate-out/answers.jsonl is committed, and answers that come with a change are not believed" in ran.err


def test_promote__resumes_its_own_run_and_no_check(promoted: Project, model: ModelServer) -> None:
    words = ("promote", "--passes", "2", "--quiet")
    killed(promoted, model, 10, *words)
    assert promoted.gate(*words, "--resume").code == 0
    assert len(model.prompts) == 2 * CASES - 10
    ran = promoted.gate(*ONE, "--resume")
    assert (ran.code, "answers.jsonl holds the answers of `gate promote`" in ran.err) == (2, True)


def test_check__a_program_without_version_files_is_resumed_while_its_repository_stays(empty: Project) -> None:
    empty.write(program_files(command=["sh", "answer.sh"]))
    empty.repository()
    assert empty.gate(*ONE).code in {0, 10}
    empty.gate(*ONE, "--resume")
    assert f"· 0 calls, {CASES} from the journal" in told(empty)
    empty.edit("answer.sh", "exec sed", "exec  sed")
    empty.gate(*ONE, "--resume")
    assert f"· {CASES} calls" in told(empty)
    assert "from the journal" not in told(empty)


def test_check__two_runs_in_one_folder_are_refused(promoted: Project, model: ModelServer) -> None:
    model.hold_after(5)
    with promoted.spawn(*ONE) as process:
        while journaled(promoted) < 5:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        for words in (ONE, (*ONE, "--resume")):
            ran = promoted.gate(*words)
            assert (ran.code, "lockgate-out is in use by another gate process" in ran.err) == (2, True)
        model.released.set()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_check__a_full_disk_holds_and_keeps_what_was_written(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda _: "x" * 6_000
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"
    code = f"{limited}; from gate.__main__ import main; raise SystemExit(main())"
    shell = (sys.executable, "-c", code, *ONE, "--as-of", "2026-11-21")
    done = subprocess.run(
        shell,
        cwd=promoted.root,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (10, False), done.stderr
    assert "jsonl cannot be written: File too large" in promoted.sentences()
    assert 5 <= journaled(promoted) < 10
    assert len(model.prompts) < CASES
    kept = journaled(promoted)
    model.reset()
    assert promoted.gate(*ONE, "--resume").code == 20
    assert len(model.prompts) == CASES - kept


def test_check__cache_answers_the_second_time_and_counts_for_neither_latency_nor_cost(
    promoted: Project, model: ModelServer
) -> None:
    assert promoted.gate(*ONE, "--cache", "read-write").code == 0
    model.reset()
    ran = promoted.gate(*ONE, "--cache", "read-only")
    assert (ran.code, model.prompts) == (0, [])
    assert f"· 0 calls, {CASES} from the cache" in told(promoted)
    for case in promoted.evidence()["suites"][0]["cases"]:
        assert (case["marks"], case["latency_ms"], case["usd"]["n"], case["tokens"]["n"]) == ("P", [], 0, 0)
    assert {trial["answer"]["replayed"] for trial in promoted.trials()} == {"cache"}
    # Another draw of a case is another question.
    promoted.gate("check", "--all", "--quiet", "--passes", "1", "--cache", "refresh")
    assert len(model.prompts) == CASES


def test_check__cache_read_only_misses_are_not_recorded(promoted: Project, model: ModelServer) -> None:
    ran = promoted.gate(*ONE, "--cache", "read-only")
    assert (ran.code, model.prompts) == (10, [])
    assert f"{CASES} of {CASES} trials have no score ({CASES} not recorded)" in promoted.sentences()
    assert not (promoted.root / CACHE).exists()


def test_check__cache_refuses_and_names_a_poisoned_entry(promoted: Project, model: ModelServer) -> None:
    promoted.gate(*ONE, "--cache", "read-write")
    with sqlite3.connect(promoted.root / CACHE) as file:
        records = dict(file.execute("SELECT key, record FROM answers").fetchall())
        first, second = sorted(records)[:2]
        file.execute("UPDATE answers SET record = ? WHERE key = ?", (records[second], first))
    file.close()
    ran = promoted.gate(*ONE, "--cache", "read-write")
    assert ran.code == 2
    assert f".lockgate/cache.sqlite3: entry {first} (case w-" in ran.err
    assert "the answer in it belongs to another question" in ran.err


@pytest.mark.parametrize(("value", "code"), [("true", 2), ("1", 2), ("false", 0), ("", 0)])
def test_check__cache_is_not_for_ci(
    value: str, code: int, promoted: Project, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", value)
    ran = promoted.gate(*ONE, "--cache", "read-write")
    assert (ran.code, "CI is set here" in ran.err) == (code, code == 2)
    assert "commit recordings" in ran.err or not code


def test_check__cache_that_is_committed_is_refused(promoted: Project, model: ModelServer) -> None:
    promoted.gate(*ONE, "--cache", "read-write")
    promoted.repository().git("add", "--force", CACHE)
    ran = promoted.gate(*ONE, "--cache", "read-only")
    assert (ran.code, f"{CACHE} is committed" in ran.err) == (2, True)


def test_check__a_program_without_version_files_is_never_cached(empty: Project) -> None:
    empty.write(program_files(command=["sh", "answer.sh"]))
    for _ in range(2):
        empty.gate(*ONE, "--cache", "read-write")
        assert f"· {CASES} calls" in told(empty)
        assert "from the cache" not in told(empty)
    empty.write(program_files(command=["sh", "answer.sh"], **{"version-files": ["answer.sh"]}))
    empty.gate(*ONE, "--cache", "read-write")
    empty.gate(*ONE, "--cache", "read-write")
    assert f"· 0 calls, {CASES} from the cache" in told(empty)


def test_check__recordings_answer_without_a_model_or_a_key(promoted: Project, model: ModelServer) -> None:
    with_recordings(promoted, model)
    assert promoted.gate(*ONE, "--record").code == 0
    assert len(recordings(promoted)) == len(model.prompts) == CASES
    path = recordings(promoted)[0]
    assert path.parent.name == path.stem[:2]
    model.reset()
    for words in (ONE, (*ONE, "--offline")):
        ran = promoted.gate(*words)
        assert (ran.code, model.prompts) == (0, [])
        assert f"· 0 calls, {CASES} recorded" in told(promoted)


def test_check__offline_without_a_recording_holds(promoted: Project, model: ModelServer) -> None:
    with_recordings(promoted, model)
    ran = promoted.gate(*ONE, "--offline")
    assert (ran.code, model.prompts) == (10, [])
    assert f"{CASES} of {CASES} trials have no score ({CASES} not recorded)" in promoted.sentences()


def test_check__recordings_of_a_change_are_listed_and_not_believed(promoted: Project, model: ModelServer) -> None:
    with_recordings(promoted, model)
    promoted.gate(*ONE, "--record")
    kept = [path for path in recordings(promoted) if path != recordings(promoted)[0]]
    added = recordings(promoted)[0]
    text = added.read_text()
    added.unlink()
    promoted.repository()
    added.write_text(text)
    edited = json.loads(kept[0].read_text())
    edited["answer"]["text"] = "wrong"
    kept[0].write_text(json.dumps(edited))
    model.reset()
    ran = promoted.gate(*ONE, "--base", "HEAD")
    assert (ran.code, len(model.prompts)) == (0, 1)
    assert f"· 1 call, {CASES - 1} recorded" in told(promoted)
    assert "This change edits 2 recordings, which are not believed: `recordings/echo/" in told(promoted)
    assert added.stem[:30] in told(promoted)


def test_check__a_recording_of_another_question_is_refused_and_named(promoted: Project, model: ModelServer) -> None:
    with_recordings(promoted, model)
    promoted.gate(*ONE, "--record")
    first, second = recordings(promoted)[:2]
    shutil.copy(second, first)
    ran = promoted.gate(*ONE)
    assert ran.code == 2
    assert f"{first.relative_to(promoted.root)}: the answer in it belongs to another question" in ran.err


def test_check__record_needs_a_place(promoted: Project, model: ModelServer) -> None:
    ran = promoted.gate(*ONE, "--record")
    assert (ran.code, model.prompts) == (2, [])
    assert "no selected target has recordings" in ran.err


def test_validate__recordings_of_a_program_need_version_files(empty: Project) -> None:
    empty.write(program_files(command=["sh", "answer.sh"], recordings="recordings/echo"))
    ran = empty.gate("validate")
    assert (ran.code, "recordings of a command need version-files" in ran.err) == (2, True)


def test_check__cut_off_and_filtered_answers_are_not_stored(promoted: Project, model: ModelServer) -> None:
    with_recordings(promoted, model)

    def answer(prompt: str) -> Response:
        word = echo(prompt)
        why = {"w-01": "length", "w-02": "content_filter"}.get(word, "stop")
        choice = {"message": {"role": "assistant", "content": word}, "finish_reason": why}
        return Response(body=json.dumps({"model": "echo-1", "choices": [choice]}).encode())

    model.answers = answer
    promoted.gate(*ONE, "--record", "--cache", "read-write")
    assert len(recordings(promoted)) == CASES - 2
    with sqlite3.connect(promoted.root / CACHE) as file:
        assert file.execute("SELECT count(*) FROM answers").fetchone() == (CASES - 2,)
    file.close()


def test_check__interrupted_and_resumed(promoted: Project, model: ModelServer) -> None:
    model.hold_after(10)
    with promoted.spawn(*ONE) as process:
        while journaled(promoted) < 10 or len(model.prompts) < 18:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        model.released.set()
        process.communicate(timeout=PATIENCE)
    assert (process.returncode, journaled(promoted)) == (130, 18)
    assert "--resume" in told(promoted)
    model.reset()
    assert promoted.gate(*ONE, "--resume").code == 0
    assert len(model.prompts) == CASES - 18
