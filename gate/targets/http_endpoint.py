"""A plain HTTP endpoint as a target: the document that a program gets is posted, and its reply is read."""

from collections.abc import Mapping
from dataclasses import dataclass

from gate.core.model import Answer, Call, Json
from gate.targets.build import build_http
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Home
from gate.targets.exchange import HttpTarget
from gate.targets.prices import Prices
from gate.targets.reply import question, read_reply
from gate.targets.wire import Collector, Said

_HOME = Home(url="", key_name=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWire:
    """`{"case_id", "prompt", "variables", "seed"}` out, `{"text", ...}` in."""

    path: str = ""
    price_list: str = ""

    def headers(self, key: str | None) -> dict[str, str]:
        """The key as a bearer token."""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def request(self, call: Call) -> dict[str, Json]:
        """Build the document that programs get, too."""
        return question(call)

    def read(self, document: Json) -> Answer:
        """Read a reply; raises BadReplyError."""
        return read_reply(document)

    def collector(self) -> Collector:
        """Collect a stream, which is not asked for: the reply must come as one event."""
        return _OneEvent()

    def filtered(self, said: Said) -> bool:  # noqa: ARG002 - only providers of models have such filters
        """Say no: what an application filters, it says in its own words."""
        return False


class _OneEvent:
    def __init__(self) -> None:
        self._event: dict[str, Json] | None = None

    def take(self, event: Mapping[str, Json]) -> bool:
        self._event = dict(event)
        return True

    def document(self) -> dict[str, Json] | None:
        return self._event


def build_endpoint(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> HttpTarget:
    """Build the target; raises ConfigurationError for an unusable address, and for a key that is not set."""
    return build_http(definition, ReplyWire(), home=_HOME, environ=environ, prices=prices)
