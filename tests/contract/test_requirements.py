"""The page of promises is complete and names tests that exist; what it says about the bundled suites is true."""

import ast
import json
import re
from pathlib import Path

import pytest

from gate.app.policy import policy_from
from gate.documents.tree import WorkingTree
from gate.suites.settings import load_settings

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| R(\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NAMED = re.compile(r"tested by (`[^`]+`(?:(?:, | and )`[^`]+`)*)")
PROMISES = [
    (int(number), promise, status)
    for number, promise, status in ROW.findall((ROOT / "docs/reference/requirements.md").read_text(encoding="utf-8"))
]
TESTS = sorted(
    {name for _, _, status in PROMISES for found in NAMED.findall(status) for name in found.split("`")[1::2]}
)


def cases(suite: str) -> list[dict[str, object]]:
    lines = (ROOT / "golden_sets" / suite / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_requirements__every_promise_stands_there_once_in_order() -> None:
    assert [number for number, _, _ in PROMISES] == list(range(1, 61))


@pytest.mark.parametrize(("number", "promise", "status"), PROMISES)
def test_requirements__status_is_a_test_or_not_built_yet(number: int, promise: str, status: str) -> None:
    assert NAMED.search(status) or "not built yet" in status
    assert status.count("::") == sum(found.count("::") for found in NAMED.findall(status))


@pytest.mark.parametrize("name", TESTS)
def test_requirements__named_tests_exist(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_launch__asks_for_a_hundred_cases() -> None:
    settings = load_settings(WorkingTree(ROOT), "gate.yaml")
    assert policy_from(settings, waivers=(), author="", profile="launch", passes=None).fewest_cases == 100


def test_golden_set__has_200_to_500_cases_with_expected_answers() -> None:
    golden = cases("sales_email_intent")
    assert 200 <= len(golden) <= 500
    assert all(case["expected"] for case in golden)


def test_adversarial_set__is_there() -> None:
    assert "kind: adversarial" in (ROOT / "golden_sets/prompt_attacks/suite.yaml").read_text(encoding="utf-8")
    assert len(cases("prompt_attacks")) >= 100


@pytest.mark.parametrize("suite", sorted(path.parent.name for path in ROOT.glob("golden_sets/*/cases.jsonl")))
def test_cases__name_no_real_domain(suite: str) -> None:
    """Mail addresses end in a name that is reserved for examples (RFC 2606)."""
    text = "\n".join(json.dumps(case, ensure_ascii=False) for case in cases(suite))
    hosts = {host.rstrip(".").lower() for host in re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text)}
    assert {host for host in hosts if not re.search(r"(^|\.)(example(\.(com|org|net))?|test|invalid)$", host)} == set()
