"""The cache file: what it refuses to be, and several users at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gate.core.model import Answer, Call, Usage
from gate.core.question import Question, Request, Role, question_of, replay_of
from gate.errors import OutputError, RecordError
from gate.store.answer_cache import AnswerCache, CacheMode

ANSWER = Answer(text="\udc80ü", model="m", usage=Usage(input_tokens=1, output_tokens=1), usd=0.1, latency_ms=3.0)


def question(case_id: str = "a") -> Question:
    call = Call(case_id=case_id, prompt="\udc80", variables={"n": 1.5}, seed=1)
    return question_of(call, Request(digest="sha256:1"), kind=Role.TARGET, target="t", suite="s")


def opened(root: Path, mode: CacheMode = CacheMode.READ_WRITE) -> closing[AnswerCache]:
    return closing(AnswerCache(root, mode))


def place(root: Path) -> Path:
    return root / ".lockgate" / "cache.sqlite3"


@pytest.mark.parametrize(
    ("mode", "finds", "keeps"),
    [(CacheMode.READ_WRITE, True, True), (CacheMode.READ_ONLY, True, False), (CacheMode.REFRESH, False, True)],
)
def test_find__by_mode(mode: CacheMode, finds: bool, keeps: bool, tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        assert cache.find(question()) is None
        cache.put(question(), ANSWER)
    with opened(tmp_path, mode) as cache:
        assert cache.find(question()) == (replay_of(ANSWER, "cache") if finds else None)
        cache.put(question("b"), ANSWER)
    with opened(tmp_path) as cache:
        assert (cache.find(question("b")) is not None) is keeps


def test_put__from_many_threads_and_two_users(tmp_path: Path) -> None:
    with opened(tmp_path) as first, opened(tmp_path) as second, ThreadPoolExecutor(8) as pool:
        both = [(first, second)[number % 2] for number in range(100)]
        list(pool.map(lambda pair: pair[1].put(question(str(pair[0])), ANSWER), enumerate(both)))
        assert all(first.find(question(str(number))) for number in range(100))


def test_find__a_record_of_something_else_is_refused(tmp_path: Path) -> None:
    for record, why in (("{", "not JSON"), ("[]", "not a record of schema"), ('{"schema":"x"}', "not a record")):
        with opened(tmp_path) as cache:
            cache.put(question(), ANSWER)
        with closing(sqlite3.connect(place(tmp_path))) as file, file:
            file.execute("UPDATE answers SET record = ?", (record,))
        with opened(tmp_path) as cache, pytest.raises(RecordError) as caught:
            cache.find(question())
        assert str(caught.value).startswith(f".lockgate/cache.sqlite3: entry {question().key} (case a): {why}")


def test_answer_cache__another_file_is_refused(tmp_path: Path) -> None:
    place(tmp_path).parent.mkdir()
    place(tmp_path).write_text("no database, but long enough to be looked at " * 99)
    for mode in (CacheMode.READ_WRITE, CacheMode.READ_ONLY):
        with pytest.raises(RecordError) as caught:
            AnswerCache(tmp_path, mode)
        assert str(caught.value) == ".lockgate/cache.sqlite3 is not a cache of lockgate: file is not a database"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("PRAGMA user_version=9", "its format is 9, this lockgate reads 1"),
        ("CREATE VIEW other AS SELECT 1", "it has other tables"),
    ],
)
def test_answer_cache__a_database_of_somebody_else_is_refused(change: str, why: str, tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with closing(sqlite3.connect(place(tmp_path))) as file, file:
        file.execute(change)
    with pytest.raises(RecordError) as caught:
        AnswerCache(tmp_path, CacheMode.READ_WRITE)
    assert str(caught.value) == f".lockgate/cache.sqlite3 is not a cache of lockgate: {why}"


def test_answer_cache__symlinks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".lockgate").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError) as caught:
        AnswerCache(tmp_path, CacheMode.READ_WRITE)
    assert str(caught.value) == ".lockgate/cache.sqlite3 is a symlink"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_find__read_only_without_a_file_finds_nothing_and_makes_none(tmp_path: Path) -> None:
    with opened(tmp_path, CacheMode.READ_ONLY) as cache:
        assert cache.find(question()) is None
        cache.put(question(), ANSWER)
    assert not place(tmp_path).exists()
