"""The journal: answers as they came, so that a run that was ended at any moment goes on without paying twice.

`answers.jsonl` is a header and then one line {"answer", "key"} for each answer, in one write, before it is scored: what
was answered is there even if the process is killed right after. A batch is forced to the disk every half second, which
only a failing machine makes a difference to.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gate.core.canonical import NotJsonError, canonical_json, parse_json
from gate.core.codec import DecodeError, decode, encode
from gate.core.dates import day_number
from gate.core.model import Answer, Json
from gate.core.window import WINDOW_DAYS
from gate.errors import OutputError, RecordError
from gate.runner.journal import prepare_place, unwritable, write_whole

SCHEMA = "lockgate.answers/1"
NAME = "answers.jsonl"
SYNC_SECONDS = 0.5
END: Json = {"end": True}
AFRESH = "leave out `--resume` to start afresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Which command began the run, and its date (YYYY-MM-DD)."""

    schema: str = SCHEMA
    purpose: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journaled:
    """What a journal holds: answers by key in their order, its sound bytes, and whether its run came to its end."""

    header: Header | None = None
    answers: Mapping[str, deque[Answer]] = field(default_factory=dict)
    size: int = 0
    ended: bool = False


class AnswerJournal:
    """The answers of one run; safe to share between threads, and locked against other processes.

    `kept` are the answers that an earlier process of this run left. `failed` is empty, or says why the file could not
    be written any further.
    """

    def __init__(self, path: Path, header: Header, *, resume: bool) -> None:
        """Take the file: with `resume` go on in it, else start it anew.

        Raises OutputError where it cannot be written or another process uses it, and RecordError for one that is no
        journal, that another command began, or that is older than the window of evidence.
        """
        self._path = path
        self._descriptor = _locked(path)
        self.failed = ""
        self._lock = threading.Lock()
        self._dirty = False
        self._closed = threading.Event()
        try:
            found = _resumed(path, header) if resume else Journaled()
            self._left = found.answers
            self.kept = tuple(answer for own in found.answers.values() for answer in own)
            self._size = found.size
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
        except OSError as error:
            os.close(self._descriptor)
            raise unwritable(path, error) from error
        except RecordError:
            os.close(self._descriptor)
            raise
        if not found.size:
            self._append(encode(header))
        self._syncing = threading.Thread(target=self._sync, name="journal", daemon=True)
        self._syncing.start()

    def take(self, key: str) -> Answer | None:
        """An answer that an earlier process of this run got to this question, each one once."""
        with self._lock:
            own = self._left.get(key)
            return own.popleft() if own else None

    def holds(self, key: str) -> bool:
        """Whether there is such an answer."""
        with self._lock:
            return bool(self._left.get(key))

    def put(self, key: str, answer: Answer) -> None:
        """Write one answer; after this it survives the process. After a failed write nothing is written any more."""
        self._append({"answer": encode(answer), "key": key})

    def end(self) -> None:
        """Note that the run came to its end, so that a later one need not say what it replaces."""
        self._append(END)

    def _append(self, line: Json) -> None:
        data = (canonical_json(line) + "\n").encode("utf-8", "backslashreplace")
        with self._lock:
            if self.failed:
                return
            try:
                write_whole(self._descriptor, data)
                self._size += len(data)
                self._dirty = True
            except OSError as error:
                self._fail(error)
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self._size)

    def _fail(self, error: OSError) -> None:
        self.failed = f"{self._path.name} cannot be written: {error.strerror}"

    def _sync(self) -> None:
        while not self._closed.wait(SYNC_SECONDS):
            self._force()

    def _force(self) -> None:
        with self._lock:
            dirty, self._dirty = self._dirty, False
        if dirty:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._fail(error)

    def close(self) -> None:
        """Force the rest to the disk, and let other processes have the file."""
        self._closed.set()
        self._syncing.join()
        self._force()
        os.close(self._descriptor)


def _locked(path: Path) -> int:
    try:
        prepare_place(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise OutputError(
            f"{path.parent} is in use by another gate process", hint="wait for its end, or choose another `--out DIR`"
        ) from error
    return descriptor


def _resumed(path: Path, header: Header) -> Journaled:
    found = read_journal(path)
    if found.header is None:
        return found
    if found.header.purpose != header.purpose:
        message = f"{path} holds the answers of `gate {found.header.purpose}`"
        raise RecordError(message, hint=f"resume that one, choose another `--out DIR`, or {AFRESH}")
    try:
        age = day_number(header.as_of) - day_number(found.header.as_of)
    except ValueError as error:
        raise RecordError(f"{path}:1: {error}", hint=AFRESH) from error
    if age > WINDOW_DAYS:
        message = f"{path}: the run was begun on {found.header.as_of}, {age} days before {header.as_of}"
        raise RecordError(message, hint=f"answers count for {WINDOW_DAYS} days, because providers move; {AFRESH}")
    return found


def read_journal(path: Path) -> Journaled:
    """Read a journal; a torn last line is left out, anything else that is wrong raises RecordError with its line.

    A file that is not there holds nothing.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Journaled()
    size = data.rfind(b"\n") + 1
    lines = data[:size].split(b"\n")[:-1]
    if not lines:
        return Journaled()
    header = _header(lines[0], path)
    answers: dict[str, deque[Answer]] = {}
    for number, line in enumerate(lines[1:], 2):
        for key, answer in _entry(line, f"{path}:{number}").items():
            answers.setdefault(key, deque()).append(answer)
    return Journaled(header=header, answers=answers, size=size, ended=_plain(lines[-1], str(path)) == END)


def _header(line: bytes, path: Path) -> Header:
    plain = _plain(line, f"{path}:1")
    if plain.get("schema") != SCHEMA:
        message = f"{path}:1: schema {plain.get('schema')!r}, this lockgate reads {SCHEMA!r}"
        raise RecordError(message, hint=AFRESH)
    try:
        return decode(Header, plain)
    except DecodeError as error:
        raise RecordError(f"{path}:1: {error}", hint=AFRESH) from error


def _entry(line: bytes, place: str) -> dict[str, Answer]:
    plain = _plain(line, place)
    if plain == END:
        return {}
    key = plain.get("key")
    if plain.keys() != {"answer", "key"} or not isinstance(key, str):
        raise RecordError(f"{place}: not a key with its answer", hint=f"the file was changed after the run; {AFRESH}")
    try:
        return {key: decode(Answer, plain["answer"])}
    except DecodeError as error:
        raise RecordError(f"{place}: {error}", hint=f"the file was changed after the run; {AFRESH}") from error


def _plain(line: bytes, place: str) -> dict[str, Json]:
    try:
        plain = parse_json(line.decode("utf-8"))
    except (NotJsonError, UnicodeDecodeError) as error:
        hint = f"the file was changed after the run; {AFRESH}"
        raise RecordError(f"{place}: not JSON: {error}", hint=hint) from error
    if not isinstance(plain, dict):
        raise RecordError(f"{place}: an object was expected", hint=AFRESH)
    return plain


def left_behind(path: Path) -> int:
    """How many answers a run left that did not come to its end; 0 where there is no such journal, or no sound one."""
    try:
        found = read_journal(path)
    except (RecordError, OSError):
        return 0
    return 0 if found.ended else sum(map(len, found.answers.values()))
