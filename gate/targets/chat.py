"""The OpenAI chat format: what is asked, and how an answer reads."""

from dataclasses import dataclass

from gate.core.canonical import parse_json
from gate.core.model import Answer, Call, Json, ToolCall
from gate.targets.definition import TargetDefinition
from gate.targets.prices import Prices, price_usd
from gate.targets.reply import BadReplyError, read_usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A response body, with the milliseconds that it took and the model that was asked for."""

    body: bytes
    latency_ms: float
    model: str


def chat_request(definition: TargetDefinition, call: Call) -> dict[str, Json]:
    """Build the request body; parameters that the definition leaves open are not sent."""
    parameters: dict[str, Json] = {
        "temperature": definition.temperature,
        "max_tokens": definition.max_output_tokens,
        "seed": definition.seed,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return {"model": definition.model, "messages": [{"role": "user", "content": call.prompt}], **given}


def read_chat(received: Received, prices: Prices) -> Answer:
    """Read a chat completion; raises BadReplyError with a sentence that quotes nothing of the body."""
    document = _parse(received.body)
    message = _message(document)
    reported = document.get("model")
    model = reported if isinstance(reported, str) and reported else received.model
    counts = document.get("usage")
    usage = None if counts is None else read_usage(counts, "prompt_tokens", "completion_tokens")
    return Answer(
        text=_text(message),
        model=model,
        tool_calls=tuple(_tool_call(item) for item in _list(message.get("tool_calls"))),
        usage=usage,
        usd=price_usd(model, usage, prices) if usage else None,
        latency_ms=received.latency_ms,
    )


def _parse(body: bytes) -> dict[str, Json]:
    try:
        document = parse_json(body.decode("utf-8"))
    except ValueError:
        kind = "HTML" if body.lstrip()[:1] == b"<" else "not JSON"
        raise BadReplyError(f"the answer is {kind}") from None
    if not isinstance(document, dict):
        raise BadReplyError("the answer is not a JSON object")
    return document


def _message(document: dict[str, Json]) -> dict[str, Json]:
    choices = _list(document.get("choices"))
    first = choices[0] if choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(message, dict):
        raise BadReplyError("the answer has no choices[0].message")
    return message


def _text(message: dict[str, Json]) -> str:
    """Return what was said: a refusal is an answer too, and a message may consist of tool calls alone."""
    content = message.get("content")
    if content is None:
        content = message.get("refusal")
    if content is None and message.get("tool_calls"):
        return ""
    if not isinstance(content, str):
        raise BadReplyError("the answer's choices[0].message.content is not text")
    return content


def _tool_call(item: Json) -> ToolCall:
    """Read one tool call; arguments that are no JSON object are the model's fault, kept as `unparsed`."""
    function = item.get("function") if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadReplyError("the answer has a tool call without a name")
    said = function.get("arguments")
    try:
        arguments = parse_json(said) if isinstance(said, str) else said
    except ValueError:
        arguments = None
    return ToolCall(
        name=str(function["name"]), arguments=arguments if isinstance(arguments, dict) else {"unparsed": said}
    )


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
