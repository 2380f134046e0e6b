"""Artifacts of workflow runs, read as what they are: files that a stranger may have made. Nothing is unpacked."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from gate.core.model import Json
from gate.errors import PublishError, RecordError
from gate.forge.pulls import PAGE, RUN_HINT, Repository

MOST_BYTES = 32 * 2**20
MOST_FILES = 2_000
ENTRY = b"PK\x01\x02"
LARGEST_FILE = 16 * 2**20
# What a run leaves: a decision, or a word that nothing was asked.
RECORDS = ("decision.json", UNDECIDED := "undecided.json")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UPLOAD_HINT = (
    "let the job upload its out folder with actions/upload-artifact as `name: lockgate-${{ github.run_attempt }}`"
)
HOSTILE_HINT = "the record of this run is not believed; see the run that made it"


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip whose table of contents is sound; `folder` is where the record lies in it."""

    content: bytes
    folder: str

    def holds(self, name: str) -> bool:
        """Whether the record has a file of this name."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return str(PurePosixPath(self.folder, name)) in archive.namelist()

    def read(self, name: str) -> str:
        """Text of one file of the record, at most 16 MiB of it.

        Raises RecordError where it is not there, too large, damaged, or not UTF-8.
        """
        path = str(PurePosixPath(self.folder, name))
        try:
            with zipfile.ZipFile(io.BytesIO(self.content)) as archive, archive.open(path) as stream:
                # The size that the table of contents claims is not believed.
                text = stream.read(LARGEST_FILE + 1)
            if len(text) > LARGEST_FILE:
                raise RecordError(f"artifact: {name} is larger than {LARGEST_FILE} bytes", hint=HOSTILE_HINT)
            return text.decode("utf-8")
        except KeyError:
            raise RecordError(f"artifact: {name} is missing", hint=UPLOAD_HINT) from None
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
            raise RecordError(f"artifact: {name} cannot be read", hint=HOSTILE_HINT) from error


def artifact_name(attempt: int) -> str:
    """What the example workflows call the out folder of an attempt."""
    return f"lockgate-{attempt}"


def find_artifacts(repository: Repository, run_id: int, name: str) -> list[int]:
    """Ids of the artifacts of a run with a name, as far as they can still be downloaded; raises PublishError."""
    path = f"/repos/{repository.name}/actions/runs/{run_id}/artifacts"
    reply = repository.api.get(path, {"name": name, "per_page": PAGE})
    if not reply.ok:
        raise PublishError(f"the artifacts of run {run_id} could not be read: {reply.detail}", hint=RUN_HINT)
    return _usable(reply.body, name)


def fetch_artifact(repository: Repository, run_id: int, name: str) -> Archive:
    """Download one artifact of a run by its name.

    Raises PublishError where there is not exactly one, RecordError for one that is not what it should be.
    """
    found = find_artifacts(repository, run_id, name)
    if len(found) != 1:
        message = f"run {run_id} has {len(found) or 'no'} artifacts named {name!r} that can still be downloaded"
        raise PublishError(message, hint=UPLOAD_HINT)
    place = f"/repos/{repository.name}/actions/artifacts/{found[0]}/zip"
    return open_archive(repository.api.download(place, MOST_BYTES))


def _usable(body: Json, name: str) -> list[int]:
    listed = body.get("artifacts") if isinstance(body, dict) else None
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    same = (entry for entry in entries if entry.get("name") == name and entry.get("expired") is False)
    return [identifier for entry in same if isinstance(identifier := entry.get("id"), int)]


def open_archive(content: bytes) -> Archive:
    """Look through a zip's table of contents; raises RecordError for anything that an honest upload does not hold."""
    # Counted before it is read: an entry takes far more memory than room in the file.
    if content.count(ENTRY) > MOST_FILES:
        raise RecordError(f"artifact: it holds more than {MOST_FILES} files", hint=HOSTILE_HINT)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
        raise RecordError("artifact: not a zip that can be read", hint=HOSTILE_HINT) from error
    for entry in entries:
        _require_sound(entry)
    name, times = Counter(entry.filename for entry in entries).most_common(1)[0] if entries else ("", 0)
    if times > 1:
        raise RecordError(f"artifact: {name[:80]!r} is in it {times} times", hint=HOSTILE_HINT)
    return Archive(content, _folder([entry.filename for entry in entries]))


def _require_sound(entry: zipfile.ZipInfo) -> None:
    shown, parts = repr(entry.filename[:80]), PurePosixPath(entry.filename).parts
    if entry.filename.startswith("/") or ".." in parts or "\\" in entry.filename or "\0" in entry.orig_filename:
        raise RecordError(f"artifact: the name {shown} leaves its folder", hint=HOSTILE_HINT)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RecordError(f"artifact: {shown} is a link or a device", hint=HOSTILE_HINT)
    if entry.flag_bits & 1 or entry.compress_type not in METHODS:
        raise RecordError(f"artifact: {shown} is packed in a way that no upload is", hint=HOSTILE_HINT)


def _folder(names: list[str]) -> str:
    """The one folder with a record in it: the top, or one below; raises RecordError for none or several."""
    folders = [str(PurePosixPath(name).parent) for name in names if PurePosixPath(name).name in RECORDS]
    near = [folder for folder in folders if len(PurePosixPath(folder).parts) <= 1]
    if len(near) != 1:
        raise RecordError(f"artifact: it holds {len(near) or 'no'} records of a decision", hint=UPLOAD_HINT)
    return near[0]
