"""Suites that compare values from 0 to 1, and margins by dimension, from the command line on a real model server."""

from __future__ import annotations

import json

import pytest

from tests.projects import SUITE, ModelServer, Project, Response, echo, echo_files, echo_target, gate_yaml

# A wrong answer that is short is worth 0.5, which still passes: only its value tells it from a right one.
SCORED = "kind: golden\nmetric: score\npass_mark: 0.4\nscorers: [{exact: {}}, {length: {maximum: 20}}]\n"


@pytest.fixture
def scored(project: Project) -> Project:
    """The project with a suite that compares values, and its baseline."""
    project.write({f"{SUITE}/suite.yaml": SCORED})
    assert project.gate("promote", "--passes", "3", "--quiet").code == 0
    return project


def test_check__same_values__promoted_and_replayed(scored: Project) -> None:
    ran = scored.gate("check", "--all", "--quiet")
    assert (ran.code, "mean score 100.0 -> 100.0" in scored.sentences()) == (0, True)
    (suite,) = scored.evidence()["suites"]
    assert suite["metric"] == "score"
    assert {tuple(case["values"]) for case in suite["cases"]} == {(1.0,) * suite["passes"]}
    assert scored.gate("replay", "lockgate-out/decision.json").code == 0
    explained = scored.gate("explain", "lockgate-out/decision.json", "--rule", "regression")
    assert "x and y being sums of values" in explained.out


def test_check__values_fall_while_all_trials_pass__rolled_back(scored: Project, model: ModelServer) -> None:
    model.answers = lambda prompt: "no" if echo(prompt) < "w-13" else echo(prompt)
    assert scored.gate("check", "--all", "--quiet").code == 20
    assert "regression ROLLBACK True echo: shown worse, mean score 100.0 -> 83.3 (-16.7 points)" in scored.sentences()
    assert {case["marks"] for case in scored.evidence()["suites"][0]["cases"]} == {"P"}


def test_check__same_fall_with_passes__not_seen(project: Project, model: ModelServer) -> None:
    project.write({f"{SUITE}/suite.yaml": SCORED.replace("metric: score\n", "")})
    assert project.gate("promote", "--passes", "3", "--quiet").code == 0
    model.answers = lambda prompt: "no" if echo(prompt) < "w-13" else echo(prompt)
    assert project.gate("check", "--all", "--quiet").code == 0
    (suite,) = project.evidence()["suites"]
    assert ("metric" in suite, "values" in suite["cases"][0]) == (False, False)


def test_check__worthless_values__aborted(scored: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: "nonsense"
    assert scored.gate("check", "--all", "--quiet").code == 20
    assert "broken, stopped after 30 cases: 100.0 -> 50.0" in scored.sentences()
    assert scored.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__metric_changed__not_comparable(scored: Project) -> None:
    scored.edit(f"{SUITE}/suite.yaml", "metric: score\n", "")
    assert scored.gate("check", "--all", "--quiet").code == 10
    assert "judge changed" in scored.sentences()


def test_check__outage__values_and_marks_stay_in_step(scored: Project, model: ModelServer) -> None:
    model.answers = lambda prompt: Response(status=400, body=b"no") if echo(prompt) == "w-07" else echo(prompt)
    assert scored.gate("check", "--all", "--quiet").code == 10
    cases = {case["case_id"]: case for case in scored.evidence()["suites"][0]["cases"]}
    assert set(cases["w-07"]["marks"]) == {"U"}
    assert cases["w-07"].get("values", []) == []
    assert scored.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__earlier_evidence__values_are_joined(scored: Project) -> None:
    first = scored.gate("check", "--all", "--quiet", "--out", "first")
    again = scored.gate("check", "--all", "--quiet", "--out", "second", "--evidence", "first/evidence.json")
    assert again.code == first.code
    assert scored.trials("second") == []
    one, two = (json.loads((scored.root / name / "evidence.json").read_text()) for name in ("first", "second"))
    assert one["suites"][0]["cases"] == two["suites"][0]["cases"]


def test_plan__says_what_is_compared_and_how_it_is_simulated(scored: Project) -> None:
    told = scored.gate("plan").out
    assert "36 cases, task_success, scope population, metric score" in told
    assert "values are drawn from beta distributions" in told


def test_plan__few_clusters__can_show_nothing(project: Project) -> None:
    lines = (project.root / f"{SUITE}/cases.jsonl").read_text().splitlines()
    cases = [json.loads(line) | {"cluster": f"doc{place % 9}"} for place, line in enumerate(lines)]
    project.write({f"{SUITE}/cases.jsonl": "".join(json.dumps(case) + "\n" for case in cases)})
    assert "can show no drop: name at least 10 clusters (now 9)" in project.gate("plan").out


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ({"profile": "ci", "margins": {"task_success": 0.2}, "margin": 0.01}, 0.2),
        ({"profile": "ci", "margins": {"task_success": 0.2}}, 0.2),
    ],
)
def test_check__margin_of_the_dimension_wins(
    empty: Project, model: ModelServer, policy: dict[str, object], wanted: float
) -> None:
    empty.write(echo_files(model.url))
    empty.write({"gate.yaml": gate_yaml({"echo": echo_target(model.url)}, policy=policy)})
    assert empty.gate("promote", "--passes", "2", "--quiet").code == 0
    empty.gate("check", "--all", "--quiet")
    found = [finding for finding in empty.decision()["findings"] if finding["rule"] == "regression"]
    assert [dict(finding["figures"])["margin"] for finding in found] == [wanted]


def test_validate__general_margin_cannot_widen_the_profiles(empty: Project, model: ModelServer) -> None:
    empty.write(echo_files(model.url))
    policy = {"profile": "ci", "margin": 0.1}
    empty.write({"gate.yaml": gate_yaml({"echo": echo_target(model.url)}, policy=policy)})
    ran = empty.gate("validate")
    assert (ran.code, "a margin of 5 points in scope population needs 60" in ran.err) == (2, True)
