"""A case is reused if and only if it is asked, judged and compared with byte for byte as in the baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.app.plan import outlook
from gate.app.plan_text import render_outlook
from gate.app.project import Project, load_project
from gate.app.request import CheckRequest
from gate.app.reuse import claimed, requests_of, reuse_of, with_requests
from gate.app.running import render_suite
from gate.core.aggregate import suite_evidence
from gate.core.decision import decide, next_steps
from gate.core.evidence import BaselineCase, Evidence, SuiteBaseline
from gate.core.finding import Outcome
from gate.core.policy import Policy
from gate.store.baselines import render_baseline
from gate.targets.version import Coverage
from tests.projects import case_lines, echo_cases, gate_yaml

AS_OF = "2026-11-21"
SUITE = "golden_sets/plain"
BASELINE = "baselines/echo/plain.json"
SCHEMAS = ("schema.json", "other.json")
MODEL: Mapping[str, Any] = {
    "provider": "openai",
    "base_url": "http://127.0.0.1:9/v1",
    "name": "echo-1",
    "temperature": 0.2,
    "max_output_tokens": 50,
    "response_schema": "schema.json",
}
SETTINGS: Mapping[str, Any] = {"scorers": [{"exact": {}}], "pass_mark": 0.7}
PROMPT = "Repeat {{ word }}."
CASES = 36


def project_files(
    *,
    prompt: str = PROMPT,
    model: Mapping[str, Any] = MODEL,
    cases: list[dict[str, Any]] | None = None,
    suite: Mapping[str, Any] = SETTINGS,
    floors: Mapping[str, float] | None = None,
) -> dict[str, str]:
    """A project whose only suite is compared and has no floor, unless one is asked for."""
    policy = {
        "profile": "ci",
        "dimensions": {"over_refusal": "block", "task_success": "report"},
        "margins": {"over_refusal": 0.1},
        "floors": dict(floors or {}),
    }
    target = {"prompt": "prompt.md", "model": dict(model), "suites": [SUITE]}
    return {
        "gate.yaml": gate_yaml({"echo": target}, policy=policy),
        "prompt.md": prompt,
        "schema.json": '{"type": "object"}',
        "other.json": '{"type": "array"}',
        f"{SUITE}/suite.yaml": json.dumps({"kind": "golden", "dimension": "over_refusal", **suite}),
        f"{SUITE}/cases.jsonl": case_lines(cases or echo_cases(CASES)),
    }


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def load(root: Path) -> Project:
    return load_project(CheckRequest(root=root, out=root / "out", as_of=AS_OF))


def prompts_of(project: Project) -> dict[str, str]:
    (plan,) = project.targets
    return render_suite(plan, plan.suites[0])


def baseline_of(project: Project) -> SuiteBaseline:
    """The baseline that ten passes of this version might have left: every case fails now and then."""
    (plan,) = project.targets
    (entry,) = plan.suites
    bare = SuiteBaseline(
        identity=entry.identity,
        as_of="2026-11-20",
        cases=tuple(
            BaselineCase(case_id=case.id, digest=case.digest, passes=7, trials=10) for case in entry.suite.cases
        ),
    )
    return with_requests(bare, project, prompts_of(project))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its baseline."""
    folder = tmp_path_factory.mktemp("project")
    write(folder, project_files())
    write(folder, {BASELINE: render_baseline(baseline_of(load(folder)))})
    return folder


def reused_in(project: Project, prompts: Mapping[str, str], as_of: str = AS_OF) -> set[str]:
    (plan,) = project.targets
    (entry,) = plan.suites
    requests = requests_of(plan, entry.suite, prompts)
    return set(reuse_of(project.policy, entry, requests, as_of=as_of).requests)


PROMPTS = st.sampled_from(
    (
        PROMPT,
        PROMPT + "{# a comment #}",
        "{% if word %}Repeat {{ word }}.{% endif %}",
        "{% if word < 'w-10' %}Please repeat {{ word }}.{% else %}Repeat {{ word }}.{% endif %}",
        "Repeat  {{ word }}.",
        "Repeat {{ word }}.\n",
        "Repeat {{ word | upper }}.",
        "Repeat {{ tone | default('') }}{{ word }}.",
    )
)
CHANGES = st.dictionaries(
    st.integers(0, CASES - 1),
    st.sampled_from(("input", "expected", "tone", "tags", "severity", "critical", "renamed")),
    max_size=6,
)
MODELS = st.sampled_from(
    (
        {},
        {},
        {},
        {"stream": True},
        {"temperature": 0.3},
        {"max_output_tokens": 51},
        {"name": "echo-2"},
        {"base_url": "http://127.0.0.1:9/v2"},
        {"seed": 1},
        {"seed": "per-trial"},
        {"response_schema": "other.json"},
        {"response_schema": None},
        {"provider": "deepseek", "response_schema": None},
    )
)
SUITES = st.sampled_from(({}, {}, {}, {"pass_mark": 0.8}, {"scorers": [{"exact": {"strip": False}}]}, {"margin": 0.2}))


def edited(changes: Mapping[int, str]) -> tuple[list[dict[str, Any]], set[str]]:
    """Cases with these changes, and ids of those whose content is as it was."""
    cases = echo_cases(CASES)
    same = {case["id"] for case in cases}
    for place, what in changes.items():
        case = cases[place]
        if what == "input":
            case["input"] = {"word": "another"}
        elif what == "tone":
            case["input"] = {**case["input"], "tone": "please "}
        elif what == "expected":
            case["expected"] = {"answer": "another"}
        elif what == "renamed":
            same.discard(case["id"])
            case["id"] = f"new-{place}"
            same.add(case["id"])
        else:
            case |= {"tags": {"language": "es"}} if what == "tags" else {}
            case |= {"severity": "P2"} if what == "severity" else {}
            case |= {"critical": True} if what == "critical" else {}
        if what in {"input", "tone", "expected"}:
            same.discard(case["id"])
    return cases, same


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=PROMPTS, changes=CHANGES, model=MODELS, suite=SUITES)
def test_reuse_of__exactly_what_is_asked_and_judged_the_same(
    root: Path, prompt: str, changes: dict[int, str], model: dict[str, Any], suite: dict[str, Any]
) -> None:
    cases, same = edited(changes)
    asked = {name: value for name, value in {**MODEL, **model}.items() if value is not None}
    write(root, project_files(prompt=prompt, model=asked, cases=cases, suite={**SETTINGS, **suite}))
    project = load(root)
    unlike = {name for name in {*asked, *MODEL} - {"stream"} if asked.get(name) != MODEL.get(name)}
    judged = {**SETTINGS, **suite, "margin": None} == {**SETTINGS, "margin": None}
    words = {case["id"]: case["input"]["word"] for case in cases}
    prompts = prompts_of(project)
    rendered = {case_id for case_id, text in prompts.items() if text == f"Repeat {words[case_id]}."}
    assert reused_in(project, prompts) == (set() if unlike or not judged else same & rendered)


def test_reuse_of__nothing_without_a_recent_baseline_or_a_complete_version(root: Path) -> None:
    write(root, project_files(prompt=PROMPT + "{# another #}"))
    project = load(root)
    prompts = prompts_of(project)
    assert len(reused_in(project, prompts)) == CASES
    assert reused_in(project, prompts, "2026-12-04") != set()
    assert reused_in(project, prompts, "2026-12-05") == set()
    (plan,) = project.targets
    for coverage in (Coverage.DECLARED, Coverage.UNKNOWN):
        declared = replace(plan, version=replace(plan.version, coverage=coverage))
        assert requests_of(declared, plan.suites[0].suite, prompts) == {}


def test_requests_of__another_lockgate_asks_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, project_files())
    project = load(root)
    monkeypatch.setattr("gate.app.reuse.__version__", "9.9.9")
    assert reused_in(project, prompts_of(project)) == set()


def test_decide__an_unchanged_version_promotes_without_a_call(root: Path) -> None:
    write(root, project_files())
    project = load(root)
    (plan,) = project.targets
    (entry,) = plan.suites
    reuse = reuse_of(project.policy, entry, requests_of(plan, entry.suite, prompts_of(project)), as_of=AS_OF)
    assert (len(reuse.requests), reuse.fresh) == (CASES, 0)
    policy: Policy = replace(project.policy, requirements=project.policy.requirements[:1])
    assert [dimension.value for dimension, _ in policy.requirements] == ["over_refusal"]
    evidence = Evidence(suites=(replace(claimed(entry, reuse.requests), passes=1),))
    asked = {"policy": policy, "evidence": evidence, "references": (entry.reference,), "as_of": AS_OF}
    assert next_steps(**asked) == ()
    assert decide(**asked).outcome is Outcome.PROMOTE


def test_reuse_of__a_case_that_an_earlier_run_asked_goes_on(root: Path) -> None:
    write(root, project_files())
    project = load(root)
    (plan,) = project.targets
    (entry,) = plan.suites
    requests = requests_of(plan, entry.suite, prompts_of(project))
    earlier = suite_evidence(suite=entry.suite, identity=entry.identity, trials={}, passes=1)
    assert not reuse_of(project.policy, entry, requests, as_of=AS_OF, earlier=earlier).requests
    again = claimed(entry, requests)
    assert len(reuse_of(project.policy, entry, requests, as_of=AS_OF, earlier=again).requests) == CASES


def test_outlook__calls_of_changed_cases_only(root: Path) -> None:
    branch = "{% if word < 'w-10' %}Please repeat {{ word }}.{% else %}Repeat {{ word }}.{% endif %}"
    write(root, project_files(prompt=branch))
    (one,) = outlook(load(root), as_of=AS_OF)
    assert (one.unchanged, one.rests, one.least_calls, one.most_calls) == (27, True, 9, 45)
    assert max(point.calls for point in one.points) <= 45 + 9 * 10
    assert "  27 of 36 cases unchanged, not asked again" in render_outlook(one).splitlines()


def test_outlook__a_floor_takes_all_cases(root: Path) -> None:
    branch = "{% if word < 'w-10' %}Please repeat {{ word }}.{% else %}Repeat {{ word }}.{% endif %}"
    write(root, project_files(prompt=branch, floors={"over_refusal": 0.5}))
    (one,) = outlook(load(root), as_of=AS_OF, rates=False)
    assert (one.unchanged, one.rests, one.least_calls, one.most_calls) == (27, False, 36, 180)
    told = "  27 of 36 cases unchanged, asked only for rules that need new answers"
    assert told in render_outlook(one).splitlines()


def test_outlook__of_the_baselines_own_version_is_of_changes_to_come(root: Path) -> None:
    write(root, project_files())
    (one,) = outlook(load(root), as_of=AS_OF, rates=False)
    assert (one.unchanged, one.least_calls) == (0, 36)
