"""The decision as plain lines for a terminal or a CI log."""

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from gate.core.finding import Outcome
from gate.report.escape import BREAK, log_line, terminal_text
from gate.report.rows import Row
from gate.report.view import ReportView

MARGIN = 9
SHORTEST_LABEL = 16
GAP = "  "
ALIGNED = "<>>><"
MOST_ROWS = 40
_SIGNS = {Outcome.PROMOTE: "▲", Outcome.HOLD: "■", Outcome.ROLLBACK: "▼"}
_COLOURS = {Outcome.PROMOTE: "32", Outcome.HOLD: "33", Outcome.ROLLBACK: "31"}


def render_terminal(view: ReportView, width: int = 80, *, colour: bool = False) -> str:
    """Plain text of about `width` columns; with `colour` the outcome is coloured by ANSI codes."""
    command = view.provenance.reproduce
    blocks = (
        [render_verdict(view, colour=colour), f"  {view.counts}" if view.counts else ""],
        _wrapped("", view.notes, width),
        _wrapped("from", (view.source,), width),
        _wrapped("why", _reasons(view), width),
        [*_table("suite", view.rows, width)],
        [*_table("slice", view.slices, width)],
        _wrapped("left out", view.exclusions, width),
        _wrapped("look out", view.flags, width),
        _wrapped("next", (view.action,), width),
        [f"{' ' * (MARGIN + 2)}$ {terminal_text(command, 500)}"] if command else [],
        _wrapped("plan", (view.provenance.plan,), width) if view.provenance.plan else [],
        _wrapped("record", (view.provenance.digest[:71], "check it with gate replay"), max(width, 90)),
    )
    return "\n\n".join("\n".join(line for line in block if line) for block in blocks if any(block)) + "\n"


def render_verdict(view: ReportView, *, colour: bool = False) -> str:
    """The outcome in one line."""
    text = f"{_SIGNS[view.outcome]} {view.headline}"
    return f"\x1b[1;{_COLOURS[view.outcome]}m{text}\x1b[0m" if colour else text


def _reasons(view: ReportView) -> tuple[str, ...]:
    return (*view.reasons, *((f"{view.more_reasons} more in the summary",) if view.more_reasons else ()))


def _wrapped(title: str, sentences: Sequence[str], width: int) -> list[str]:
    """Sentences beside a title in the margin, each on its own lines."""
    lines: list[str] = []
    for sentence in sentences:
        # Taking marks out and breaking lines both make new beginnings, where a log looks for commands.
        shown = terminal_text(sentence.replace("`", ""))
        lines += map(log_line, textwrap.wrap(shown, max(width - MARGIN - 2, 20), break_on_hyphens=False))
    titles = [title, *[""] * len(lines)]
    return [f"  {name:<{MARGIN}}{line}" for name, line in zip(titles, lines, strict=False)]


def _table(title: str, rows: Sequence[Row], width: int) -> Iterator[str]:
    if not rows:
        return
    head = (title, "before", "now", "change", "")
    numbers = [head[1:], *((row.before, row.now, row.change, row.word) for row in rows[:MOST_ROWS])]
    taken = sum(max(_columns(line[column]) + len(GAP) for line in numbers) for column in range(len(numbers[0])))
    limit = max(SHORTEST_LABEL, width - taken - len(GAP))
    labels = [head[0], *(terminal_text(row.label, limit) for row in rows[:MOST_ROWS])]
    cells = [(label, *line) for label, line in zip(labels, numbers, strict=True)]
    widths = [max(_columns(line[column]) for line in cells) for column in range(len(head))]
    for line in cells:
        padded = map(_pad, line, widths, ALIGNED)
        yield f"  {GAP.join(padded)}".rstrip()
    if len(rows) > MOST_ROWS:
        yield f"  {len(rows) - MOST_ROWS} more in the summary"


def _pad(cell: str, size: int, aligned: str) -> str:
    blanks = " " * (size - _columns(cell))
    return cell + blanks if aligned == "<" else blanks + cell


def _columns(text: str) -> int:
    """Columns that a text takes: wide letters two, combining marks and breaks none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    none = sum(unicodedata.combining(char) > 0 or char == BREAK for char in text)
    return len(text) + wide - none
