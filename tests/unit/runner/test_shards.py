"""Which shard runs which case, and what of a budget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.core.model import Case, Suite
from gate.runner.budget import Ceilings
from gate.runner.shards import Shard, assign_shards, cut_ceilings, cut_suite
from tests.builders import make_suite


def case(name: str, *peers: str) -> Case:
    expected = {"outranks": list(peers)} if peers else {}
    return Case(id=name, input={}, expected=expected, digest=f"sha256:{name}", place="cases.jsonl:1")


def suite(*cases: Case) -> Suite:
    return make_suite(cases=cases, digest="sha256:whole")


MANY = suite(*(case(f"c-{number:03d}") for number in range(300)))


@pytest.mark.parametrize(
    "text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "01/2", "1 / 2", "1/1001", "99999/99999", "¹/2", "1/2\n"]
)
def test_parse__anything_but_i_of_n(text: str) -> None:
    with pytest.raises(ValueError, match="must be i/n with i from 1 to n, and n at most 1000"):
        Shard.parse(text)


def test_parse__first_and_last() -> None:
    assert Shard.parse("1/1") == Shard(number=1, count=1)
    assert Shard.parse("1000/1000").name == "1000-of-1000"


def test_assign_shards__is_fixed_by_the_id_alone() -> None:
    # These numbers must never change: shards of two versions of lockgate would overlap.
    assert [assign_shards(MANY, 4)[name] for name in ("c-000", "c-001", "c-002", "c-003", "c-004")] == [4, 1, 3, 1, 1]


def test_assign_shards__stays_when_cases_are_added_or_edited() -> None:
    fewer = replace(MANY, cases=MANY.cases[::2], digest="sha256:other")
    whole = assign_shards(MANY, 7)
    assert assign_shards(fewer, 7).items() <= whole.items()
    assert set(whole.values()) == {1, 2, 3, 4, 5, 6, 7}


def test_assign_shards__cases_that_outrank_each_other_go_together() -> None:
    linked = suite(case("d", "b"), case("b"), case("e", "d"), case("a"), case("c", "gone"), case("f", "c"))
    for count in (2, 3, 5, 11):
        numbers = assign_shards(linked, count)
        assert numbers["b"] == numbers["d"] == numbers["e"]
        assert numbers["c"] == numbers["f"]
        assert numbers["b"] == assign_shards(suite(case("b")), count)["b"]


def test_assign_shards__two_that_name_each_other() -> None:
    numbers = assign_shards(suite(case("a", "b"), case("b", "a")), 5)
    assert numbers["a"] == numbers["b"]


def test_cut_suite__shards_are_the_whole_once_and_keep_its_digest() -> None:
    cuts = [cut_suite(MANY, Shard(number=number, count=5)) for number in range(1, 6)]
    assert sorted(one.id for cut in cuts for one in cut.cases) == [one.id for one in MANY.cases]
    assert {cut.digest for cut in cuts} == {"sha256:whole"}
    assert all(len(cut.cases) > 30 for cut in cuts)


def test_cut_suite__more_shards_than_cases() -> None:
    cuts = [cut_suite(suite(case("a")), Shard(number=number, count=3)) for number in (1, 2, 3)]
    assert sorted(len(cut.cases) for cut in cuts) == [0, 0, 1]


def test_cut_ceilings__all_shards_together_keep_the_budget() -> None:
    cut = cut_ceilings(Ceilings(usd=5.0, calls=10, minutes=20.0, tokens=1001), 0.25)
    assert cut == Ceilings(usd=1.25, calls=2, minutes=20.0, tokens=250)
    assert cut_ceilings(Ceilings(), 0.5) == Ceilings()
