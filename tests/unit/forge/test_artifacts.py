"""A zip from a stranger: nothing but an honest upload is read, and never more than is allowed."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile

import pytest

from gate.errors import RecordError
from gate.forge import artifacts
from gate.forge.artifacts import LARGEST_FILE, open_archive


def packed(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(content, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, text in files:
            archive.writestr(name, text)
    return content.getvalue()


RECORD = ("lockgate-out/decision.json", b"{}")


@pytest.mark.parametrize("folder", ["", "lockgate-out/", "lockgate-out-2/"])
def test_open_archive__finds_the_record(folder: str) -> None:
    archive = open_archive(packed((f"{folder}decision.json", b"{}"), (f"{folder}inputs/policy.json", "é".encode())))
    assert (archive.read("decision.json"), archive.read("inputs/policy.json")) == ("{}", "é")


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a zip that can be read"),
        (b"PK\x05\x06 no", "not a zip that can be read"),
        (packed(RECORD)[:-30], "not a zip that can be read"),
        (packed(), "it holds no records of a decision"),
        (packed(("a/b/decision.json", b"")), "it holds no records of a decision"),
        (packed(RECORD, ("x/decision.json", b"")), "it holds 2 records of a decision"),
        (packed(RECORD, RECORD), "'lockgate-out/decision.json' is in it 2 times"),
        (packed(RECORD, ("../evidence.json", b"")), "the name '../evidence.json' leaves its folder"),
        (packed(RECORD, ("/etc/passwd", b"")), "the name '/etc/passwd' leaves its folder"),
        (packed(RECORD, ("a\\b", b"")), "leaves its folder"),
        (packed(RECORD, (link("lockgate-out/evidence.json"), b"/etc/passwd")), "is a link or a device"),
        (packed(RECORD, method=zipfile.ZIP_BZIP2), "is packed in a way that no upload is"),
    ],
)
def test_open_archive__refuses(content: bytes, told: str) -> None:
    with pytest.raises(RecordError) as caught:
        open_archive(content)
    assert told in str(caught.value)


def test_open_archive__too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "MOST_FILES", 3)
    with pytest.raises(RecordError, match="more than 3 files"):
        open_archive(packed(RECORD, ("a", b""), ("b", b""), ("c", b"")))


def test_read__bomb_is_left_after_the_limit() -> None:
    content = packed(RECORD, ("lockgate-out/evidence.json", bytes(64 * LARGEST_FILE)))
    assert len(content) < 2 * 2**20
    with pytest.raises(RecordError, match=f"evidence.json is larger than {LARGEST_FILE} bytes"):
        open_archive(content).read("evidence.json")


def test_read__claimed_size_is_not_believed() -> None:
    """The table of contents says that the bomb is one byte long."""
    content = bytearray(packed(RECORD, ("lockgate-out/evidence.json", bytes(LARGEST_FILE + 0x123457))))
    size = (LARGEST_FILE + 0x123457).to_bytes(4, "little")
    assert content.count(size) == 2
    with pytest.raises(RecordError, match=r"evidence.json (cannot be read|is larger)"):
        open_archive(bytes(content.replace(size, (1).to_bytes(4, "little")))).read("evidence.json")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [("evidence.json", None, "evidence.json is missing"), ("evidence.json", b"\xff", "evidence.json cannot be read")],
)
def test_read__refuses(name: str, text: bytes | None, told: str) -> None:
    files = [RECORD] if text is None else [RECORD, (f"lockgate-out/{name}", text)]
    with pytest.raises(RecordError, match=told):
        open_archive(packed(*files)).read(name)


def test_read__damaged() -> None:
    content = packed(RECORD, ("lockgate-out/evidence.json", b"abcdefgh" * 100), method=zipfile.ZIP_STORED)
    with pytest.raises(RecordError, match="cannot be read"):
        open_archive(content.replace(b"abcdefghabc", b"abcdefghabX", 1)).read("evidence.json")
