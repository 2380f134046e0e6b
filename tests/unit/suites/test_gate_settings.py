"""load_settings on real gate.yaml files."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from gate.core.model import Dimension
from gate.core.policy import LatencyRule, Mode, OnBroken, Profile, SliceRule
from gate.documents.tree import WorkingTree
from gate.errors import ConfigurationError
from gate.suites.settings import Settings, load_settings

FULL = """\
version: 1
mode: advisory
credentials: {OPENAI_API_KEY: [API.openai.com, "127.0.0.1:8080"]}
targets:
  sales-email-intent:
    prompt: ./prompts/sales_email_intent.md
    model:
      provider: openai
      name: gpt-4.1-mini-2025-04-14
      temperature: 0.2
      max_output_tokens: 300
      seed: 7
      base_url: https://api.openai.com/v1
      api_key: OPENAI_API_KEY
    suites: [golden_sets/a, golden_sets/b/]
  agent:
    command: [python, agent.py, "--fast"]
    suites: [golden_sets/a]
    version-files: [agent.py]
    timeout: 2.5
    concurrency: 2
  function:
    python: package.module:answer
    suites: [golden_sets/a]
policy:
  profile: pre-production
  margin: 0.05
  slices: {language: warn, difficulty: block}
  on_broken: rollback
  dimensions: {latency: block, cost: report}
  floors: {task_success: 0.8, latency: 15000}
  p95_ms: 900
budget: {usd: 5, calls: 4000, minutes: 20, tokens: 1000000}
prices: {my-model-1: {input: 0, output: 0.6}}
"""

SMALL = """\
version: 1
targets:
  a:
    prompt: p.md
    model: {provider: offline, name: offline-1, temperature: 0, max_output_tokens: 9}
    suites: [s]
"""


def loaded(folder: Path, text: str) -> Settings:
    (folder / "gate.yaml").write_text(text, encoding="utf-8")
    return load_settings(WorkingTree(folder))


def refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    assert caught.value.hint
    return str(caught.value).splitlines()


def changed(old: str, new: str, text: str = FULL) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_load_settings__everything(tmp_path: Path) -> None:
    settings = loaded(tmp_path, FULL)
    assert settings.mode is Mode.ADVISORY
    assert settings.credentials == {"OPENAI_API_KEY": ("api.openai.com", "127.0.0.1:8080")}
    target = settings.targets["sales-email-intent"]
    assert (target.prompt, target.suites) == ("prompts/sales_email_intent.md", ("golden_sets/a", "golden_sets/b"))
    assert target.model is not None
    assert target.model.model_dump() == {
        "provider": "openai",
        "base_url": "https://api.openai.com/v1",
        "name": "gpt-4.1-mini-2025-04-14",
        "temperature": 0.2,
        "max_output_tokens": 300,
        "token_limit_key": None,
        "seed": 7,
        "api_version": None,
        "api_key": "OPENAI_API_KEY",
        "stream": False,
        "response_schema": None,
    }
    agent = settings.targets["agent"]
    assert (agent.command, agent.version_files) == (("python", "agent.py", "--fast"), ("agent.py",))
    assert (agent.timeout, agent.concurrency) == (2.5, 2)
    assert settings.targets["function"].python == "package.module:answer"
    policy = settings.policy
    assert (policy.profile, policy.margin, policy.on_broken) == (Profile.PRE_PRODUCTION, 0.05, OnBroken.ROLLBACK)
    assert policy.slices == {"language": SliceRule.WARN, "difficulty": SliceRule.BLOCK}
    assert policy.dimensions == {Dimension.LATENCY: "block", Dimension.COST: "report"}
    assert policy.floors == {Dimension.TASK_SUCCESS: 0.8, Dimension.LATENCY: 15000.0}
    assert policy.p95_ms == 900.0
    assert settings.budget.model_dump() == {"usd": 5.0, "calls": 4000, "minutes": 20.0, "tokens": 1000000}
    assert settings.prices["my-model-1"].model_dump() == {"input": 0.0, "output": 0.6, "cached_input": None}


def test_load_settings__defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SMALL)
    assert (settings.mode, settings.credentials, settings.prices) == (Mode.ENFORCE, {}, {})
    target = settings.targets["a"]
    assert (target.timeout, target.concurrency, target.version_files) == (60.0, 8, ())
    assert (settings.policy.profile, settings.policy.margin) == (Profile.MERGE, 0.03)
    assert (settings.policy.on_broken, settings.policy.p95_ms) == (OnBroken.HOLD, None)
    assert settings.policy.latency is LatencyRule.BUDGET
    assert set(settings.budget.model_dump().values()) == {None}


def test_load_settings__latency(tmp_path: Path) -> None:
    text = changed("  p95_ms: 900\n", "  p95_ms: 900\n  latency: concurrent\n")
    assert loaded(tmp_path, text).policy.latency is LatencyRule.CONCURRENT
    assert "policy.latency: " in refusal(tmp_path, text.replace("concurrent", "baseline"))[0]


AT_LEAST = "  at_least: {count: 2, of: [task_success, safety]}\n"


def with_at_least(old: str, new: str) -> str:
    return changed("  floors:", AT_LEAST.replace(old, new) + "  floors:")


def test_load_settings__k_of_m(tmp_path: Path) -> None:
    found = loaded(tmp_path, with_at_least("", "")).policy.at_least
    assert found is not None
    assert (found.count, found.of) == (2, (Dimension.TASK_SUCCESS, Dimension.SAFETY))
    loaded(tmp_path, with_at_least("safety", "liveness").replace("latency: block,", "latency: block, liveness: block,"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count: 2", "count: 3", "policy.at_least: count is 3, and only 2 dimensions are named"),
        ("count: 2", "count: 0", "policy.at_least.count: "),
        ("safety", "task_success", "policy.at_least.of: task_success is named 2 times"),
        ("safety", "latency", "policy.at_least.of: latency is judged by a rule of its own and cannot be one of them"),
        ("safety", "liveness", (
            "policy.at_least: liveness does not block under profile pre-production; "
            "let it block under `dimensions`, or leave it out"
        )),
        ("[task_success, safety]", "[]", "policy.at_least.of: must not be empty"),
    ],
)  # fmt: skip
def test_load_settings__k_of_m_that_cannot_be(tmp_path: Path, old: str, new: str, told: str) -> None:
    lines = refusal(tmp_path, with_at_least(old, new))
    assert [line for line in lines if f" {told}" in line], lines


def test_load_settings__k_of_m_beside_a_bad_profile__is_one_problem(tmp_path: Path) -> None:
    text = with_at_least("", "").replace("profile: pre-production", "profile: preproduction")
    (line,) = refusal(tmp_path, text)
    assert "policy.profile" in line


def test_load_settings__is_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        loaded(tmp_path, SMALL).mode = Mode.ADVISORY  # type: ignore[misc]


def test_load_settings__missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(WorkingTree(tmp_path))
    assert str(caught.value) == "gate.yaml does not exist in the working tree"
    assert (
        caught.value.hint
        == "go to the repository's root, or name it with `--root`; to write a first gate.yaml: gate init"
    )


def test_load_settings__empty_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, "") == ["gate.yaml:1:1: must be a mapping of keys to values, not null"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("version: 1", "version: 2", "1:10: version: this lockgate reads version 1, not 2"),
        ("version: 1", "version: true", "1:10: version: must be a whole number, not true"),
        ("version: 1", "version: '1'", '1:10: version: must be a whole number, not "1"'),
        ("mode: advisory", "mode: advisry", "2:7: mode: must be 'enforce' or 'advisory', not \"advisry\" (did you me"),
        ("mode: advisory", "mode: no", "2:7: mode: must be 'enforce' or 'advisory', not \"no\""),
        ("  margin:", "  marign:", '27:3: policy: unknown key "marign" (did you mean "margin"?)'),
        ("margin: 0.05", "margin: 0", "27:11: policy.margin: must be greater than 0, not 0"),
        ("margin: 0.05", "margin: 1", "27:11: policy.margin: must be less than 1, not 1"),
        ("margin: 0.05", "margin: 3e-2", '27:11: policy.margin: must be a number, not "3e-2"'),
        ("margin: 0.05", "margin: true", "27:11: policy.margin: must be a number, not true"),
        ("margin: 0.05", "margin: .nan", "27:11: .nan is not a usable number"),
        ("margin: 0.05", "margin: NaN", '27:11: policy.margin: must be a number, not "NaN"'),
        (
            "margin: 0.05",
            "margin: 0.05\n  margin: 0.1",
            '28:3: the key "margin" is given twice; the first is at line 27',
        ),
        ("margin: 0.05", "margins: {safety: 1}", "27:21: policy.margins.safety: must be less than 1, not 1"),
        ("margin: 0.05", "margins: {safty: 0.1}", "27:13: policy.margins: must be "),
        (
            "margin: 0.05",
            "margins: {cost: 0.1}",
            "27:12: policy.margins: cost has no margin; it is judged by a rule of",
        ),
        ("margin: 0.05", "margins: {latency: 0.1}", "27:12: policy.margins: latency has no margin; it is judged by a"),
        ("pre-production", "2026-01-01", "26:12: policy.profile: must be "),
        (
            "difficulty: block",
            "difficulty: hold",
            "28:40: policy.slices.difficulty: must be 'warn' or 'block', not \"ho",
        ),
        ("latency: block", "latncy: block", "30:16: policy.dimensions: must be "),
        (
            "task_success: 0.8",
            "task_success: 80",
            "31:11: policy.floors: the floor of task_success is a share of 1 and",
        ),
        (
            "task_success: 0.8",
            "cost: 0.8",
            "31:11: policy.floors: cost has no floor; it is compared with the baseline's",
        ),
        ("task_success: 0.8", "safety: 0", "31:20: policy.floors.safety: must be greater than 0, not 0"),
        ("usd: 5", "usd: 0", "33:15: budget.usd: must be greater than 0, not 0"),
        ("calls: 4000", "calls: 0.5", "33:25: budget.calls: must be a whole number, not 0.5"),
        ("input: 0,", "input: -1,", "34:30: prices.my-model-1.input: must be greater than or equal to 0, not -1"),
        ("  agent:", "  Agent:", '16:3: targets: must be a target name: small letters, digits and dashes, not "Agent"'),
        (
            "seed: 7",
            "seed: x",
            '12:13: targets.sales-email-intent.model.seed: must be a whole number, or per-trial, not "x"',
        ),
        (
            "temperature: 0.2",
            "temperature: 3",
            "10:20: targets.sales-email-intent.model.temperature: must be less than",
        ),
        (
            "provider: openai",
            "provider: opnai",
            "8:17: targets.sales-email-intent.model.provider: must be 'anthropic', 'azure'",
        ),
        ("timeout: 2.5", "timeout: 0", "20:14: targets.agent.timeout: must be greater than 0, not 0"),
        ("timeout: 2.5", "time-out: 2", '20:5: targets.agent: unknown key "time-out" (did you mean "timeout"?)'),
        (
            "version-files:",
            "version_files:",
            '19:5: targets.agent: unknown key "version_files" (did you mean "version-f',
        ),
        ("concurrency: 2", "concurrency: 0", "21:18: targets.agent.concurrency: must be greater than or equal to 1"),
        ('[python, agent.py, "--fast"]', "[]", "17:14: targets.agent.command: must not be empty"),
        (
            '[python, agent.py, "--fast"]',
            '[""]',
            "17:15: targets.agent.command[0]: must be an argument that is not emp",
        ),
        (
            "package.module:answer",
            "module.answer",
            '23:13: targets.function.python: must be "module:function", not "mod',
        ),
        (
            "./prompts/sales_email_intent.md",
            "/etc/passwd",
            "6:13: targets.sales-email-intent.prompt: must be a relative",
        ),
        (
            "./prompts/sales_email_intent.md",
            "../p.md",
            "6:13: targets.sales-email-intent.prompt: must be a relative pat",
        ),
        ("golden_sets/b/", "golden_sets/../..", "15:29: targets.sales-email-intent.suites[1]: must be a relative path"),
        (
            "golden_sets/b/",
            "other/a",
            '15:13: targets.sales-email-intent.suites: 2 suites are named "a"; the last part',
        ),
        ("golden_sets/b/", "'a b'", "15:29: targets.sales-email-intent.suites[1]: the last part of the path names the"),
        (
            "api_key: OPENAI_API_KEY",
            "api_key: OPENAI_KEY",
            '14:16: targets.sales-email-intent.model.api_key: "OPENAI_K',
        ),
        ("api_key: OPENAI_API_KEY", "api_key: sk-1234", "14:16: targets.sales-email-intent.model.api_key: must be the"),
        (
            "base_url: https://api.openai.com/v1",
            "base_url: file:///x",
            "13:17: targets.sales-email-intent.model.base_url",
        ),
        (
            "base_url: https://api.openai.com/v1",
            "base_url: https://u:p@h/",
            "13:17: targets.sales-email-intent.model.ba",
        ),
        (
            "base_url: https://api.openai.com/v1",
            "base_url: 'http://h:x'",
            "13:17: targets.sales-email-intent.model.base",
        ),
        (
            "API.openai.com",
            "https://api.openai.com",
            "3:32: credentials.OPENAI_API_KEY[0]: must be a host name, without",
        ),
        ("{OPENAI_API_KEY: [", "{open-ai: [", "3:15: credentials: must be the name of an environment variable, not"),
    ],
)
def test_load_settings__refused_with_its_place(tmp_path: Path, old: str, new: str, line: str) -> None:
    lines = refusal(tmp_path, changed(old, new))
    assert lines[0].startswith(f"gate.yaml:{line}")
    assert len(lines) == 1


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-4.1-mini", "gpt-4-32k", "gpt-4o-latest", "latest", "o3"])
def test_load_settings__floating_model_name(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, changed("gpt-4.1-mini-2025-04-14", name)) == [
        (
            f'gate.yaml:9:13: targets.sales-email-intent.model.name: "{name}" is a floating model name; '
            "pin the dated name, such as gpt-4o-2024-08-06"
        )
    ]


def test_load_settings__unlisted_key_suggests_the_near_one(tmp_path: Path) -> None:
    assert refusal(tmp_path, changed("api_key: OPENAI_API_KEY", "api_key: OPENAI_KEY")) == [
        (
            'gate.yaml:14:16: targets.sales-email-intent.model.api_key: "OPENAI_KEY" is not listed under credentials '
            '(did you mean "OPENAI_API_KEY"?)'
        )
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("prompt: p.md", "needs exactly one of model, command, python and endpoint, and has none"),
        (
            "command: [x]\n    python: 'm:f'",
            "needs exactly one of model, command, python and endpoint, and has command, python",
        ),
        ("command: [x]\n    prompt: p.md", "a command reads its own prompt; list the file under version-files instead"),
        ("python: 'm:f'\n    prompt: p.md", "a python reads its own prompt; list the file under version-files instead"),
        ("model: MODEL", "a model needs a prompt: the path of its template"),
        (
            "model: MODEL\n    prompt: p.md\n    version-files: [x]",
            "version-files belong to a command, a python function or an endpoint, not to a model",
        ),
    ],
)
def test_load_settings__one_kind_of_target(tmp_path: Path, body: str, message: str) -> None:
    model = "{provider: offline, name: offline-1, temperature: 0, max_output_tokens: 9}"
    text = f"version: 1\ntargets:\n  a:\n    suites: [s]\n    {body.replace('MODEL', model)}\n"
    assert refusal(tmp_path, text) == [f"gate.yaml:4:5: targets.a: {message}"]


def test_load_settings__no_targets(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, "version: 1\ntargets: {}\n")
    assert line.startswith("gate.yaml:2:10: targets: must not be empty")


def test_load_settings__all_problems_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("version: 1", "version: 3").replace("suites", "suits") + "polcy: {}\n"
    places = [re.match(r"gate\.yaml:(\d+:\d+)", line) for line in refusal(tmp_path, text)]
    assert [place.group(1) for place in places if place] == ["1:10", "4:5", "6:5", "7:1"]


PLAIN = "name: m-1, temperature: 0, max_output_tokens: 9"


def with_target(body: str, more: str = "") -> str:
    return f"version: 1\n{more}targets:\n  a:\n    suites: [s]\n    {body}\n"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{provider: azure, " + PLAIN + "}", "azure needs base_url: the address of your resource"),
        ("{provider: gemini, api_version: '1', " + PLAIN + "}", "api_version belongs to azure"),
        (
            "{provider: anthropic, seed: 1, name: claude-opus-4-6, temperature: 0, max_output_tokens: 9}",
            "anthropic takes no seed",
        ),
    ],
)
def test_load_settings__refuses_what_a_provider_does_not_take(tmp_path: Path, model: str, message: str) -> None:
    (line,) = refusal(tmp_path, with_target(f"prompt: p.md\n    model: {model}"))
    assert line == f"gate.yaml:6:12: targets.a.model: {message}"


@pytest.mark.parametrize("seed", ["true", "1.5", "per-run", "[1]"])
def test_load_settings__refuses_a_seed(tmp_path: Path, seed: str) -> None:
    (line,) = refusal(tmp_path, with_target(f"prompt: p.md\n    model: {{provider: gemini, seed: {seed}, {PLAIN}}}"))
    assert "targets.a.model.seed: must be a whole number, or per-trial, not " in line


def test_load_settings__takes_what_models_take(tmp_path: Path) -> None:
    model = (
        "{provider: openai, base_url: 'http://127.0.0.1:1/v1', name: m-1, temperature: null, max_output_tokens: 9, "
        "seed: per-trial, stream: true, response_schema: a/b.json, token_limit_key: max_completion_tokens}"
    )
    (tmp_path / "gate.yaml").write_text(with_target(f"prompt: p.md\n    model: {model}"), "utf-8")
    loaded = load_settings(WorkingTree(tmp_path)).targets["a"].model
    assert loaded is not None
    assert (loaded.temperature, loaded.seed, loaded.stream) == (None, "per-trial", True)
    assert (loaded.response_schema, loaded.token_limit_key) == ("a/b.json", "max_completion_tokens")


def test_load_settings__takes_an_endpoint_with_a_prompt_and_files(tmp_path: Path) -> None:
    text = with_target(
        "endpoint: {url: 'https://x.example/answer', api_key: K}\n    prompt: p.md\n    version-files: [x]",
        "credentials: {K: [x.example]}\n",
    )
    (tmp_path / "gate.yaml").write_text(text, "utf-8")
    loaded = load_settings(WorkingTree(tmp_path)).targets["a"].endpoint
    assert loaded is not None
    assert (loaded.url, loaded.api_key) == ("https://x.example/answer", "K")


def test_load_settings__asks_for_credentials_of_an_endpoint(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, with_target("endpoint: {url: 'https://x.example/answer', api_key: K}"))
    assert line.endswith('targets.a.endpoint.api_key: "K" is not listed under credentials')
