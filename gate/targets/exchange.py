"""A model behind HTTP: one question is one exchange, with its retries, under one deadline."""

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Protocol

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from gate.core.canonical import NotJsonError, parse_json
from gate.core.model import Answer, Call, Json, Missing, ToolCall, Unanswered
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Endpoint
from gate.targets.failure import Failure, backoff, broken_by_error, refused, unconnected
from gate.targets.pacing import Asker, Limits, Pace, Paces
from gate.targets.prices import Priced, Prices, list_name, price_usd
from gate.targets.reply import BadReplyError
from gate.targets.stream import StreamTooLongError, read_events
from gate.targets.transport import Line, read_body, read_pieces
from gate.targets.watchdog import Watchdog
from gate.targets.wire import FILTERED, Said, SaidError, Wire, mapping_of, read_document, read_said
from gate.worker.quoting import escape_controls

MAX_BYTES = 2_000_000
# A stream wraps every few letters in some hundred bytes.
MAX_STREAM_BYTES = 20 * MAX_BYTES
# What a provider that is down answers to every question.
OUTAGES = frozenset(
    {
        Missing.OVERLOADED,
        Missing.REFUSED,
        Missing.UNREACHABLE,
        Missing.BROKEN_OFF,
        Missing.TIMED_OUT,
    }
)
_OK, _REDIRECTS, _REFUSALS = 200, 300, 400
_SHOWN = 200


class SchemaCheck(Protocol):
    """A JSON Schema that answers were asked to follow."""

    def breach(self, text: str) -> str:
        """Where the text breaks the schema, as a sentence; empty where it follows it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTarget:
    """Posts each question to one address. No redirects, and a key goes to no host that is not listed for it."""

    definition: TargetDefinition
    endpoint: Endpoint
    wire: Wire
    prices: Prices
    schema: SchemaCheck | None = None
    pace: Pace = field(default_factory=lambda: Pace(Limits()), repr=False, compare=False)
    idle: list[Line] = field(default_factory=list, repr=False, compare=False)
    watchdog: Watchdog = field(default_factory=Watchdog, repr=False, compare=False)

    def sharing(self, paces: Paces) -> "HttpTarget":
        """The same target, in turn with all others of the run that ask the same host."""
        return replace(self, pace=paces.of(self.endpoint.host, self.definition.limits))

    @property
    def url(self) -> str:
        """Where questions are posted."""
        return self.endpoint.url + self.wire.path

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with each question."""
        # Uncompressed, so that the limit on the size holds for what is decoded, too.
        plain = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "lockgate"}
        return plain | self.wire.headers(self.endpoint.key)

    @property
    def _asker(self) -> Asker:
        return self.endpoint.key, self.definition.model

    def answer(self, call: Call) -> Answer | Unanswered:
        """Ask, again where it may help, all inside of the time limit.

        The latency is that of an answer to the first request; where there was another, the answer has none.
        """
        if self.endpoint.refusal is not None:
            return Unanswered(reason=Missing.NOT_ALLOWED, detail=self.endpoint.refusal, attempts=0)
        body = json.dumps(self.wire.request(call)).encode("ascii")
        left_s, attempts = self.definition.timeout_s, 0
        result: Answer | Failure | None = None
        while True:
            if refusal := self.pace.enter(left_s, self._asker):
                result = result or Failure(reason=Missing.PROVIDER_DOWN, detail=refusal)
                break
            # Waiting for a turn is not the provider's time; the time limit is.
            started = time.monotonic()
            result = self._attempt(body, started + left_s)
            attempts += 1
            self._tell_pace(result)
            left_s -= time.monotonic() - started
            if not isinstance(result, Failure) or attempts >= result.attempts:
                break
            pause = (result.pause_s or 0.0) + backoff(call, attempts - 1)
            if pause >= left_s:
                break
            time.sleep(pause)
            left_s -= pause
        if isinstance(result, Failure):
            return Unanswered(reason=result.reason, detail=self._shown(result.detail, None), attempts=attempts)
        return result if attempts == 1 else replace(result, latency_ms=None, first_token_ms=None, attempts=attempts)

    def _tell_pace(self, result: Answer | Failure) -> None:
        if isinstance(result, Answer):
            used = result.usage
            self.pace.answered(used.input_tokens + used.output_tokens if used else 0, self._asker)
        elif result.reason is Missing.KEY_REFUSED:
            self.pace.refused(self._shown(result.detail, _SHOWN), self._asker)
        elif result.reason is Missing.RATE_LIMITED:
            self.pace.throttled(result.pause_s or 0.0)
        elif result.reason in OUTAGES or (result.reason is Missing.HTTP_ERROR and result.pause_s is not None):
            self.pace.failed(self._shown(result.detail, _SHOWN))
        else:
            self.pace.ended()

    def _attempt(self, body: bytes, deadline: float) -> Answer | Failure:
        line = self._line()
        watch = self.watchdog.watch(line, deadline)
        try:
            result = self._ask(line, body, max(deadline - time.monotonic(), 0.001))
        finally:
            self.watchdog.release(watch)
            self.idle.append(line)
        if watch.fired:
            # Whatever the exchange ended in then, a body without a stated length included, was our doing.
            return Failure(reason=Missing.TIMED_OUT, detail=f"no answer within {self.definition.timeout_s:g} s")
        return result

    def _line(self) -> Line:
        """Take a connection that nobody uses; those of an earlier pass are still open."""
        try:
            return self.idle.pop()
        except IndexError:
            return Line(self.url)

    def _ask(self, line: Line, body: bytes, seconds: float) -> Answer | Failure:
        started = time.perf_counter()
        try:
            with closing(line.post(self.headers, body=body, seconds=seconds)) as response:
                if not _OK <= response.status < _REDIRECTS:
                    return self._refused(response, _elapsed_ms(started))
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    return Failure(reason=Missing.MALFORMED, detail="the answer is compressed, which nobody asked for")
                if _is_stream(response.headers):
                    return self._listen(response, started)
                content = read_body(response, MAX_BYTES)
                return self._read(content, _elapsed_ms(started))
        except (HTTPError, OSError) as error:
            return unconnected(error, self.endpoint.host, self.definition.timeout_s)

    def _refused(self, response: BaseHTTPResponse, latency_ms: float) -> Answer | Failure:
        status = response.status
        if _REDIRECTS <= status < _REFUSALS:
            return Failure(reason=Missing.HTTP_ERROR, detail=f"status {status}: redirects are off")
        content = read_body(response, MAX_BYTES)
        said = _error_in(content)
        if said is not None and self.wire.filtered(said):
            return self._finished(Answer(text="", model="", finish_reason=FILTERED), latency_ms=latency_ms)
        words = said.message if said is not None and said.message else content.decode("utf-8", "replace")
        return refused(status, response.headers, said=said, shown=self._shown(words, _SHOWN))

    def _listen(self, response: BaseHTTPResponse, started: float) -> Answer | Failure:
        collector = self.wire.collector()
        first_ms: float | None = None
        try:
            for data in read_events(read_pieces(response), MAX_STREAM_BYTES):
                if collector.take(mapping_of(parse_json(data))) and first_ms is None:
                    first_ms = _elapsed_ms(started)
        except StreamTooLongError:
            return _too_large(MAX_STREAM_BYTES)
        except NotJsonError:
            return Failure(reason=Missing.MALFORMED, detail="the stream has an event that is not JSON", pause_s=0.0)
        except (SaidError, BadReplyError) as error:
            return self._bad(error)
        document = collector.document()
        if document is None:
            detail = "the stream ended before the answer did"
            return Failure(reason=Missing.BROKEN_OFF, detail=detail, pause_s=0.0)
        return self._understand(document, latency_ms=_elapsed_ms(started), first_token_ms=first_ms)

    def _read(self, content: bytes, latency_ms: float) -> Answer | Failure:
        if len(content) > MAX_BYTES:
            return _too_large(MAX_BYTES)
        try:
            document = read_document(content)
        except BadReplyError as error:
            if _is_cut_off(content):
                return Failure(reason=Missing.BROKEN_OFF, detail="the answer broke off", pause_s=0.0)
            return self._bad(error)
        return self._understand(document, latency_ms=latency_ms)

    def _understand(
        self, document: Json, *, latency_ms: float, first_token_ms: float | None = None
    ) -> Answer | Failure:
        said = read_said(document)
        if said is not None:
            return self._bad(SaidError(said))
        try:
            answer = self.wire.read(document)
        except (SaidError, BadReplyError) as error:
            return self._bad(error)
        if len(answer.text) > MAX_BYTES:
            return _too_large(MAX_BYTES)
        return self._finished(answer, latency_ms=latency_ms, first_token_ms=first_token_ms)

    def _finished(self, answer: Answer, *, latency_ms: float, first_token_ms: float | None = None) -> Answer:
        """Add what the exchange knows: times, the price, which model was asked for, and whether the schema is kept."""
        asked = self.definition.model or ""
        model = answer.model or asked or self.definition.name
        whose = Priced(model=model, provider=self.wire.price_list)
        whole = replace(
            answer,
            model=model,
            asked="" if list_name(model) == list_name(asked) else asked,
            usd=price_usd(whose, answer.usage, self.prices) if answer.usage else None,
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
            breaks_schema=escape_controls(self.schema.breach(answer.text)) if self.schema else "",
        )
        return _masked(whole, self.endpoint)

    def _bad(self, error: SaidError | BadReplyError) -> Failure:
        if isinstance(error, SaidError):
            return broken_by_error(error.said, self._shown(error.said.message, _SHOWN))
        return Failure(reason=Missing.MALFORMED, detail=str(error))

    def _shown(self, text: str, limit: int | None) -> str:
        # The key is masked before the text is cut: half a key is still a secret.
        return escape_controls(self.endpoint.mask(text).strip())[:limit]


def _elapsed_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _is_stream(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").strip().lower().startswith("text/event-stream")


def _is_cut_off(content: bytes) -> bool:
    """Say whether a body starts as a JSON object and does not end as one."""
    return content.lstrip()[:1] == b"{" and content.rstrip()[-1:] != b"}"


def _error_in(content: bytes) -> Said | None:
    try:
        return read_said(read_document(content))
    except BadReplyError:
        return None


def _too_large(limit: int) -> Failure:
    return Failure(reason=Missing.TOO_LARGE, detail=f"the answer is over {limit} bytes")


def _masked(answer: Answer, endpoint: Endpoint) -> Answer:
    """Mask the key wherever an endpoint may have echoed it, however the answer spelled it."""
    if endpoint.key is None:
        return answer
    calls = tuple(
        ToolCall(name=endpoint.mask(call.name), arguments=mapping_of(_mask_all(dict(call.arguments), endpoint)))
        for call in answer.tool_calls
    )
    return replace(
        answer,
        text=endpoint.mask(answer.text),
        model=endpoint.mask(answer.model),
        tool_calls=calls,
        finish_reason=endpoint.mask(answer.finish_reason),
        fingerprint=endpoint.mask(answer.fingerprint),
        breaks_schema=endpoint.mask(answer.breaks_schema),
    )


def _mask_all(value: Json, endpoint: Endpoint) -> Json:
    if isinstance(value, str):
        return endpoint.mask(value)
    if isinstance(value, list):
        return [_mask_all(item, endpoint) for item in value]
    if isinstance(value, dict):
        return {endpoint.mask(key): _mask_all(item, endpoint) for key, item in value.items()}
    return value
