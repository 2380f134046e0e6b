"""Cases that are asked what the baseline was asked are not asked again, from the command line on a real model server."""

from __future__ import annotations

import json

import pytest

from tests.projects import (
    PROMPT,
    SUITE,
    ModelServer,
    Project,
    case_lines,
    echo_cases,
    echo_files,
    echo_target,
    gate_yaml,
)

PLAIN = "golden_sets/plain"
BASELINE = "baselines/echo/plain.json"
# A branch that is rendered for the first cases only.
BRANCH = "{% if word < 'w-05' %}Please repeat: {{ word }}{% else %}Repeat: {{ word }}{% endif %}\n"
REWORDED = "{% if word %}Repeat: {{ word }}\n{% endif %}"


def files(url: str) -> dict[str, str | bytes | None]:
    """A project with a suite under a floor, and one that is only compared."""
    target = echo_target(url)
    suites = [SUITE, PLAIN]
    policy = {
        "profile": "ci",
        "dimensions": {"over_refusal": "block"},
        "margins": {"task_success": 0.1, "over_refusal": 0.1},
    }
    return {
        **echo_files(url),
        "gate.yaml": gate_yaml({"echo": {**target, "suites": suites}}, policy=policy),
        f"{PLAIN}/suite.yaml": "kind: golden\ndimension: over_refusal\nscorers: [{exact: {}}]\n",
        f"{PLAIN}/cases.jsonl": case_lines(echo_cases()),
    }


@pytest.fixture
def two(empty: Project, model: ModelServer) -> Project:
    """The project with both suites and their baselines, without a request so far."""
    empty.write(files(model.url))
    ran = empty.gate("promote", "--passes", "3", "--quiet", "--as-of", "2026-11-20")
    assert ran.code == 0, ran.text
    model.reset()
    return empty


def cases_of(project: Project, suite: str) -> dict[str, dict]:
    (own,) = (one for one in project.evidence()["suites"] if one["identity"]["suite"] == suite)
    return {case["case_id"]: case for case in own["cases"]}


def test_promote__says_what_each_case_was_asked(two: Project) -> None:
    cases = json.loads((two.root / BASELINE).read_text())["cases"]
    assert len({case["request"] for case in cases}) == len(cases) == 36
    assert all(case["request"].startswith("sha256:") for case in cases)


def test_check__only_changed_cases_are_asked_where_nothing_needs_new_answers(two: Project, model: ModelServer) -> None:
    two.write({PROMPT: BRANCH})
    ran = two.gate("check")
    assert ran.code == 0, ran.text
    plain, floor = cases_of(two, "plain"), cases_of(two, "echo")
    asked = {case_id for case_id, case in plain.items() if case["marks"]}
    assert asked == {"w-01", "w-02", "w-03", "w-04"}
    assert {case_id for case_id, case in plain.items() if case.get("reused")} == set(plain) - asked
    assert all(case["marks"].startswith("P") for case in floor.values())
    assert len(model.prompts) == len(two.trials())
    told = "plain: 4 of 4 trials scored; 32 of 36 cases unchanged, not asked again"
    assert told in two.sentences()
    assert "echo: 36 of 36 trials scored; 32 of 36 cases unchanged, asked only for rules that need" in two.sentences()
    line = "32 of 72 cases unchanged, not asked again · 32 of 72 cases unchanged, asked only for rules"
    comment = (two.record / "comment.md").read_text(encoding="utf-8")
    assert line in comment
    assert "32 of 72 cases unchanged, not asked again" in " ".join(ran.out.split())
    assert "unchanged, not asked again" in (two.record / "junit.xml").read_text()
    assert two.gate("replay", "lockgate-out/decision.json").code == 0
    explained = two.gate("explain", "lockgate-out/decision.json").out
    assert "32 of 36 cases are asked what the baseline was asked: d = 0, without noise" in explained


def test_check__a_template_that_renders_alike_costs_no_call(two: Project, model: ModelServer) -> None:
    two.write({PROMPT: REWORDED})
    ran = two.gate("check", "--suite", "plain", "--quiet")
    assert model.prompts == []
    assert "plain: 36 of 36 cases unchanged, not asked again" in two.sentences()
    assert "unchanged: all 36 cases are asked what the baseline was asked" in two.sentences()
    assert "regression PROMOTE True" in two.sentences()
    # The other suite was left out, which is no fault of this one.
    assert (ran.code, two.decision()["reason"]) == (10, "completeness")


def test_check__a_change_of_the_policy_alone_costs_no_call(two: Project, model: ModelServer) -> None:
    target = {**echo_target(model.url), "suites": [PLAIN]}
    policy = {"profile": "ci", "dimensions": {"task_success": "report", "over_refusal": "block"}}
    margins = {"task_success": 0.1, "over_refusal": 0.1}
    two.write({"gate.yaml": gate_yaml({"echo": target}, policy={**policy, "margins": margins})})
    ran = two.gate("check", "--quiet")
    assert "unchanged: all 36 cases" in two.sentences()
    assert model.prompts == []
    assert ran.code in {0, 10}


@pytest.mark.parametrize("words", [("--all",), ("--aa",), ("--as-of", "2026-12-05"), ("--as-of", "2026-11-19")])
def test_check__asks_everything_again(words: tuple[str, ...], two: Project, model: ModelServer) -> None:
    if words != ("--aa",):
        two.write({PROMPT: BRANCH})
    two.gate("check", "--suite", "plain", "--quiet", *words)
    assert len(set(model.prompts)) == 36
    assert not any(case.get("reused") for case in cases_of(two, "plain").values())


@pytest.mark.parametrize(
    "change", [{"temperature": 0.3}, {"max_output_tokens": 51}, {"name": "echo-2"}, {"seed": 7}, {"seed": "per-trial"}]
)
def test_check__another_request_is_asked(change: dict, two: Project, model: ModelServer) -> None:
    text = json.loads((two.root / "gate.yaml").read_text())
    text["targets"]["echo"]["model"].update(change)
    two.write({"gate.yaml": json.dumps(text)})
    two.gate("check", "--suite", "plain", "--quiet")
    assert len(set(model.prompts)) == 36
    assert not any(case.get("reused") for case in cases_of(two, "plain").values())


def test_check__a_broken_branch_is_found(two: Project, model: ModelServer) -> None:
    two.write({PROMPT: BRANCH.replace("'w-05'", "'w-13'").replace("Please repeat: {{ word }}", "Say no")})
    ran = two.gate("check", "--quiet")
    assert ran.code == 20, ran.text
    assert not any(case.get("reused") and "F" in case["marks"] for case in cases_of(two, "plain").values())


def test_check__unchanged_cases_fail_a_floor(two: Project, model: ModelServer) -> None:
    two.write({PROMPT: BRANCH})
    model.answers = lambda _prompt: "nonsense"
    ran = two.gate("check", "--suite", "echo", "--quiet")
    assert ran.code == 20, ran.text
    assert "floor ROLLBACK True" in two.sentences()


def test_check__an_edited_case_is_asked(two: Project, model: ModelServer) -> None:
    cases = echo_cases()
    cases[0] = {**cases[0], "input": {"word": "w-99"}, "expected": {"answer": "w-99"}}
    two.write({f"{PLAIN}/cases.jsonl": case_lines(cases)})
    two.gate("check", "--suite", "plain", "--quiet")
    assert {prompt.strip() for prompt in model.prompts} == {"Repeat: w-99"}


def test_check__an_earlier_run_of_the_same_version(two: Project, model: ModelServer) -> None:
    two.write({PROMPT: BRANCH})
    two.gate("check", "--suite", "plain", "--quiet", "--out", "first")
    model.reset()
    two.gate("check", "--suite", "plain", "--quiet", "--evidence", "first/evidence.json")
    assert model.prompts == []
    # What was left out then is made up for where it may not be left out now.
    two.gate("check", "--all", "--suite", "plain", "--quiet", "--evidence", "first/evidence.json")
    assert len(set(model.prompts)) == 32
    assert all(case["marks"] for case in cases_of(two, "plain").values())


def test_check__what_an_earlier_run_asked_goes_on(two: Project, model: ModelServer) -> None:
    two.write({PROMPT: BRANCH})
    two.gate("check", "--all", "--suite", "plain", "--quiet", "--out", "first")
    model.reset()
    two.gate("check", "--suite", "plain", "--quiet", "--evidence", "first/evidence.json")
    assert not any(case.get("reused") for case in cases_of(two, "plain").values())


def test_check__a_case_that_a_changed_one_must_outrank_is_asked_beside_it(empty: Project, model: ModelServer) -> None:
    cases = [{**case, "expected": {"score": 0.5}} for case in echo_cases()]
    for case, peer in ((0, 10), (10, 20)):
        cases[case]["expected"] = {"score": 0.5, "outranks": [f"w-{peer + 1:02d}"]}
    scorers = "scorers: [{ordering: {path: score}}, {within: {path: score, tolerance: 1}}]\n"
    empty.write(files(model.url) | {f"{PLAIN}/cases.jsonl": case_lines(cases)})
    empty.write({f"{PLAIN}/suite.yaml": f"kind: golden\ndimension: over_refusal\n{scorers}"})
    model.answers = lambda prompt: json.dumps({"score": 1 - int(prompt.split("-")[1]) / 100})
    ran = empty.gate("promote", "--passes", "2", "--suite", "plain", "--quiet")
    assert ran.code == 0, ran.text
    empty.write({PROMPT: BRANCH.replace("'w-05'", "'w-02'")})
    model.prompts.clear()
    empty.gate("check", "--suite", "plain", "--quiet")
    assert {prompt.split()[-1] for prompt in model.prompts} == {"w-01", "w-11", "w-21"}
    # A changed peer changes the score of the case above it, and of no other one.
    empty.write({PROMPT: BRANCH.replace("word < 'w-05'", "word == 'w-21'")})
    model.prompts.clear()
    empty.gate("check", "--suite", "plain", "--quiet")
    assert {prompt.split()[-1] for prompt in model.prompts} == {"w-11", "w-21"}
