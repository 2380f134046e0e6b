"""A policy that asks for k of m: one finding decides, and a first pass is never ended early."""

from __future__ import annotations

import json

import pytest

from tests.projects import Project

AT_LEAST = {"count": 1, "of": ["task_success"]}


@pytest.fixture
def counted(promoted: Project) -> Project:
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["policy"]["at_least"] = AT_LEAST
    promoted.write({"gate.yaml": json.dumps(settings)})
    return promoted


def test_check__k_of_m_reached(counted: Project) -> None:
    ran = counted.gate("check", "--quiet", "--all")
    decision = counted.decision()
    (found,) = [finding for finding in decision["findings"] if finding["rule"] == "k-of-m"]
    assert (ran.code, found["verdict"], found["subject"]) == (0, "PASS", "1 of 1")
    assert "1 of 1 dimensions" in ran.out
    explained = counted.gate("explain", "lockgate-out/decision.json", "--rule", "k-of-m")
    assert "docs/reference/rules.md#k-of-m" in explained.out
    assert counted.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__k_of_m_out_of_reach__after_a_whole_pass(counted: Project) -> None:
    counted.write({"prompts/echo.md": "{{ word }} is to be repeated.\n"})
    ran = counted.gate("check", "--quiet")
    decision = counted.decision()
    rules = {finding["rule"]: finding for finding in decision["findings"]}
    assert (ran.code, decision["settle"], rules["k-of-m"]["verdict"]) == (20, "", "FAIL")
    assert (rules["regression"]["blocking"], "abort" in rules) == (False, False)
    assert "36 cases" in (counted.record / "comment.md").read_text()


def test_plan__k_of_m_is_said(counted: Project) -> None:
    said = counted.gate("plan").out
    assert "at least 1 of task_success must be shown not worse, and not each of them" in said
