"""Inputs are checked one by one, and the token is never shown."""

from pathlib import Path

import pytest

from gate.core.policy import Mode, Profile
from gate.errors import ConfigurationError
from gate.forge.event import Command
from gate.forge.settings import ActionSettings, CommentMode, FailOn, RunnerFiles

RUNNER = {
    "GITHUB_API_URL": "https://api.github.example/",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/app",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_EVENT_PATH": "/github/workflow/event.json",
    "GITHUB_SHA": "d" * 40,
    "GITHUB_RUN_ID": "9001",
    "GITHUB_RUN_ATTEMPT": "2",
}


def settings(workspace: Path, **inputs: str) -> ActionSettings:
    given = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
    return ActionSettings.from_environ({**RUNNER, "GITHUB_WORKSPACE": str(workspace), **given})


@pytest.mark.parametrize(("text", "mode"), [("on", "update"), ("Update", "update"), ("on-change", "on-change")])
def test_from_environ__comment_modes(tmp_path: Path, text: str, mode: str) -> None:
    assert settings(tmp_path, comment=text).comment == mode


@pytest.mark.parametrize(("text", "required"), [("true", True), ("False", False)])
def test_from_environ__require_publish(tmp_path: Path, text: str, required: bool) -> None:
    assert settings(tmp_path, require_publish=text).require_publish is required


def test_from_environ__empty_inputs_are_the_defaults(tmp_path: Path) -> None:
    names = ("command", "config", "base", "targets", "suites", "profile", "prompt", "passes", "budget_usd", "fail_on",
             "mode", "comment", "require_publish", "github_token")  # fmt: skip
    assert settings(tmp_path, **dict.fromkeys(names, "")) == settings(tmp_path)
    read = settings(tmp_path)
    assert (read.command, read.config, read.base, read.targets, read.suites) == (None, "gate.yaml", None, (), ())
    assert (read.profile, read.prompt, read.passes, read.budget_usd) == (None, None, None, None)
    assert (read.fail_on, read.mode, read.comment) == (FailOn.HOLD, Mode.ENFORCE, CommentMode.UPDATE)
    assert (read.require_publish, read.github_token) == (False, "")


def test_from_environ__every_input_is_read(tmp_path: Path) -> None:
    read = settings(
        tmp_path, command="verify", config="ci/gate.yaml", base="v1.2", targets="a, b\nc", suites="golden_sets/x,\n",
        profile="pre-production", prompt="prompts/x.md", passes="5", budget_usd="2.50", fail_on="rollback",
        mode="Advisory", comment="off", github_token="secret-token",
    )  # fmt: skip
    assert (read.command, read.config, read.base) == (Command.VERIFY, "ci/gate.yaml", "v1.2")
    assert (read.targets, read.suites) == (("a", "b", "c"), ("golden_sets/x",))
    assert (read.profile, read.prompt, read.passes) == (Profile.PRE_PRODUCTION, "prompts/x.md", 5)
    assert (read.budget_usd, read.fail_on, read.mode) == (2.5, FailOn.ROLLBACK, Mode.ADVISORY)
    assert (read.comment, read.github_token) == (CommentMode.OFF, "secret-token")


def test_from_environ__runner_variables_are_read(tmp_path: Path) -> None:
    read = settings(tmp_path)
    assert (read.api_url, read.run_id, read.run_attempt) == ("https://api.github.example", 9001, 2)
    assert (read.repository, read.event_path) == ("acme/app", Path("/github/workflow/event.json"))


def test_from_environ__token_is_not_in_the_repr(tmp_path: Path) -> None:
    assert "secret-token" not in repr(settings(tmp_path, github_token="secret-token"))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("command", "ignore", "`command`: must be one of check, merge, verify, "),
        ("profile", "strict", "`profile`: must be one of merge, ci, paper, pre-production, launch, not 'strict'"),
        ("fail_on", "never", "`fail-on`: must be one of hold, rollback, not 'never'"),
        ("mode", "off", "`mode`: must be one of enforce, advisory, not 'off'"),
        ("require_publish", "yes", "`require-publish`: must be true or false, not 'yes'"),
        ("comment", "true", "`comment`: must be one of update, on-change, off, not 'true'"),
        ("passes", "0", "`passes`: must be a whole number from 1 to 100, not '0'"),
        ("passes", "٣", "`passes`: must be a whole number from 1 to 100"),
        ("passes", "1e1", "`passes`: must be a whole number from 1 to 100"),
        ("shard", "0/2", "`shard`: must be i/n, such as 2/4, not '0/2'"),
        ("shard", "1 of 2", "`shard`: must be i/n, such as 2/4, not '1 of 2'"),
        ("parts", "../parts", "`parts`: must be a path below the workspace, not '../parts'"),
        ("budget_usd", "nan", "`budget-usd`: must be a number of US dollars, 0 or more, not 'nan'"),
        ("budget_usd", "-1", "`budget-usd`: must be a number of US dollars, 0 or more"),
        ("budget_usd", "five", "`budget-usd`: must be a number of US dollars, 0 or more"),
        ("base", "--output=x", "`base`: must be a branch, a tag or a commit"),
        ("base", "a b", "`base`: must be a branch, a tag or a commit"),
        ("config", "../gate.yaml", "`config`: must be a path below the workspace, not '../gate.yaml'"),
        ("config", "/etc/passwd", "`config`: must be a path below the workspace"),
        ("suites", "golden_sets/a, ../b", "`suites`: must be a path below the workspace"),
        ("prompt", "a/../../b", "`prompt`: must be a path below the workspace"),
    ],
)
def test_from_environ__bad_value_names_the_input_and_what_is_allowed(
    tmp_path: Path, name: str, value: str, wanted: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(tmp_path, **{name: value})
    assert wanted in str(caught.value)
    assert "`with:`" in caught.value.hint


def test_from_environ__symlink_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="below the workspace"):
        settings(tmp_path / "work", config="link/gate.yaml")


@pytest.mark.parametrize("name", [*RUNNER, "GITHUB_WORKSPACE"])
def test_from_environ__missing_variable_is_named(tmp_path: Path, name: str) -> None:
    environ = {**RUNNER, "GITHUB_WORKSPACE": str(tmp_path), name: ""}
    with pytest.raises(ConfigurationError, match=f"{name} is not set"):
        ActionSettings.from_environ(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_REPOSITORY", "acme/app/../../x"),
        ("GITHUB_RUN_ID", "1; x"),
        ("GITHUB_API_URL", "file:///etc/passwd"),
        ("GITHUB_API_URL", "https://user@evil.example"),
    ],
)
def test_from_environ__unusable_variable_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} has the unusable value"):
        ActionSettings.from_environ({**RUNNER, "GITHUB_WORKSPACE": str(tmp_path), name: value})


def test_runner_files__are_found_without_anything_else() -> None:
    assert RunnerFiles.from_environ({"GITHUB_OUTPUT": "/x/out"}) == RunnerFiles(output=Path("/x/out"), summary=None)
