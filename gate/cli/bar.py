"""A progress bar on a terminal, drawn by `rich`; imported only where there is one."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gate.cli.progress import Batch
from gate.report.escape import terminal_text

DRAW_EVERY_SECONDS = 0.1
NAME_COLUMNS = 20
WIDEST, NARROWEST = 24, 4


class Bar:
    """One line that is drawn over: name, bar, count, rate, time left, dollars, and what went wrong."""

    def __init__(self) -> None:
        """Draw on standard error; `rich` respects NO_COLOR and COLUMNS."""
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._drawn_at = 0.0

    def begin(self, batch: Batch) -> None:
        """Draw an empty bar."""
        self._drawn_at = batch.started
        # It draws when something happens, in this thread, and leaves the other streams alone.
        self._live = Live(
            self._line(batch, batch.started),
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def show(self, batch: Batch, now: float) -> None:
        """Draw at most ten times a second."""
        if self._live and now - self._drawn_at >= DRAW_EVERY_SECONDS:
            self._drawn_at = now
            self._live.update(self._line(batch, now), refresh=True)

    def end(self, batch: Batch, now: float) -> None:
        """Leave the last state on the screen, and give the cursor back."""
        if self._live:
            self._live.update(self._line(batch, now), refresh=True)
            self._live.stop()
            self._live = None

    def _line(self, batch: Batch, now: float) -> Table:
        """As much as fits: a line that wraps could not be drawn over. The bar shrinks first, then the end is cut."""
        room = self._console.width - 1
        name = terminal_text(batch.suite)
        widest = min(NAME_COLUMNS, room // 3)
        if cell_len(name) > widest:
            name = set_cell_size(name, widest - 1) + "…"
        facts = facts_of(batch, now)
        bar = min(WIDEST, room - cell_len(name) - len(facts) - 2)
        cells: list[Text | ProgressBar] = [Text(name)]
        if bar >= NARROWEST:
            cells.append(ProgressBar(total=max(batch.total, 1), completed=batch.done, width=bar))
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_row(*cells, Text(facts[: max(room - cell_len(name) - 1, 0)], no_wrap=True))
        return line


def facts_of(batch: Batch, now: float) -> str:
    """Count, rate, time left, dollars, failures and what could not be scored, the most wanted first."""
    wrong = f"fail {len(batch.failing)}" if batch.failing else ""
    unscored = f"unscored {batch.unscored}" if batch.unscored else ""
    parts = (f"{batch.done}/{batch.total}", f"{batch.rate(now):.0f}/s", batch.time(now), batch.dollars, wrong, unscored)
    return " ".join(part for part in parts if part)
