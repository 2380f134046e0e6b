"""A plain endpoint that takes and returns {"text": ...}."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.rigs.model_server.asking import Answer, Ask, Events, Standing, encoded, required
from tests.rigs.model_server.wire import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainFormat:
    """Text in, text out; it never streams."""

    def read(self, request: Request, body: Mapping[str, Any]) -> Ask:
        """Read a question; raises AskError."""
        return Ask(prompt=required(body, "text", str))

    def whole(self, answer: Answer) -> bytes:
        """Write the text alone."""
        return encoded({} if answer.empty else {"text": answer.text})

    def events(self, ask: Ask, answer: Answer) -> Events:
        """Write the answer as one piece, since nobody can ask for a stream."""
        return Events(opening=(), tokens=(self.whole(answer),))

    def error(self, status: int, message: str) -> bytes:
        """Write an error with its status."""
        return encoded({"error": message, "status": status})

    def error_event(self, message: str) -> bytes:
        """Write an error without a status."""
        return encoded({"error": message})

    def limit_headers(self, standing: Standing) -> tuple[tuple[str, str], ...]:
        """Write nothing: there is no custom for it."""
        return ()
