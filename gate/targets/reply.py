"""What a program under evaluation says: the JSON object that command and Python targets answer with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gate.core.model import Answer, Call, Json, ToolCall, Usage
from gate.documents.wording import quoted, suggestion
from gate.targets.prices import Prices, price_usd

# No call takes so many; a larger number is no count, and its square must still be one.
MOST_TOKENS = 10**12
_KEYS = ("text", "tool_calls", "usage", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A reply as it came, with the milliseconds that it took and the model's name in case it names none."""

    value: Json
    latency_ms: float
    model: str


class BadReplyError(ValueError):
    """The reply does not have the form that a program must answer in."""


def question(call: Call) -> dict[str, Json]:
    """Render a call as the document that a program receives."""
    return {"case_id": call.case_id, "prompt": call.prompt, "variables": dict(call.variables), "seed": call.seed}


def read_measured(measured: Measured, prices: Prices) -> Answer:
    """Read a reply as `read_reply` does, and add what it took and cost."""
    answer = read_reply(measured.value)
    model = answer.model or measured.model
    usd = price_usd(model, answer.usage, prices) if answer.usage else None
    return replace(answer, model=model, usd=usd, latency_ms=measured.latency_ms)


def read_reply(value: Json) -> Answer:
    """Read `{"text", "tool_calls"?, "usage"?, "model"?}` or a bare string; raises BadReplyError with a sentence."""
    reply = {"text": value} if isinstance(value, str) else value
    if not isinstance(reply, dict):
        raise BadReplyError("the reply is neither an object nor a string")
    for key in reply:
        if key not in _KEYS:
            raise BadReplyError(f"the reply has an unknown key {quoted(key)}{suggestion(key, _KEYS)}")
    usage = None if reply.get("usage") is None else read_usage(reply["usage"], "input_tokens", "output_tokens")
    return Answer(
        text=_text(reply.get("text"), "text"),
        model=_text(reply.get("model") or "", "model"),
        tool_calls=_tool_calls(reply.get("tool_calls")),
        usage=usage,
    )


def read_usage(value: Json, input_key: str, output_key: str) -> Usage:
    """Read token counts under the given keys; raises BadReplyError unless both are whole numbers from 0."""
    counts = value if isinstance(value, dict) else {}
    return Usage(input_tokens=_count(counts, input_key), output_tokens=_count(counts, output_key))


def _count(counts: Mapping[str, Json], key: str) -> int:
    count = counts.get(key)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise BadReplyError(f"usage.{key} is not a whole number from 0")
    if count > MOST_TOKENS:
        raise BadReplyError(f"usage.{key} is over {MOST_TOKENS}")
    return count


def _text(value: Json, key: str) -> str:
    if not isinstance(value, str):
        raise BadReplyError(f"{key} is missing or not a string")
    return value


def _tool_calls(value: Json) -> tuple[ToolCall, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadReplyError("tool_calls is not a list")
    return tuple(_tool_call(item) for item in value)


def _tool_call(item: Json) -> ToolCall:
    if not isinstance(item, dict) or not isinstance(item.get("arguments"), dict):
        raise BadReplyError("a tool call is not an object with a name and arguments")
    arguments = item["arguments"]
    return ToolCall(name=_text(item.get("name"), "a tool call's name"), arguments=arguments)  # type: ignore[arg-type]
