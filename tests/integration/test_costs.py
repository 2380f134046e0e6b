"""What a run costs: where its prices are known from, and how far off the plan was."""

from __future__ import annotations

import json
import re

import pytest

from tests.projects import BASELINE, CASES, ModelServer, Project

PRICE = {"prices": {"echo-1": {"input": 100.0, "output": 500.0}}}  # 5 and 1 tokens: a tenth of a cent a call
ONE = ("check", "--all", "--passes", "1")


def with_settings(project: Project, **changes: object) -> None:
    settings = json.loads((project.root / "gate.yaml").read_text())
    project.write({"gate.yaml": json.dumps(settings | changes)})


def line(out: str, title: str) -> str:
    """What stands beside a title in the margin, on one line."""
    found = re.search(rf"^  {title} +(.*(?:\n {{11}}.*)*)", out, re.MULTILINE)
    assert found is not None, out
    return " ".join(part.strip() for part in found[1].splitlines())


@pytest.mark.usefixtures("model")
def test_check__prices_of_gate_yaml__stand_in_evidence_baseline_and_small_print(project: Project) -> None:
    with_settings(project, **PRICE)
    assert project.gate("promote", "--passes", "2", "--quiet").code == 0
    assert json.loads((project.root / BASELINE).read_text())["prices"] == "gate.yaml"
    ran = project.gate(*ONE)
    assert ran.code == 0
    assert project.evidence()["suites"][0]["prices"] == "gate.yaml"
    assert "Prices: gate.yaml.</sub>" in (project.record / "comment.md").read_text()
    told = f"{CASES} calls predicted, {CASES} made (+0 %); $0.0360 predicted, $0.0360 spent (+0 %)"
    assert line(ran.out, "plan") == told
    summary = (project.record / "summary.md").read_text()
    assert f"**Plan**: {CASES} calls predicted, {CASES} made (+0 %)" in summary
    assert "**Plan**" not in (project.record / "comment.md").read_text()
    assert project.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__no_price__is_said_and_the_baseline_of_old_stays_as_it_is(promoted: Project) -> None:
    assert promoted.gate(*ONE).code == 0
    assert promoted.evidence()["suites"][0]["prices"] == "unavailable"
    assert "Prices: unavailable.</sub>" in (promoted.record / "comment.md").read_text()


def test_check__other_prices_than_the_baseline__are_named(promoted: Project) -> None:
    with_settings(promoted, **PRICE)
    assert promoted.gate(*ONE).code == 0
    assert "Prices: gate.yaml; the baseline's: unavailable.</sub>" in (promoted.record / "comment.md").read_text()


def test_check__answers_that_were_twice_as_dear_as_planned__show_the_error(
    project: Project, model: ModelServer
) -> None:
    with_settings(project, **PRICE)
    assert project.gate("promote", "--passes", "2", "--quiet").code == 0
    dear = {"prices": {"echo-1": {"input": 200.0, "output": 1000.0}}}
    with_settings(project, **dear)
    ran = project.gate(*ONE)
    assert line(ran.out, "plan").endswith("$0.0360 predicted, $0.0720 spent (+100 %)")
    # A plan goes by what the baseline paid, for as long as the model is the same.
    last = project.gate("plan", "--no-rates").out.splitlines()[-1]
    assert last == f"expected of a change that changes nothing: {CASES} calls, $0.0360"


def test_check__stopped_by_its_budget__says_why_there_is_no_comparison(promoted: Project) -> None:
    with_settings(promoted, budget={"calls": 9})
    ran = promoted.gate(*ONE)
    assert ran.code == 10
    assert line(ran.out, "plan") == "no comparison with the plan: the run did not come to its end"


def test_check__nothing_to_run__says_nothing_of_a_plan(promoted: Project) -> None:
    assert promoted.gate("check").code == 0
    assert "plan" not in promoted.gate("check").out
