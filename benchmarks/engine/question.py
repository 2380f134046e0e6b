"""What every client asks: a chat completion of the size that the gate sends. Standard library only."""

from __future__ import annotations

EXPECTED = "ok"
MODEL = "rig-1"
MAX_TOKENS = 16


def text(number: int) -> str:
    """The prompt of one case."""
    return (
        f"[case:c-{number:06d}] Which intent has this mail? Answer with one word.\n"
        f"Hello, this is number {number}: what does the large plan cost for twelve people, and from when on?\n"
    )


def question(number: int) -> dict[str, object]:
    """The body of one request."""
    messages = [{"role": "user", "content": text(number)}]
    return {"model": MODEL, "messages": messages, "temperature": 0, "max_tokens": MAX_TOKENS}
