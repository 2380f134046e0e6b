"""Server-sent events, piece by piece."""

import itertools
from collections.abc import Iterable, Iterator

_END = "[DONE]"
_LAST = (b"\n\n",)


class StreamTooLongError(Exception):
    """A stream is over its limit."""


def read_events(pieces: Iterable[bytes], limit: int) -> Iterator[str]:
    """Yield the data of each event as it is complete; comments, other fields and a bare end mark are left out.

    The last event may end with the stream instead of an empty line. Raises StreamTooLongError after so many bytes.
    """
    rest, size = b"", 0
    data: list[str] = []
    for piece in itertools.chain(pieces, _LAST):
        size += len(piece)
        if size > limit:
            raise StreamTooLongError
        *lines, rest = (rest + piece).split(b"\n")
        for raw in lines:
            line = raw.rstrip(b"\r").decode("utf-8", "replace")
            if line.startswith("data:"):
                data.append(line.removeprefix("data:").removeprefix(" "))
            elif not line and data:
                whole = "\n".join(data)
                data.clear()
                if whole != _END:
                    yield whole
