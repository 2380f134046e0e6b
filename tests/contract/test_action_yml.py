"""action.yml, the settings that read its inputs, and the outputs that are written say the same."""

import re
from pathlib import Path

import yaml

from gate.app.action import OUTPUTS
from gate.forge.settings import ActionSettings

REPOSITORY = Path(__file__).parents[2]
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
RUNNER = {
    "GITHUB_API_URL": "https://api.github.example",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/app",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_EVENT_PATH": "/github/workflow/event.json",
    "GITHUB_SHA": "d" * 40,
    "GITHUB_RUN_ID": "1",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_WORKSPACE": "/github/workspace",
}


class Recorder(dict[str, str]):
    """A mapping that remembers what was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, default)


def test_action_yml__declares_exactly_the_inputs_that_are_read() -> None:
    recorder = Recorder(RUNNER)
    ActionSettings.from_environ(recorder)
    read = {name.removeprefix("INPUT_").lower() for name in recorder.asked if name.startswith("INPUT_")}
    assert read == set(ACTION["inputs"])


def test_action_yml__defaults_are_those_of_the_settings() -> None:
    given = {f"INPUT_{name.upper()}": declared["default"] for name, declared in ACTION["inputs"].items()}
    assert given.pop("INPUT_GITHUB-TOKEN") == "${{ github.token }}"
    assert ActionSettings.from_environ(RUNNER | given) == ActionSettings.from_environ(RUNNER)


def test_action_yml__declares_exactly_the_outputs_that_are_written() -> None:
    assert tuple(ACTION["outputs"]) == OUTPUTS


def test_action_yml__runs_the_image_with_constant_arguments() -> None:
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile", "args": ["action"]}


def test_dockerfile__starts_isolated_and_by_absolute_path() -> None:
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    assert text.rstrip().endswith('ENTRYPOINT ["/usr/local/bin/python", "-I", "-u", "-m", "gate"]')
    assert not re.search(r"(?m)^(?:USER|WORKDIR|ARG|RUN --mount)", text)


def test_workflows__pin_every_action_and_keep_no_credentials() -> None:
    for file in (REPOSITORY / ".github" / "workflows").glob("*.yml"):
        text = file.read_text(encoding="utf-8")
        for used in re.findall(r"(?m)^ +(?:- )?uses: (\S+)", text):
            assert used == "./" or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used), (file.name, used)
        assert text.count("actions/checkout@") == text.count("persist-credentials: false"), file.name
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        assert all("timeout-minutes" in job for job in workflow["jobs"].values())
