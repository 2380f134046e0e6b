"""Baselines that are missing, broken, of other cases or of other scorers; and how they are written."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gate.core.canonical import digest
from tests.projects import BASELINE, SUITE, ModelServer, Project, case_lines, echo, echo_cases, offline_files

CASES_FILE = f"{SUITE}/cases.jsonl"
Change = Callable[[str], "str | None"]


def sealed(change: Callable[[dict], object]) -> Change:
    """An edit by somebody who knows how to compute the file's digest again."""

    def edit(text: str) -> str:
        plain = json.loads(text)
        change(plain)
        del plain["sha256"]
        return json.dumps(plain | {"sha256": digest(plain)})

    return edit


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _text: None, f"there is no baseline yet ({BASELINE})"),
        (lambda text: text[:-30], f"the baseline cannot be believed: {BASELINE} is not readable JSON, perhaps cut off"),
        (lambda _text: "", f"{BASELINE} is not readable JSON, perhaps cut off"),
        (lambda _text: "[" * 100_000, f"{BASELINE} is not readable JSON, perhaps cut off"),
        (lambda _text: "[]", f"{BASELINE} has schema None, this lockgate reads 'lockgate.baseline/1'"),
        (
            lambda text: text.replace("baseline/1", "baseline/2"),
            f"{BASELINE} has schema 'lockgate.baseline/2', this lockgate reads 'lockgate.baseline/1'",
        ),
        (
            lambda text: text.replace('"passes":2', '"passes":1', 1),
            f"{BASELINE} was edited by hand: its content does not match its sha256",
        ),
        (sealed(lambda plain: plain["cases"][0].pop("passes")), f"{BASELINE}: "),
        (sealed(lambda plain: plain["cases"][0].update(passes=3)), f"{BASELINE}: "),
        (sealed(lambda plain: plain["cases"][0].update(passes="2")), f"{BASELINE}: "),
        (sealed(lambda plain: plain["cases"][0].update(mark=1)), f"{BASELINE}: "),
        (sealed(lambda plain: plain.update(cases=[])), "0 cases can be compared, 30 are needed"),
    ],
)
def test_check__baseline_that_cannot_be_used(change: Change, reason: str, promoted: Project) -> None:
    text = (promoted.root / BASELINE).read_text()
    promoted.write({BASELINE: change(text)})
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 10, ran.text
    assert reason in promoted.sentences()
    assert "regression" not in promoted.sentences()
    # It stands in the record as it was, and the record replays.
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0
    assert promoted.gate("validate").code == 0


def test_check__missing_baseline_names_the_command(promoted: Project) -> None:
    promoted.write({BASELINE: None})
    ran = promoted.gate("check", "--quiet")
    assert ran.code == 10
    assert "Run gate promote --suite echo on the default branch and commit" in " ".join(ran.out.split())


def test_check__cases_added_removed_renamed_and_edited_are_facts(project: Project, model: ModelServer) -> None:
    model.answers = lambda prompt: "no" if echo(prompt) in {"w-03", "w-05"} else echo(prompt)
    assert project.gate("promote", "--passes", "2", "--quiet").code == 0
    cases = echo_cases(38)
    cases[0]["id"] = "renamed"
    cases[1]["input"] = {"word": "w-02", "note": "new"}
    del cases[2]
    project.write({CASES_FILE: case_lines(cases)})
    project.gate("check", "--quiet")
    said = project.sentences()
    assert "comparability PROMOTE False echo: 2 cases added" not in said
    assert "comparability PROMOTE False echo: 3 cases added: renamed, w-37, w-38" in said
    assert "comparability PROMOTE False echo: 1 case removed: w-03" in said
    assert "comparability PROMOTE False echo: 1 case renamed: w-01" in said
    assert "comparability PROMOTE False echo: 1 case edited, not compared: w-02" in said
    assert "comparability HOLD False echo: 1 of the removed or edited cases failed in the baseline: w-03" in said
    figures = next(f for f in project.decision()["findings"] if f["rule"] == "regression")["figures"]
    assert dict(figures)["cases"] == 34


def test_check__too_few_comparable_cases_hold(promoted: Project) -> None:
    cases = [{**case, "input": {**case["input"], "note": "x"}} for case in echo_cases()[:10]] + echo_cases()[10:]
    promoted.write({CASES_FILE: case_lines(cases)})
    assert promoted.gate("check", "--quiet").code == 10
    assert "completeness HOLD True echo: 26 cases can be compared, 30 are needed" in promoted.sentences()


def test_check__other_scorers_hold_as_judge_changed(promoted: Project) -> None:
    promoted.write({f"{SUITE}/suite.yaml": "kind: golden\nscorers: [{contains: {all: answer}}]\n"})
    ran = promoted.gate("check", "--quiet")
    assert ran.code == 10
    assert (
        "comparability HOLD True echo: judge changed: the scorers are not those of the baseline" in promoted.sentences()
    )
    assert "regression" not in promoted.sentences()


def test_check__other_model_and_parameters_are_facts(promoted: Project) -> None:
    promoted.edit("gate.yaml", '"name": "echo-1"', '"name": "echo-2"')
    promoted.edit("gate.yaml", '"temperature": 0.2', '"temperature": 0.9')
    assert promoted.gate("check", "--quiet").code == 0
    assert "echo: the model changed from openai/echo-1 to openai/echo-2" in promoted.sentences()
    assert "echo: the parameters changed from" in promoted.sentences()


def test_promote__writes_stable_bytes_with_one_line_a_case(empty: Project) -> None:
    empty.write(offline_files())
    words = ("promote", "--quiet", "--as-of", "2026-11-20", "--passes", "3")
    assert empty.gate(*words).out == (
        "wrote baselines/inbox/answers/mail.json\nwrote baselines/inbox/mail.json\n"
        "commit these files: git add baselines && git commit -m 'Promote the baseline'\n"
    )
    first = (empty.root / "baselines/inbox/mail.json").read_bytes()
    assert empty.gate(*words).code == 0
    assert (empty.root / "baselines/inbox/mail.json").read_bytes() == first
    lines = first.decode().splitlines()
    assert len([line for line in lines if line.startswith('{"case_id":"m-')]) == 36
    assert str(empty.root) not in first.decode()


def test_promote__passes_of_the_baseline_are_counted(promoted: Project) -> None:
    baseline = json.loads((promoted.root / BASELINE).read_text())
    assert baseline["as_of"] == "2026-11-20"
    assert {(case["passes"], case["trials"]) for case in baseline["cases"]} == {(2, 2)}


def test_promote__version_shown_worse_is_refused(promoted: Project, model: ModelServer) -> None:
    before = (promoted.root / BASELINE).read_bytes()
    promoted.write({"prompts/echo.md": "{{ word }} is to be repeated.\n"})
    ran = promoted.gate("promote", "--passes", "2", "--quiet")
    assert ran.code == 20
    assert ran.out.startswith("the baseline stays as it is: ROLLBACK\n- echo: ")
    assert "100.0 -> 0.0 (-100.0 points" in ran.out
    assert (promoted.root / BASELINE).read_bytes() == before


def test_promote__one_suite_of_a_profile_that_wants_more(project: Project) -> None:
    project.edit("gate.yaml", '"profile": "ci"', '"profile": "merge"')
    assert project.gate("check", "--quiet").code == 10
    assert "echo: profile merge requires safety, and no suite" in project.sentences()
    # The check named this command; it must not be refused for what other suites will cover.
    ran = project.gate("promote", "--suite", "echo", "--passes", "1", "--quiet")
    assert (ran.code, (project.root / BASELINE).exists()) == (0, True)


def test_promote__anchor_is_pinned_beside_and_drift_is_shown(promoted: Project, model: ModelServer) -> None:
    assert promoted.gate("promote", "--passes", "2", "--quiet", "--anchor", "v1.4").code == 0
    anchor = json.loads((promoted.root / "baselines/echo/anchors/echo.json").read_text())
    assert anchor["tag"] == "v1.4"
    model.answers = lambda prompt: "no" if echo(prompt) in {f"w-{n:02d}" for n in range(10)} else echo(prompt)
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["policy"] |= {"margins": {"task_success": 0.5}, "floors": {"task_success": 0.5}}
    promoted.write({"gate.yaml": json.dumps(settings)})
    assert promoted.gate("promote", "--passes", "10", "--quiet").code == 0
    assert promoted.gate("check", "--all", "--quiet").code == 10
    assert "anchor HOLD True echo: -25.0 points since v1.4: drifted" in promoted.sentences()


def test_promote__then_check_of_the_same_version_with_many_seeds_is_mostly_promoted(empty: Project) -> None:
    empty.write(offline_files(temperature=0.5))
    assert empty.gate("promote", "--quiet").code == 0
    passes = {case["passes"] for case in json.loads((empty.root / "baselines/inbox/mail.json").read_text())["cases"]}
    assert len(passes) > 1, "the model must be noisy for this to say anything"
    outcomes = []
    for seed in range(1, 9):
        empty.gate("check", "--all", "--quiet", "--seed", str(seed))
        outcomes.append(empty.decision()["outcome"])
    assert outcomes.count("PROMOTE") >= 6
    assert "ROLLBACK" not in outcomes
