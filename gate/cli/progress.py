"""Progress of a run on standard error: a bar on a terminal, lines in a log, groups of lines on a runner of GitHub."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import ceil
from typing import Protocol

from gate.cli.console import say_command, say_error
from gate.core.model import Answer, Trial, Unanswered

LINE_EVERY_SHARE = 0.05
LINE_EVERY_SECONDS = 15.0
LINE_AT_MOST_EVERY_SECONDS = 3.0
LATENCIES = 1_000
FAILING_NAMED = 10
NAME_LIMIT = 60
MINUTE, HOUR = 60, 3600
CENT = 0.01
NOT_DRAWABLE = frozenset(("", "dumb", "unknown"))


@dataclass(slots=True, kw_only=True)
class Batch:
    """What is known so far of the trials of one suite that are being run; seconds are those of a steady clock.

    `done` counts what came back; what is judged follows it, in the planned order. `latencies` are the last thousand.
    `spent` is in dollars, of the whole run; None where no price is known.
    """

    target: str
    suite: str
    total: int
    started: float
    done: int = 0
    passed: int = 0
    unscored: int = 0
    spent: float | None = None
    failing: list[str] = field(default_factory=list)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))

    def step(self, reply: Answer | Unanswered, spent: float | None) -> None:
        """Count what came back."""
        self.done += 1
        self.spent = spent
        if isinstance(reply, Answer) and reply.latency_ms is not None:
            self.latencies.append(reply.latency_ms)

    def judged(self, trial: Trial) -> None:
        """Count a verdict on one trial."""
        self.passed += trial.passed
        self.unscored += trial.value is None
        if trial.value is not None and not trial.passed:
            self.failing.append(trial.case_id)

    @property
    def counts(self) -> str:
        """How many passed and failed, and how many could not be scored, where there are any."""
        unscored = f" unscored {self.unscored}" if self.unscored else ""
        return f"pass {self.passed} fail {len(self.failing)}{unscored}"

    @property
    def dollars(self) -> str:
        """What the run has cost so far; empty where no price is known."""
        if self.spent is None:
            return ""
        return f"${self.spent:.2f}" if self.spent >= CENT or not self.spent else f"${self.spent:.4f}"

    @property
    def p95(self) -> str:
        """The latency that 95 % of the last thousand answers keep; empty where none was measured."""
        ordered = sorted(self.latencies)
        return f"p95 {ordered[ceil(0.95 * len(ordered)) - 1] / 1000:.1f} s" if ordered else ""

    def rate(self, now: float) -> float:
        """Trials a second."""
        return self.done / max(now - self.started, 1e-9)

    def time(self, now: float) -> str:
        """How long the rest will take, and in the end how long it took."""
        if self.done >= self.total:
            return f"took {clock(now - self.started)}"
        return f"eta {clock((self.total - self.done) / self.rate(now))}" if self.done else "eta --:--"


def clock(seconds: float) -> str:
    """Seconds as mm:ss, from an hour on as h:mm:ss."""
    whole = round(seconds)
    minutes = f"{whole % HOUR // MINUTE:02}:{whole % MINUTE:02}"
    return f"{whole // HOUR}:{minutes}" if whole >= HOUR else minutes


class View(Protocol):
    """One way of showing a batch."""

    def begin(self, batch: Batch) -> None:
        """A batch starts."""
        ...

    def show(self, batch: Batch, now: float) -> None:
        """It went on."""
        ...

    def end(self, batch: Batch, now: float) -> None:
        """It is over."""
        ...


class Hidden:
    """Shows nothing."""

    def begin(self, batch: Batch) -> None:
        """Show nothing."""

    def show(self, batch: Batch, now: float) -> None:
        """Show nothing."""

    def end(self, batch: Batch, now: float) -> None:
        """Show nothing."""


class Lines:
    """A line each 5 % or 15 s, at most one each 3 s, and one in the end."""

    def __init__(self) -> None:
        """Print nothing yet."""
        self._at, self._done = 0.0, 0

    def begin(self, batch: Batch) -> None:
        """Wait for something to say."""
        self._at, self._done = batch.started, 0

    def show(self, batch: Batch, now: float) -> None:
        """Print a line if it is time for one; the last one is printed in the end."""
        since = now - self._at
        enough = batch.done - self._done >= max(1, LINE_EVERY_SHARE * batch.total)
        due = since >= LINE_EVERY_SECONDS or (enough and since >= LINE_AT_MOST_EVERY_SECONDS)
        if due and batch.done < batch.total:
            self._at, self._done = now, batch.done
            say_error(line_of(batch, now))

    def end(self, batch: Batch, now: float) -> None:
        """Print the last line."""
        say_error(line_of(batch, now))


class Groups(Lines):
    """Lines in a group of the log that a reader may unfold; what failed stands outside of it."""

    def begin(self, batch: Batch) -> None:
        """Open the group."""
        from gate.forge.commands import group

        super().begin(batch)
        say_command(group(f"{_name(batch.target)} / {_name(batch.suite)}"))

    def end(self, batch: Batch, now: float) -> None:
        """Close the group, and name failing cases."""
        from gate.forge.commands import ENDGROUP

        super().end(batch, now)
        say_command(ENDGROUP)
        names = list(dict.fromkeys(batch.failing))
        if names:
            more = f" and {len(names) - FAILING_NAMED} more" if len(names) > FAILING_NAMED else ""
            say_error(f"{_name(batch.suite)}: failing: {', '.join(map(_name, names[:FAILING_NAMED]))}{more}")


def line_of(batch: Batch, now: float) -> str:
    """A batch as one line of a log."""
    width = len(str(batch.total))
    head = f"[{batch.done:>{width}}/{batch.total}] {_name(batch.suite)}  {batch.counts}"
    return " | ".join(part for part in (head, batch.dollars, batch.p95, batch.time(now)) if part)


def _name(text: str) -> str:
    """A name out of the repository as one harmless line."""
    from gate.report.escape import terminal_text

    return terminal_text(text, NAME_LIMIT)


def suited_view() -> View:
    """The view that suits standard error: groups on a runner of GitHub, a bar on a terminal with `rich`, else lines."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return Groups()
    if sys.stderr.isatty() and os.environ.get("TERM", "") not in NOT_DRAWABLE and find_spec("rich"):
        from gate.cli.bar import Bar

        return Bar()
    return Lines()


class TrialProgress:
    """Progress of a run as its batches come; silent when quiet."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Show nothing yet."""
        self._view: View | None = Hidden() if quiet else None
        self._batch = Batch(target="", suite="", total=0, started=0.0)

    def note(self, text: str) -> None:
        """Say something that a person should know, also where no progress is shown."""
        say_error(text)

    def begin(self, suite: str, *, target: str, total: int) -> None:
        """A batch of trials starts."""
        self._view = self._view or suited_view()
        self._batch = Batch(target=target, suite=suite, total=total, started=time.monotonic())
        self._view.begin(self._batch)

    def step(self, reply: Answer | Unanswered, *, spent: float | None) -> None:
        """One more trial came back, and this many dollars are spent."""
        self._batch.step(reply, spent)
        if self._view:
            self._view.show(self._batch, time.monotonic())

    def judged(self, trial: Trial) -> None:
        """One more trial is judged."""
        self._batch.judged(trial)

    def end(self) -> None:
        """The batch is over."""
        if self._view:
            self._view.end(self._batch, time.monotonic())
