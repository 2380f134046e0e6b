"""read_events: however a stream is cut into pieces, its events are the same."""

import pytest

from gate.targets.stream import StreamTooLongError, read_events

STREAM = (
    b': keep-alive\r\n\r\nevent: a\r\ndata: {"n": 1}\r\n\r\nid: 7\ndata:x\ndata: y\n\n\n\ndata: [DONE]\n\ndata: last'
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_read_events__puts_pieces_together(size: int) -> None:
    pieces = [STREAM[place : place + size] for place in range(0, len(STREAM), size)]
    assert list(read_events(pieces, 1000)) == ['{"n": 1}', "x\ny", "last"]


def test_read_events__yields_an_event_before_the_next_piece_is_there() -> None:
    seen: list[str] = []

    def pieces() -> object:
        yield b"data: first\n\n"
        assert seen == ["first"]
        yield b"data: second\n\n"

    seen.extend(read_events(pieces(), 1000))  # type: ignore[arg-type]
    assert seen == ["first", "second"]


def test_read_events__has_a_limit() -> None:
    with pytest.raises(StreamTooLongError):
        list(read_events([b"x" * 60, b"x" * 60], 100))
