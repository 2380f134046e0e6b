"""A decision can be recomputed from its record, byte for byte, on any machine; and whatever was changed shows."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gate.core.canonical import digest_text
from tests.projects import ModelServer, Project, echo, echo_files, files_below

RECORD = ("decision.json", "evidence.json", "inputs/policy.json", "inputs/references.json")


@pytest.fixture(scope="module")
def record(
    server: ModelServer, baselines: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """The files of one run that holds, made once."""
    made = Project(tmp_path_factory.mktemp("recorded"))
    made.write({**echo_files(server.url), **baselines})
    server.reset()
    server.answers = lambda prompt: "no" if echo(prompt) in {"w-01", "w-02"} else echo(prompt)
    assert made.gate("check", "--all", "--quiet", "--as-of", "2026-11-21").code == 10
    return {f"lockgate-out/{name}": content for name, content in files_below(made.record).items()}


@pytest.fixture
def recorded(record: dict[str, bytes], empty: Project) -> Project:
    empty.write(record)
    return empty


def replayed(project: Project) -> tuple[int, str]:
    ran = project.gate("replay", "lockgate-out/decision.json")
    return ran.code, ran.text


def test_replay__untouched(recorded: Project) -> None:
    digest = digest_text((recorded.record / "decision.json").read_text())
    assert replayed(recorded) == (0, f"HOLD as of 2026-11-21: matches byte for byte\ndecision {digest}\n")


def test_replay__from_another_folder_and_hash_seed(recorded: Project, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(recorded.record, moved)
    shutil.rmtree(recorded.record)
    said = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            (sys.executable, "-m", "gate", "replay", "decision.json"),
            cwd=moved,
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "TZ": "Asia/Tokyo",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        said.add(done.stdout)
    digest = digest_text((moved / "decision.json").read_text())
    assert said == {f"HOLD as of 2026-11-21: matches byte for byte\ndecision {digest}\n"}


@pytest.mark.parametrize("file", RECORD)
def test_replay__any_edited_byte_is_a_mismatch(file: str, recorded: Project) -> None:
    path = recorded.record / file
    content = path.read_bytes()
    draw = random.Random(file)
    # Another core version is compared by outcome and findings only; its number is the one place that may differ.
    number = content.find(b'"core_version": "') + len(b'"core_version": "') if file == "decision.json" else -1
    for place in draw.sample([at for at in range(len(content)) if at != number], 25):
        changed = bytearray(content)
        changed[place] = draw.choice([byte for byte in (0, 10, 32, 48, 57, 80, 255) if byte != content[place]])
        path.write_bytes(changed)
        code, said = replayed(recorded)
        assert code == 4, (place, bytes(changed[place - 20 : place + 20]), said)
        assert said.startswith("error: lockgate-out/")
        assert " help: " in said
    path.write_bytes(content)
    assert replayed(recorded)[0] == 0


@pytest.mark.parametrize("file", RECORD)
@pytest.mark.parametrize("cut", [0, 100, -1])
def test_replay__cut_off_file_is_a_mismatch(file: str, cut: int, recorded: Project) -> None:
    path = recorded.record / file
    path.write_bytes(path.read_bytes()[:cut])
    assert replayed(recorded)[0] == 4


def test_replay__missing_input_is_a_mismatch(recorded: Project) -> None:
    (recorded.record / "evidence.json").unlink()
    code, said = replayed(recorded)
    assert code == 4
    assert said.startswith("error: lockgate-out/evidence.json: No such file or directory\n help: name the file that")


def test_replay__no_decision_is_a_usage_error(recorded: Project) -> None:
    ran = recorded.gate("replay", "elsewhere/decision.json")
    assert ran.code == 2
    assert ran.err.startswith(
        "error: elsewhere/decision.json: no such file\n help: name the file that `gate check --out`"
    )


def test_replay__forged_outcome_with_fitting_digests_is_a_mismatch(recorded: Project) -> None:
    path = recorded.record / "decision.json"
    path.write_text(path.read_text().replace('"outcome": "HOLD"', '"outcome": "PROMOTE"'))
    code, said = replayed(recorded)
    assert code == 4
    assert "recomputing gives other bytes\n help: line " in said
    assert '"outcome": "PROMOTE"' in said


def test_replay__forged_evidence_with_fitting_digests_is_a_mismatch(recorded: Project) -> None:
    evidence = recorded.record / "evidence.json"
    text = evidence.read_text()
    forged = text.replace('"marks": "F', '"marks": "P')
    evidence.write_text(forged)
    decision = recorded.record / "decision.json"
    digests = [digest_text(each).removeprefix("sha256:") for each in (text, forged)]
    decision.write_text(decision.read_text().replace(*digests))
    assert replayed(recorded)[0] == 4


def test_replay__input_outside_of_the_record_is_refused(recorded: Project, tmp_path: Path) -> None:
    path = recorded.record / "decision.json"
    (tmp_path / "policy.json").write_text("{}")
    path.write_text(path.read_text().replace('"inputs/policy.json"', '"../../policy.json"'))
    code, said = replayed(recorded)
    assert code == 4
    assert "input '../../policy.json' lies outside of the folder" in said


def test_replay__another_core_version_says_so(recorded: Project) -> None:
    path = recorded.record / "decision.json"
    path.write_text(path.read_text().replace('"core_version": "1"', '"core_version": "0"'))
    code, said = replayed(recorded)
    assert code == 0
    assert "matches in outcome and findings (another core version wrote it)" in said


def decide_words(record: str = "lockgate-out") -> tuple[str, ...]:
    files = {
        "policy": f"{record}/inputs/policy.json",
        "references": f"{record}/inputs/references.json",
        "evidence": f"{record}/evidence.json",
    }
    return ("decide", *(word for name, path in files.items() for word in (f"--{name}", path)))


def test_decide__on_a_record_gives_its_outcome_and_findings(recorded: Project) -> None:
    ran = recorded.gate(*decide_words(), "--as-of", "2026-11-21", "--out", "again.json")
    assert (ran.code, ran.out) == (
        10, f"HOLD: {recorded.decision()['reason']}\nto settle it: {recorded.decision()['settle']}\n",
    )  # fmt: skip
    again = json.loads((recorded.root / "again.json").read_text())
    was = recorded.decision()
    assert {key: again[key] for key in was if key != "inputs"} == {key: was[key] for key in was if key != "inputs"}
    digests = {name: entry["sha256"] for name, entry in again["inputs"].items()}
    assert digests == {name: entry["sha256"] for name, entry in was["inputs"].items()}


def test_decide__printed_is_the_document_and_stable(recorded: Project) -> None:
    first = recorded.gate(*decide_words(), "--as-of", "2026-11-21")
    assert first.code == 10
    assert json.loads(first.out)["outcome"] == "HOLD"
    assert recorded.gate(*decide_words(), "--as-of", "2026-11-21").out == first.out


def test_decide__edited_evidence_decides_otherwise(recorded: Project) -> None:
    path = recorded.record / "evidence.json"
    path.write_text(path.read_text().replace("F", "P"))
    ran = recorded.gate(*decide_words(), "--as-of", "2026-11-21")
    assert (ran.code, json.loads(ran.out)["outcome"]) == (0, "PROMOTE")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("evidence.json", '"marks": "P', '"marks": "Q', "marks must be P, F or U"),
        ("evidence.json", '"passes": 5', '"passes": "5"', "evidence.json: "),
        (
            "evidence.json",
            "lockgate.evidence/1",
            "lockgate.evidence/9",
            "schema 'lockgate.evidence/9', this lockgate reads",
        ),
        ("inputs/policy.json", '"margin": 0.1', '"margn": 0.1', "policy.json: "),
        ("inputs/policy.json", '"margin": 0.1', '"margin": NaN', "NaN is not a JSON number"),
        ("inputs/policy.json", '"margin": 0.1', '"margin": 0.1, "margin": 1', "key 'margin' is given twice"),
        ("inputs/references.json", '"type": "SuiteBaseline"', '"type": "Trusted"', "references.json: "),
        ("inputs/references.json", '"trials": 2', '"trials": 1', "references.json: "),
    ],
)
def test_decide__files_that_are_not_what_they_say(file: str, old: str, new: str, words: str, recorded: Project) -> None:
    path = recorded.record / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    ran = recorded.gate(*decide_words(), "--as-of", "2026-11-21")
    assert ran.code == 2, ran.text
    assert ran.err.startswith(f"error: lockgate-out/{file}")
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_decide__printed_with_hidden_characters_is_still_the_same_json(recorded: Project) -> None:
    path = recorded.record / "evidence.json"
    evidence = json.loads(path.read_text())
    hostile = "\x7f\x85\u200b\u202e\U000e0041##[add-mask]x\n::error::x"
    evidence["stopped"] = hostile
    path.write_text(json.dumps(evidence))
    ran = recorded.gate(*decide_words(), "--as-of", "2026-11-21")
    assert ran.code == 10
    assert hostile in json.loads(ran.out)["findings"][0]["sentence"]
    assert all(char == "\n" or char.isprintable() for char in ran.out)
    assert "##[" not in ran.out
    assert not re.search(r"^\s*::", ran.out, re.MULTILINE)


@pytest.mark.parametrize("command", ["decide", "check"])
@pytest.mark.parametrize(
    ("twice", "words"),
    [
        ("case", "evidence.json: suite 'echo' has case 'w-01' 2 times"),
        ("suite", "evidence.json: suite 'echo' of target 'echo' is given 2 times"),
    ],
)
def test_decide__evidence_that_says_two_things(
    twice: str, words: str, command: str, recorded: Project, server: ModelServer
) -> None:
    path = recorded.record / "evidence.json"
    evidence = json.loads(path.read_text())
    (suite,) = evidence["suites"]
    if twice == "case":
        (case,) = [case for case in suite["cases"] if case["case_id"] == "w-01"]
        suite["cases"].append(case)
    else:
        evidence["suites"].append(suite)
    path.write_text(json.dumps(evidence))
    recorded.write(echo_files(server.url))
    asked = decide_words() if command == "decide" else ("check", "--quiet", "--evidence", "lockgate-out/evidence.json")
    ran = recorded.gate(*asked)
    assert (ran.code, words in ran.err, " help: " in ran.err) == (2, True, True)


def test_decide__missing_file(recorded: Project) -> None:
    (recorded.record / "evidence.json").unlink()
    ran = recorded.gate(*decide_words())
    assert ran.code == 2
    assert ran.err.startswith("error: lockgate-out/evidence.json: No such file or directory\n help: ")
