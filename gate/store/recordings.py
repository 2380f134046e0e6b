"""Recordings: answers as committed files, one for each question, so that a run needs no model and gives the same again.

A file lies under the first two digits of its question's SHA-256; two changes that record never conflict in git.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gate.core.canonical import readable_json
from gate.core.model import Answer
from gate.core.question import Origin, Question, is_whole
from gate.errors import RecordError
from gate.store.answer_records import answer_record, parse_answer
from gate.store.outputs import write_files


def recording_path(folder: str, key: str) -> str:
    """Where the answer to a question lies."""
    name = key.removeprefix("sha256:")
    return f"{folder}/{name[:2]}/{name}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Recordings of the base, and where new ones are written; None where none are.

    `files` are contents by path below `folder`. `root` is the working tree, `written` a folder in it.
    """

    folder: str = ""
    files: Mapping[str, bytes]
    root: Path
    written: str | None = None

    def find(self, question: Question) -> Answer | None:
        """The recorded answer; raises RecordError for a file that is not what its name says."""
        path = recording_path(self.folder, question.key)
        content = self.files.get(path)
        if content is None:
            return None
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RecordError(f"{path}: not UTF-8", hint="restore the file, or remove it") from error
        return parse_answer(text, path, question=question, origin=Origin.RECORDING)

    def put(self, question: Question, answer: Answer) -> None:
        """Write a recording into the working tree, if this run records; raises OutputError."""
        if self.written is not None and is_whole(answer):
            text = readable_json(answer_record(question, answer))
            write_files(self.root, {recording_path(self.written, question.key): text})
