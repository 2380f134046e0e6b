"""The difference between two answers, for people: unified, bounded, JSON laid out line by line first."""

import difflib

from gate.core.canonical import parse_json, readable_json
from gate.report.escape import clip, md_fence

MOST_CHARS = 4_000
CONTEXT = 2


def answer_diff(before: str | None, now: str | None) -> str:
    """Show in a fenced block what changed between two answers; one answer alone is shown as it is."""
    if before is None or now is None:
        only = now if before is None else before
        return "" if only is None else md_fence(_laid_out(only))
    old, new = _laid_out(before), _laid_out(now)
    if old == new:
        old, new = clip(before, MOST_CHARS), clip(now, MOST_CHARS)
    lines = difflib.unified_diff(old.split("\n"), new.split("\n"), "before", "now", n=CONTEXT, lineterm="")
    body = "\n".join(line for line in lines if not line.startswith("@@ "))
    return md_fence(body, "diff") if body else md_fence(new)


def _laid_out(text: str) -> str:
    """Lay JSON out with one value a line; other text only loses what is over the limit."""
    if len(text) > MOST_CHARS:
        return clip(text, MOST_CHARS)
    try:
        return readable_json(parse_json(text)).rstrip("\n")
    except ValueError:
        return text.replace("\r\n", "\n")
