"""Any endpoint that speaks the OpenAI chat format."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from gate.core.canonical import parse_json
from gate.core.model import Answer, Call, Missing, Unanswered
from gate.documents.wording import quoted
from gate.errors import ConfigurationError
from gate.targets.chat import Received, chat_request, read_chat
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Endpoint, find_endpoint
from gate.targets.prices import Prices
from gate.targets.reply import BadReplyError
from gate.targets.transport import CuttableAdapter, open_session
from gate.worker.quoting import escape_controls

RETRIES = 2
MAX_BYTES = 2_000_000

_RETRIED = frozenset({408, 409, 425, 429})
_OK, _REDIRECTS, _REFUSALS, _SERVER_ERRORS = 200, 300, 400, 500
_CONNECT_S = 10.0
_BACKOFF_S = 0.2
_LONGEST_PAUSE_S = 10.0
_SHOWN = 200
_CHUNK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """One attempt that brought nothing; `pause_s` is how long to wait before the next, None that there is none."""

    reason: Missing
    detail: str
    pause_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiTarget:
    """Posts each prompt as one user message. Redirects are off, and a key goes to no host that is not listed for it."""

    definition: TargetDefinition
    endpoint: Endpoint
    prices: Prices
    local: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def answer(self, call: Call) -> Answer | Unanswered:
        """Ask, with at most two retries inside of the time limit; the latency is that of the attempt that answered."""
        if self.endpoint.refusal is not None:
            return Unanswered(reason=Missing.NOT_ALLOWED, detail=self.endpoint.refusal)
        body = json.dumps(chat_request(self.definition, call)).encode("ascii")
        deadline = time.monotonic() + self.definition.timeout_s
        result = self._attempt(body, deadline)
        for retry in range(RETRIES):
            if isinstance(result, Answer) or result.pause_s is None:
                break
            pause = result.pause_s + _BACKOFF_S * 2**retry
            if time.monotonic() + pause >= deadline:
                break
            time.sleep(pause)
            result = self._attempt(body, deadline)
        if isinstance(result, Answer):
            return result
        return Unanswered(reason=result.reason, detail=escape_controls(self.endpoint.mask(result.detail)))

    def _attempt(self, body: bytes, deadline: float) -> Answer | _Failure:
        session, adapter = self._connection()
        remaining = max(deadline - time.monotonic(), 0.001)
        with adapter.cut_after(remaining) as was_cut:
            result = self._ask(session, body, remaining)
        if was_cut.is_set():
            # Whatever the exchange ended in then, a body without a stated length included, was our doing.
            return _Failure(reason=Missing.TIMED_OUT, detail=f"no answer within {self.definition.timeout_s:g} s")
        return result

    def _connection(self) -> tuple[requests.Session, CuttableAdapter]:
        """Return this thread's own session: a session is not safe to share."""
        found: tuple[requests.Session, CuttableAdapter] | None = getattr(self.local, "connection", None)
        if found is None:
            found = self.local.connection = open_session()
        return found

    def _ask(self, session: requests.Session, body: bytes, seconds: float) -> Answer | _Failure:
        started = time.perf_counter()
        try:
            with session.post(
                f"{self.endpoint.url}/chat/completions",
                data=body,
                headers=self._headers(),
                timeout=(min(_CONNECT_S, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _read_body(response)
                latency_ms = (time.perf_counter() - started) * 1000
                return self._read(response, content, latency_ms)
        except (requests.RequestException, HTTPError, OSError) as error:
            return self._explain(error)

    def _headers(self) -> dict[str, str]:
        # Uncompressed, so that the limit on the size holds for what is decoded, too.
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "lockgate"}
        return headers | ({"Authorization": f"Bearer {self.endpoint.key}"} if self.endpoint.key else {})

    def _read(self, response: requests.Response, content: bytes, latency_ms: float) -> Answer | _Failure:
        if not _OK <= response.status_code < _REDIRECTS:
            return self._refused(response, content)
        if len(content) > MAX_BYTES:
            return _Failure(reason=Missing.TOO_LARGE, detail=f"the answer is over {MAX_BYTES} bytes")
        body = self.endpoint.mask(_spelled_out(content)).encode("ascii", "replace")
        try:
            received = Received(body=body, latency_ms=latency_ms, model=self.definition.model or "")
            return read_chat(received, self.prices)
        except BadReplyError as error:
            return _Failure(reason=Missing.MALFORMED, detail=str(error))

    def _refused(self, response: requests.Response, content: bytes) -> _Failure:
        status = response.status_code
        if _REDIRECTS <= status < _REFUSALS:
            return _Failure(reason=Missing.HTTP_ERROR, detail=f"status {status}: redirects are off")
        # The key is masked before the text is cut: half a key is still a secret.
        shown = escape_controls(self.endpoint.mask(content.decode("utf-8", "replace")).strip())[:_SHOWN]
        retried = status in _RETRIED or status >= _SERVER_ERRORS
        pause = _read_pause(response.headers) if retried else None
        return _Failure(reason=Missing.HTTP_ERROR, detail=f"status {status}: {shown}", pause_s=pause)

    def _explain(self, error: BaseException) -> _Failure:
        """Name what broke in our own words: those of the libraries hold addresses of objects, and can hold headers."""
        host = self.endpoint.host
        causes = tuple(_chain(error))
        if isinstance(error, requests.ConnectTimeout):
            return _Failure(reason=Missing.TIMED_OUT, detail=f"no connection to {host}", pause_s=0.0)
        if isinstance(error, requests.Timeout | ReadTimeoutError):
            detail = f"no answer within {self.definition.timeout_s:g} s"
            return _Failure(reason=Missing.TIMED_OUT, detail=detail)
        if isinstance(error, requests.exceptions.SSLError):
            return _Failure(reason=Missing.REFUSED, detail=f"no trusted TLS connection to {host}")
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return _Failure(reason=Missing.REFUSED, detail=f"{host} refused the connection", pause_s=0.0)
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return _Failure(reason=Missing.REFUSED, detail=f"the name {host} does not resolve", pause_s=0.0)
        return _Failure(reason=Missing.MALFORMED, detail=f"the connection to {host} broke off", pause_s=0.0)


def build_openai(definition: TargetDefinition, environ: Mapping[str, str], prices: Prices) -> OpenAiTarget:
    """Build the target; raises ConfigurationError for a missing model name or key, and an unusable address."""
    if not definition.model:
        message = f"target {quoted(definition.name)} names no model"
        raise ConfigurationError(message, hint="as in model: {provider: openai, name: gpt-4.1-mini-2025-04-14}")
    return OpenAiTarget(definition=definition, endpoint=find_endpoint(definition, environ), prices=prices)


def _read_body(response: requests.Response) -> bytes:
    """Read up to one byte over the limit."""
    content = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=False):
        content += chunk
        if len(content) > MAX_BYTES:
            break
    return bytes(content[: MAX_BYTES + 1])


def _spelled_out(content: bytes) -> str:
    """Write JSON with its plain letters unescaped, so that a key in it can be found; of anything else, how it starts.

    Nothing more of what is not JSON is ever looked at.
    """
    try:
        return json.dumps(parse_json(content.decode("utf-8")))
    except (ValueError, RecursionError):
        return content.lstrip()[:1].decode("ascii", "replace")


def _read_pause(headers: Mapping[str, str]) -> float:
    said = headers.get("Retry-After", "")
    return min(float(said), _LONGEST_PAUSE_S) if said.isascii() and said.isdigit() else 0.0


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
