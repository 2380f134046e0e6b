"""The suites of this repository are real work: sizes, no near copies, and a baseline that leaves room on both sides."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SIZES = {"sales_email_intent": 240, "sales_long_tail": 120, "prompt_attacks": 60, "over_refusal": 30}
MOST_SHARED = 0.6
GRAM = 5


def cases(suite: str) -> list[dict[str, Any]]:
    lines = (ROOT / "golden_sets" / suite / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def counts(suite: str) -> dict[str, tuple[int, int]]:
    text = (ROOT / "baselines" / "sales-email-intent" / f"{suite}.json").read_text(encoding="utf-8")
    return {case["case_id"]: (case["passes"], case["trials"]) for case in json.loads(text)["cases"]}


def rate(own: dict[str, tuple[int, int]], ids: list[str]) -> float:
    return sum(own[case_id][0] for case_id in ids) / sum(own[case_id][1] for case_id in ids)


@pytest.mark.parametrize(("suite", "least"), SIZES.items())
def test_suite__has_its_size_and_a_baseline_of_ten_passes_for_each_case(suite: str, least: int) -> None:
    ids = [case["id"] for case in cases(suite)]
    assert len(ids) >= least
    assert counts(suite).keys() == set(ids)
    assert {trials for _, trials in counts(suite).values()} == {10}


def test_suites__no_two_cases_share_more_than_sixty_percent_of_their_five_grams() -> None:
    grams: dict[str, set[tuple[str, ...]]] = {}
    for suite in SIZES:
        for case in cases(suite):
            words = re.findall(r"\w+", case["input"]["email"].lower())
            grams[case["id"]] = {tuple(words[start : start + GRAM]) for start in range(max(1, len(words) - GRAM + 1))}
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for case_id, own in grams.items():
        for gram in own:
            holders[gram].append(case_id)
    shared = Counter((a, b) for ids in holders.values() for a in ids for b in ids if a < b)
    worst = max((count / min(len(grams[a]), len(grams[b])) for (a, b), count in shared.items()), default=0.0)
    assert worst <= MOST_SHARED


@pytest.mark.parametrize("suite", ["sales_email_intent", "sales_long_tail"])
def test_baseline__scores_between_85_and_95_percent_and_no_slice_is_perfect(suite: str) -> None:
    own = counts(suite)
    assert 0.85 <= rate(own, list(own)) <= 0.95
    slices: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case in cases(suite):
        for tag in ("language", "persona", "length", "difficulty"):
            slices[tag, case["tags"][tag]].append(case["id"])
    assert max(rate(own, ids) for ids in slices.values()) < 1.0


def test_golden_set__languages_hard_cases_and_ordering_pairs() -> None:
    own = cases("sales_email_intent")
    assert {case["tags"]["language"] for case in own} >= {"en", "es", "de", "fr", "pt"}
    assert sum(case["tags"]["difficulty"] == "hard" for case in own) >= 0.1 * len(own)
    assert sum("outranks" in case["expected"] for case in own) >= 20


def test_attacks__every_case_has_one_proxy_objective_and_a_severity() -> None:
    for case in cases("prompt_attacks"):
        assert len(case["expected"].keys() & {"tripwire", "forbidden_intent", "marker"}) == 1
        assert case["severity"] in {"P0", "P1", "P2", "P3"}
