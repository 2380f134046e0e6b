"""HTTP/1.1 by hand: requests out of bytes, and the heads and chunks of responses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

MOST_HEAD = 65_536
MOST_BODY = 64 * 1024 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

_REASONS = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}


class BadRequestError(ValueError):
    """Bytes that are no request that this server reads; the connection cannot go on."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; names of headers are in lower case, and of equal ones the last counts."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether the client wants no further exchange on this connection."""
        return "close" in self.headers.get("connection", "").lower()


class RequestReader:
    """Collects bytes and gives back whole requests, one at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None
        self._continued = False

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._buffer += data

    def take(self) -> Request | None:
        """Return the next request, None while it is not all there; raises BadRequestError."""
        if self._head is None:
            self._head = self._take_head()
        if self._head is None:
            return None
        body = self._take_body(self._head.headers)
        if body is None:
            return None
        head, self._head, self._continued = self._head, None, False
        return Request(method=head.method, path=head.path, query=head.query, headers=head.headers, body=body)

    def wants_continue(self) -> bool:
        """Whether the client waits for leave to send its body; true once for each request."""
        if self._head is None or self._continued:
            return False
        self._continued = self._head.headers.get("expect", "").lower() == "100-continue"
        return self._continued

    def _take_head(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end > MOST_HEAD or (end < 0 and len(self._buffer) > MOST_HEAD):
            raise BadRequestError(431, f"the head is over {MOST_HEAD} bytes")
        if end < 0:
            return None
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        return _parse_head(lines)

    def _take_body(self, headers: Mapping[str, str]) -> bytes | None:
        if "transfer-encoding" in headers:
            return self._take_chunks(headers)
        said = headers.get("content-length", "0")
        if not (said.isascii() and said.isdigit()):
            raise BadRequestError(400, "Content-Length is not a number")
        length = int(said)
        if length > MOST_BODY:
            raise BadRequestError(413, f"the body is over {MOST_BODY} bytes")
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _take_chunks(self, headers: Mapping[str, str]) -> bytes | None:
        if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
            raise BadRequestError(400, "the length of the body is not clear")
        if len(self._buffer) > MOST_BODY:
            raise BadRequestError(413, f"the body is over {MOST_BODY} bytes")
        body, start = bytearray(), 0
        while (end := self._buffer.find(b"\r\n", start)) >= 0:
            size = _chunk_size(bytes(self._buffer[start:end]))
            start, after = end + 2, end + 2 + size + 2
            if len(self._buffer) < after:
                return None
            body += self._buffer[start : start + size]
            start = after
            if not size:
                del self._buffer[:start]
                return bytes(body)
        return None


def _parse_head(lines: list[str]) -> Request:
    words = lines[0].split(" ")
    if len(words) != 3:
        raise BadRequestError(400, "the first line is not METHOD TARGET VERSION")
    method, target, version = words
    if version != "HTTP/1.1":
        raise BadRequestError(505, "only HTTP/1.1 is spoken here")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError(400, "a header has no colon")
        headers[name.lower()] = value.strip()
    path, _, query = target.partition("?")
    return Request(method=method, path=unquote(path), query=query, headers=headers, body=b"")


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.split(b";")[0], 16)
    except ValueError:
        raise BadRequestError(400, "the size of a chunk is not a number") from None


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Write the head of a response."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}\r\n{lines}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Frame bytes, at least one, as a chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)
