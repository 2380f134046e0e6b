"""Workflows that the pages show are valid, and as careful as this repository's own."""

import re
import subprocess
import sys
from pathlib import Path

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
