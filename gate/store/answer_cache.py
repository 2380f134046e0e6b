"""The cache: answers of past runs on this machine, in one SQLite file, for work on prompts and scorers."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from gate.core.canonical import canonical_json
from gate.core.model import Answer
from gate.core.question import Origin, Question, is_whole
from gate.errors import OutputError, RecordError
from gate.store.answer_records import answer_record, parse_answer

FOLDER = ".lockgate"
NAME = "cache.sqlite3"
FORMAT = 1
BUSY_MS = 10_000
HINT = "remove it, or leave out `--cache`"


class CacheMode(StrEnum):
    """What a run does with the cache; `refresh` asks everything and replaces what is there."""

    OFF = "off"
    READ_WRITE = "read-write"
    READ_ONLY = "read-only"
    REFRESH = "refresh"


class AnswerCache:
    """Answers by key; safe to share between threads, and between processes."""

    def __init__(self, root: Path, mode: CacheMode) -> None:
        """Open or make the file below `root`; raises OutputError, and RecordError for a file that is no such cache."""
        self._path = root / FOLDER / NAME
        self._mode = mode
        self._lock = threading.Lock()
        if self._path.parent.is_symlink() or self._path.is_symlink():
            raise OutputError(f"{FOLDER}/{NAME} is a symlink", hint=f"remove it: {FOLDER} belongs to lockgate")
        try:
            self._file = self._opened()
        except sqlite3.OperationalError as error:
            raise OutputError(f"{FOLDER}/{NAME} cannot be used: {error}", hint=HINT) from error
        except sqlite3.DatabaseError as error:
            raise self._foreign(str(error)) from error

    def _opened(self) -> sqlite3.Connection | None:
        reads = self._mode is CacheMode.READ_ONLY
        if reads and not self._path.exists():
            return None
        if not reads:
            try:
                self._path.parent.mkdir(exist_ok=True)
            except OSError as error:
                raise OutputError(f"{FOLDER} cannot be made: {error.strerror}", hint="leave out `--cache`") from error
        address = f"file:{quote(str(self._path.absolute()))}?mode={'ro' if reads else 'rwc'}"
        file = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(file, reads=reads)
        except BaseException:
            file.close()
            raise
        return file

    def _prepare(self, file: sqlite3.Connection, *, reads: bool) -> None:
        # The file may be somebody else's: nothing that stands in its schema is run.
        for setting in ("trusted_schema=OFF", f"busy_timeout={BUSY_MS}", "synchronous=NORMAL"):
            file.execute(f"PRAGMA {setting}")
        if not reads:
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, record TEXT NOT NULL)")
        found = file.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        if found != [("table", "answers")]:
            raise self._foreign("it has other tables")
        version = file.execute("PRAGMA user_version").fetchone()[0]
        if not reads and version == 0:
            file.execute(f"PRAGMA user_version={FORMAT}")
        elif version != FORMAT:
            raise self._foreign(f"its format is {version}, this lockgate reads {FORMAT}")

    def _foreign(self, why: str) -> RecordError:
        return RecordError(f"{FOLDER}/{NAME} is not a cache of lockgate: {why}", hint=HINT)

    def find(self, question: Question) -> Answer | None:
        """The cached answer; raises RecordError for an entry that is not what its key says."""
        if self._file is None or self._mode is CacheMode.REFRESH:
            return None
        try:
            with self._lock:
                row = self._file.execute("SELECT record FROM answers WHERE key = ?", (question.key,)).fetchone()
        except sqlite3.DatabaseError as error:
            raise self._foreign(str(error)) from error
        if row is None:
            return None
        place = f"{FOLDER}/{NAME}: entry {question.key} (case {question.case_id})"
        return parse_answer(str(row[0]), place, question=question, origin=Origin.CACHE)

    def put(self, question: Question, answer: Answer) -> None:
        """Keep a whole answer; a cache that cannot take it (a full disk) is no reason to end a run."""
        if self._file is None or self._mode is CacheMode.READ_ONLY or not is_whole(answer):
            return
        text = canonical_json(answer_record(question, answer)).encode("utf-8", "backslashreplace").decode("utf-8")
        with self._lock, suppress(sqlite3.OperationalError):
            self._file.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (question.key, text))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
