"""The journal of answers: what survives, what is refused, and what a full disk does."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gate.core.model import Answer, ToolCall, Usage
from gate.errors import OutputError, RecordError
from gate.runner.answers import AnswerJournal, Header, left_behind, read_journal

HEADER = Header(purpose="check", as_of="2026-11-21")
FULL = Answer(
    text='"ü\u2028\udc80\n',
    model="m",
    tool_calls=(ToolCall(name="find", arguments={"n": [1, 2.5, None]}),),
    usage=Usage(input_tokens=3, output_tokens=1, cached_input_tokens=2),
    usd=0.1 + 0.2,
    latency_ms=1234.5678901,
    modelled=True,
    finish_reason="stop",
    fingerprint="fp",
    first_token_ms=1 / 3,
    attempts=2,
    asked="n",
    breaks_schema="no key a",
)


def opened(path: Path, header: Header = HEADER, *, resume: bool = False) -> closing[AnswerJournal]:
    return closing(AnswerJournal(path, header, resume=resume))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "answers.jsonl"


@pytest.fixture
def two(path: Path) -> Path:
    with opened(path) as journal:
        journal.put("sha256:a", FULL)
        journal.put("sha256:b", Answer(text="b", model="m"))
    return path


def test_take__an_answer_comes_back_as_it_was_and_once(two: Path) -> None:
    with opened(two, resume=True) as journal:
        assert len(journal.kept) == 2
        assert journal.holds("sha256:a")
        assert journal.take("sha256:a") == FULL
        assert not journal.holds("sha256:a")
        assert journal.take("sha256:a") is None
        assert journal.take("sha256:c") is None


def test_take__equal_questions_have_an_answer_each(path: Path) -> None:
    texts = ("first", "second")
    with opened(path) as journal:
        for text in texts:
            journal.put("sha256:a", Answer(text=text, model="m"))
    with opened(path, resume=True) as journal:
        assert [journal.take("sha256:a").text for _ in texts] == list(texts)  # type: ignore[union-attr]


def test_put__an_answer_is_in_the_file_at_once(path: Path) -> None:
    with opened(path) as journal:
        journal.put("sha256:a", FULL)
        assert len(path.read_bytes().splitlines()) == 2


def test_put__goes_on_behind_what_is_there(two: Path) -> None:
    before = two.read_bytes()
    with opened(two, resume=True) as journal:
        journal.put("sha256:c", FULL)
    assert two.read_bytes().startswith(before)
    assert set(read_journal(two).answers) == {"sha256:a", "sha256:b", "sha256:c"}


def test_answer_journal__a_fresh_run_replaces(two: Path) -> None:
    assert left_behind(two) == 2
    with opened(two) as journal:
        assert journal.kept == ()
    assert (left_behind(two), len(two.read_bytes().splitlines())) == (0, 1)


def test_left_behind__nothing_of_a_run_that_came_to_its_end(two: Path) -> None:
    with opened(two, resume=True) as journal:
        journal.end()
    assert (left_behind(two), read_journal(two).ended) == (0, True)
    with opened(two, resume=True) as journal:
        assert len(journal.kept) == 2
        journal.put("sha256:c", FULL)
    assert left_behind(two) == 3


def test_left_behind__nothing_where_there_is_no_journal(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("no journal\n")
    assert (left_behind(path), left_behind(tmp_path / "other")) == (0, 0)


def test_resume__a_torn_last_line_at_every_byte(two: Path) -> None:
    whole = two.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1
    for size in range(start, len(whole)):
        two.write_bytes(whole[:size])
        with opened(two, resume=True) as journal:
            assert len(journal.kept) == 1
            journal.put("sha256:c", FULL)
        assert set(read_journal(two).answers) == {"sha256:a", "sha256:c"}


def test_resume__a_torn_header_at_every_byte_is_a_fresh_start(path: Path) -> None:
    with opened(path):
        pass
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with opened(path, resume=True) as journal:
            assert journal.kept == ()
        assert path.read_bytes() == whole


def test_resume__without_a_journal_is_a_fresh_start(path: Path) -> None:
    with opened(path, resume=True) as journal:
        assert journal.kept == ()
    assert read_journal(path).header == HEADER


@pytest.mark.parametrize(
    ("number", "line", "what"),
    [
        (2, b"{", ":2: not JSON"),
        (2, b"\xff", ":2: not JSON"),
        (2, b"", ":2: not JSON"),
        (3, b"\0" * 20, ":3: not JSON"),
        (2, b"[]", ":2: an object was expected"),
        (2, b'{"key":"sha256:a"}', ":2: not a key with its answer"),
        (2, b'{"answer":{},"key":1}', ":2: not a key with its answer"),
        (2, b'{"answer":{"text":"a"},"key":"k"}', ":2: top: key 'model' is missing"),
        (2, b'{"answer":{"model":"m","text":"a","usd":NaN},"key":"k"}', ":2: not JSON: NaN"),
        (1, b'{"schema":"lockgate.answers/9"}', ":1: schema 'lockgate.answers/9', this lockgate reads"),
        (1, b'{"schema":"lockgate.answers/1"}', ":1: top: key 'purpose' is missing"),
        (1, b'{"as_of":"soon","purpose":"check","schema":"lockgate.answers/1"}', ":1: "),
    ],
)
def test_resume__any_other_bad_line_is_named(two: Path, number: int, line: bytes, what: str) -> None:
    lines = two.read_bytes().split(b"\n")
    lines[number - 1] = line
    two.write_bytes(b"\n".join(lines))
    before = two.read_bytes()
    with pytest.raises(RecordError) as caught:
        AnswerJournal(two, HEADER, resume=True)
    assert str(caught.value).startswith(f"{two}{what}")
    assert "--resume" in caught.value.hint
    assert two.read_bytes() == before
    with opened(two):
        pass


def test_resume__the_run_of_another_command_is_refused(two: Path) -> None:
    with pytest.raises(RecordError) as caught:
        AnswerJournal(two, replace(HEADER, purpose="promote"), resume=True)
    assert str(caught.value) == f"{two} holds the answers of `gate check`"


@pytest.mark.parametrize(("as_of", "fine"), [("2026-12-05", True), ("2026-12-06", False)])
def test_resume__answers_count_for_fourteen_days(two: Path, as_of: str, fine: bool) -> None:
    header = replace(HEADER, as_of=as_of)
    if fine:
        with opened(two, header, resume=True) as journal:
            assert len(journal.kept) == 2
        return
    with pytest.raises(RecordError) as caught:
        AnswerJournal(two, header, resume=True)
    assert str(caught.value) == f"{two}: the run was begun on 2026-11-21, 15 days before 2026-12-06"


def test_answer_journal__a_folder_in_use_is_refused(path: Path) -> None:
    with opened(path) as journal:
        journal.put("sha256:a", FULL)
        for resume in (True, False):
            with pytest.raises(OutputError) as caught:
                AnswerJournal(path, HEADER, resume=resume)
            assert str(caught.value) == f"{path.parent} is in use by another gate process"
    assert set(read_journal(path).answers) == {"sha256:a"}


def test_answer_journal__a_symlink_is_replaced_and_what_it_names_left_alone(path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    path.parent.mkdir()
    path.symlink_to(secret)
    with opened(path, resume=True) as journal:
        journal.put("sha256:a", FULL)
    assert (secret.read_text(), path.is_symlink()) == ("mine", False)


def test_answer_journal__a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        AnswerJournal(tmp_path / "file" / "answers.jsonl", HEADER, resume=False)
    assert "cannot write" in str(caught.value)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, action)


def test_put__a_full_disk_keeps_whole_lines_and_says_so(path: Path) -> None:
    answer = Answer(text="x" * 200, model="m")
    with opened(path) as journal:
        journal.put("sha256:a", answer)
        with largest_file(path.stat().st_size + 100):
            journal.put("sha256:b", answer)
        assert journal.failed == "answers.jsonl cannot be written: File too large"
        journal.put("sha256:c", answer)
        journal.end()
    assert set(read_journal(path).answers) == {"sha256:a"}
    assert path.read_bytes().endswith(b"\n")
