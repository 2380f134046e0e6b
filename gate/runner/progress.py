"""What a run tells of itself while it goes on."""

from __future__ import annotations

from typing import Protocol

from gate.core.model import Answer, Trial, Unanswered


class Progress(Protocol):
    """Told about each trial as it is answered, and again when it is judged."""

    def note(self, text: str) -> None:
        """Something that a person should know."""
        ...

    def begin(self, suite: str, *, target: str, total: int) -> None:
        """A batch of trials starts."""
        ...

    def step(self, reply: Answer | Unanswered, *, spent: float | None) -> None:
        """One more trial came back; the dollars are those of the whole run, None where no price is known."""
        ...

    def judged(self, trial: Trial) -> None:
        """One more trial is judged; these come in the planned order."""
        ...

    def end(self) -> None:
        """The batch is over."""
        ...
