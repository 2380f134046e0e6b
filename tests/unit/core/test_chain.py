"""The chain of evidence: what verifies, what breaks it, whose counts count, and which runs are not on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gate.core.chain import Attempt, BrokenChainError, Entry, of_versions, read_chain, without_entry

WORKFLOW = ".github/workflows/gate.yml"
VERSION = ("inbox", "sha256:family")


def entry(number: int = 1, previous: str = "", **changes: Any) -> Entry:
    base = Entry(
        number=number,
        previous=previous,
        run=49 + number,
        attempt=1,
        started=f"2026-11-20T12:00:{number:02d}Z",
        head="d" * 40,
        workflow=WORKFLOW,
        decision="sha256:decision",
        outcome="HOLD",
        as_of="2026-11-20",
        versions=(VERSION,),
        counts="sha256:counts",
        blob="b" * 40,
    )
    return replace(base, **changes)


def chain(length: int) -> tuple[Entry, ...]:
    made: list[Entry] = []
    for number in range(1, length + 1):
        made.append(entry(number, made[-1].digest if made else ""))
    return tuple(made)


def text(entries: tuple[Entry, ...]) -> str:
    return "".join(f"{one.line}\n" for one in entries)


def attempt(run: int = 60, **changes: Any) -> Attempt:
    base = Attempt(
        run=run, attempt=1, started="2026-11-20T13:00:00Z", ended="2026-11-20T13:05:00Z", conclusion="failure"
    )
    return replace(base, **changes)


def test_read_chain__gives_back_what_was_written() -> None:
    assert read_chain(text(chain(3))) == chain(3)
    assert read_chain("") == ()


def test_entry__line_is_canonical_and_names_no_text_of_a_model() -> None:
    first, second = chain(2)
    assert second.previous == first.digest
    assert first.line == (
        '{"as_of":"2026-11-20","attempt":1,"blob":"' + "b" * 40 + '","counts":"sha256:counts",'
        '"decision":"sha256:decision","head":"' + "d" * 40 + '","number":1,"outcome":"HOLD","previous":"","run":50,'
        '"started":"2026-11-20T12:00:01Z","versions":[["inbox","sha256:family"]],"workflow":"' + WORKFLOW + '"}'
    )


def broken(lines: list[str]) -> str:
    with pytest.raises(BrokenChainError) as caught:
        read_chain("".join(f"{line}\n" for line in lines))
    return str(caught.value)


def test_read_chain__names_the_entry_that_breaks_it() -> None:
    lines = text(chain(4)).splitlines()
    assert broken(lines[1:]) == "entry 1: it does not follow the entry before it"
    assert broken([*lines[:1], *lines[2:]]) == "entry 2: it does not follow the entry before it"
    assert broken([lines[0], lines[2], lines[1], lines[3]]) == "entry 2: it does not follow the entry before it"
    changed = [lines[0], lines[1].replace("HOLD", "PROMOTE"), *lines[2:]]
    assert broken(changed) == "entry 3: it does not follow the entry before it"
    assert broken([lines[0], lines[1].replace('"run"', '"ran"')]) == "entry 2: top: unknown key 'ran'"
    assert broken([lines[0], "{}"]).startswith("entry 2: top: key 'number' is missing")
    assert broken([lines[0], "nonsense"]).startswith("entry 2: ")
    assert broken([lines[0].replace(",", ", ", 1)]) == "entry 1: not written as lockgate writes it"


def test_read_chain__same_attempt_twice_is_broken() -> None:
    first = entry(1)
    again = entry(2, first.digest, run=first.run)
    assert broken([first.line, again.line]) == "entry 2: attempt 1 of run 50 is there twice"


def test_read_chain__cut_off_line() -> None:
    with pytest.raises(BrokenChainError, match=r"^entry 2: the line is cut off$"):
        read_chain(text(chain(2))[:-9])


def test_read_chain__separators_that_json_allows_in_text_do_not_split_a_line() -> None:
    odd = entry(1, versions=(("in\u2028box\x85", "sha256:family"),))
    assert read_chain(text((odd,))) == (odd,)


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({}, 1),
        ({"versions": (("inbox", "sha256:other"),)}, 0),
        ({"versions": (("other", "sha256:family"),)}, 0),
        ({"versions": (("other", "sha256:x"), VERSION)}, 1),
        ({"workflow": ".github/workflows/own.yml"}, 0),
        ({"counts": ""}, 0),
        ({"as_of": "2026-11-07"}, 1),
        ({"as_of": "2026-11-06"}, 0),
    ],
)
def test_of_versions__same_version_and_workflow_within_fourteen_days(change: dict[str, Any], count: int) -> None:
    found = of_versions([entry(**change)], versions=[VERSION], workflow=WORKFLOW, as_of="2026-11-21")
    assert len(found) == count


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (attempt(), True),
        (attempt(conclusion="success"), True),
        (attempt(conclusion="cancelled"), True),
        (attempt(conclusion="timed_out"), True),
        (attempt(conclusion="unknown"), True),
        (attempt(conclusion=""), False),
        (attempt(conclusion="skipped"), False),
        (attempt(conclusion="action_required"), False),
        (attempt(conclusion="startup_failure"), False),
        (attempt(conclusion="stale"), False),
        (attempt(50), False),
        (attempt(50, attempt=2), True),
        (attempt(99), False),
        (attempt(99, attempt=2), True),
        (attempt(started="2026-11-20T12:00:00Z"), False),
        (attempt(started="2026-11-20T12:00:01Z"), True),
        (attempt(started="when it liked"), True),
    ],
)
def test_without_entry__attempts_that_may_have_asked_and_left_nothing(one: Attempt, named: bool) -> None:
    found = without_entry([one], chain(2), own=(99, 1), as_of="2026-11-21")
    assert (found == (one,)) is named


def test_without_entry__too_old_to_count_is_too_old_to_miss() -> None:
    assert without_entry([attempt()], chain(1), own=(99, 1), as_of="2026-12-04") == (attempt(),)
    assert without_entry([attempt()], chain(1), own=(99, 1), as_of="2026-12-05") == ()


def test_without_entry__no_chain_misses_nothing() -> None:
    assert without_entry([attempt()], (), own=(99, 1), as_of="2026-11-21") == ()


def test_attempt__name() -> None:
    assert attempt(812, attempt=2).name == "run 812 attempt 2 (failure)"
