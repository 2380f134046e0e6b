"""Broken, known flaky and suspect cases from a promotion through the baseline's file to the decision and its reports."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from gate.core.broken import table_of
from gate.core.canonical import digest
from tests.projects import BASELINE, SUITE, ModelServer, Project, case_lines, echo, echo_cases

FLAKY, BROKEN = "w-05", "w-01"


@pytest.fixture
def watched(project: Project, model: ModelServer) -> Project:
    """A project with ten passes in its baseline, where one word is repeated every second time; broken cases matter."""
    project.edit("gate.yaml", '"profile": "ci"', '"profile": "merge"')
    asked: Counter[str] = Counter()

    def answer(prompt: str) -> str:
        word = echo(prompt)
        asked[word] += 1
        return "no" if word == FLAKY and asked[word] % 2 else word

    model.answers = answer
    assert project.gate("promote", "--quiet", "--as-of", "2026-11-20").code == 0
    model.answers = lambda prompt: "no" if echo(prompt) in {FLAKY, BROKEN} else echo(prompt)
    return project


def header(project: Project) -> Any:
    return json.loads((project.root / BASELINE).read_text())


def reseal(project: Project, **changes: Any) -> None:
    plain = header(project) | changes
    del plain["sha256"]
    project.write({BASELINE: json.dumps(plain | {"sha256": digest(plain)})})


def findings(project: Project) -> list[dict[str, Any]]:
    return [finding for finding in project.decision()["findings"] if finding["rule"] == "broken-case"]


def test_promote__the_table_is_fixed_in_the_file_and_the_decision_uses_it(watched: Project) -> None:
    table = table_of([(10, 10)] * 35 + [(5, 10)])
    assert header(watched)["broken"] == {
        "critical": [list(pair) for pair in table.critical],
        "expected_false_alarms": table.expected_false_alarms,
        "trials": table.trials,
    }
    watched.gate("check", "--all", "--quiet")
    broken, flaky = findings(watched)
    assert (broken["verdict"], broken["demands"], broken["cases"]) == ("FAIL", "HOLD", [BROKEN])
    assert dict(broken["figures"])["expected_false_alarms"] == table.expected_false_alarms
    assert (dict(broken["figures"])["testable"], dict(broken["figures"])["flaky"]) == (35, 1)
    assert (flaky["subject"], flaky["blocking"], flaky["cases"]) == ("flaky", False, [FLAKY])
    assert watched.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__critical_values_of_the_file_count__not_those_of_its_counts(watched: Project) -> None:
    reseal(watched, broken={"critical": [[10, -1]], "expected_false_alarms": 0.0, "trials": 6})
    watched.gate("check", "--all", "--quiet")
    first, *_ = findings(watched)
    assert (first["verdict"], dict(first["figures"])["testable"]) == ("PASS", 0)
    assert watched.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__cases_added_later_do_not_move_the_table(watched: Project) -> None:
    expected = header(watched)["broken"]["expected_false_alarms"]
    watched.write({f"{SUITE}/cases.jsonl": case_lines(echo_cases(90))})
    watched.gate("check", "--all", "--quiet")
    first, *_ = findings(watched)
    assert (dict(first["figures"])["trials"], dict(first["figures"])["expected_false_alarms"]) == (6, expected)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trials": -1}, "critical values that no baseline gives"),
        ({"critical": [[10, 7]]}, "critical values that no baseline gives"),
        ({"expected_false_alarms": 0.5}, "0.5 false alarms expected of 36 cases, at most 0.003 are allowed"),
    ],
)
def test_check__critical_values_that_cannot_be__corrupt_and_hold(
    watched: Project, change: dict[str, Any], reason: str
) -> None:
    reseal(watched, broken=header(watched)["broken"] | change)
    assert watched.gate("check", "--all", "--quiet").code == 10
    assert f"the baseline cannot be believed: {BASELINE}" in watched.sentences()
    assert reason in watched.sentences()
    assert findings(watched) == []


@pytest.mark.parametrize("side", ["baseline", "candidate"])
def test_check__case_that_one_side_calls_critical__rolls_back(watched: Project, side: str) -> None:
    if side == "baseline":
        cases = [case | {"critical": case["case_id"] == BROKEN} for case in header(watched)["cases"]]
        reseal(watched, cases=cases)
    else:
        first, *rest = echo_cases()
        watched.write({f"{SUITE}/cases.jsonl": case_lines([first | {"critical": True}, *rest])})
    assert watched.gate("check", "--all", "--quiet").code == 20
    assert watched.decision()["reason"] == "broken-case"


def test_reports__say_which_red_cases_to_ignore(watched: Project) -> None:
    ran = watched.gate("check", "--all")
    told = "echo: known flaky, not counted as broken: 1 case: w-05"
    assert told in " ".join(ran.text.split())
    comment = (watched.record / "comment.md").read_text()
    assert f"**Not counted**\n\n- {told}." in comment.replace("\\", "")
    shown = watched.gate("show")
    assert shown.code == 0
    assert "echo / echo\n  35 solid cases are watched one by one\n  confirmed broken: 10/10 before" in shown.out
    assert "fixed with the baseline of 2026-11-20)" in shown.out
    assert "fixed with the baseline of 2026-11-20)" in watched.gate("plan", "--no-rates").out
    explained = watched.gate("explain", "lockgate-out/decision.json", "--rule", "broken-case").out
    assert "fixed with the baseline of 2026-11-20: 10/10 before" in explained
    assert "w-05: 5/10 before, 0 of" in explained


def test_check__short_baseline__a_failing_case_is_a_suspect_and_shown_as_one(
    project: Project, model: ModelServer
) -> None:
    project.edit("gate.yaml", '"profile": "ci"', '"profile": "merge"')
    assert project.gate("promote", "--quiet", "--passes", "2", "--as-of", "2026-11-20").code == 0
    model.answers = lambda prompt: "no" if echo(prompt) == BROKEN else echo(prompt)
    project.gate("check", "--all", "--quiet")
    main, suspects = findings(project)
    assert (main["verdict"], dict(main["figures"])["testable"]) == ("PASS", 0)
    assert (suspects["subject"], suspects["blocking"], suspects["cases"]) == ("suspects", False, [BROKEN])
    comment = (project.record / "comment.md").read_text().replace("\\", "")
    assert "- echo: suspects, named and not confirmed: w-01 (0 of " in comment
    assert " · suspect</summary>" in comment


def test_aa__stale_baseline_keeps_its_critical_values(watched: Project) -> None:
    before = header(watched)["broken"]
    assert watched.gate("check", "--aa", "--quiet").code == 10
    assert header(watched)["stale"].startswith("the provider moved")
    assert header(watched)["broken"] == before
