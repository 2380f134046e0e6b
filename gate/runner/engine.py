"""Where trials are executed: in threads of this process, or somewhere else behind the same few words.

A run asks its targets from threads of its own, so many at a time as the target allows. What such a thread waits for is
a crew's business. Budget, journal and judges stay with the run, whatever the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gate.core.model import Answer, Call, Suite, Target, Unanswered
from gate.runner.scoring import Results


class Crew(Protocol):
    """Executes trials of one suite; safe to use from several threads."""

    def answer(self, call: Call) -> Answer | Unanswered:
        """Answer one call, like the target itself."""
        ...

    def results(self, answer: Answer) -> Results | None:
        """The scores that came with this thread's last answer; None where it is to be scored here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One target with its suites, as an engine needs them.

    `build` makes the target and can be sent elsewhere; it raises GateError for what a user must mend. `portable` names
    the suites whose scorers need nothing of this machine. At most `workers` calls are under way at a time; `timeout_s`
    is for one.
    """

    build: Callable[[], Target]
    suites: tuple[Suite, ...]
    portable: frozenset[str]
    workers: int
    timeout_s: float


class Engine(Protocol):
    """Makes crews."""

    def open(self, site: Site) -> dict[str, Crew]:
        """One crew a suite, by name; raises GateError where the target cannot be built."""
        ...

    def close(self) -> None:
        """Let go of everything; crews are not used any more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCrew:
    """Asks in the calling thread, which scores, too."""

    target: Target

    def answer(self, call: Call) -> Answer | Unanswered:
        """Ask the target."""
        return self.target.answer(call)

    def results(self, answer: Answer) -> None:
        """Nothing was scored yet."""


class LocalEngine:
    """Asks from this process."""

    def open(self, site: Site) -> dict[str, Crew]:
        """Build the target once, for all of its suites."""
        crew = LocalCrew(target=site.build())
        return dict.fromkeys((suite.name for suite in site.suites), crew)

    def close(self) -> None:
        """Nothing is held."""
