"""Workflows that the pages show are valid, and as careful as this repository's own."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = (
    ("docs/how-to/block-merges.md", 0),
    ("docs/how-to/shards.md", 0),
    ("docs/how-to/promote-on-merge.md", 0),
    ("docs/how-to/release.md", 0),
    ("docs/how-to/release.md", 1),
    ("docs/how-to/forks.md", 0),
    ("docs/how-to/run-by-hand.md", 0),
    ("docs/how-to/evidence-across-runs.md", 0),
    ("docs/how-to/evidence-across-runs.md", 1),
)
FENCE = re.compile(r"^```yaml\n(name: .*?)^```$", re.MULTILINE | re.DOTALL)
OWN = "uses: OWNER/lockgate@" + "c" * 40


@pytest.fixture(params=PAGES)
def workflow(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    page, number = request.param
    body = FENCE.findall((ROOT / page).read_text(encoding="utf-8"))[number]
    path = tmp_path / ".github" / "workflows" / "gate.yml"
    path.parent.mkdir(parents=True)
    path.write_text(body.replace("uses: OWNER/lockgate@COMMIT", OWN), encoding="utf-8")
    return path


def tool(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = (str(Path(sys.executable).with_name(name)), *words)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_workflows_of_pages__follow_githubs_schema(workflow: Path) -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow))
    assert done.returncode == 0, done.stdout


def test_workflows_of_pages__have_no_finding_of_zizmor(workflow: Path) -> None:
    done = tool("zizmor", "--offline", "--no-progress", str(workflow))
    assert done.returncode == 0, done.stdout


def test_workflow_of_shards__only_the_merge_may_write() -> None:
    (body,) = FENCE.findall((ROOT / "docs/how-to/shards.md").read_text(encoding="utf-8"))
    jobs = yaml.safe_load(body)["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "shard": {"contents": "read"},
        "merge": {"contents": "read", "pull-requests": "write"},
    }
    assert (jobs["merge"]["if"], jobs["merge"]["needs"]) == ("always()", "shard")
    keys = [step.get("env", {}) for step in jobs["merge"]["steps"]]
    assert keys == [{}, {}, {}]


def shown(page: str) -> dict[str, Any]:
    body = FENCE.findall((ROOT / page).read_text(encoding="utf-8"))[0]
    return yaml.safe_load(body)


def without_uses(workflow: dict[str, Any], key: str) -> dict[str, Any]:
    """A workflow without names, this action's address and the key of the example, which are what may differ."""
    for name, job in workflow["jobs"].items():
        assert job.pop("name", name) == name
        for step in job["steps"]:
            assert step["uses"].startswith(("actions/", "./", "OWNER/lockgate@"))
            step["uses"] = step["uses"].replace("OWNER/lockgate@COMMIT", "./")
            assert step.pop("env", {}).keys() <= {key}
    return workflow


@pytest.mark.parametrize(
    ("page", "own"), [("docs/how-to/forks.md", "forks.yml"), ("docs/how-to/run-by-hand.md", "by-hand.yml")]
)
def test_own_workflow__is_the_one_of_the_page(page: str, own: str) -> None:
    written = yaml.safe_load((ROOT / ".github" / "workflows" / own).read_text(encoding="utf-8"))
    assert without_uses(written, "") == without_uses(shown(page), "OPENAI_API_KEY")


def test_workflow_by_hand__offers_what_the_action_takes() -> None:
    trigger = shown("docs/how-to/run-by-hand.md")[True]["workflow_dispatch"]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert trigger["inputs"].keys() <= action.keys()
    for job in shown("docs/how-to/run-by-hand.md")["jobs"].values():
        given = job["steps"][-1]["with"]
        assert given == {name: f"${{{{ inputs.{name} }}}}" for name in given}
        assert trigger["inputs"].keys() - given.keys() <= {"publish"}
    assert set(trigger["inputs"]["command"]["options"]) == {"check", "aa", "refresh", "promote"}


def test_workflow_publish__writes_to_the_repository_only_at_the_end() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8"))["jobs"]
    writes = {
        name: sorted(key for key, value in job["permissions"].items() if value == "write") for name, job in jobs.items()
    }
    assert writes == {
        "check": [],
        "image": ["packages"],
        "attest": ["attestations", "id-token", "packages"],
        "release": ["contents"],
    }
    assert jobs["release"]["needs"] == ["check", "attest"]
    assert jobs["release"]["environment"] == "release"
    assert all(job.get("if") is None for job in jobs.values())
